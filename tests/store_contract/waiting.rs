//! Who waits for whom: nobody for those who only look.

use std::time::Duration;

use futures_util::future::join_all;
use lectern::model::TokenDigest;
use lectern::store::StoreError;
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::timeout;

use crate::home::{Home, Place};
use crate::make::{accept, assert_no_work_is_left, claim_one, do_all, owed, second};

/// A lock on the table of tokens stands for everything that can make a statement slow.
#[tokio::test(flavor = "multi_thread")]
async fn slow_reading_keeps_no_acceptance_and_no_work_waiting_and_ends() {
    let home = Home::in_postgres().await;
    let Place::Postgres { url } = &home.place else { unreachable!("it is in PostgreSQL") };
    let mut another = PgConnection::connect(url).await.unwrap();
    another.execute("BEGIN; LOCK TABLE tokens").await.unwrap();

    let digest = TokenDigest::of("secret");
    let reads = join_all((0..20).map(|_| home.token(&digest)));
    let work = async {
        for n in 0..50 {
            accept(&*home, owed(&n.to_string(), "a", second(n))).await;
            do_all(&*home, second(n)).await;
        }
        home.check().await.unwrap();
    };
    let (read, ()) = timeout(Duration::from_secs(60), async { tokio::join!(reads, work) }).await.unwrap();
    for refusal in read {
        assert!(matches!(refusal, Err(StoreError::Unavailable(_))), "{refusal:?}");
    }
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut another).await.unwrap(), 0, "none runs on");

    another.execute("ROLLBACK").await.unwrap();
    assert_eq!(home.token(&digest).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_nothing_due_does_not_wait_for_the_writer() {
    let home = Home::in_sqlite().await;
    accept(&*home, owed("e1", "a", second(1))).await;
    do_all(&*home, second(1)).await;
    let mut another = home.place.beside().await;
    another.execute("BEGIN IMMEDIATE").await.unwrap();
    assert_no_work_is_left(&*home).await;
    let refusal = home.accept(&[owed("e2", "a", second(2))]).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Unavailable(_)), "{refusal:?}");

    another.execute("ROLLBACK").await.unwrap();
    accept(&*home, owed("e2", "a", second(2))).await;
    claim_one(&*home, second(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_out_that_another_program_keeps_the_file() {
    let home = Home::in_sqlite().await;
    let mut another = home.place.beside().await;
    another.execute("BEGIN IMMEDIATE").await.unwrap();
    // The writer comes back to its pool a moment after it was used.
    let refused = async { while home.check().await.is_ok() {} };
    timeout(Duration::from_secs(30), refused).await.unwrap();
    another.execute("ROLLBACK").await.unwrap();
    home.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_does_not_queue_for_a_writer_that_is_at_work() {
    let home = Home::in_sqlite().await;
    let mut another = home.place.beside().await;
    another.execute("BEGIN IMMEDIATE").await.unwrap();
    let new = [owed("e1", "a", second(1))];
    let accepted = home.accept(&new);
    let checked = async {
        // The acceptance has taken the writer, and waits for the file.
        tokio::task::yield_now().await;
        let checked = home.check().await;
        another.execute("ROLLBACK").await.unwrap();
        checked
    };
    let (accepted, checked) = tokio::join!(accepted, checked);
    checked.unwrap();
    accepted.unwrap();
}
