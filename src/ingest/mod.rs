//! Ingest: the way of a request from the socket into the store.
//!
//! `receive → verify → decode → accept`, and each stage's type can only be made by the stage before:
//! `Received → Verified → Event → Receipt`. What skips a stage does not compile.

mod accept;
mod decode;
mod receive;
mod rejection;
mod routes;
mod source;
mod uses;
mod verify;

pub use routes::{Ingest, router};
pub use source::{Source, SourceKey, Sources};
pub use uses::{UseCount, Uses, write_uses};
