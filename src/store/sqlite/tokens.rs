//! Tokens of the internal API.

use jiff::Timestamp;
use sqlx::SqlitePool;

use super::map::{self, instant};
use super::sql;
use crate::model::{NewToken, Token, TokenDigest, TokenId};
use crate::store::StoreError;

/// See [`crate::store::Store::add_token`].
pub(super) async fn add(pool: &SqlitePool, token: &NewToken) -> Result<(), StoreError> {
    sqlx::query(sql::ADD_TOKEN)
        .bind(token.id.as_uuid())
        .bind(&token.name)
        .bind(&token.digest.as_bytes()[..])
        .bind(token.role.as_str())
        .bind(instant(token.created_at))
        .bind(token.expires_at.map(instant))
        .execute(pool)
        .await
        .map_err(|error| StoreError::or_conflict(error, || format!("a token named `{}`", token.name)))?;
    Ok(())
}

/// See [`crate::store::Store::token`].
pub(super) async fn by_digest(pool: &SqlitePool, digest: &TokenDigest) -> Result<Option<Token>, sqlx::Error> {
    let row = sqlx::query(sql::TOKEN).bind(&digest.as_bytes()[..]).fetch_optional(pool).await?;
    row.as_ref().map(map::token).transpose()
}

/// See [`crate::store::Store::tokens`].
pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<Token>, sqlx::Error> {
    let rows = sqlx::query(sql::TOKENS).fetch_all(pool).await?;
    rows.iter().map(map::token).collect()
}

/// See [`crate::store::Store::revoke_token`].
pub(super) async fn revoke(pool: &SqlitePool, name: &str) -> Result<bool, sqlx::Error> {
    let revoked = sqlx::query(sql::REVOKE_TOKEN).bind(name).execute(pool).await?;
    Ok(revoked.rows_affected() > 0)
}

/// See [`crate::store::Store::note_token_uses`].
pub(super) async fn note(writer: &SqlitePool, uses: &[(TokenId, Timestamp)]) -> Result<(), sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    for (id, at) in uses {
        sqlx::query(sql::NOTE_TOKEN_USE)
            .bind(id.as_uuid())
            .bind(instant(*at))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}
