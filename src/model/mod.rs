//! The words of the house, as types: what is accepted, owed, tried and listed. No input, no output, no policy of
//! any stage; every other room speaks in these.

mod activity;
mod attempt;
mod delivery;
mod event;
mod finding;
mod forgettable;
mod handler;
mod id;
mod mirror;
mod page;
mod pattern;
mod quarantine;
mod replay;
mod resource;
mod secret_use;
mod source;
mod statistics;
mod subscription;
mod token;
mod trace;

pub use activity::Activity;
pub use attempt::{Attempt, AttemptOutcome};
pub use delivery::{Backlog, Delivery, DeliveryFilter, DeliveryState, NewDelivery, Queue};
pub use event::{
    Arrival, Content, DedupKey, EventFilter, EventRecord, Header, NewEvent, Origin, UnknownOrigin,
};
pub use finding::Finding;
pub use forgettable::Forgettable;
pub use handler::{HandlerConfiguration, HandlerState, HandlerStatus, Rates, handlers};
pub(crate) use id::new_uuid;
pub use id::{DeliveryId, EventId, QuarantineId, ReplayId, TokenId};
pub use mirror::{MirrorStanding, MirrorStatus, Rebuild, SkippedEvent, SkippedStatus};
pub use page::{Limit, PageRequest};
pub use pattern::TypePattern;
pub use quarantine::{
    InQuarantine, QuarantineBounds, QuarantineFilter, Quarantined, QuarantinedRequest, Released,
};
pub use replay::{Replay, ReplayState, ReplayStatus};
pub use resource::{
    Place, Resource, ResourceFilter, ResourceKeys, ResourceKind, ResourceState, Talk, Version, Words,
};
pub use secret_use::{SecretDigest, SecretUse};
pub use source::{Secret, SecretState, SecretStatus, Source, SourceStatus};
pub use statistics::{EventCount, ResponseTimes, Statistics};
pub use subscription::{OnDead, Ordering, Subscription};
pub use token::{NewToken, Role, Token, TokenDigest};
pub use trace::TraceContext;
