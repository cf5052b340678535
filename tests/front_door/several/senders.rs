//! Those who send: each conversation has one sender, who sends its next event when the last was answered 200, by whichever
//! process.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::fleet::Fleet;
use crate::events::numbered_event;
use crate::support::lectern::{SECRET, now_in_milliseconds};

/// How many events there are: of a few conversations that are hot, and of many that are not.
pub(super) const EVENTS: u32 = HOT * EACH_HOT + SENDERS * EACH;
const HOT: u32 = 8;
const EACH_HOT: u32 = 500;
const SENDERS: u32 = 40;
const EACH: u32 = 400;
/// So many conversations take turns at a sender.
const CONVERSATIONS: u32 = 25;

/// What was sent so far.
#[derive(Default)]
pub(super) struct Sent {
    count: AtomicU32,
    /// The uids of events that went to a spool: what was sent later, to another process, may have been accepted sooner.
    spooled: Mutex<HashSet<String>>,
}

impl Sent {
    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    pub(super) fn was_spooled(&self, uid: &str) -> bool {
        self.spooled.lock().expect("no test panics with it").contains(uid)
    }
}

/// Sends all events.
pub(super) async fn send_everything(fleet: &Fleet, sent: &Sent) {
    let hot = (0..HOT).map(|sender| send(fleet, sent, sender, EACH_HOT, 1));
    let others = (HOT..HOT + SENDERS).map(|sender| send(fleet, sent, sender, EACH, CONVERSATIONS));
    join_all(hot.chain(others)).await;
}

async fn send(fleet: &Fleet, sent: &Sent, sender: u32, events: u32, conversations: u32) {
    for number in 0..events {
        let conversation = format!("{sender}-{}", number % conversations);
        // Of four digits, so that their order is that of their numbers.
        let number = format!("{conversation}-{number:04}");
        let body = numbered_event("message.received", &conversation, &number);
        send_until_answered(fleet, sent, sender, &body, &format!("event-{number}")).await;
        sent.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Sends it again to the next process whenever one is away or does not take it.
async fn send_until_answered(fleet: &Fleet, sent: &Sent, sender: u32, body: &[u8], uid: &str) {
    for turn in sender as usize + sent.count() as usize.. {
        let lectern = fleet.processes[turn % fleet.processes.len()].lectern();
        let request = lectern.signed("/webhooks/podium", SECRET, &now_in_milliseconds(), body);
        // As long as Podium waits.
        if let Some(answer) = answer(request).await {
            if answer["data"]["status"] == "spooled" {
                sent.spooled.lock().expect("no test panics with it").insert(uid.to_owned());
            }
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The answer, if it is 200 and comes as long as Podium waits.
async fn answer(request: RequestBuilder) -> Option<Value> {
    let response = async { request.send().await?.error_for_status()?.bytes().await };
    let body = timeout(Duration::from_secs(5), response).await.ok()?.ok()?;
    serde_json::from_slice(&body).ok()
}
