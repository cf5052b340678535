//! What is refused before the first event.

use serde_json::json;

use crate::support::refusal;

#[test]
fn a_command_that_is_no_array_is_refused_with_the_way_to_write_it() {
    let refused = refusal("command", json!({ "command": "notify --all" }));
    assert!(refused.starts_with("command: write an array"), "{refused}");
    assert!(refused.contains(r#"["sh", "-c", "…"]"#), "{refused}");

    let refused = refusal("command", json!({ "command": 7 }));
    assert!(refused.starts_with("command: write an array"), "{refused}");
}

#[test]
fn a_command_without_a_program_is_refused() {
    assert_eq!(refusal("command", json!({})), "missing field `command`");
    for command in [json!([]), json!([""]), json!(["", "argument"])] {
        let refused = refusal("command", json!({ "command": command }));
        assert_eq!(refused, "command: it is empty: the first part is the program");
    }
}

#[test]
fn a_part_that_no_program_can_be_given_is_counted_and_not_shown() {
    let refused = refusal("command", json!({ "command": ["login", 4711] }));
    assert_eq!(refused, "command: part 2 is not a text: put it in quotes");
    let refused = refusal("command", json!({ "command": ["login", "a", "b\0c"] }));
    assert!(refused.starts_with("command: part 3 has a zero character"), "{refused}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let refused = refusal("command", json!({ "command": ["env"], "working_dir": "/nowhere" }));
    assert_eq!(refused, "working_dir: /nowhere is not a folder");
}

#[test]
fn a_variable_that_cannot_be_set_is_named_and_its_value_is_not_shown() {
    for (name, value, expected) in [
        ("LECTERN_ATTEMPT", json!("hunter2"), "`LECTERN_ATTEMPT`: names that begin with LECTERN_"),
        ("A=B", json!("hunter2"), "`A=B` can't be a variable's name"),
        ("", json!("hunter2"), "`` can't be a variable's name"),
        ("A", json!("hunter2\0"), "the value of `A` has a zero character in it"),
        ("A", json!(["hunter2"]), "the value of `A` is not a text"),
    ] {
        let refused = refusal("command", json!({ "command": ["env"], "env": { name: value } }));
        assert!(refused.starts_with(&format!("env: {expected}")), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}
