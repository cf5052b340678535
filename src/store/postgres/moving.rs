//! Moving out and in.

use futures_util::TryStreamExt as _;
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgPool, Row as _};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::sql::moving as sql;
use super::transaction::{begin, begin_with};
use crate::model::{ResourceKind, Words};
use crate::store::kept;
use crate::store::moving::{COLLECTIONS, Cell, Collection, Field, Record};

/// See [`crate::store::MovingStore::export`].
pub(super) async fn export(pool: &PgPool, to: mpsc::Sender<Record>) -> Result<(), sqlx::Error> {
    let mut transaction = begin_with(pool, sql::BEGIN_SNAPSHOT).await?;
    sqlx::query(sql::TAKE_ALL_THE_TIME).execute(&mut *transaction).await?;
    for collection in COLLECTIONS {
        let columns: Vec<String> =
            collection.fields.iter().map(|(name, field)| shown(name, *field)).collect();
        // The names are those of our own tables.
        let statement = AssertSqlSafe(format!(
            "SELECT {} FROM {} ORDER BY {}",
            columns.join(", "),
            collection.name,
            collection.key.join(", ")
        ));
        let mut rows = sqlx::query(statement).fetch(&mut *transaction);
        while let Some(row) = rows.try_next().await? {
            if to.send(record(collection, &row)?).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn shown(name: &str, field: Field) -> String {
    match field {
        Field::Instant => format!("(extract(epoch FROM {name}) * 1000000)::bigint"),
        Field::Integer => format!("{name}::bigint"),
        Field::Id | Field::Bytes | Field::Text | Field::Boolean => name.to_owned(),
    }
}

fn record(collection: &'static Collection, row: &PgRow) -> Result<Record, sqlx::Error> {
    let cell = |(nth, (_, field)): (usize, &(&str, Field))| {
        let cell = match field {
            Field::Id => row.try_get::<Option<Uuid>, _>(nth)?.map(Cell::Id),
            Field::Bytes => row.try_get::<Option<Vec<u8>>, _>(nth)?.map(Cell::Bytes),
            Field::Text => row.try_get::<Option<String>, _>(nth)?.map(Cell::Text),
            Field::Instant => row.try_get::<Option<i64>, _>(nth)?.map(Cell::Instant),
            Field::Integer => row.try_get::<Option<i64>, _>(nth)?.map(Cell::Integer),
            Field::Boolean => row.try_get::<Option<bool>, _>(nth)?.map(Cell::Boolean),
        };
        Ok(cell.unwrap_or(Cell::Null))
    };
    let cells = collection.fields.iter().enumerate().map(cell).collect::<Result<_, sqlx::Error>>()?;
    Ok(Record { collection, cells, words: Words::default() })
}

/// See [`crate::store::MovingStore::import`].
pub(super) async fn import(pool: &PgPool, records: &[Record]) -> Result<(), sqlx::Error> {
    let Some(Record { collection, .. }) = records.first() else { return Ok(()) };
    let rows: Vec<Value> = records.iter().map(row).collect();
    let has_words = collection.name == "resources";
    let mut columns: Vec<&str> = collection.fields.iter().map(|(name, _)| *name).collect();
    let mut values: Vec<String> = collection.fields.iter().map(|(name, field)| taken(name, *field)).collect();
    let mut types: Vec<String> = collection.fields.iter().map(|(name, field)| typed(name, *field)).collect();
    if has_words {
        columns.push("words");
        values.push("array_to_tsvector(string_to_array(words, ' '))".to_owned());
        types.push("words text".to_owned());
    }
    let statement = AssertSqlSafe(format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM json_to_recordset($1::text::json) AS new ({}) ON CONFLICT DO NOTHING",
        collection.name,
        columns.join(", "),
        values.join(", "),
        types.join(", ")
    ));
    sqlx::query(statement).bind(Value::Array(rows).to_string()).execute(pool).await?;
    Ok(())
}

fn row(record: &Record) -> Value {
    let fields = record.collection.fields.iter().zip(&record.cells);
    let mut row: Map<String, Value> =
        fields.map(|((name, _), cell)| ((*name).to_owned(), cell.for_statement(Uuid::to_string))).collect();
    if let Some(kind) = record.text("kind").and_then(|kind| kind.parse::<ResourceKind>().ok()) {
        row.insert("words".to_owned(), kept::lexemes(kind, &record.words).join(" ").into());
    }
    Value::Object(row)
}

fn typed(name: &str, field: Field) -> String {
    let type_name = match field {
        Field::Id => "uuid",
        Field::Bytes | Field::Text => "text",
        Field::Instant | Field::Integer => "bigint",
        Field::Boolean => "boolean",
    };
    format!("{name} {type_name}")
}

/// An instant in two parts, because a product with an interval is a fraction: each part is exact.
fn taken(name: &str, field: Field) -> String {
    match field {
        Field::Bytes => format!("decode({name}, 'hex')"),
        Field::Instant => format!(
            "timestamptz 'epoch' + {name} / 1000000 * interval '1 second' + {name} % 1000000 * interval '1 microsecond'"
        ),
        Field::Id | Field::Text | Field::Integer | Field::Boolean => name.to_owned(),
    }
}

/// See [`crate::store::MovingStore::end_import`].
pub(super) async fn end_import(pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut transaction = begin(pool).await?;
    sqlx::query(sql::TAKE_ALL_THE_TIME).execute(&mut *transaction).await?;
    for statement in [sql::GO_ON_WITH_DELIVERIES, sql::GO_ON_WITH_FEED, sql::LOOK_AT_WHAT_IS_THERE] {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
