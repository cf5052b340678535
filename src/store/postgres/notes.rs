//! Notes.

use jiff::Timestamp;
use sqlx::{PgPool, Row};

use super::map::{self, instant};
use super::sql;
use crate::store::{LeaseToken, Note, kept};

/// See [`crate::store::NoteStore::note`].
pub(super) async fn one(pool: &PgPool, name: &str) -> Result<Option<Note>, sqlx::Error> {
    let row = sqlx::query(sql::NOTE).bind(name).fetch_optional(pool).await?;
    row.as_ref().map(map::note).transpose()
}

/// See [`crate::store::NoteStore::notes_under`].
pub(super) async fn under(pool: &PgPool, prefix: &str) -> Result<Vec<(String, Note)>, sqlx::Error> {
    let rows = sqlx::query(sql::NOTES_UNDER).bind(prefix).bind(kept::behind(prefix)).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get("name")?, map::note(row)?))).collect()
}

/// See [`crate::store::NoteStore::write_note`].
pub(super) async fn write(
    pool: &PgPool,
    name: &str,
    content: &[u8],
    version: u64,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let statement = if version == 0 { sql::ADD_NOTE } else { sql::CHANGE_NOTE };
    let written = sqlx::query(statement)
        .bind(name)
        .bind(content)
        .bind(version.cast_signed())
        .bind(instant(now))
        .execute(pool)
        .await?;
    Ok(written.rows_affected() > 0)
}

/// See [`crate::store::NoteStore::erase_note`].
pub(super) async fn erase(pool: &PgPool, name: &str, version: u64) -> Result<bool, sqlx::Error> {
    let erased = sqlx::query(sql::ERASE_NOTE).bind(name).bind(version.cast_signed()).execute(pool).await?;
    Ok(erased.rows_affected() > 0)
}

/// See [`crate::store::NoteStore::lease_task`].
pub(super) async fn lease(
    pool: &PgPool,
    name: &str,
    token: LeaseToken,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, sqlx::Error> {
    let leased = sqlx::query(sql::LEASE_TASK)
        .bind(name)
        .bind(token.0)
        .bind(instant(now))
        .bind(instant(until))
        .execute(pool)
        .await?;
    Ok(leased.rows_affected() > 0)
}
