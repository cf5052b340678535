//! A database of every earlier schema, with something in it, is brought up to date, and what is in it is handled; and so is what an
//! older program writes afterwards.

use lectern::model::NewEvent;
use sqlx::migrate::{Migration, Migrator};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

use crate::home::Place;
use crate::make::{HANDLER, claim_one, owed, second, uids};

/// The schema as it was after so many migrations.
fn first_of(all: &Migrator, number: usize) -> Migrator {
    let migrations: Vec<Migration> = all.iter().take(number).cloned().collect();
    Migrator::with_migrations(migrations)
}

/// What the first version would have written of an event that one handler is owed: no later one has taken a column away.
/// `bytes` and `moment` write values as the database has them.
fn written(
    new: &NewEvent,
    bytes: impl Fn(&[u8]) -> String,
    id: impl Fn(uuid::Uuid) -> String,
    moment: &str,
) -> [String; 4] {
    let (event, delivery) = (&new.record, &new.deliveries[0]);
    let queue = &delivery.ordering_key;
    let (event_id, delivery_id) = (id(event.id.as_uuid()), id(delivery.id.as_uuid()));
    let (key, body) = (bytes(new.dedup_key.as_bytes()), bytes(&new.content.body));
    let uid = event.event_uid.as_deref().unwrap();
    [
        format!(
            "INSERT INTO events (id, dedup_key, source, event_type, event_uid, received_at, verified_by)
             VALUES ({event_id}, {key}, 'default', 'message.received', '{uid}', {moment}, 'current')"
        ),
        format!(
            r#"INSERT INTO event_bodies (event_id, headers, body) VALUES ({event_id},
               '[{{"name":"content-type","value":"application/json"}}]', {body})"#
        ),
        format!(
            "INSERT INTO deliveries (id, event_id, handler, ordering_key, state, opened_at)
             VALUES ({delivery_id}, {event_id}, '{HANDLER}', '{queue}', 'pending', {moment})"
        ),
        format!(
            "INSERT INTO queues (handler, ordering_key, pending, due_at)
             VALUES ('{HANDLER}', '{queue}', 1, {moment})"
        ),
    ]
}

async fn assert_it_is_handled(place: &Place, new: &NewEvent, migrations: usize) {
    let store = place.open().await.unwrap();
    assert_eq!(store.event(new.record.id).await.unwrap().as_ref(), Some(&new.record), "{migrations}");
    let contents = store.contents(&[new.record.id]).await.unwrap();
    assert_eq!(contents[0].1, new.content, "{migrations}");
    let uid = new.record.event_uid.as_deref().unwrap();
    assert_eq!(uids(&claim_one(&*store, second(2)).await.due), [uid], "{migrations}");
    // It is recognised when it comes again.
    let again = store.accept(std::slice::from_ref(new)).await.unwrap();
    assert_eq!(again, [lectern::store::Acceptance::Duplicate(new.record.id)], "{migrations}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_of_every_earlier_schema_is_brought_up_to_date_with_what_is_in_it() {
    let all = sqlx::migrate!("migrations/sqlite");
    for number in 1..all.iter().count() {
        let (place, new) = (Place::sqlite(), owed("e1", "a", second(1)));
        let Place::Sqlite { folder } = &place else { unreachable!() };
        let file = format!("sqlite:{}?mode=rwc", folder.path().join("lectern.db").display());
        let pool = SqlitePool::connect(&file).await.unwrap();
        first_of(&all, number).run(&pool).await.unwrap();
        pool.close().await;
        write_to_sqlite(&file, &new).await;
        assert_it_is_handled(&place, &new, number).await;
        let late = owed("e2", "b", second(1));
        write_to_sqlite(&file, &late).await;
        assert_it_is_handled(&place, &late, number).await;
    }
}

async fn write_to_sqlite(url: &str, new: &NewEvent) {
    let pool = SqlitePool::connect(url).await.unwrap();
    let moment = new.record.received_at.as_microsecond().to_string();
    let bytes = |bytes: &[u8]| format!("x'{}'", hex::encode(bytes));
    for statement in written(new, bytes, |id| format!("x'{}'", id.simple()), &moment) {
        sqlx::query(AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_of_every_earlier_schema_is_brought_up_to_date_with_what_is_in_it() {
    let all = sqlx::migrate!("migrations/postgres");
    for number in 1..all.iter().count() {
        let (place, new) = (Place::postgres().await, owed("e1", "a", second(1)));
        let Place::Postgres { url } = &place else { unreachable!() };
        let pool = PgPool::connect(url).await.unwrap();
        first_of(&all, number).run(&pool).await.unwrap();
        pool.close().await;
        write_to_postgres(url, &new).await;
        assert_it_is_handled(&place, &new, number).await;
        let late = owed("e2", "b", second(1));
        write_to_postgres(url, &late).await;
        assert_it_is_handled(&place, &late, number).await;
    }
}

async fn write_to_postgres(url: &str, new: &NewEvent) {
    let pool = PgPool::connect(url).await.unwrap();
    let moment = format!("'{}'", new.record.received_at);
    let bytes = |bytes: &[u8]| format!(r"'\x{}'", hex::encode(bytes));
    for statement in written(new, bytes, |id| format!("'{id}'"), &moment) {
        sqlx::query(AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    }
    pool.close().await;
}
