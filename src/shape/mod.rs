//! Shaping: the language in which a configuration says which events a handler wants (`when`) and what is made of one
//! (`template`).
//!
//! It is [Jinja's](https://jinja.palletsprojects.com), as [minijinja] reads it. A [`Condition`] is one of its expressions, a
//! [`Template`] a text with expressions in it, and both speak of the same things: what is in [`Scope`]. Three rules hold
//! for both:
//!
//! - **What is missing is quiet, what is misspelt is not.** Podium may leave out every field of its own or send it as null:
//!   either is undefined, is false, prints as nothing, and so is whatever is asked of it. A name that no event ever has is a
//!   mistake that is told at the start.
//! - **Everything ends soon.** Each evaluation has a budget, of work and of memory alike, and a bounded depth.
//! - **Nothing is reached but the event**: no files, no variables of the environment, no other template, no clock.

mod check;
mod condition;
mod escape;
mod language;
mod mistake;
mod read;
mod scope;
mod template;
#[cfg(test)]
mod tests;
mod trial;

pub use condition::Condition;
pub use mistake::Mistake;
pub use scope::Scope;
pub use template::Template;
