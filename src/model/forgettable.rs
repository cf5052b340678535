//! What is kept for a time, and forgotten then.

use std::fmt;

/// What is forgotten by age, each kind after a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Forgettable {
    /// Closed deliveries, with their attempts. Those stay for whose sake a queue waits.
    Deliveries,
    /// What arrived with events, byte for byte: bodies and headers. A body stays as long as a delivery of its event is there, or it is yet to
    /// be mirrored.
    Bodies,
    /// Events: their lines in the ledger, with all that is left of them. One stays as long as a delivery or the body of it is there.
    Events,
    /// Requests in quarantine, but for those that are held.
    Quarantined,
}

impl Forgettable {
    /// Every kind, in the order in which they are forgotten: what others wait for comes first.
    pub const ALL: [Self; 4] = [Self::Deliveries, Self::Bodies, Self::Events, Self::Quarantined];

    /// The kind's name, as the configuration spells it where it says for how long it is kept.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deliveries => "deliveries",
            Self::Bodies => "bodies",
            Self::Events => "events",
            Self::Quarantined => "quarantine",
        }
    }
}

impl fmt::Display for Forgettable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Deliveries => "deliveries",
            Self::Bodies => "bodies",
            Self::Events => "events",
            Self::Quarantined => "quarantined requests",
        })
    }
}
