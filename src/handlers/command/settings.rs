//! The settings of the kind `command`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::config::SettingsError;
use crate::handlers::text_table::TextTable;

/// As written. It has no `Debug`: arguments and environment may hold secrets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// The program and its arguments.
    command: Value,
    /// The folder to run it in; Lectern's own when there is none.
    working_dir: Option<PathBuf>,
    /// Further variables.
    #[serde(default)]
    env: TextTable,
}

/// As meant.
pub(super) struct Checked {
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    pub(super) working_dir: Option<PathBuf>,
    pub(super) env: BTreeMap<String, String>,
}

/// Checks all that can be checked before the first event. Whether the program is there is not: it may come later, and
/// go.
pub(super) fn check(written: Written) -> Result<Checked, SettingsError> {
    let error = |key| move |reason| SettingsError(format!("{key}: {reason}"));
    let (program, arguments) = command(written.command).map_err(error("command"))?;
    let working_dir = written.working_dir.map(directory).transpose().map_err(error("working_dir"))?;
    Ok(Checked { program, arguments, working_dir, env: variables(written.env).map_err(error("env"))? })
}

fn command(value: Value) -> Result<(String, Vec<String>), String> {
    let parts = match value {
        Value::Array(parts) => parts,
        Value::String(_) => {
            return Err(
                "write an array, the program and each argument by itself, such as [\"notify\", \"--all\"]; \
                 a line for the shell is [\"sh\", \"-c\", \"…\"]"
                    .to_owned(),
            );
        }
        _ => return Err("write an array of texts, such as [\"notify\", \"--all\"]".to_owned()),
    };
    let text = |(place, part)| match part {
        Value::String(text) if text.contains('\0') => {
            Err(format!("part {place} has a zero character in it, which no program can be given"))
        }
        Value::String(text) => Ok(text),
        _ => Err(format!("part {place} is not a text: put it in quotes")),
    };
    let mut parts = (1..).zip(parts).map(text).collect::<Result<Vec<_>, _>>()?.into_iter();
    match parts.next() {
        Some(program) if !program.is_empty() => Ok((program, parts.collect())),
        _ => Err("it is empty: the first part is the program".to_owned()),
    }
}

fn directory(path: PathBuf) -> Result<PathBuf, String> {
    if path.is_dir() { Ok(path) } else { Err(format!("{} is not a folder", path.display())) }
}

fn variables(written: TextTable) -> Result<BTreeMap<String, String>, String> {
    for (name, value) in &written.0 {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(format!("`{}` can't be a variable's name", name.escape_debug()));
        }
        if name.starts_with("LECTERN_") {
            return Err(format!("`{name}`: names that begin with LECTERN_ are Lectern's own"));
        }
        if value.contains('\0') {
            return Err(format!("the value of `{name}` has a zero character in it"));
        }
    }
    Ok(written.0)
}
