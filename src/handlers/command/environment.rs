//! The environment of a program.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use tokio::process::Command;

use crate::handlers::{Work, facts};

/// What is changed in the environment that Lectern itself was started with.
pub(super) struct Environment {
    removed: Vec<OsString>,
    configured: BTreeMap<String, String>,
}

impl Environment {
    /// Takes Lectern's own variables out of `inherited` and adds those that are `configured`.
    pub(super) fn new(
        configured: BTreeMap<String, String>,
        inherited: impl Iterator<Item = (OsString, OsString)>,
    ) -> Self {
        Self { removed: inherited.map(|(name, _)| name).filter(|name| is_ours(name)).collect(), configured }
    }

    /// Sets the environment of `command`. What describes the event comes last: nothing can pretend to be it.
    pub(super) fn apply(&self, command: &mut Command, work: &Work) {
        for name in &self.removed {
            command.env_remove(name);
        }
        command.envs(&self.configured);
        // No program can be given a value with a zero character in it.
        let facts = facts::of(work).filter(|(_, value)| !value.contains('\0'));
        command.envs(facts.map(|(name, value)| (variable(name), value)));
    }
}

/// Whether a variable configures Lectern: it may hold the password of the database, Podium's secret or an API token.
fn is_ours(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name == b"DATABASE_URL" || name.starts_with(b"LECTERN_") || name.starts_with(b"PODIUM_")
}

/// The variable of a fact: `LECTERN_EVENT_ID` for `event-id`.
fn variable(fact: &str) -> String {
    format!("LECTERN_{}", fact.replace('-', "_").to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_configures_lectern_is_not_handed_on() {
        let inherited = [
            "DATABASE_URL",
            "HOME",
            "LECTERN_API_TOKEN",
            "LECTERN__PUBLIC__LISTEN",
            "PATH",
            "PODIUM_WEBHOOK_SECRET",
            "PODIUM_WEBHOOK_SECRET_PREVIOUS",
        ];
        let inherited = inherited.map(|name| (name.into(), "value".into()));
        let environment = Environment::new(BTreeMap::new(), inherited.into_iter());
        assert_eq!(
            environment.removed,
            [
                "DATABASE_URL",
                "LECTERN_API_TOKEN",
                "LECTERN__PUBLIC__LISTEN",
                "PODIUM_WEBHOOK_SECRET",
                "PODIUM_WEBHOOK_SECRET_PREVIOUS",
            ]
        );
    }
}
