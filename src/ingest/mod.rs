//! Ingest: the way of a request from the socket into the store.
//!
//! `receive → verify → decode → accept`, and each stage's type can only be made by the stage before:
//! `Received → Verified → Event → Receipt`. What skips a stage does not compile. What fails the second is `Unverified`, and
//! goes into quarantine.

mod accept;
mod decode;
mod quarantine;
mod receive;
mod rejection;
mod routes;
mod source;
mod verify;

pub use quarantine::{Quarantine, QuarantineWriter};
pub use routes::{Ingest, router};
pub use source::{Source, SourceKey};
