//! JSON that was written anew.
//!
//! What reads a body as JSON and writes it again changes its bytes and not its meaning: the white space, the escapes in
//! texts, the order of properties. Each of the usual ways of writing is tried. Numbers stay as they are written: what a
//! program makes of `1.0` can't be undone.

mod value;
mod write;

use self::value::Value;
use self::write::{Escapes, Layout, Style};
use super::Change;
use crate::doctor::Code;

/// The white space, the likely first.
const LAYOUTS: [Layout; 6] = [
    Layout { indent: None, comma: ",", colon: ":", name: "without white space between its values" },
    Layout { indent: Some("  "), comma: ",", colon: ": ", name: "with its JSON indented by 2 spaces" },
    Layout { indent: Some("    "), comma: ",", colon: ": ", name: "with its JSON indented by 4 spaces" },
    Layout {
        indent: None,
        comma: ", ",
        colon: ": ",
        name: "with a space after each `:` and `,` of its JSON, as Python writes it",
    },
    Layout { indent: Some("\t"), comma: ",", colon: ": ", name: "with its JSON indented by tabs" },
    Layout { indent: None, comma: ",", colon: ": ", name: "with a space after each `:` of its JSON" },
];

/// The texts: as they are written, else with what is escaped and how.
const ESCAPES: [Escapes; 5] = [
    Escapes::AsWritten,
    Escapes::Least,
    Escapes::Ascii { upper: false },
    Escapes::Ascii { upper: true },
    Escapes::Html,
];

/// What the JSON may have been; nothing where it is no JSON, or nested too deeply to be somebody's data.
pub(super) fn changes(body: &[u8]) -> impl Iterator<Item = (Change, Vec<u8>)> {
    let value = std::str::from_utf8(body).ok().and_then(Value::read);
    let laid_out_alike = value.as_ref().map(|value| {
        LAYOUTS.map(|layout| {
            let same = Style { layout, escapes: Escapes::AsWritten, slashes: false, sorted: false };
            value.write(same, body.len()).is_some_and(|written| written == body)
        })
    });
    let most = body.len() * 4 + 1024;
    styles().filter_map(move |(place, style)| {
        let written = value.as_ref()?.write(style, most)?;
        let is_alike = laid_out_alike.is_some_and(|alike| alike[place]);
        Some((change(style, is_alike), written))
    })
}

/// Every style, those that change least first; with each the place of its layout.
fn styles() -> impl Iterator<Item = (usize, Style)> {
    let places = 0..LAYOUTS.len();
    [false, true].into_iter().flat_map(move |sorted| {
        let places = places.clone();
        ESCAPES.into_iter().flat_map(move |escapes| {
            // As it is written, a `/` stays as it is, too.
            let slashes: &[bool] = if escapes == Escapes::AsWritten { &[false] } else { &[false, true] };
            let places = places.clone();
            slashes.iter().flat_map(move |slashes| {
                places.clone().map(move |place| {
                    (place, Style { layout: LAYOUTS[place], escapes, slashes: *slashes, sorted })
                })
            })
        })
    })
}

fn change(style: Style, is_laid_out_alike: bool) -> Change {
    let mut signed = Vec::new();
    let mut code = Code::BodyReformatted;
    if style.sorted {
        code = Code::BodyReordered;
        signed.push("with the properties of its JSON in alphabetical order".to_owned());
    }
    if style.escapes != Escapes::AsWritten {
        code = Code::BodyEscapes;
        let slashes = if style.slashes { " and `/` as `\\/`" } else { "" };
        signed.push(format!("with {}{slashes}", style.escapes.name()));
    }
    if !is_laid_out_alike {
        code = Code::BodyReformatted;
        signed.push(style.layout.name.to_owned());
    }
    Change::new(
        code,
        signed.join(", "),
        "something between Podium and Lectern reads the JSON and writes it anew",
    )
}
