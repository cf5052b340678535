//! Tokens of the internal API.

use sqlx::SqlitePool;

use super::map::{self, instant};
use super::sql;
use crate::model::{NewToken, Token, TokenDigest};
use crate::store::StoreError;

/// See [`crate::store::Store::add_token`].
pub(super) async fn add(pool: &SqlitePool, token: &NewToken) -> Result<(), StoreError> {
    sqlx::query(sql::ADD_TOKEN)
        .bind(token.id.as_uuid())
        .bind(&token.name)
        .bind(&token.digest.as_bytes()[..])
        .bind(instant(token.created_at))
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
