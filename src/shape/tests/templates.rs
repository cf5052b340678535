//! What a template makes of an event.

use super::*;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

fn json(template: &str) -> String {
    filled_in(template, JSON, FAILED.as_bytes()).unwrap()
}

fn text(template: &str) -> String {
    filled_in(template, TEXT, FAILED.as_bytes()).unwrap()
}

#[test]
fn a_template_speaks_of_the_event_and_of_the_delivery() {
    assert_eq!(
        text("{{ event.type }} {{ event.conversationUid }} {{ metadata.eventUid }} {{ event.receivedAt }}"),
        "message.failed c-1 u-1 2026-01-02T03:04:05Z"
    );
    assert_eq!(text("{{ delivery.handler }} {{ delivery.attempt }}"), "chat 3");
    assert_eq!(
        text("{% for item in data.items %}{{ loop.index }}{{ item.type }}{{ item.body }} {% endfor %}"),
        "1textone 2image "
    );
    assert_eq!(text("{{ data.amount / 100 }}"), "12.5");
}

#[test]
fn what_is_missing_prints_as_nothing() {
    assert_eq!(text("[{{ data.contactName }}{{ data.x.y.z }}{{ event.contactUid }}]"), "[]");
    assert_eq!(text("{{ data.contactName or 'Somebody' }}"), "Somebody");
    assert_eq!(text("{{ data.contactName | default('Somebody') | upper }}"), "SOMEBODY");
    assert_eq!(text("[{{ data.contactName ~ '!' }}]"), "[!]");
    assert_eq!(text("{% for x in data.contactName %}x{% endfor %}"), "");
}

#[test]
fn whatever_stands_between_quotation_marks_stays_there() {
    let made =
        json(r#"{"text": "{{ data.contactName }}: {{ data.body }}", "all": "{{ data.conversation }}"}"#);
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["text"], ": She said \"hi\"\nand </b> left");
    assert_eq!(made["all"], r#"{"channel":{"identifier":"+15550100","type":"sms"},"uid":"c-1"}"#);
}

#[test]
fn a_whole_value_is_written_with_tojson() {
    let made = json(
        r#"{"body": {{ data.body | tojson }}, "name": {{ data.contactName | tojson }}, "amount": {{ data.amount }},
            "items": {{ data.items | tojson }}, "large": {{ data.amount > 1000 }}}"#,
    );
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let expected: serde_json::Value = serde_json::from_str(FAILED).unwrap();
    assert_eq!(made["body"], expected["data"]["body"]);
    assert_eq!(made["name"], serde_json::Value::Null);
    assert_eq!(made["amount"], 1250);
    assert_eq!(made["items"], expected["data"]["items"]);
    assert_eq!(made["large"], true);
}

#[test]
fn what_a_template_has_put_together_is_escaped_once() {
    for template in [
        r#"{"text": "{{ "<" ~ data.body }}"}"#,
        r#"{"text": "{% set text %}<{{ data.body }}{% endset %}{{ text }}"}"#,
        r#"{"text": "{{ ("<" ~ data.body) | e }}"}"#,
        r#"{"text": "{% if true %}{% set text = "<" ~ data.body %}{% endif %}{{ text }}"}"#,
    ] {
        let made: serde_json::Value = serde_json::from_str(&json(template)).unwrap();
        assert_eq!(made["text"], "<She said \"hi\"\nand </b> left", "{template}");
    }
}

#[test]
fn markup_is_escaped_as_markup_and_a_text_not_at_all() {
    let made = filled_in("<p>{{ data.body }}</p>", "text/html; charset=utf-8", FAILED.as_bytes()).unwrap();
    assert_eq!(made, "<p>She said &quot;hi&quot;\nand &lt;&#x2f;b&gt; left</p>");
    assert_eq!(text("{{ data.body }}"), "She said \"hi\"\nand </b> left");
    let form = "application/x-www-form-urlencoded";
    let made = filled_in("Body={{ data.body | urlencode }}", form, FAILED.as_bytes()).unwrap();
    assert_eq!(made, "Body=She%20said%20%22hi%22%0Aand%20%3C/b%3E%20left");
}

#[test]
fn a_body_that_is_no_json_has_its_text() {
    let made = filled_in(r#"{"text": "{{ body }}{{ data }}{{ data.x }}"}"#, JSON, b"say \"\xff\"").unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&made).unwrap()["text"], "say \"\u{fffd}\"");
}

#[test]
fn what_is_wrong_with_a_template_is_said_before_the_first_event() {
    for (template, mistake) in [
        ("{{ data.body", "unexpected end of input, expected end of variable block"),
        ("one\n{% if data.body %}\ntwo", "line 2: unexpected end of input, expected end of block"),
        ("one\n{% include 'x' %}", "line 2: unknown statement include"),
        (
            "one\n\n{{ dta.body }}",
            "line 3: there is no `dta` here, but `event`, `data`, `metadata`, `body`, `delivery`",
        ),
        ("{{ delivery.number }}", "`delivery` has no `number`, but `id`, `attempt`, `handler`"),
        ("one\n{{ data.body | tojsn }}", "line 2: filter tojsn is unknown"),
        ("{% if data.failureReason %}{{ data.body | shout }}{% endif %}", "filter shout is unknown"),
        ("{{ data.body.upper() }}", "undefined has no method named upper"),
        (
            "{% for i in range(9999) %}{% for i in range(9999) %}{% endfor %}{% endfor %}",
            "it takes too much work or memory",
        ),
        ("{{ debug() }}", "there is no `debug` here, but `event`, `data`, `metadata`, `body`, `delivery`"),
    ] {
        assert_eq!(Template::compile(template, TEXT).unwrap_err().to_string(), mistake, "{template}");
    }
}

#[test]
fn what_should_be_json_and_is_none_is_not_sent() {
    let mistake = filled_in(r#"{"text": {{ data.body }}}"#, JSON, FAILED.as_bytes()).unwrap_err();
    assert!(mistake.to_string().starts_with("what it comes to is no JSON: expected value"), "{mistake}");
    let mistake = filled_in("{{ data.conversation + 1 }}", JSON, FAILED.as_bytes()).unwrap_err();
    assert_eq!(mistake.to_string(), "tried to use + operator on unsupported types map and number");
}

#[test]
fn what_a_template_makes_is_bounded() {
    let long = format!(r#"{{"data":"{}"}}"#, "x".repeat(1024 * 1024));
    let four = "{{ data }}{{ data }}{{ data }}{{ data }}";
    assert_eq!(filled_in(four, TEXT, long.as_bytes()).map(|text| text.len()), Ok(4 * 1024 * 1024));
    let more = filled_in(&format!("{four}."), TEXT, long.as_bytes()).unwrap_err();
    assert_eq!(more.to_string(), "it comes to 4194305 bytes, more than 4194304");
    let endless = filled_in("{% for i in range(9000) %}{{ data }}{% endfor %}", TEXT, long.as_bytes());
    assert_eq!(endless.unwrap_err().to_string(), "it takes too much work or memory");
    let deep = "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}";
    assert_eq!(filled_in(deep, TEXT, b"").unwrap_err().to_string(), "recursion limit exceeded");
    // The whole of a large body is no trouble.
    assert_eq!(filled_in("{{ data | tojson }}", JSON, long.as_bytes()).unwrap().len(), 1024 * 1024 + 2);
}

#[test]
fn what_a_template_shows_of_itself_is_not_its_text() {
    let shown = format!("{:?}", Template::compile("hunter2", TEXT).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}
