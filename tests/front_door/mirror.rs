//! The mirror of a running server: soon there, whole after crashes, and one where several processes could make it.

use serde_json::Value;

use crate::crash::burst_until_killed;
use crate::events::new_event;
use crate::support::lectern::{Lectern, Setup};
use crate::support::on_both_stores;
use crate::support::patience::eventually;

on_both_stores! {
    async fn what_is_received_is_found_in_the_mirror(setup) {
        let lectern = setup.start().await;
        for event_type in ["message.received", "call.missed", "invoice.created", "review.created", "contact.created"] {
            assert_eq!(lectern.post(&new_event(event_type, "a conversation")).await.status, 200);
        }
        everything_is_mirrored(&lectern).await;
        for (list, number) in [("messages", 1), ("conversations", 1), ("calls", 1), ("invoices", 1), ("reviews", 1), ("contacts", 1)] {
            let found = lectern.get(&format!("/api/v1/{list}")).await;
            assert_eq!(found.as_array().unwrap().len(), number, "{list}: {found}");
        }
        let talk = lectern.get("/api/v1/conversations/a%20conversation").await;
        assert_eq!((&talk["inboundMessages"], &talk["awaitingReply"]), (&1.into(), &true.into()));
        let metrics = lectern.metrics().await;
        assert!(metrics.contains("lectern_mirrored_events_total 5"), "{metrics}");
    }

    async fn kills_in_the_middle_leave_no_event_out_of_the_mirror_and_count_none_twice(setup) {
        for round in 0..5 {
            let lectern = setup.start().await;
            let acknowledged = burst_until_killed(lectern, round).await;
            assert!(!acknowledged.is_empty());
        }
        let lectern = setup.start().await;
        everything_is_mirrored(&lectern).await;
        let events = lectern.get("/api/v1/stats").await["events"]["total"].as_u64().unwrap();
        let messages = all(&lectern, "messages").await;
        assert_eq!(messages.len() as u64, events);
        let counted: u64 =
            all(&lectern, "conversations").await.iter().map(|talk| talk["inboundMessages"].as_u64().unwrap() + talk["outboundMessages"].as_u64().unwrap()).sum();
        assert_eq!(counted, events);
    }
}

#[tokio::test]
async fn of_several_processes_one_is_at_the_mirror_and_another_goes_on_when_it_stops() {
    let setup = Setup::postgres().await;
    let (first, second) = (setup.start().await, setup.start().await);
    for number in 0..20 {
        let to = if number % 2 == 0 { &first } else { &second };
        assert_eq!(to.post(&new_event("message.received", &format!("c{number}"))).await.status, 200);
    }
    everything_is_mirrored(&second).await;
    assert!(first.stop().await.success());
    assert_eq!(second.post(&new_event("message.received", "afterwards")).await.status, 200);
    everything_is_mirrored(&second).await;
    assert_eq!(all(&second, "conversations").await.len(), 21);
}

async fn everything_is_mirrored(lectern: &Lectern) {
    eventually("everything is mirrored", async || {
        (lectern.get("/api/v1/mirror").await["waiting"] == 0).then_some(())
    })
    .await;
}

/// The whole of a list, page by page.
async fn all(lectern: &Lectern, list: &str) -> Vec<Value> {
    let (mut all, mut path) = (Vec::new(), format!("/api/v1/{list}?limit=100"));
    loop {
        let page = lectern.api(reqwest::Method::GET, &path).await.json();
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["metadata"]["nextCursor"].as_str() else { return all };
        path = format!("/api/v1/{list}?cursor={cursor}");
    }
}
