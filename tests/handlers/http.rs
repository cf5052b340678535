//! The kind `http`.

mod answers;
mod connections;
mod requests;
mod settings;
