//! The environment of a program.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use tokio::process::Command;

use crate::handlers::Work;

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
        let known = describe(work).into_iter().filter_map(|(name, value)| Some((name, value?)));
        // No program can be given a value with a zero character in it.
        command.envs(known.filter(|(_, value)| !value.contains('\0')));
    }
}

/// Whether a variable configures Lectern: it may hold the password of the database, Podium's secret or an API token.
fn is_ours(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name == b"DATABASE_URL" || name.starts_with(b"LECTERN_") || name.starts_with(b"PODIUM_")
}

fn describe(work: &Work) -> [(&'static str, Option<String>); 14] {
    let Work { event, delivery, .. } = work;
    [
        ("LECTERN_EVENT_ID", Some(event.id.to_string())),
        ("LECTERN_EVENT_TYPE", Some(event.event_type.clone())),
        ("LECTERN_EVENT_UID", event.event_uid.clone()),
        ("LECTERN_SUBJECT_UID", event.subject_uid.clone()),
        ("LECTERN_CONVERSATION_UID", event.conversation_uid.clone()),
        ("LECTERN_CONTACT_UID", event.contact_uid.clone()),
        ("LECTERN_LOCATION_UID", event.location_uid.clone()),
        ("LECTERN_ORGANIZATION_UID", event.organization_uid.clone()),
        ("LECTERN_OCCURRED_AT", event.occurred_at.map(|at| at.to_string())),
        ("LECTERN_RECEIVED_AT", Some(event.received_at.to_string())),
        ("LECTERN_SOURCE", Some(event.source.clone())),
        ("LECTERN_HANDLER", Some(delivery.handler.clone())),
        ("LECTERN_DELIVERY_ID", Some(delivery.id.to_string())),
        ("LECTERN_ATTEMPT", Some(work.attempt().to_string())),
    ]
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
