//! `config/default.toml` is the reference: it must name every key, explain it, and be right.

use super::Written;
use crate::config::layers::DEFAULTS;

// That it has every key that is read needs no test of its own: a key that is read and not there is a mistake, and
// so is one that is there and not read.
#[test]
fn the_defaults_alone_are_a_configuration_without_mistakes() {
    Written::new().load().unwrap();
}

#[test]
fn every_key_is_explained_by_a_comment() {
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    let mut keys = 0;
    for (at, line) in lines.iter().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        keys += 1;
        // A comment stands above its key, or above the keys that belong together.
        let above = lines[..at].iter().rev().find(|line| line.starts_with('#') || line.is_empty());
        assert!(above.is_some_and(|above| above.starts_with('#')), "`{line}` has no comment");
    }
    assert!(keys > 30, "only {keys} keys: is this still the whole configuration?");
}

#[test]
fn the_defaults_copied_to_a_file_are_the_same_configuration() {
    let copied = Written::new().file(DEFAULTS);
    let config = |written: &Written| {
        let text = format!("{:?}", written.load().unwrap().start().unwrap().config);
        text.replace(written.folder.path().to_str().unwrap(), "")
    };
    assert_eq!(config(&copied), config(&Written::new()));
}

#[test]
fn the_configurations_for_production_have_no_mistakes() {
    for file in [
        include_str!("../../../config/production.toml"),
        include_str!("../../../deploy/kubernetes/lectern.toml"),
    ] {
        let written = Written::new()
            .file(file)
            .environment(&[("DATABASE_URL", "postgres://lectern:secret@postgres/lectern")]);
        let loaded = written.load().unwrap();
        assert_eq!(loaded.public().listen.to_string(), "0.0.0.0:8080");
        assert_eq!(loaded.internal_listen().to_string(), "0.0.0.0:8081");
    }
    let unit = Written::new().file(include_str!("../../../deploy/systemd/lectern.toml")).load().unwrap();
    assert!(unit.public().listen.ip().is_loopback());
}

#[test]
fn the_handlers_in_the_documentation_have_no_mistakes() {
    let documentation = include_str!("../../../docs/handlers.md");
    let blocks = documentation.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut handlers = 0;
    for block in blocks.filter(|block| block.contains("[[handlers]]")) {
        // A list may hold its blocks a little to the right.
        let loaded = Written::new().file(block).load();
        handlers += loaded.unwrap_or_else(|mistakes| panic!("{block}\n{mistakes}")).handlers().count();
    }
    assert!(handlers > 3, "only {handlers} handlers: is this still the page?");
}
