//! Reads `[sources.NAME]`: the webhooks that may call.

use config::{Map, Value};

use super::meaning::{A_NAME, boolean, choice, is_name};
use super::section::{Place, Reported, Section, complete};
use super::{NamedSecret, OnUnverified, SourceConfig, secret};

/// The source that answers at the path without a name.
pub(super) const DEFAULT: &str = "default";

/// A source as it is configured.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) config: SourceConfig,
    /// The file that its current secret was in.
    pub(super) secret_file: Option<std::path::PathBuf>,
    /// It lacks a secret that the first start makes.
    pub(super) lacks_secret: bool,
}

/// Reads all sources, the default one first. `defaults` is what every source falls back to.
pub(super) fn read(
    section: &mut Section<'_>,
    defaults: &Map<String, Value>,
) -> Result<Vec<Source>, Reported> {
    let mut tables: Vec<_> = section.rest().into_iter().collect();
    tables.sort_by(|(a, _), (b, _)| (a != DEFAULT, a).cmp(&(b != DEFAULT, b)));
    let sources: Vec<_> =
        tables.into_iter().map(|(name, value)| one(section, &name, value, defaults)).collect();
    sources.into_iter().collect()
}

fn one(
    section: &mut Section<'_>,
    name: &str,
    value: Value,
    defaults: &Map<String, Value>,
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
        let previous = section.secret("previous_secret", "previous_secret_file", secret::hidden);
        let allow_unsigned = section.value("allow_unsigned", boolean);
        let choices = [("reject", OnUnverified::Reject), ("hold", OnUnverified::Hold)];
        let on_unverified = section.value("on_unverified", choice(&choices));
        let (current, previous, allow_unsigned) = (current?, previous?, allow_unsigned?);
        if name != DEFAULT && current.is_none() && !allow_unsigned {
            return Err(section.complain(format!(
                "the source `{name}` in {origin} has no secret: set {} to the one that its webhook has at Podium",
                section.name("secret")
            )));
        }
        let lacks_secret = current.is_none() && !allow_unsigned;
        let secret_file = current.as_ref().and_then(|current| current.file.clone());
        let named = |name: &str, found: Option<secret::Found>| {
            found.map(|found| NamedSecret { name: name.to_owned(), value: found.value })
        };
        let secrets = named("current", current).into_iter().chain(named("previous", previous)).collect();
        let config =
            SourceConfig { name: name.to_owned(), secrets, allow_unsigned, on_unverified: on_unverified? };
        Ok(Source { config, secret_file, lacks_secret })
    })
}
