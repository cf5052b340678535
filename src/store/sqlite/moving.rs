//! Moving out and in.

use futures_util::TryStreamExt as _;
use serde_json::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqlitePool};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::sql::moving as sql;
use super::sql::{BEGIN, mirror};
use crate::model::{ResourceKind, Words};
use crate::store::kept;
use crate::store::moving::{COLLECTIONS, Cell, Collection, Field, Record};

/// See [`crate::store::MovingStore::export`].
pub(super) async fn export(readers: &SqlitePool, to: mpsc::Sender<Record>) -> Result<(), sqlx::Error> {
    let mut connection = readers.acquire().await?;
    let mut transaction = connection.begin().await?;
    for collection in COLLECTIONS {
        let columns: Vec<&str> = collection.fields.iter().map(|(name, _)| *name).collect();
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

fn record(collection: &'static Collection, row: &SqliteRow) -> Result<Record, sqlx::Error> {
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
pub(super) async fn import(writer: &SqlitePool, records: &[Record]) -> Result<(), sqlx::Error> {
    let Some(Record { collection, .. }) = records.first() else { return Ok(()) };
    let rows = Value::Array(records.iter().map(row).collect()).to_string();
    let columns: Vec<&str> = collection.fields.iter().map(|(name, _)| *name).collect();
    let values: Vec<String> = collection.fields.iter().map(|(name, field)| taken(name, *field)).collect();
    let statement = AssertSqlSafe(format!(
        "INSERT INTO {} ({}) SELECT {} FROM json_each(?1) WHERE TRUE ON CONFLICT DO NOTHING",
        collection.name,
        columns.join(", "),
        values.join(", ")
    ));
    let mut transaction = writer.begin_with(BEGIN).await?;
    sqlx::query(statement).bind(&rows).execute(&mut *transaction).await?;
    if collection.name == "resources" {
        for statement in [mirror::FORGET_WORDS_OF, mirror::ADD_WORDS_OF] {
            sqlx::query(statement).bind(&rows).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await
}

fn row(record: &Record) -> Value {
    let fields = record.collection.fields.iter().zip(&record.cells);
    let mut row: Map<String, Value> = fields
        .map(|((name, _), cell)| ((*name).to_owned(), cell.for_statement(|id| id.simple().to_string())))
        .collect();
    if let Some(kind) = record.text("kind").and_then(|kind| kind.parse::<ResourceKind>().ok()) {
        row.insert("words".to_owned(), kept::lexemes(kind, &record.words).join(" ").into());
    }
    Value::Object(row)
}

fn taken(name: &str, field: Field) -> String {
    match field {
        Field::Id | Field::Bytes => format!("unhex(value ->> '{name}')"),
        Field::Text | Field::Instant | Field::Integer | Field::Boolean => format!("value ->> '{name}'"),
    }
}

/// See [`crate::store::MovingStore::end_import`].
pub(super) async fn end_import(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    sqlx::query(sql::LOOK_AT_WHAT_IS_THERE).execute(writer).await?;
    Ok(())
}
