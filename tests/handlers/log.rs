//! The kind `log`.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{handler, refusal, work};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_event_is_one_line_without_its_body() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let work = work(r#"{"data":{"body":"a private text"}}"#);
    {
        let _guard = tracing::subscriber::set_default(subscriber);
        handler("log", json!({})).handle(&work).await.unwrap();
    }

    let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(written.lines().count(), 1, "{written}");
    assert!(!written.contains("private"), "{written}");
    let line: Value = serde_json::from_str(&written).unwrap();
    let fields = &line["fields"];
    assert_eq!(fields["event_id"], work.event.id.to_string());
    assert_eq!(fields["event_type"], "message.received");
    assert_eq!(fields["source"], "default");
    assert_eq!(fields["conversation_uid"], "conversation-1");
    assert_eq!(fields["location_uid"], "location-1");
    assert_eq!(fields["received_at"], "2026-01-02T03:04:05Z");
    assert_eq!(fields["delivery_id"], work.delivery.id.to_string());
    assert_eq!(fields["attempt"], 2);
    assert_eq!(fields.get("occurred_at"), None, "what is not known is left out");
}

#[test]
fn a_misspelt_key_is_refused() {
    let refused = refusal("log", json!({ "levle": "debug" }));
    assert!(refused.contains("levle"), "{refused}");
}
