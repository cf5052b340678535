//! A PostgreSQL that is there and does not get on: a lock, or another's migration.

use std::time::Duration;

use lectern::model::{DeliveryFilter, QuarantineFilter};
use lectern::store::StoreError;
use lectern::store::postgres::PostgresStore;
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::{Instant, timeout};

use crate::home::{Home, Place};
use crate::make::{claim, second};
use crate::postgres::fresh_postgres_database;

#[tokio::test]
async fn statements_that_were_given_up_do_not_use_up_the_connections() {
    let store = Home::in_postgres().await;
    let Place::Postgres { url } = &store.place else { unreachable!("it was opened in PostgreSQL") };
    let mut another = PgConnection::connect(url).await.unwrap();
    another.execute("BEGIN; LOCK TABLE queues").await.unwrap();
    let start = Instant::now();
    let given_up =
        (0..20).map(async |_| timeout(Duration::from_millis(500), store.claim(&claim(second(1)))).await);
    for outcome in futures_util::future::join_all(given_up).await {
        assert!(outcome.is_err(), "the lock keeps it waiting: {outcome:?}");
    }
    while let Err(error) = store.empty_quarantine(&QuarantineFilter::default(), 1).await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "the connections are still waited for");
    }
    another.close().await.unwrap();
}

#[tokio::test]
async fn a_migration_that_another_process_is_at_is_waited_for_and_then_left_for_later() {
    let url = fresh_postgres_database().await;
    let mut another = PgConnection::connect(&url).await.unwrap();
    another.execute("BEGIN; CREATE TABLE _sqlx_migrations (version bigint)").await.unwrap();
    let store = PostgresStore::at(&url, 4).unwrap();
    let start = Instant::now();
    let refusal = store.prepare(Some(Duration::from_millis(500))).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Unavailable(_)), "{refusal:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    another.execute("ROLLBACK").await.unwrap();
    store.prepare(Some(Duration::from_secs(60))).await.unwrap();
}

#[tokio::test]
async fn what_takes_too_long_to_count_is_not_counted() {
    let store = Home::in_postgres().await;
    let Place::Postgres { url } = &store.place else { unreachable!("it was opened in PostgreSQL") };
    assert_eq!(store.count_closed(&DeliveryFilter::default(), second(1)).await.unwrap(), Some(0));
    let mut another = PgConnection::connect(url).await.unwrap();
    another.execute("BEGIN; LOCK TABLE deliveries").await.unwrap();
    assert_eq!(store.count_closed(&DeliveryFilter::default(), second(1)).await.unwrap(), None);
    another.close().await.unwrap();
}
