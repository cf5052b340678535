//! `docs/configuring.md` is made of `config/default.toml`: nothing is said twice.

use std::fmt::Write as _;
use std::path::Path;

use crate::config::layers::DEFAULTS;

/// With this variable set, the page is written anew instead of compared.
const WRITE: &str = "LECTERN_WRITE_PAGES";

#[test]
fn the_page_on_configuring_is_made_of_the_defaults() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuring.md");
    let page = page(DEFAULTS);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(
        written == page,
        "docs/configuring.md is not what config/default.toml says: {WRITE}=1 ./scripts/test the_page_on_configuring"
    );
}

fn page(defaults: &str) -> String {
    let mut page = "# Configuring\n\n<!-- Made of config/default.toml by a test: change that, and see src/config/tests/page.rs. -->\n\n"
        .to_owned();
    let mut comment = Vec::new();
    let mut keys = Vec::new();
    for line in defaults.lines().chain([""]) {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.strip_prefix(' ').unwrap_or(text));
        } else if line.starts_with('[') {
            let _ = writeln!(page, "## `{line}`\n");
            page.push_str(&paragraphs(&comment));
            comment.clear();
        } else if line.is_empty() {
            if let Some(names) = names(&keys) {
                let _ = writeln!(page, "### {names}\n\n```toml\n{}\n```\n", keys.join("\n"));
            }
            page.push_str(&paragraphs(&comment));
            comment.clear();
            keys.clear();
        } else {
            keys.push(line);
        }
    }
    page.trim_end().to_owned() + "\n"
}

/// The keys of a few lines, as a heading has them; none when there are none.
fn names(keys: &[&str]) -> Option<String> {
    let key = |line: &&str| Some(format!("`{}`", name(line)?));
    let names: Vec<String> = keys.iter().filter_map(key).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(" = ")?;
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')).then_some(name)
}

/// A comment as Markdown: what looks like a configuration is one, what is a list stays one.
fn paragraphs(comment: &[&str]) -> String {
    let mut text = String::new();
    let mut is_code = false;
    let mut is_list = false;
    for line in comment {
        let looks_like_code = line.starts_with('[') || name(line).is_some();
        if looks_like_code != is_code {
            text.push_str(if looks_like_code { "\n```toml\n" } else { "```\n" });
            is_code = looks_like_code;
        }
        // An item, or more of one.
        let is_of_list = !is_code && line.starts_with(' ');
        if is_of_list != is_list {
            text.push('\n');
            is_list = is_of_list;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if is_code {
        text.push_str("```\n");
    }
    if text.is_empty() { text } else { format!("{}\n\n", text.trim()) }
}
