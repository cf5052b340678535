//! Showing one.

use serde_json::value::RawValue;

use super::api::{Answer, Api};
use super::kind::Kind;
use super::{json, lines};
use crate::cli::failure::Failure;
use crate::cli::output;

/// Shows one of a kind, whole.
pub(super) async fn run(kind: Kind, uid: &str, json: bool, api: &Api) -> Result<(), Failure> {
    let one: Answer<Box<RawValue>> = api.get(api.url([kind.path(), uid], &[])).await?;
    if json {
        return output::line(json::indented(one.data.get(), 0));
    }
    let lines = lines::lines(&one.data).into_iter().map(|(at, value)| format!("{at}: {value}"));
    output::line(lines.collect::<Vec<_>>().join("\n"))
}
