//! The database is there and says nothing: a frozen machine, a network that swallows everything.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::events::numbered_event;
use crate::support::lectern::{Lectern, Setup};
use crate::support::patience::eventually;
use crate::support::postgres_server::PostgresServer;

/// Posts the event of this number; it is taken in time, and so.
async fn taken(lectern: &Lectern, number: usize, status: &str) {
    let asked = Instant::now();
    let answer = lectern.post(&numbered_event("message.received", "c", &number.to_string())).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["data"]["status"]), (200, &json!(status)));
    assert!(asked.elapsed() < Duration::from_secs(4), "it took {:?}", asked.elapsed());
}

#[tokio::test]
async fn a_database_that_goes_mute_keeps_neither_a_sender_nor_a_stop_nor_a_start() {
    let server = PostgresServer::start().await;
    let setup = Setup::sqlite().env("DATABASE_URL", &server.url());
    let lectern = setup.start().await;
    taken(&lectern, 0, "accepted").await;

    server.freeze();
    for number in 1..4 {
        taken(&lectern, number, "spooled").await;
    }
    assert_eq!(lectern.get("/readyz").await["status"], "spooling");
    let start = Instant::now();
    assert!(lectern.stop().await.success());
    assert!(start.elapsed() < Duration::from_secs(10), "the stop took {:?}", start.elapsed());

    let start = Instant::now();
    let lectern = setup.start().await;
    assert!(start.elapsed() < Duration::from_secs(10), "the start took {:?}", start.elapsed());
    taken(&lectern, 4, "spooled").await;

    server.thaw();
    eventually("all of it is in the store", async || {
        (lectern.get("/readyz").await["spool"]["events"] == 0).then_some(())
    })
    .await;
    taken(&lectern, 5, "accepted").await;
    assert_eq!(lectern.get("/api/v1/events").await.as_array().unwrap().len(), 6);
}
