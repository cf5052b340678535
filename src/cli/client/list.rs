//! Listing.

use serde_json::Value;
use serde_json::value::RawValue;

use super::api::{Answer, Api};
use super::filter::Filter;
use super::kind::Kind;
use super::{columns, json};
use crate::cli::failure::Failure;
use crate::cli::output;

/// As many as the API gives at once.
const PAGE: usize = 100;

/// What is listed, and how.
pub(super) struct Wanted {
    pub(super) filters: Vec<Filter>,
    pub(super) at_most: usize,
    pub(super) json: bool,
}

/// Lists what there is of a kind, page after page. It is shown when all of it is there: columns are as wide as their widest cell,
/// and half an array is none.
pub(super) async fn run(kind: Kind, wanted: Wanted, api: &Api) -> Result<(), Failure> {
    let Wanted { filters: mut params, at_most, json } = wanted;
    params.push(("limit".to_owned(), at_most.min(PAGE).to_string()));
    let mut items: Vec<Box<RawValue>> = Vec::new();
    let more = loop {
        let page: Answer<Vec<Box<RawValue>>> = api.get(api.url([kind.path()], &params)).await?;
        items.extend(page.data);
        match page.metadata.next_cursor {
            // It carries the filters and the limit.
            Some(cursor) if items.len() < at_most => params = vec![("cursor".to_owned(), cursor)],
            next => break next.is_some() || items.len() > at_most,
        }
    };
    items.truncate(at_most);
    if json {
        output::line(array(&items))?;
    } else {
        // What is nested too deeply to be read is a line without cells.
        let items: Vec<Value> =
            items.iter().map(|item| serde_json::from_str(item.get()).unwrap_or_default()).collect();
        output::line(columns::table(kind, &items))?;
    }
    if more {
        output::complain("There are more: --limit N or --all shows them.");
    }
    Ok(())
}

fn array(items: &[Box<RawValue>]) -> String {
    if items.is_empty() {
        return "[]".to_owned();
    }
    let items: Vec<String> =
        items.iter().map(|item| format!("  {}", json::indented(item.get(), 1))).collect();
    format!("[\n{}\n]", items.join(",\n"))
}
