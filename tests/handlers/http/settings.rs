//! What is refused before the first event.

use serde_json::json;

use crate::support::refusal;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

#[test]
fn an_address_is_needed() {
    assert_eq!(refusal("http", json!({})), "the key `url` is missing");
}

#[test]
fn an_address_that_cannot_be_posted_to_is_refused_and_not_repeated() {
    for url in ["localhost:8080/hunter2", "ftp://user:hunter2@host/", "hunter2", "", "https://user:hunter2@"]
    {
        let refused = refusal("http", json!({ "url": url }));
        assert!(refused.starts_with("`url`: "), "{refused}");
        assert!(refused.ends_with("; write it as https://host/path"), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn a_misspelt_key_is_named() {
    let refused = refusal("http", json!({ "url": "http://localhost", "secrets": "hunter2" }));
    assert!(refused.contains("unknown key `secrets`; did you mean `secret`?"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_secret_of_another_form_is_refused_and_not_repeated() {
    let refused = refusal("http", json!({ "url": "http://localhost", "secret": "hunter2" }));
    assert!(refused.starts_with("`secret`: this is no Standard Webhooks secret"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let refused = refusal("http", json!({ "url": "http://localhost", "secret_file": "/nowhere/secret" }));
    assert!(refused.starts_with("`secret_file` names /nowhere/secret, which can't be read"), "{refused}");
}

#[test]
fn a_secret_and_a_file_for_it_are_one_too_many() {
    let settings = json!({ "url": "http://localhost", "secret": SECRET, "secret_file": "/nowhere/secret" });
    assert!(refusal("http", settings).contains("both set: keep one"));
}

#[test]
fn a_header_that_cannot_be_sent_is_named_and_its_value_is_not_shown() {
    for (name, value, expected) in [
        ("Webhook-Id", json!("hunter2"), "`Webhook-Id` is set by Lectern itself"),
        ("lectern-attempt", json!("hunter2"), "`lectern-attempt` is set by Lectern itself"),
        ("Content-Length", json!("hunter2"), "`Content-Length` is set by Lectern itself"),
        ("two words", json!("hunter2"), "`two words` can't be a header's name"),
        ("authorization", json!("hunter2\n"), "the value of `authorization` can't be sent"),
        ("authorization", json!(["hunter2"]), "the value of `authorization` is not a text"),
    ] {
        let refused = refusal("http", json!({ "url": "http://localhost", "headers": { name: value } }));
        assert!(refused.starts_with(&format!("`headers`: {expected}")), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn one_header_in_two_spellings_is_refused() {
    let headers = json!({ "X-Tenant": "north", "x-tenant": "south" });
    let refused = refusal("http", json!({ "url": "http://localhost", "headers": headers }));
    assert!(refused.contains("is there twice"), "{refused}");
}

#[test]
fn a_list_of_what_is_no_status_of_a_failure_is_refused() {
    for statuses in
        [json!(404), json!("404"), json!([200]), json!([600]), json!(["404"]), json!([404.5]), json!([-1])]
    {
        let refused = refusal("http", json!({ "url": "http://localhost", "permanent_statuses": statuses }));
        assert_eq!(
            refused,
            "`permanent_statuses`: write a list of statuses from 300 to 599, such as [400, 404], or [] for none"
        );
    }
}

#[test]
fn a_template_that_is_not_right_is_refused_with_the_line_and_what_is_wrong() {
    for (template, mistake) in [
        ("{{ data.body", "unexpected end of input, expected end of variable block"),
        (
            "{\n  \"text\": \"{{ daat.body }}\"\n}",
            "line 2: there is no `daat` here, but `event`, `data`, `metadata`, `body`, `delivery`",
        ),
        ("{\n\n{{ data.body | tojsno }}}", "line 3: filter tojsno is unknown"),
    ] {
        let refused = refusal("http", json!({ "url": "http://localhost", "template": template }));
        assert_eq!(refused, format!("`template`: {mistake}"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), template).unwrap();
        let refused = refusal("http", json!({ "url": "http://localhost", "template_file": file.path() }));
        assert_eq!(refused, format!("`template_file` {}: {mistake}", file.path().display()));
    }
}

#[test]
fn a_misspelt_key_of_a_template_is_told_before_what_is_left_of_it() {
    let settings = json!({ "url": "http://localhost", "templat": "x", "content_type": "text/plain" });
    assert_eq!(refusal("http", settings), "unknown key `templat`; did you mean `template`?");
}

#[test]
fn settings_of_a_template_that_do_not_fit_are_refused() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let empty_file = empty.path().display();
    for (settings, sentence) in [
        (json!({ "template": "x", "template_file": "y" }), "`template` and `template_file` are both set: keep one".to_owned()),
        (json!({ "content_type": "text/plain" }), "`content_type` is set without a `template`: the body as it was received has a type".to_owned()),
        (json!({ "template": "x", "content_type": "plain" }), "`content_type`: write it as type/subtype, such as text/plain".to_owned()),
        (json!({ "template": "x", "content_type": "text/plain\n" }), "`content_type`: write it as type/subtype, such as text/plain".to_owned()),
        (json!({ "template_file": "/nowhere/chat" }), "`template_file` names /nowhere/chat, which can't be read: No such file or directory (os error 2)".to_owned()),
        (json!({ "template_file": empty.path() }), format!("`template_file` names {empty_file}, which is empty")),
    ] {
        let mut settings = settings;
        settings["url"] = json!("http://localhost");
        assert_eq!(refusal("http", settings), sentence);
    }
}
