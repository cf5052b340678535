//! What both listeners share.

mod problem;

pub use problem::Problem;
