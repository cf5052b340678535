//! What a list is narrowed by. The names are those of the API, which says what it does not know: there is one vocabulary.

/// A parameter of the API and its value.
pub(in crate::cli) type Filter = (String, String);

/// Reads `NAME=VALUE`.
pub(in crate::cli) fn filter(text: &str) -> Result<Filter, String> {
    match text.split_once('=') {
        Some(("", _)) | None => Err("a filter is a name and a value, such as status=failed".to_owned()),
        Some((name, value)) => match is_a_flag(name) {
            Some(flag) => Err(format!("`{name}` is no filter here: {flag}")),
            None => Ok((name.to_owned(), value.to_owned())),
        },
    }
}

/// What there is instead of a parameter that says nothing of what is wanted, but how the answer comes.
fn is_a_flag(name: &str) -> Option<&'static str> {
    match name {
        "limit" => Some("use --limit"),
        "cursor" => Some("use --all or a larger --limit"),
        "lastEventId" => Some("use --after"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_the_name_and_the_value_of_a_parameter() {
        assert_eq!(filter("q=a=b c"), Ok(("q".to_owned(), "a=b c".to_owned())));
        assert_eq!(filter("status="), Ok(("status".to_owned(), String::new())));
        for (text, words) in [
            ("status", "such as status=failed"),
            ("=failed", "such as status=failed"),
            ("limit=5", "`limit` is no filter here: use --limit"),
            ("cursor=x", "use --all"),
        ] {
            assert!(filter(text).unwrap_err().contains(words), "{text}");
        }
    }
}
