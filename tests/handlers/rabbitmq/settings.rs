//! What is refused before the first event.

use serde_json::json;

use crate::support::{handler, refusal};

#[test]
fn mistakes_are_named_and_secrets_are_not_shown() {
    let url = "amqp://lectern:hunter2@host";
    for (settings, said) in [
        (json!({ "exchange": "podium" }), "the key `url` is missing"),
        (json!({ "url": "host:5672", "exchange": "podium" }), "`url`: write it as amqp://"),
        (json!({ "url": "http://u:hunter2@host", "exchange": "podium" }), "`url`: write it as amqp://"),
        (json!({ "url": "amqp://", "exchange": "podium" }), "`url`: write it as amqp://"),
        (
            json!({ "url": "amqp://host/?heartbeat=5", "exchange": "podium" }),
            "`url`: nothing can stand behind a `?`",
        ),
        (json!({ "url": url }), "`exchange` or `routing_key` is missing"),
        (json!({ "url": url, "exchange": "x".repeat(256) }), "`exchange`: a name has at most 255 bytes"),
        (
            json!({ "url": url, "routing_key": "{type}" }),
            "`routing_key`: only {event_type} can stand in braces",
        ),
        (json!({ "url": url, "exchanges": "podium" }), "unknown key `exchanges`; did you mean `exchange`?"),
        (
            json!({ "url": url, "exchange": "podium", "password": "hunter2" }),
            "`url`: it has a password, and `password` is set: keep one",
        ),
        (
            json!({ "url": "amqp://host", "exchange": "podium", "password": "hunter2" }),
            "`url`: there is a password and no user",
        ),
        (
            json!({ "url": "amqp://u@host", "exchange": "podium", "password_file": "/nowhere" }),
            "`password_file` names /nowhere, which can't be read",
        ),
        (
            json!({ "url": "amqp://lectern@host", "exchange": "podium" }),
            "`url`: it has a user and no password",
        ),
        (json!({ "url": url, "exchange": "podium", "ca_file": "/nowhere" }), "`ca_file` names /nowhere"),
        (
            json!({ "url": url, "exchange": "podium", "ca_file": std::env::current_exe().unwrap() }),
            "`ca_file` names ",
        ),
    ] {
        let refused = refusal("rabbitmq", settings.clone());
        assert!(refused.starts_with(said), "{settings}: {refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[tokio::test]
async fn an_address_may_be_short_or_of_ipv6() {
    // Nobody listens there: what is tried is what was understood.
    for (url, address) in [
        ("amqp://127.0.0.1:1", "127.0.0.1:1"),
        ("amqp://127.0.0.1:1/", "127.0.0.1:1"),
        ("amqps://user:pass@[::1]:1/vhost", "::1:1"),
    ] {
        let handler = handler("rabbitmq", json!({ "url": url, "exchange": "podium" }));
        let failure = handler.handle(&crate::support::work("{}")).await.unwrap_err();
        assert!(failure.reason.starts_with(&format!("RabbitMQ at {address} ")), "{failure:?}");
    }
}
