//! Reading a configuration again for a server that runs.

use std::path::Path;

use secrecy::SecretString;

use super::generated::{self, API_TOKEN, DataDirError, WEBHOOK_SECRET};
use super::mistake::Mistakes;
use super::provenance::Setting;
use super::sources::CURRENT;
use super::{Loaded, NamedSecret, Snapshot, SourceConfig, SourceError, named_secrets};

/// What a configuration that was read again comes to in a server that runs.
#[derive(Debug)]
pub struct Reread {
    /// What changes without a start: the sources, the default one first.
    pub sources: Vec<SourceConfig>,
    /// What every key came to.
    pub snapshot: Snapshot,
}

impl Loaded {
    /// What the configuration comes to in a server that runs. Reads what an earlier start made, and makes nothing: with
    /// a new secret that nobody has set at Podium, everything would be refused.
    ///
    /// # Errors
    /// When a secret that an earlier start made is not there or can't be used.
    pub fn reread(mut self) -> Result<Reread, Mistakes> {
        let [secret, token] = self.read_generated()?;
        let path = self.generated(WEBHOOK_SECRET);
        let mut sources = Vec::with_capacity(self.draft.sources.len());
        for source in &self.draft.sources {
            let mut config = source.config.clone();
            if source.lacks_secret {
                let secret = secret.clone().ok_or_else(|| SourceError::NotMade(path.clone()));
                let added = secret.and_then(|secret| Ok(add_generated(&mut config, secret, &path)?));
                added.map_err(|error| Mistakes(vec![error.to_string()]))?;
            }
            sources.push(config);
        }
        note(&mut self.settings, "[sources.default]", "secret", secret);
        note(&mut self.settings, "[internal]", "api_token", token);
        Ok(Reread { sources, snapshot: Snapshot::of(&self.settings) })
    }

    /// Checks the secrets that an earlier start made. One that is not there yet is no mistake.
    ///
    /// # Errors
    /// Those that can't be read or used.
    pub fn check_generated(&self) -> Result<(), Mistakes> {
        self.read_generated().map(drop)
    }

    /// The webhook's secret and the API token that an earlier start made. None where one is not there yet, or not used.
    fn read_generated(&self) -> Result<[Option<SecretString>; 2], Mistakes> {
        let mut mistakes = Mistakes::default();
        let mut read = |is_used: bool, name| {
            let secret = if is_used { generated::read(&self.generated(name)) } else { Ok(None) };
            secret.unwrap_or_else(|error| {
                mistakes.0.push(error.to_string());
                None
            })
        };
        let secret = read(self.lacks_webhook_secret(), WEBHOOK_SECRET);
        let token = read(self.draft.internal.api_token.is_none(), API_TOKEN);
        let lacking = self.draft.sources.iter().filter(|source| source.lacks_secret);
        for (source, secret) in lacking.zip(secret.clone()) {
            let added = add_generated(&mut source.config.clone(), secret, &self.generated(WEBHOOK_SECRET));
            mistakes.0.extend(added.err().map(|error| error.to_string()));
        }
        mistakes.or([secret, token])
    }
}

/// Gives a source the secret in `path`, which Lectern has made for it.
pub(super) fn add_generated(
    source: &mut SourceConfig,
    secret: SecretString,
    path: &Path,
) -> Result<(), DataDirError> {
    source.secrets.insert(0, NamedSecret { name: CURRENT.to_owned(), value: secret, not_after: None });
    let place = format!("the source `{}`", source.name);
    match named_secrets::clashes(&source.secrets, &place).into_iter().next() {
        Some(clash) => Err(DataDirError::new(path, format!("holds the secret `{CURRENT}`, but {clash}"))),
        None => Ok(()),
    }
}

/// Notes a secret that Lectern has made as what its key came to.
pub(super) fn note(settings: &mut [Setting], heading: &str, key: &str, secret: Option<SecretString>) {
    let setting = settings.iter_mut().find(|setting| setting.heading == heading && setting.key == key);
    if let (Some(setting), Some(secret)) = (setting, secret) {
        setting.whole = secret;
    }
}
