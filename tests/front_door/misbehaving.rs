//! A handler that misbehaves costs only itself.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::time::Instant;

use crate::events::new_event;
use crate::support::lectern::{Lectern, Setup};
use crate::support::on_both_stores;
use crate::support::patience::{eventually, within};
use crate::support::sink::{Sink, serve};

const EVENTS: usize = 200;
const CONVERSATIONS: usize = 50;

/// One handler that does well, and one beside it.
fn beside(setup: Setup, sink: &Sink, other: &str) -> Setup {
    setup.config(&format!(
        r#"
        [[handlers]]
        name = "crm"
        kind = "http"
        url = "{}"
        [[handlers]]
        name = "other"
        kind = "http"
        url = "{other}"
        "#,
        sink.url
    ))
}

/// Sends all events, and waits until so many more have arrived where all is well: in a time in which a call that hangs can't
/// have ended. Returns how long that was after the last was sent.
async fn deliver(lectern: &Lectern, arrived: impl Fn() -> usize) -> Duration {
    let expected = arrived() + EVENTS;
    for number in 0..EVENTS {
        let conversation = format!("c{}", number % CONVERSATIONS);
        let answer = lectern.post(&new_event("message.sent", &conversation)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let sent = Instant::now();
    within(Duration::from_secs(20), "all is there that nothing keeps", async || {
        (arrived() == expected).then_some(())
    })
    .await;
    sent.elapsed()
}

async fn states(lectern: &Lectern, handler: &str) -> HashMap<String, usize> {
    let mut states = HashMap::new();
    let path = format!("/api/v1/deliveries?limit=100&handler={handler}");
    for delivery in lectern.get(&path).await.as_array().unwrap() {
        *states.entry(delivery["state"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    states
}

/// An answer's body that goes on for as long as it is read.
fn endless(open: Open) -> Body {
    let piece = Bytes::from(vec![b'x'; 16 * 1024]);
    Body::from_stream(stream::repeat_with(move || {
        let _still = &open;
        Ok::<_, Infallible>(piece.clone())
    }))
}

/// Counts itself for as long as it is there.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

on_both_stores! {
    async fn a_server_that_never_answers_costs_no_other_handler_anything(setup) {
        let (sink, asked) = (Sink::start().await, Arc::<AtomicUsize>::default());
        let mute = serve(Router::new().fallback({
            let asked = Arc::clone(&asked);
            move || {
                asked.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>()
            }
        })).await;
        // Its time is the default, 30 seconds, and all of its places are taken.
        let lectern = beside(setup, &sink, &mute).start().await;
        let waited = deliver(&lectern, || sink.calls().len()).await;
        assert!(waited < Duration::from_secs(5), "{waited:?}");
        eventually("all places are taken", async || (asked.load(Ordering::SeqCst) == 8).then_some(())).await;
        assert_eq!(states(&lectern, "other").await, HashMap::from([("pending".to_owned(), 100)]));
    }

    async fn a_conversation_that_hangs_costs_no_other_one_of_its_handler_anything(setup) {
        let (hung, done) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let picky = serve(Router::new().fallback({
            let (hung, done) = (Arc::clone(&hung), Arc::clone(&done));
            async move |body: Bytes| {
                if String::from_utf8_lossy(&body).contains("\"stuck\"") {
                    hung.fetch_add(1, Ordering::SeqCst);
                    std::future::pending::<()>().await;
                }
                done.fetch_add(1, Ordering::SeqCst);
            }
        })).await;
        let handler = format!("[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurl = \"{picky}\"");
        let lectern = setup.config(&handler).start().await;
        for _ in 0..3 {
            lectern.post(&new_event("message.sent", "stuck")).await;
        }
        eventually("it hangs", async || (hung.load(Ordering::SeqCst) == 1).then_some(())).await;
        let waited = deliver(&lectern, || done.load(Ordering::SeqCst)).await;
        assert!(waited < Duration::from_secs(5), "{waited:?}");
        assert_eq!(hung.load(Ordering::SeqCst), 1, "one at a time");
    }

    async fn an_answer_without_end_is_read_no_further_than_it_is_kept(setup) {
        let (sink, open) = (Sink::start().await, Arc::<AtomicUsize>::default());
        let endless = serve(Router::new().fallback({
            let open = Arc::clone(&open);
            async move || Response::new(endless(Open::new(&open)))
        })).await;
        let lectern = beside(setup, &sink, &endless).start().await;
        lectern.post(&new_event("message.sent", "first")).await;
        eventually("a first call", async || (sink.calls().len() == 1).then_some(())).await;
        let before = lectern.resident_bytes();
        let waited = deliver(&lectern, || sink.calls().len()).await;
        assert!(waited < Duration::from_secs(5), "{waited:?}");
        // The status has decided.
        eventually("all of its own is done", async || lectern.get("/api/v1/deliveries?state=pending").await.as_array().unwrap().is_empty().then_some(())).await;
        let grown = lectern.resident_bytes().saturating_sub(before);
        assert!(grown < 64 * 1024 * 1024, "it has {grown} bytes more than before");
        eventually("no answer is waited for any more", async || (open.load(Ordering::SeqCst) == 0).then_some(())).await;
        let one = lectern.get("/api/v1/deliveries?limit=1&handler=other").await[0]["id"].clone();
        let kept = lectern.get(&format!("/api/v1/deliveries/{}", one.as_str().unwrap())).await;
        assert_eq!(kept["attempts"][0]["output"].as_str().unwrap(), "x".repeat(2048));
    }
}
