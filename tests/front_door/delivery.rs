//! What handlers get to see.

use std::time::Duration;

use axum::http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::{new_event, numbered_event};
use crate::support::lectern::{Lectern, Setup};
use crate::support::on_both_stores;
use crate::support::patience::eventually;
use crate::support::sink::{Sink, plain};

/// A configuration with one handler of kind `http`.
fn http_handler(setup: Setup, sink: &Sink, more: &str) -> Setup {
    setup.config(&format!(
        r#"
        [[handlers]]
        name = "crm"
        kind = "http"
        url = "{}"
        {more}
        "#,
        sink.url
    ))
}

/// The one delivery of the event, once it stands as wanted.
async fn delivery_once(lectern: &Lectern, event: &Value, state: &str) -> Value {
    let path = format!("/api/v1/events/{}/deliveries", event["data"]["id"].as_str().unwrap());
    eventually(&format!("the delivery is {state}"), async || {
        let delivery = lectern.get(&path).await[0].clone();
        (delivery["state"] == state).then_some(delivery)
    })
    .await
}

on_both_stores! {
    async fn an_http_handler_gets_the_very_bytes_signed_by_standard_webhooks(setup) {
        let sink = Sink::start().await;
        let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let lectern = http_handler(setup, &sink, &format!("secret = \"{secret}\"")).start().await;
        let body = new_event("message.received", "conversation-1");
        let event = lectern.post(&body).await.json();
        let delivery = delivery_once(&lectern, &event, "done").await;

        let call = sink.calls().remove(0);
        assert_eq!(call.body, body);
        assert_eq!(call.headers["lectern-event-type"], "message.received");
        assert_eq!(call.headers["webhook-id"], event["data"]["id"].as_str().unwrap());
        let mut headers = reqwest::header::HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, call.headers[name].clone());
        }
        standardwebhooks::Webhook::new(secret).unwrap().verify(&call.body, &headers).unwrap();

        let kept = lectern.get(&format!("/api/v1/deliveries/{}", delivery["id"].as_str().unwrap())).await;
        assert_eq!(kept["attempts"][0]["outcome"], "done");
        assert_eq!(kept["attempts"][0]["status"], 200);
    }

    async fn a_failed_delivery_is_tried_again_until_it_is_done(setup) {
        let sink = Sink::answering(|number, _| plain(if number < 3 { StatusCode::BAD_GATEWAY } else { StatusCode::OK })).await;
        let lectern = http_handler(setup, &sink, r#"retry = { initial = "20ms", max_interval = "100ms" }"#).start().await;
        let event = lectern.post(&new_event("review.created", "")).await.json();
        let delivery = delivery_once(&lectern, &event, "done").await;
        let kept = lectern.get(&format!("/api/v1/deliveries/{}", delivery["id"].as_str().unwrap())).await;
        let outcomes: Vec<_> = kept["attempts"].as_array().unwrap().iter().map(|attempt| (attempt["number"].clone(), attempt["outcome"].clone(), attempt["status"].clone())).collect();
        let failed = |number: u32| (json!(number), json!("failed"), json!(502));
        assert_eq!(outcomes, [failed(1), failed(2), failed(3), (json!(4), json!("done"), json!(200))]);
    }

    async fn what_fails_too_often_is_dead_until_it_is_replayed(setup) {
        let sink = Sink::answering(|number, _| plain(if number < 3 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK })).await;
        let lectern = http_handler(setup, &sink, r#"retry = { initial = "10ms", max_interval = "10ms", max_attempts = 3 }"#).start().await;
        let event = lectern.post(&new_event("invoice.created", "")).await.json();
        let dead = delivery_once(&lectern, &event, "dead").await;
        let listed = lectern.get("/api/v1/deliveries?state=dead&handler=crm").await;
        assert_eq!(listed[0]["id"], dead["id"]);

        let path = format!("/api/v1/deliveries/{}/replay", dead["id"].as_str().unwrap());
        let replayed = lectern.api(Method::POST, &path).await;
        assert!(replayed.status.is_success());
        delivery_once(&lectern, &event, "done").await;
        assert_eq!(sink.calls().len(), 4);
    }

    async fn events_of_one_conversation_come_in_their_order_through_failures(setup) {
        // Every third call fails: what comes after must wait for it.
        let sink = Sink::answering(|number, _| plain(if number % 3 == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK })).await;
        let lectern = http_handler(setup, &sink, r#"retry = { initial = "10ms", max_interval = "10ms" }"#).start().await;
        for number in 0..30 {
            lectern.post(&numbered_event("message.sent", "one-conversation", &number.to_string())).await;
        }
        eventually("all is done", async || {
            let open = lectern.get("/api/v1/deliveries?state=pending").await;
            open.as_array().unwrap().is_empty().then_some(())
        }).await;
        let mut seen: Vec<String> = sink.calls().iter().map(|call| uid_of(&call.body)).collect();
        seen.dedup();
        let sent: Vec<_> = (0..30).map(|number| format!("event-{number}")).collect();
        assert_eq!(seen, sent);
    }

    async fn a_handler_only_hears_of_what_it_wants(setup) {
        let sink = Sink::start().await;
        let lectern = http_handler(setup, &sink, r#"events = ["message.*", "*.created"]"#).start().await;
        for event_type in ["message.sent", "review.updated", "contact.created", "call.missed"] {
            lectern.post(&new_event(event_type, "c")).await;
        }
        let wanted = eventually("two calls", async || (sink.calls().len() == 2).then(|| sink.calls())).await;
        let mut types: Vec<_> = wanted.iter().map(|call| call.headers["lectern-event-type"].to_str().unwrap().to_owned()).collect();
        types.sort();
        assert_eq!(types, ["contact.created", "message.sent"]);
        assert_eq!(lectern.get("/api/v1/deliveries").await.as_array().unwrap().len(), 2);
    }

    async fn a_condition_decides_which_events_a_handler_gets(setup) {
        let sink = Sink::start().await;
        let lectern = http_handler(setup, &sink, r#"
            when = "data.failureReason and data.conversation.channel.type in ['phone', 'sms']"
        "#).start().await;
        let [phone, email, sms] = ["phone", "email", "sms"].map(failed_over);
        for body in [&phone, &email, &sms] {
            assert_eq!(lectern.post(body).await.status, StatusCode::OK);
        }
        for other in [new_event("message.received", "c"), b"no JSON".to_vec()] {
            assert_eq!(lectern.post(&other).await.status, StatusCode::OK);
        }
        let wanted = eventually("two calls", async || (sink.calls().len() == 2).then(|| sink.calls())).await;
        assert_eq!(wanted.iter().map(|call| &call.body[..]).collect::<Vec<_>>(), [&phone[..], &sms[..]]);
        assert_eq!(lectern.get("/api/v1/deliveries").await.as_array().unwrap().len(), 2);
        assert_eq!(lectern.get("/api/v1/events").await.as_array().unwrap().len(), 5);
    }

    async fn a_condition_that_fails_at_an_event_keeps_it_from_nobody(setup) {
        let sink = Sink::start().await;
        let lectern = http_handler(setup, &sink, r#"when = "data.amount + 1 > 5""#).start().await;
        let event = lectern.post(br#"{"data":{"amount":{}},"metadata":{"eventType":"invoice.created"}}"#).await;
        assert_eq!(event.status, StatusCode::OK);
        delivery_once(&lectern, &event.json(), "done").await;
        let metrics = lectern.metrics().await;
        assert!(metrics.contains("lectern_undecided_conditions_total{handler=\"crm\"} 1\n"), "{metrics}");
        assert!(lectern.log().contains("unsupported types map and number"));
    }

    async fn a_template_turns_an_event_into_a_chat_message(setup) {
        let sink = Sink::start().await;
        let lectern = http_handler(setup, &sink, r#"
            template = '''
            {
              "text": "*{{ data.contactName or "Somebody" }}* did not get: {{ data.body }}\n{{ data.failureReason }}"
            }
            '''
        "#).start().await;
        let event = lectern.post(&new_event("message.failed", "c")).await.json();
        delivery_once(&lectern, &event, "done").await;
        let call = sink.calls().remove(0);
        assert_eq!(call.headers["content-type"], "application/json");
        let sent: Value = serde_json::from_slice(&call.body).unwrap();
        let text = "*Marisol Okafor* did not get: Your sideboard is ready to be collected.\nAttempted to send SMS to a landline.";
        assert_eq!(sent, json!({ "text": text }));
    }

    async fn what_is_refused_for_good_is_dead_at_once(setup) {
        let sink = Sink::answering(|_, _| plain(StatusCode::UNPROCESSABLE_ENTITY)).await;
        let lectern = http_handler(setup, &sink, "").start().await;
        let event = lectern.post(&new_event("message.sent", "c")).await.json();
        delivery_once(&lectern, &event, "dead").await;
        assert_eq!(sink.calls().len(), 1);
    }

    async fn a_command_gets_the_event_on_its_standard_input(setup) {
        let folder = setup.dir.path().to_path_buf();
        let setup = setup.config(r#"
            [[handlers]]
            name = "file"
            kind = "command"
            command = ["sh", "-c", "cat > $LECTERN_EVENT_TYPE.json; echo kept; printenv | grep -c -e SECRET -e API_TOKEN"]
            retry = { initial = "10ms", max_interval = "10ms", max_attempts = 1 }
        "#);
        let lectern = setup.start().await;
        let body = new_event("call.missed", "");
        let event = lectern.post(&body).await.json();
        // `grep -c` counts nothing and so ends with 1: no secret is in the command's environment.
        let dead = delivery_once(&lectern, &event, "dead").await;
        assert_eq!(std::fs::read(folder.join("call.missed.json")).unwrap(), body);
        let kept = lectern.get(&format!("/api/v1/deliveries/{}", dead["id"].as_str().unwrap())).await;
        assert_eq!(kept["attempts"][0]["output"], "kept\n0\n");
        assert_eq!(kept["attempts"][0]["status"], 1);
    }

    async fn a_handler_that_hangs_costs_only_its_own_time(setup) {
        let sink = Sink::start().await;
        let setup = setup.config(&format!(r#"
            [[handlers]]
            name = "stuck"
            kind = "command"
            command = ["sh", "-c", "echo begun; sleep 1000; echo ended"]
            timeout = "1s"
            retry = {{ initial = "1h", max_interval = "1h" }}
            [[handlers]]
            name = "crm"
            kind = "http"
            url = "{}"
        "#, sink.url));
        let lectern = setup.start().await;
        lectern.post(&new_event("message.received", "c")).await;
        eventually("the other is called", async || (sink.calls().len() == 1).then_some(())).await;
        let failed = eventually("the attempt ends", async || {
            let stuck = lectern.get("/api/v1/deliveries?handler=stuck").await[0].clone();
            (stuck["attemptCount"] == 1).then_some(stuck)
        }).await;
        let kept = lectern.get(&format!("/api/v1/deliveries/{}", failed["id"].as_str().unwrap())).await;
        assert_eq!((&kept["state"], &kept["attempts"][0]["outcome"]), (&json!("pending"), &json!("timed_out")));
        assert_eq!(kept["attempts"][0]["output"], "begun\n");
    }

    async fn work_that_a_renamed_handler_left_behind_is_told_at_the_start(setup) {
        let sink = Sink::answering(|_, _| plain(StatusCode::SERVICE_UNAVAILABLE)).await;
        let setup = http_handler(setup, &sink, r#"retry = { initial = "1h", max_interval = "1h" }"#);
        let lectern = setup.start().await;
        lectern.post(&new_event("message.received", "c")).await;
        eventually("a first call", async || (!sink.calls().is_empty()).then_some(())).await;
        lectern.stop().await;
        let lectern = setup.config("[[handlers]]\nname = \"new-crm\"\nkind = \"log\"").start().await;
        eventually("it is told", async || lectern.log().contains(r#""handler":"crm","open":1"#).then_some(())).await;
    }

    async fn a_stop_hands_back_what_is_not_done_and_a_start_takes_it_up(setup) {
        let sink = Sink::answering(|number, _| plain(if number == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK })).await;
        let setup = http_handler(setup, &sink, r#"retry = { initial = "1s", max_interval = "1s" }"#);
        let lectern = setup.start().await;
        let event = lectern.post(&new_event("message.received", "c")).await.json();
        eventually("a first call", async || (!sink.calls().is_empty()).then_some(())).await;
        let ended = tokio::time::timeout(Duration::from_secs(5), lectern.stop()).await.expect("it ends in time");
        assert!(ended.success());
        let lectern = setup.start().await;
        delivery_once(&lectern, &event, "done").await;
        assert_eq!(sink.calls().len(), 2);
    }
}

/// A message that could not be sent over a channel of this type.
fn failed_over(channel: &str) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&new_event("message.failed", "c")).unwrap();
    body["data"]["conversation"]["channel"]["type"] = channel.into();
    body.to_string().into_bytes()
}

fn uid_of(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["metadata"]["eventUid"].as_str().unwrap().to_owned()
}
