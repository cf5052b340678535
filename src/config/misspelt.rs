//! Environment variables that no key answers to, though somebody meant one.

use config::{Map, Value, ValueKind};

use super::environment::{CONFIG, SHORT, variable_for};
use super::mistake::listed;

/// All of these are Lectern's: another name that begins so is a slip, and what it should set would be missing.
const WEBHOOK: &str = "PODIUM_WEBHOOK_";

/// Every variable that sets something, the short names first.
pub(super) struct Known(Vec<String>);

impl Known {
    /// The variables for the keys of `defaults`, which has all of them.
    pub(super) fn of(defaults: &Map<String, Value>) -> Self {
        let mut variables: Vec<String> = SHORT.iter().map(|(short, _)| (*short).to_owned()).collect();
        variables.push(CONFIG.to_owned());
        keys(defaults, "", &mut |path| variables.push(variable_for(path)));
        Self(variables)
    }

    /// What is wrong with a variable that sets nothing; nothing where it is likely somebody else's.
    ///
    /// Kubernetes sets `LECTERN_SERVICE_HOST`, `LECTERN_PORT_8080_TCP` and their like beside a service named
    /// `lectern`, and a handler's program finds `LECTERN_EVENT_ID` and others: so a name must be near to count.
    pub(super) fn mistake(&self, variable: &str) -> Option<String> {
        let near = self.nearest(variable);
        let hint = match near {
            Some(near) => format!("did you mean {near}?"),
            None if variable.starts_with(WEBHOOK) => {
                let known: Vec<&String> = self.0.iter().filter(|name| name.starts_with(WEBHOOK)).collect();
                format!("known are {}", listed(&known, "and"))
            }
            None => return None,
        };
        Some(format!("the environment variable {variable} names no key; {hint}"))
    }

    /// The variable that `variable` would be with its underscores in other places.
    pub(super) fn written_otherwise(&self, variable: &str) -> Option<&str> {
        let near = self.nearest(variable).filter(|near| near.replace('_', "") == variable.replace('_', ""));
        near.filter(|_| !self.0.iter().any(|known| known == variable))
    }

    /// The variable whose letters are the same, or but for two slips: underscores are what is most easily mistaken.
    fn nearest(&self, variable: &str) -> Option<&str> {
        let letters = |name: &str| name.replace('_', "");
        let written = letters(variable);
        self.0
            .iter()
            .map(|name| (strsim::osa_distance(&written, &letters(name)), name))
            .filter(|(slips, _)| *slips <= 2)
            .min_by_key(|(slips, _)| *slips)
            .map(|(_, name)| name.as_str())
    }
}

/// Calls `each` with the path of every key that a variable can set: lists, such as the handlers, are for files.
fn keys(table: &Map<String, Value>, above: &str, each: &mut impl FnMut(&str)) {
    for (key, value) in table {
        let path = format!("{above}{key}");
        match &value.kind {
            ValueKind::Table(table) => keys(table, &format!("{path}."), each),
            ValueKind::Array(_) => {}
            _ => each(&path),
        }
    }
}
