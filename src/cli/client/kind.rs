//! The lists that can be asked for.

/// A list of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Kind {
    Events,
    Messages,
    Conversations,
    Contacts,
    Invoices,
    Reviews,
    Calls,
    Deliveries,
    Quarantine,
}

impl Kind {
    /// What it is called in a path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Messages => "messages",
            Self::Conversations => "conversations",
            Self::Contacts => "contacts",
            Self::Invoices => "invoices",
            Self::Reviews => "reviews",
            Self::Calls => "calls",
            Self::Deliveries => "deliveries",
            Self::Quarantine => "quarantine",
        }
    }
}
