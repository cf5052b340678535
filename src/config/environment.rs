//! The environment variables that configure Lectern.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use config::{Map, Value, ValueKind};

use super::Origin;
use super::misspelt::Known;

/// Names that are shorter than `LECTERN__SECTION__KEY`, and those that hosting platforms set by themselves.
pub(super) const SHORT: [(&str, &str); 17] = [
    ("DATABASE_URL", "database.url"),
    ("DATABASE_URL_FILE", "database.url_file"),
    ("PODIUM_WEBHOOK_SECRET", "sources.default.secret"),
    ("PODIUM_WEBHOOK_SECRET_FILE", "sources.default.secret_file"),
    ("PODIUM_WEBHOOK_SECRET_PREVIOUS", "sources.default.previous_secret"),
    ("PODIUM_WEBHOOK_SECRET_PREVIOUS_FILE", "sources.default.previous_secret_file"),
    ("LECTERN_LISTEN", "public.listen"),
    ("LECTERN_INTERNAL_LISTEN", "internal.listen"),
    ("LECTERN_API_TOKEN", "internal.api_token"),
    ("LECTERN_API_TOKEN_FILE", "internal.api_token_file"),
    ("LECTERN_DATA_DIR", "data_dir"),
    ("PODIUM_API_URL", "podium.api_url"),
    ("PODIUM_ACCESS_TOKEN", "podium.access_token"),
    ("PODIUM_ACCESS_TOKEN_FILE", "podium.access_token_file"),
    ("PODIUM_CLIENT_ID", "podium.client_id"),
    ("PODIUM_CLIENT_SECRET", "podium.client_secret"),
    ("PODIUM_CLIENT_SECRET_FILE", "podium.client_secret_file"),
];

/// Names the configuration file.
pub(super) const CONFIG: &str = "LECTERN_CONFIG";

/// What every longer name begins with. Two underscores: Kubernetes sets variables that begin with one, such as
/// `LECTERN_PORT`, beside every service named `lectern`.
const PREFIX: &str = "LECTERN__";

/// The variables that matter to Lectern, or look as if they should. It is an argument, so that tests set it.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .filter(|(name, _)| {
                    ["LECTERN_", "PODIUM_WEBHOOK_"].iter().any(|prefix| name.starts_with(prefix))
                        || SHORT.iter().any(|(short, _)| short == name)
                })
                .collect(),
        )
    }

    /// The configuration file that `LECTERN_CONFIG` names.
    #[must_use]
    pub fn config_file(&self) -> Option<PathBuf> {
        self.0.get(CONFIG).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// The layer of the configuration that the variables make up. An empty variable counts as not set: that is how
    /// Docker Compose and shell scripts pass on what isn't there.
    pub(super) fn layer(&self, known: &Known, mistakes: &mut Vec<String>) -> Map<String, Value> {
        let mut layer = Value::from(Map::<String, Value>::new());
        let mut set_by = BTreeMap::new();
        for (name, value) in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            let Some(path) = path_of(name) else {
                mistakes.extend(known.mistake(name).filter(|_| name != CONFIG));
                continue;
            };
            let Some(text) = value.to_str() else {
                mistakes.push(format!("the environment variable {name} is not UTF-8"));
                continue;
            };
            if path.iter().any(String::is_empty) {
                mistakes.push(format!("the environment variable {name} names no key"));
                continue;
            }
            if let Some(meant) = known.written_otherwise(name) {
                mistakes.push(format!("the environment variable {name} names no key; did you mean {meant}?"));
                continue;
            }
            if path[0] == "handlers" {
                mistakes.push(format!(
                    "the environment variable {name} can't be used: handlers are configured in a file only"
                ));
                continue;
            }
            if let Some((other, other_text)) = set_by.insert(path.clone(), (name, text))
                && other_text != text
            {
                mistakes.push(format!(
                    "the environment variables {other} and {name} both set `{}`, to different values: keep one",
                    path.join(".")
                ));
            }
            let mark = Origin::Variable(name.clone()).mark();
            place(&mut layer, &path, Value::new(Some(&mark), text));
        }
        layer.into_table().unwrap_or_default()
    }
}

impl<K: Into<String>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Only the names: values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn path_of(variable: &str) -> Option<Vec<String>> {
    if let Some((_, path)) = SHORT.iter().find(|(short, _)| *short == variable) {
        return Some(path.split('.').map(str::to_owned).collect());
    }
    Some(variable.strip_prefix(PREFIX)?.split("__").map(str::to_lowercase).collect())
}

/// The variable that sets the key at `path`.
pub(super) fn variable_for(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").to_uppercase())
}

/// Puts a value at its place in a tree of tables, and makes the tables on the way.
pub(super) fn place(tree: &mut Value, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *tree = value;
        return;
    };
    if !matches!(tree.kind, ValueKind::Table(_)) {
        tree.kind = ValueKind::Table(Map::new());
    }
    if let ValueKind::Table(table) = &mut tree.kind {
        let below = table.entry(first.clone()).or_insert_with(|| Value::from(Map::<String, Value>::new()));
        place(below, rest, value);
    }
}
