//! A RabbitMQ that is away, or says nothing.

use std::time::Duration;

use lectern::handlers::{Handler, Work};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::place::Place;
use super::proxy::Proxy;
use crate::support::{MARGIN, eventually, handler, work};

fn by_way_of(proxy: &Proxy, place: &Place) -> Box<dyn Handler> {
    handler("rabbitmq", json!({ "url": proxy.url(), "exchange": place.exchange }))
}

fn urgent(body: &'static str, patience: Duration) -> Work {
    Work { timeout: patience, ..work(body) }
}

#[tokio::test]
async fn a_server_that_is_away_is_named_and_gets_the_event_when_it_is_back() {
    let place = Place::new().await;
    let mut proxy = Proxy::start().await;
    proxy.away().await;
    let handler = by_way_of(&proxy, &place);

    let failure = handler.handle(&work("1")).await.unwrap_err();
    assert!(failure.reason.starts_with("RabbitMQ at 127.0.0.1:"), "{failure:?}");
    assert!(failure.reason.contains("Connection refused"), "{failure:?}");
    assert!(!failure.permanent && !failure.timed_out, "{failure:?}");

    proxy.back().await;
    handler.handle(&work("1")).await.unwrap();
    assert_eq!(place.bodies().await, ["1"]);
}

#[tokio::test]
async fn a_connection_that_was_lost_in_between_is_made_anew() {
    let place = Place::new().await;
    let mut proxy = Proxy::start().await;
    let handler = by_way_of(&proxy, &place);
    handler.handle(&work("1")).await.unwrap();

    proxy.away().await;
    handler.handle(&work("2")).await.unwrap_err();
    proxy.back().await;

    handler.handle(&work("2")).await.unwrap();
    assert_eq!(place.bodies().await, ["1", "2"]);
}

#[tokio::test]
async fn what_is_not_confirmed_in_time_is_not_done_and_does_not_come_later() {
    let place = Place::new().await;
    let proxy = Proxy::start().await;
    let handler = by_way_of(&proxy, &place);
    handler.handle(&work("1")).await.unwrap();

    proxy.freeze();
    let work = urgent("lost on the way", Duration::from_millis(900));
    let failure = timeout(work.timeout + MARGIN, handler.handle(&work)).await.expect("in time").unwrap_err();
    assert!(failure.timed_out, "{failure:?}");
    proxy.thaw();

    handler.handle(&self::work("2")).await.unwrap();
    assert_eq!(place.bodies().await, ["1", "2"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_costs_the_timeout_and_leaves_nothing_behind() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for scheme in ["amqp", "amqps"] {
        let url = format!("{scheme}://{}", silent.local_addr().unwrap());
        let handler = handler("rabbitmq", json!({ "url": url, "exchange": "podium" }));
        for _ in 0..3 {
            let work = urgent("{}", Duration::from_millis(500));
            let outcome = timeout(work.timeout + MARGIN, handler.handle(&work)).await;
            let failure = outcome.expect("in time").unwrap_err();
            assert!(failure.timed_out, "{failure:?}");
        }
    }
    eventually("the client's threads end", || threads("lapin") == 0).await;
}

/// How many threads of this process have a name that begins so.
#[cfg(target_os = "linux")]
fn threads(name: &str) -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let names = threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|of_thread| of_thread.starts_with(name)).count()
}
