//! Ingest: the way of a request from the socket into the store.
//!
//! `receive → verify → decode → accept`, and each stage's type can only be made by the stage before:
//! `Received → Verified → Event → Receipt`. What skips a stage does not compile. What fails the second is `Unverified`, and
//! goes into quarantine.
//!
//! The last stage is shared: *lanes* gather the events of concurrent requests, and *commit* makes each batch durable, in
//! the store or in the spool. From there *drain* brings it to the store.

mod accept;
mod commit;
mod decode;
mod drain;
mod inside;
mod lanes;
mod quarantine;
mod receive;
mod rejection;
mod rejection_log;
mod routes;
#[cfg(test)]
mod scripted;
mod source;
mod subscriber;
mod uses;
mod verify;

pub use inside::Inside;
pub use quarantine::{Quarantine, QuarantineWriter};
pub use routes::{Ingest, Parts, router};
pub use source::{Source, SourceKey, Sources};
pub use subscriber::Subscriber;
pub use uses::{UseCount, Uses, write_uses};
