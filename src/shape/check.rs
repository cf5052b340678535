//! What can be said against a text before there is any event.

use std::collections::HashSet;

use minijinja::Environment;

use super::mistake::Mistake;
use super::scope::{DELIVERY, EVENT};

/// Refuses names that never stand for anything. `used` are those that the text does not set itself, with what is asked of
/// them, such as `data.body`.
pub(super) fn names(
    engine: &Environment<'_>,
    source: &str,
    used: HashSet<String>,
    scope: &[&str],
) -> Result<(), Mistake> {
    // The engine takes `set` within an `if` for nothing that is there afterwards, and it is.
    let set = set_within(source);
    let globals: Vec<&str> = engine.globals().map(|(name, _)| name).collect();
    let mut used: Vec<String> = used.into_iter().collect();
    // One mistake is told, and always the same.
    used.sort();
    for path in used {
        let (name, field) = match path.split_once('.') {
            Some((name, rest)) => (name, rest.split('.').next()),
            None => (path.as_str(), None),
        };
        if set.contains(&name) || globals.contains(&name) {
            continue;
        }
        let line = |what: &str| source.lines().position(|line| line.contains(what)).map(|at| at + 1);
        if !scope.contains(&name) {
            let what = format!("there is no `{name}` here, but {}", listed(scope));
            return Err(Mistake::at(line(name), &what, source));
        }
        let known = match name {
            "event" => EVENT,
            "delivery" => DELIVERY,
            // Podium's own: nobody knows all that it may have.
            _ => continue,
        };
        if let Some(field) = field
            && !known.contains(&field)
        {
            let what = format!("`{name}` has no `{field}`, but {}", listed(known));
            return Err(Mistake::at(line(&format!("{name}.{field}")), &what, source));
        }
    }
    Ok(())
}

/// Refuses `== none` and its like: what Podium sends as null is undefined here, which equals no other thing, so that the
/// answer would always be the same.
pub(super) fn comparisons(source: &str) -> Result<(), Mistake> {
    let is_none = |word: &str| matches!(word, "none" | "None");
    for (number, line) in (1..).zip(source.lines()) {
        for (at, sign) in line.match_indices("==").chain(line.match_indices("!=")) {
            let before = line[..at].trim_end();
            let after = line[at + sign.len()..].trim_start();
            let before = before.rsplit(|c: char| !is_of_name(c)).next().unwrap_or_default();
            let after = after.split(|c: char| !is_of_name(c)).next().unwrap_or_default();
            if is_none(before) || is_none(after) {
                let what = "write `is none` or `is not none` instead of a comparison with `none`";
                return Err(Mistake::at(Some(number), what, source));
            }
        }
    }
    Ok(())
}

/// The names that the text sets.
fn set_within(source: &str) -> HashSet<&str> {
    let tags = source.split("{%").skip(1);
    let set = tags.filter_map(|tag| tag.trim_start_matches(['-', '+']).trim_start().strip_prefix("set "));
    set.flat_map(|tag| {
        let names = tag.split(['=', '%', '|']).next().unwrap_or_default();
        names.split(|c: char| !is_of_name(c)).filter(|name| !name.is_empty())
    })
    .collect()
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
