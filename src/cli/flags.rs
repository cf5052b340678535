//! The flags that are a layer of the configuration, the same for every command.

use std::path::PathBuf;

use clap::Args;

use super::welcome::quoted;
use crate::config::{Environment, Flag, Layers};

/// The flags that are a layer of the configuration.
#[derive(Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct ConfigurationFlags {
    /// The configuration file [or LECTERN_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder for the database and the secrets of the first start [or LECTERN_DATA_DIR]
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// `postgres://…` or `sqlite:FILE` [or DATABASE_URL, which keeps its password out of the process list]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Where Podium calls [or LECTERN_LISTEN]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Where your own systems call [or LECTERN_INTERNAL_LISTEN]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    internal_listen: Option<String>,
    /// What is logged, such as `debug` or `info,lectern::dispatch=debug`
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

impl ConfigurationFlags {
    pub(super) fn layers(&self, environment: Environment) -> Layers {
        let flags = [
            ("--data-dir", "data_dir", &self.data_dir),
            ("--database-url", "database.url", &self.database_url),
            ("--listen", "public.listen", &self.listen),
            ("--internal-listen", "internal.listen", &self.internal_listen),
            ("--log", "log.filter", &self.log),
        ];
        let flags = flags
            .into_iter()
            .filter_map(|(name, key, value)| Some(Flag { name, key, value: value.clone()? }))
            .collect();
        Layers { file: self.config.clone(), environment, flags }
    }

    /// Those flags, as they were given, that another command needs to find this server and its secrets.
    pub(super) fn repeated(&self) -> String {
        let config = self.config.as_ref().map(|path| path.display().to_string());
        [("--config", &config), ("--data-dir", &self.data_dir), ("--listen", &self.listen)]
            .into_iter()
            .filter_map(|(name, value)| Some(format!(" {name} {}", quoted(value.as_ref()?))))
            .collect()
    }
}
