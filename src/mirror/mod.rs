//! The mirror: the picture that events give of messages, conversations, contacts, invoices, reviews and calls, for whoever asks
//! through the API.
//!
//! It is made off the way of the answer, from what accepted events said, a few at a time. Each event tells of the state of a
//! resource or two, with a version: whatever order events come in, and however often, the newest state is there in the end. So
//! it can be made anew from the stored events at any time.

mod call;
mod contact;
mod invoice;
mod message;
mod picture;
mod review;
mod told;
mod words;
mod work;

pub use words::words;
pub use work::run;
