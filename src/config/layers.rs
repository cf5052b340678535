//! The layers of the configuration: the defaults, a file, the environment, flags. What stands in a later one wins.

use std::path::{Path, PathBuf};

use config::builder::DefaultState;
use config::{ConfigBuilder, ConfigError, FileFormat, Format as _, Map, Source, Value};

use super::environment::{self, Environment};
use super::misspelt::Known;
use super::mistake::Mistakes;
use super::section::Report;
use super::{Loaded, Origin, draft};

/// The compiled-in defaults: every key with its meaning.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");

/// What a configuration is made of.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The file that `--config` names. Without it, the file that `LECTERN_CONFIG` names.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// The flags that were given.
    pub flags: Vec<Flag>,
}

/// A flag of the command line that sets a key.
#[derive(Clone)]
pub struct Flag {
    /// Such as `--listen`.
    pub name: &'static str,
    /// Such as `public.listen`.
    pub key: &'static str,
    /// As it was typed.
    pub value: String,
}

/// Only the name: the value may be a secret.
impl std::fmt::Debug for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Layers {
    /// Reads and checks the configuration. Reads the files that it names, and writes nothing.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self) -> Result<Loaded, Mistakes> {
        let merged = self.merge()?;
        let mut report =
            Report { file: self.file().map(|(path, _)| Origin::File(path)), ..Report::default() };
        match draft::read(merged, &defaults()?, &mut report) {
            Ok(draft) if report.mistakes.is_empty() => Ok(Loaded::new(draft, report.settings)),
            _ => Err(Mistakes(report.mistakes)),
        }
    }

    fn merge(&self) -> Result<Map<String, Value>, Mistakes> {
        let mut mistakes = Vec::new();
        let file = self.file_layer().unwrap_or_else(|mistake| {
            mistakes.push(mistake);
            Map::new()
        });
        let defaults = defaults()?;
        let environment = self.environment.layer(&Known::of(&defaults), &mut mistakes);
        let layers = [defaults, file, environment, self.flag_layer()];
        // Where a layer can't be read, what the others say would only mislead.
        Mistakes(mistakes).or(())?;
        let builder = layers
            .into_iter()
            .map(Layer)
            .fold(config::Config::builder(), ConfigBuilder::<DefaultState>::add_source);
        let merged = builder.build().and_then(|merged| merged.cache.into_table());
        merged.map_err(|error| Mistakes(vec![error.to_string()]))
    }

    /// The configuration file, and how it is known if it was not typed.
    fn file(&self) -> Option<(PathBuf, &'static str)> {
        let typed = self.file.clone().map(|path| (path, ""));
        typed.or_else(|| Some((self.environment.config_file()?, " (named by LECTERN_CONFIG)")))
    }

    fn file_layer(&self) -> Result<Map<String, Value>, String> {
        self.file().map_or_else(|| Ok(Map::new()), |(path, named_by)| read_file(&path, named_by))
    }

    fn flag_layer(&self) -> Map<String, Value> {
        let mut layer = Value::from(Map::<String, Value>::new());
        for flag in &self.flags {
            let path: Vec<String> = flag.key.split('.').map(str::to_owned).collect();
            let mark = Origin::Flag(flag.name.to_owned()).mark();
            environment::place(&mut layer, &path, Value::new(Some(&mark), flag.value.as_str()));
        }
        layer.into_table().unwrap_or_default()
    }
}

pub(super) fn defaults() -> Result<Map<String, Value>, Mistakes> {
    FileFormat::Toml
        .parse(Some(&Origin::Default.mark()), DEFAULTS)
        .map_err(|error| Mistakes(vec![format!("the defaults are no TOML: {}", without_source(&*error))]))
}

fn read_file(path: &Path, named_by: &str) -> Result<Map<String, Value>, String> {
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|error| format!("the configuration file {shown}{named_by} can't be read: {error}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("the configuration file {shown}{named_by} is not UTF-8"))?;
    FileFormat::Toml
        .parse(Some(&Origin::File(path.to_owned()).mark()), &text)
        .map_err(|error| format!("{shown} is no TOML: {}", without_source(&*error)))
}

/// A TOML error without the lines of the file that it quotes: there may be a secret in them. What remains is
/// the place and what was expected.
fn without_source(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut place = "";
    let mut message = Vec::new();
    for line in text.lines() {
        let quoted = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').starts_with('|');
        if let Some(at) = line.strip_prefix("TOML parse error at ") {
            place = at;
        } else if !quoted && !line.is_empty() {
            message.push(line);
        }
    }
    if place.is_empty() { message.join(" ") } else { format!("{place}: {}", message.join(" ")) }
}

#[derive(Clone, Debug)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}
