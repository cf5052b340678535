//! Ingest: the way of a request from the socket into the store.
//!
//! `receive → verify → decode → accept`, and of each stage comes a type: `Received → Verified → Event → Receipt`. Anybody may make
//! the first, which is trusted in nothing (a release from quarantine does); each of the others is only made by its stage, of what
//! the stage before made. So a 200 that skips a stage does not compile. What fails the second is `Unverified`, and goes into
//! quarantine. What was verified before and waited in the spool, or came by no request, is read by the third again: nobody waits
//! for an answer to it, so it is never an `Event`.
//!
//! The last stage is shared: *lanes* gather the events of concurrent requests, and *commit* makes each batch durable, in
//! the store or in the spool. From there *drain* brings it to the store.

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
