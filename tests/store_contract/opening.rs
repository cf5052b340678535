//! Opening a store: the first time, many at once, again, and one that a newer version made.

use std::error::Error;
use std::path::Path;

use futures_util::future::join_all;
use lectern::store::postgres::PostgresStore;
use lectern::store::sqlite::{ServerLock, SqliteStore};
use lectern::store::{Store, StoreError};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::home::{Home, Place};
use crate::make::{accept, claim_one, owed, second, uids};
use crate::postgres::fresh_postgres_database;

crate::on_both_stores![what_was_accepted_is_there_when_the_store_is_opened_again];

async fn what_was_accepted_is_there_when_the_store_is_opened_again(store: Home) {
    let new = owed("e1", "a", second(1));
    accept(&*store, new.clone()).await;
    store.close().await;
    let store = store.another().await;
    assert_eq!(store.event(new.record.id).await.unwrap(), Some(new.record));
    assert_eq!(uids(&claim_one(&*store, second(1)).await.due), ["e1"]);
}

async fn assert_eight_can_open_it_at_the_same_moment(place: Place) {
    for store in join_all((0..8).map(|_| place.open())).await {
        store.unwrap().check().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_can_open_a_new_sqlite_file_at_the_same_moment() {
    assert_eight_can_open_it_at_the_same_moment(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_can_open_a_new_postgres_database_at_the_same_moment() {
    assert_eight_can_open_it_at_the_same_moment(Place::postgres().await).await;
}

/// Adds a migration to a database that this program does not know: its number and name, as SQL.
macro_rules! with_another_migration {
    ($home:ident, $migration:literal) => {
        $home
            .place
            .tamper(concat!(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) SELECT ",
                $migration,
                ", success, checksum, 0 FROM _sqlx_migrations WHERE version = 1"
            ))
            .await;
    };
}

/// Servers are replaced one after another, and somebody may go back.
async fn assert_a_newer_database_is_refused_only_if_it_lacks_something(home: Home) {
    assert!(home.is_known().await.unwrap());
    with_another_migration!(home, "9000, 'something new'");
    with_another_migration!(home, "9001, 'drop the past after 0001'");
    let store = home.place.open().await.unwrap();
    store.check().await.unwrap();
    assert!(!store.is_known().await.unwrap(), "there may be more than it knows of");
    with_another_migration!(home, "9002, 'drop the present after 9000'");
    let refusal = home.place.open().await.err().unwrap();
    assert!(matches!(refusal, StoreError::Failed(_)));
    let why = refusal.source().unwrap().to_string();
    assert!(why.contains("newer Lectern: its migration 9002 (drop the present after 9000)"), "{why}");
}

#[tokio::test]
async fn a_sqlite_file_of_a_newer_version_is_refused_only_if_it_lacks_something() {
    assert_a_newer_database_is_refused_only_if_it_lacks_something(Home::in_sqlite().await).await;
}

#[tokio::test]
async fn a_postgres_database_of_a_newer_version_is_refused_only_if_it_lacks_something() {
    assert_a_newer_database_is_refused_only_if_it_lacks_something(Home::in_postgres().await).await;
}

/// It would refuse an event that is signed as it should be, as often as it comes.
#[tokio::test]
async fn a_postgres_database_that_lacks_characters_is_refused() {
    let mut url = reqwest::Url::parse(&fresh_postgres_database().await).unwrap();
    let mut server = PgConnection::connect(url.as_str()).await.unwrap();
    let name = format!("{}_latin1", url.path().trim_start_matches('/'));
    let create =
        format!("CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
    server.execute(AssertSqlSafe(create)).await.unwrap();
    url.set_path(&name);
    let refusal = PostgresStore::connect(url.as_str(), 4).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Failed(_)));
    let why = refusal.source().unwrap().to_string();
    assert!(
        why.starts_with("the database keeps texts as LATIN1") && why.contains("ENCODING 'UTF8'"),
        "{why}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_its_password_stays_secret() {
    let url = "postgres://lectern:hunter2@127.0.0.1:1/lectern";
    let refusal = PostgresStore::connect(url, 4).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Unavailable(_)));
    let why = refusal.source().unwrap().to_string();
    assert!(why.contains("refused"), "{why}");
    assert!(!format!("{refusal:?} {why}").contains("hunter2"));
}

#[tokio::test]
async fn a_store_shows_its_address_and_not_its_password() {
    let store = PostgresStore::at("postgres://lectern:hunter2@db.example:5433/events", 4).unwrap();
    let shown = format!("{store:?}");
    assert!(shown.contains("db.example") && shown.contains("5433") && shown.contains("events"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn an_address_that_makes_no_sense_is_refused() {
    for url in ["postgres://user:hunter2@host:port/name", "nonsense hunter2"] {
        let refusal = PostgresStore::connect(url, 4).await.unwrap_err();
        assert!(matches!(refusal, StoreError::Failed(_)), "{refusal:?}");
        assert!(!format!("{refusal:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let refusal = SqliteStore::open(Path::new("/nowhere/at/all/lectern.db")).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Unavailable(_)));
    let why = refusal.source().unwrap().to_string();
    assert!(why.contains("/nowhere/at/all/lectern.db"), "{why}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lectern.db");
    std::fs::write(&path, "Dear diary, ".repeat(1000)).unwrap();
    let refusal = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Failed(_)));
    let why = refusal.source().unwrap().to_string();
    assert!(why.contains("file is not a database"), "{why}");
}

#[tokio::test]
async fn a_file_is_served_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lectern.db");
    let first = ServerLock::acquire(&path).unwrap();
    let refusal = ServerLock::acquire(&path).unwrap_err();
    assert!(matches!(refusal, StoreError::Unavailable(_)));
    let why = refusal.source().unwrap().to_string();
    assert!(why.contains("another Lectern serves") && why.contains("PostgreSQL"), "{why}");
    SqliteStore::open(&path).await.unwrap().check().await.unwrap();
    drop(first);
    ServerLock::acquire(&path).unwrap();
}

/// What happens to connections when a server restarts.
#[tokio::test]
async fn a_store_recovers_when_its_connections_were_cut() {
    let home = Home::in_postgres().await;
    for round in 0..5 {
        // Several connections rest in the pool.
        join_all((0..8).map(|_| home.check())).await;
        home.place
            .tamper(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        let new = owed(&round.to_string(), "a", second(1));
        // Each failure uses up a connection that was cut: what a caller repeats succeeds soon.
        let mut refusals = 0;
        while let Err(refusal) = home.accept(std::slice::from_ref(&new)).await {
            assert!(matches!(refusal, StoreError::Unavailable(_)), "{refusal:?}");
            refusals += 1;
            assert!(refusals <= 8);
        }
    }
    assert_eq!(claim_one(&*home, second(1)).await.due.len(), 5);
}
