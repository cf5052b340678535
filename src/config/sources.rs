//! Reads `[sources.NAME]`: the webhooks that may call.

use std::path::PathBuf;

use config::{Map, Value};

use super::meaning::{A_NAME, boolean, choice, is_name, moment};
use super::named_secrets::{self, Named};
use super::section::{Place, Reported, Section, complete};
use super::{OnUnverified, SourceConfig, secret};

/// The source that answers at the path without a name.
pub(super) const DEFAULT: &str = "default";

/// What the secret of the key `secret` is called.
pub(super) const CURRENT: &str = "current";
/// What the secret of the key `previous_secret` is called.
const PREVIOUS: &str = "previous";

/// A source as it is configured.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) config: SourceConfig,
    /// The file that its first secret was in.
    pub(super) secret_file: Option<PathBuf>,
    /// It lacks a secret that the first start makes.
    pub(super) lacks_secret: bool,
}

/// Reads all sources, the default one first. `defaults` is what every source falls back to; those that are `registered` by Lectern
/// itself need no secret.
pub(super) fn read(
    section: &mut Section<'_>,
    defaults: &Map<String, Value>,
    registered: &[String],
) -> Result<Vec<Source>, Reported> {
    let mut tables: Vec<_> = section.rest().into_iter().collect();
    tables.sort_by(|(a, _), (b, _)| (a != DEFAULT, a).cmp(&(b != DEFAULT, b)));
    let sources: Vec<_> =
        tables.into_iter().map(|(name, value)| one(section, &name, value, defaults, registered)).collect();
    sources.into_iter().collect()
}

fn one(
    section: &mut Section<'_>,
    name: &str,
    value: Value,
    defaults: &Map<String, Value>,
    registered: &[String],
) -> Result<Source, Reported> {
    let written = section.written(value);
    let origin = written.origin();
    let Some(mut table) = written.table() else {
        return Err(section.mistake(name, &written, "must be a table"));
    };
    if !is_name(name) {
        return Err(section.complain(format!(
            "the source {name:?} in {origin} has a name that can't be part of a URL: {A_NAME}"
        )));
    }
    complete(&mut table, defaults);
    let place = Place {
        heading: format!("[sources.{name}]"),
        prefix: format!("sources.{name}."),
        owner: String::new(),
    };
    Section::read(place, table, section.report, |section| {
        let current = section.secret("secret", "secret_file", secret::hidden);
        let previous = previous(section);
        let allow_unsigned = section.value("allow_unsigned", boolean);
        let choices = [("reject", OnUnverified::Reject), ("hold", OnUnverified::Hold)];
        let on_unverified = section.value("on_unverified", choice(&choices));
        // Last, as in a file: what follows the heading of a table belongs to that table.
        let further = named_secrets::read(section, name);
        let (current, previous, further) = (current?, previous?, further?);
        let (allow_unsigned, on_unverified) = (allow_unsigned?, on_unverified?);
        let has_secret = current.is_some() || !further.is_empty();
        let is_registered = registered.iter().any(|registered| registered == name);
        if name != DEFAULT && !has_secret && !allow_unsigned && !is_registered {
            return Err(section.complain(format!(
                "the source `{name}` in {origin} has no secret: set {} to the one that its webhook has at Podium",
                section.name("secret")
            )));
        }
        let current = current.map(|found| Named::new(CURRENT, found, None));
        let secrets: Vec<Named> = current.into_iter().chain(previous).chain(further).collect();
        let secret_file = secrets.first().and_then(|first| first.file.clone());
        let secrets: Vec<_> = secrets.into_iter().map(|named| named.secret).collect();
        let clashes = named_secrets::clashes(&secrets, &format!("the source `{name}` in {origin}"));
        section.report.mistakes.extend(clashes);
        let config = SourceConfig { name: name.to_owned(), secrets, allow_unsigned, on_unverified };
        Ok(Source { config, secret_file, lacks_secret: name == DEFAULT && !has_secret && !allow_unsigned })
    })
}

/// The secret before the current one.
fn previous(section: &mut Section<'_>) -> Result<Option<Named>, Reported> {
    let found = section.secret("previous_secret", "previous_secret_file", secret::hidden);
    let not_after = section.value("previous_secret_not_after", moment);
    match (found?, not_after?) {
        (Some(found), not_after) => Ok(Some(Named::new(PREVIOUS, found, not_after))),
        (None, None) => Ok(None),
        (None, Some(_)) => {
            let not_after = section.said("previous_secret_not_after");
            let previous = section.name("previous_secret");
            Err(section.complain(format!("{not_after}, but {previous} is not set: set both, or neither")))
        }
    }
}
