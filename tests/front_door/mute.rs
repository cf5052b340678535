//! The database is there and says nothing: a frozen machine, a network that swallows everything.

use std::time::Duration;

use tokio::time::Instant;

use crate::events::numbered_event;
use crate::support::lectern::{Lectern, Setup};
use crate::support::patience::eventually;
use crate::support::postgres_server::PostgresServer;

/// Posts the event of this number; it is answered 200 and in time. What became of it.
async fn taken(lectern: &Lectern, number: usize) -> String {
    let asked = Instant::now();
    let answer = lectern.post(&numbered_event("message.received", "c", &number.to_string())).await;
    assert_eq!(answer.status.as_u16(), 200);
    assert!(asked.elapsed() < Duration::from_secs(4), "it took {:?}", asked.elapsed());
    answer.json()["data"]["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_database_that_goes_mute_keeps_neither_a_sender_nor_a_stop_nor_a_start() {
    let server = PostgresServer::start().await;
    let setup = Setup::sqlite().env("DATABASE_URL", &server.url());
    let lectern = setup.start().await;
    taken(&lectern, 0).await;

    server.freeze();
    for number in 1..4 {
        assert_eq!(taken(&lectern, number).await, "spooled");
    }
    assert_eq!(lectern.get("/readyz").await["status"], "spooling");
    let start = Instant::now();
    assert!(lectern.stop().await.success());
    assert!(start.elapsed() < Duration::from_secs(10), "the stop took {:?}", start.elapsed());

    let start = Instant::now();
    let lectern = setup.start().await;
    assert!(start.elapsed() < Duration::from_secs(10), "the start took {:?}", start.elapsed());
    assert_eq!(taken(&lectern, 4).await, "spooled");

    server.thaw();
    eventually("the store takes events again", async || {
        (taken(&lectern, 5).await != "spooled").then_some(())
    })
    .await;
    let stored = eventually("all of it is in the store", async || {
        let stored = lectern.get("/api/v1/events").await.as_array().unwrap().len();
        (stored >= 6).then_some(stored)
    });
    assert_eq!(stored.await, 6);
}
