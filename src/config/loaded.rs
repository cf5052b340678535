//! A configuration that has been read and checked, and has touched nothing.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::SecretString;

use super::draft::Draft;
use super::generated::{self, API_TOKEN, DataDirError, WEBHOOK_SECRET};
use super::mistake::{Mistakes, listed, nearest};
use super::provenance::{Provenance, Setting};
use super::sources::DEFAULT;
use super::{
    Config, Database, DatabaseUrl, HandlerConfig, Internal, Log, Podium, Public, Retention, Settings,
    SettingsError, Snapshot, SourceConfig, Verification, reread,
};

/// A configuration that has been read and checked. Nothing has been made yet: [`Loaded::start`] does.
#[derive(Debug)]
pub struct Loaded {
    pub(super) draft: Draft,
    pub(super) settings: Vec<Setting>,
}

/// A configuration that is ready to be served, and what a person may want to know of it.
#[derive(Debug)]
pub struct Started {
    /// The configuration.
    pub config: Config,
    /// The file that holds the default source's secret; none when the secret was written in the configuration itself,
    /// or the source has none.
    pub webhook_secret_file: Option<PathBuf>,
    /// Whether that is the file that Lectern makes for itself, which `lectern send` finds in the data folder.
    pub webhook_secret_is_generated: bool,
    /// The file that holds the API token; none when the token was written in the configuration itself.
    pub api_token_file: Option<PathBuf>,
    /// Whether a secret was made just now.
    pub is_first: bool,
    /// What every key came to.
    pub snapshot: Snapshot,
}

/// No secret can be given for a source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such source.
    #[error("there is no source `{name}`; {hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        hint: String,
    },
    /// The first start has not been yet.
    #[error("the webhook secret {} is not there yet: the first start of `lectern` makes it", .0.display())]
    NotMade(PathBuf),
    /// The file can't be read.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
}

impl Loaded {
    pub(super) fn new(draft: Draft, settings: Vec<Setting>) -> Self {
        let mut loaded = Self { draft, settings };
        loaded.note_generated();
        loaded
    }

    /// The public listener.
    #[must_use]
    pub const fn public(&self) -> &Public {
        &self.draft.public
    }

    /// Where the internal listener listens.
    #[must_use]
    pub const fn internal_listen(&self) -> SocketAddr {
        self.draft.internal.listen
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.draft.log
    }

    /// What is done at Podium itself.
    #[must_use]
    pub const fn podium(&self) -> &Podium {
        &self.draft.podium
    }

