//! What this API is, told to machines and people by itself: `/openapi.json` and `/docs`.
//!
//! There is one table of the operations, [`Book`], and both the routes and the document are made from it. What an operation takes
//! is asked of the handler itself, by the types of its arguments ([`described::Described`]); what it answers with is said once, in the table.

mod book;
mod described;
mod document;
mod examples;
mod meanings;
mod operation;
mod says;
mod site;

pub(super) use book::Book;
pub(super) use examples::{Shown, sample};
pub(super) use says::says;
pub(super) use site::entries;
