//! Reads `[[sources.NAME.secrets]]`: further secrets of a source, each with a name.

use config::{Map, Value};
use secrecy::ExposeSecret as _;

use super::meaning::{A_NAME, is_name, moment, text};
use super::secret::Found;
use super::section::{Place, Reported, Section};
use super::{NamedSecret, Origin, secret};

/// A secret with its name, and the file that it was in.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) secret: NamedSecret,
    pub(super) file: Option<std::path::PathBuf>,
}

impl Named {
    pub(super) fn new(name: &str, found: Found, not_after: Option<jiff::Timestamp>) -> Self {
        let secret = NamedSecret { name: name.to_owned(), value: found.value, not_after };
        Self { secret, file: found.file }
    }
}

/// Reads the secrets of the source `source`.
pub(super) fn read(section: &mut Section<'_>, source: &str) -> Result<Vec<Named>, Reported> {
    let written = section.take("secrets")?;
    let tables = written.list().and_then(|list| {
        let list = list.into_iter().map(|value| section.written(value));
        list.map(|table| Some((table.origin(), table.table()?))).collect()
    });
    let Some(tables): Option<Vec<(Origin, Map<String, Value>)>> = tables else {
        let (name, origin) = (section.name("secrets"), written.origin());
        // Without what stands there: it may well be a secret.
        return Err(section.complain(format!(
            "{name} in {origin} must be tables in a file, each headed `[[sources.{source}.secrets]]`"
        )));
    };
    if tables.is_empty() {
        section.note("secrets", "[]".to_owned(), "", written.origin().short());
    }
    let read = |(at, (origin, table))| one(section, source, at, &origin, table);
    // All of them, so that a person sees every mistake at once.
    let secrets: Vec<_> = tables.into_iter().enumerate().map(read).collect();
    secrets.into_iter().collect()
}

fn one(
    section: &mut Section<'_>,
    source: &str,
    at: usize,
    origin: &Origin,
    mut table: Map<String, Value>,
) -> Result<Named, Reported> {
    let name = table.get("name").and_then(|name| name.clone().into_string().ok());
    let number = at + 1;
    let this = match &name {
        Some(name) => format!("secret `{name}` of the source `{source}`"),
        None => format!("secret number {number} of the source `{source}`"),
    };
    if !table.contains_key("name") {
        return Err(section.complain(format!("{this} in {origin} lacks the key `name`: a name of its own")));
    }
    for key in ["secret", "secret_file", "not_after"] {
        table.entry(key.to_owned()).or_insert_with(|| Value::new(Some(&Origin::Default.mark()), ""));
    }
    let place = Place {
        heading: format!("[[sources.{source}.secrets]]"),
        prefix: String::new(),
        owner: format!(" of the {this}"),
    };
    Section::read(place, table, section.report, |section| {
        let name = section.value("name", |written| {
            let name = text(written)?;
            if is_name(&name) { Ok(name) } else { Err(A_NAME) }
        });
        let found = section.secret("secret", "secret_file", secret::hidden);
        let not_after = section.value("not_after", moment);
        let (name, found, not_after) = (name?, found?, not_after?);
        let Some(found) = found else {
            return Err(section.complain(format!(
                "the {this} in {origin} is not there: set its `secret` or its `secret_file`"
            )));
        };
        Ok(Named::new(&name, found, not_after))
    })
}

/// What two secrets of a source must not have in common: one sentence a pair, none of which holds a secret. `place` says
/// which source it is, and where that stands.
pub(super) fn clashes(secrets: &[NamedSecret], place: &str) -> Vec<String> {
    let mut clashes = Vec::new();
    for (at, one) in secrets.iter().enumerate() {
        for other in &secrets[at + 1..] {
            if one.name == other.name {
                clashes.push(format!(
                    "two secrets of {place} are named `{}`: each needs its own name{}",
                    one.name,
                    match one.name.as_str() {
                        "current" => ", and this is that of the key `secret`",
                        "previous" => ", and this is that of the key `previous_secret`",
                        _ => "",
                    }
                ));
            } else if one.value.expose_secret() == other.value.expose_secret() {
                clashes.push(format!(
                    "the secrets `{}` and `{}` of {place} are the same: keep one of them",
                    one.name, other.name
                ));
            }
        }
    }
    clashes
}
