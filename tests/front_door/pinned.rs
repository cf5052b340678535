//! Somebody left a transaction open: PostgreSQL can't clean up behind it.

use std::time::Duration;

use futures_util::future::join_all;
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::{Instant, interval, sleep};

use crate::crash::deliveries_are_done;
use crate::events::new_event;
use crate::support::lectern::{Lectern, Setup};
use crate::support::postgres::fresh_postgres_database;

/// No more than a debug build handles as soon as it comes, else the lag would be that of a backlog.
const SENDERS: usize = 20;
const EACH_A_SECOND: u32 = 10;
const A_MINUTE: Duration = Duration::from_secs(60);
/// How long what is compared is looked at, before that minute and at its end.
const WHILE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_minute_of_an_old_transaction_under_load_does_not_slow_dispatch() {
    let database = fresh_postgres_database().await;
    // Its handler, `log`, takes no time, and its lines are left out.
    let setup = Setup::sqlite()
        .env("DATABASE_URL", &database)
        .env("LECTERN__LOG__FILTER", "info,lectern::handlers=warn");
    let lectern = setup.start().await;
    let until = Instant::now() + WHILE + A_MINUTE;
    let senders = join_all((0..SENDERS).map(|sender| send(&lectern, sender, until)));
    let holding = async {
        let mut old = PgConnection::connect(&database).await.unwrap();
        sleep(WHILE).await;
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
        old.execute("SELECT count(*) FROM events").await.unwrap();
        sleep(A_MINUTE).await;
        old
    };
    let (sent, old) = tokio::join!(senders, holding);
    let sent: usize = sent.iter().sum();
    deliveries_are_done(&lectern).await;
    let mut database = PgConnection::connect(&database).await.unwrap();
    let before = Lag::between(&mut database, 0.0, WHILE.as_secs_f64()).await;
    let minute = WHILE + A_MINUTE;
    let at_its_end = Lag::between(&mut database, (minute - WHILE).as_secs_f64(), minute.as_secs_f64()).await;
    old.close().await.unwrap();

    // A slow machine sends fewer; far fewer would be no load.
    assert!(sent > 4_000, "only {sent} events were sent");
    let lags = format!("of {sent} events: {before:?}, at the end of the minute {at_its_end:?}");
    assert!(at_its_end.half < before.half + 0.25, "{lags}");
    assert!(at_its_end.most < before.most + 1.0, "{lags}");
}

/// Sends events of one conversation, one after another, until then. Returns how many.
async fn send(lectern: &Lectern, sender: usize, until: Instant) -> usize {
    let mut turns = interval(Duration::from_secs(1) / EACH_A_SECOND);
    let mut sent = 0;
    while Instant::now() < until {
        turns.tick().await;
        assert_eq!(lectern.post(&new_event("message.received", &format!("c{sender}"))).await.status, 200);
        sent += 1;
    }
    sent
}

/// How many seconds lay between the acceptance of an event and the call of its handler.
#[derive(Debug, sqlx::FromRow)]
struct Lag {
    /// Of half of them, no more than this.
    half: f64,
    /// Of 99 in 100.
    most: f64,
}

impl Lag {
    /// Of the events that came between these seconds after the first one.
    async fn between(database: &mut PgConnection, from: f64, until: f64) -> Self {
        sqlx::query_as(
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY lag) AS half,
                 percentile_cont(0.99) WITHIN GROUP (ORDER BY lag) AS most
             FROM (
                 SELECT extract(epoch FROM received_at - min(received_at) OVER ())::float8 AS at,
                     extract(epoch FROM started_at - received_at)::float8 AS lag
                 FROM events JOIN deliveries ON event_id = events.id JOIN attempts ON delivery_id = deliveries.id
                 WHERE number = 1
             ) AS calls
             WHERE at BETWEEN $1 AND $2",
        )
        .bind(from)
        .bind(until)
        .fetch_one(database)
        .await
        .unwrap()
    }
}
