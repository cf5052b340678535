//! What several kinds of resources are narrowed by.

use super::{Form, Params};
use crate::model::{ResourceFilter, Words};

/// Reads a time range over what a list is ordered by.
pub(super) fn between(params: &mut Params, after: &'static str, before: &'static str) -> ResourceFilter {
    ResourceFilter { from: params.moment(after), before: params.moment(before), ..ResourceFilter::default() }
}

/// Reads `q`: words, all of which must be there.
pub(super) fn words(params: &mut Params) -> Words {
    let expected = "a text of up to 255 characters with a letter or a digit in it";
    let words = params.read("q", expected, |text| {
        let words = Words::of([text]);
        (text.chars().count() <= 255 && !words.is_empty()).then_some(words)
    });
    words.unwrap_or_default()
}

/// Reads a parameter that has one of a few values.
pub(super) fn one_of(
    params: &mut Params,
    name: &'static str,
    values: &'static [&'static str],
) -> Option<String> {
    let expected = format!("one of {}", values.join(", "));
    params.read_as(Form::Word(values.to_vec()), name, &expected, |text| {
        values.contains(&text).then(|| text.to_owned())
    })
}