    /// The folder for what Lectern keeps beside the database.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.draft.data_dir
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.draft.database
    }

    /// Which signatures are still good.
    #[must_use]
    pub const fn verification(&self) -> Verification {
        self.draft.verification
    }

    /// The sources, the default one first. One that has no secret yet gets it at the first start.
    pub fn sources(&self) -> impl Iterator<Item = &SourceConfig> {
        self.draft.sources.iter().map(|source| &source.config)
    }

    /// The spool's folder.
    #[must_use]
    pub fn spool_dir(&self) -> &Path {
        &self.draft.spool.dir
    }

    /// How long things are kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.draft.retention
    }

    /// The handlers.
    pub fn handlers(&self) -> impl Iterator<Item = &HandlerConfig> {
        self.draft.handlers.iter().map(|handler| &handler.config)
    }

    /// Every key with its value and where that is from; secrets are hidden.
    #[must_use]
    pub fn provenance(&self) -> Provenance<'_> {
        Provenance(&self.settings)
    }

    /// Checks each handler's own settings with `build`, which knows the kinds.
    ///
    /// # Errors
    /// What the kinds have against their settings.
    pub fn check_handlers(
        &self,
        mut build: impl FnMut(&str, Settings) -> Result<(), SettingsError>,
    ) -> Result<(), Mistakes> {
        let mut mistakes = Mistakes::default();
        for handler in &self.draft.handlers {
            let (config, origin) = (&handler.config, &handler.origin);
            if let Err(error) = build(&config.kind, config.settings.clone()) {
                let name = &config.subscription.handler;
                mistakes.0.push(format!("the handler `{name}` in {origin} can't be used: {error}"));
            }
        }
        mistakes.or(())
    }

    /// The secret that requests of a source are signed with; none when it takes unsigned ones and has no secret.
    ///
    /// # Errors
    /// When there is no such source, or its secret has not been made yet or can't be read.
    pub fn secret(&self, name: &str) -> Result<Option<SecretString>, SourceError> {
        let Some(source) = self.draft.sources.iter().find(|source| source.config.name == name) else {
            let known: Vec<&str> = self.sources().map(|source| source.name.as_str()).collect();
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("configured: {}", listed(&known, "and")),
            };
            return Err(SourceError::Unknown { name: name.to_owned(), hint });
        };
        if source.lacks_secret {
            let path = self.generated(WEBHOOK_SECRET);
            return generated::read(&path)?.map(Some).ok_or(SourceError::NotMade(path));
        }
        // The one that lasts longest, and of equals the first.
        let secrets = source.config.secrets.iter().rev();
        let lasting = secrets.max_by_key(|secret| secret.not_after.unwrap_or(Timestamp::MAX));
        Ok(lasting.map(|secret| secret.value.clone()))
    }

    /// Makes what the first start makes: the data folder and the secrets that are not configured.
    ///
    /// # Errors
    /// When the folder can't be made, or a secret can't be made or read.
    pub fn start(mut self) -> Result<Started, DataDirError> {
        let (secret_path, token_path) = (self.generated(WEBHOOK_SECRET), self.generated(API_TOKEN));
        let lacks_secret = self.lacks_webhook_secret();
        let Draft {
            data_dir,
            role,
            public,
            internal,
            database,
            spool,
            verification,
            retention,
            quarantine,
            sources,
            handlers,
            dispatch,
            log,
            podium,
        } = self.draft;
        let holds_database =
            matches!(&database.url, DatabaseUrl::Sqlite(path) if path.starts_with(&data_dir));
        if lacks_secret || internal.api_token.is_none() || holds_database {
            generated::make_folder(&data_dir)?;
        }

        let (api_token, api_token_file, mut is_first) = match internal.api_token {
            Some(found) => (found.value, found.file, false),
            None => {
                let (token, made) = generated::read_or_make(&token_path)?;
                reread::note(&mut self.settings, "[internal]", "api_token", Some(token.clone()));
                (token, Some(token_path), made)
            }
        };
        let (mut webhook_secret_file, mut webhook_secret_is_generated) = (None, false);
        let mut source_configs = Vec::with_capacity(sources.len());
        for mut source in sources {
            if source.lacks_secret {
                let (value, made) = generated::read_or_make(&secret_path)?;
                is_first |= made;
                reread::note(&mut self.settings, "[sources.default]", "secret", Some(value.clone()));
                reread::add_generated(&mut source.config, value, &secret_path)?;
                source.secret_file = Some(secret_path.clone());
            }
            if source.config.name == DEFAULT {
                (webhook_secret_file, webhook_secret_is_generated) =
                    (source.secret_file, source.lacks_secret);
            }
            source_configs.push(source.config);
        }
        let config = Config {
            data_dir,
            role,
            public,
            internal: Internal { listen: internal.listen, api_token },
            database,
            spool,
            verification,
            retention,
            quarantine,
            sources: source_configs,
            handlers: handlers.into_iter().map(|handler| handler.config).collect(),
            dispatch,
            log,
            podium,
        };
        Ok(Started {
            config,
            webhook_secret_file,
            webhook_secret_is_generated,
            api_token_file,
            is_first,
            snapshot: Snapshot::of(&self.settings),
        })
    }

    pub(super) fn lacks_webhook_secret(&self) -> bool {
        self.draft.sources.iter().any(|source| source.lacks_secret)
    }

    pub(super) fn generated(&self, name: &str) -> PathBuf {
        self.draft.data_dir.join(name)
    }

    /// Says of each secret that Lectern makes for itself where it is, and of the database where it is by default.
    fn note_generated(&mut self) {
        let place = |path: &Path| {
            let state = match path.try_exists() {
                Ok(true) => "made by the first start".to_owned(),
                Ok(false) => "the first start makes it".to_owned(),
                Err(error) => format!("which can't be looked for: {error}"),
            };
            ("(hidden)".to_owned(), format!("{}, {state}", path.display()))
        };
        let mut notes = Vec::new();
        if self.draft.internal.api_token.is_none() {
            notes.push(("[internal]", "api_token", place(&self.generated(API_TOKEN))));
        }
        if self.lacks_webhook_secret() {
            notes.push(("[sources.default]", "secret", place(&self.generated(WEBHOOK_SECRET))));
        }
        for setting in &mut self.settings {
            let note =
                notes.iter().find(|(heading, key, _)| *heading == setting.heading && *key == setting.key);
            if let Some((_, _, (shown, from))) = note {
                (setting.shown, setting.from) = (shown.clone(), from.clone());
            }
            if (setting.heading.as_str(), setting.key.as_str()) == ("[database]", "url")
                && setting.shown == "(not set)"
            {
                setting.shown = format!("{:?}", self.draft.database.url.to_string());
                setting.from = "default, in the data folder".to_owned();
            }
        }
    }
}
