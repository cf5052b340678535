//! Tokens of the internal API.

use jiff::Timestamp;
use sqlx::PgPool;

use super::map::{self, column, instant};
use super::repeat::repeated;
use super::sql;
use crate::model::{NewToken, Token, TokenDigest, TokenId};
use crate::store::StoreError;

/// See [`crate::store::Store::add_token`].
pub(super) async fn add(pool: &PgPool, token: &NewToken) -> Result<(), StoreError> {
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
pub(super) async fn by_digest(pool: &PgPool, digest: &TokenDigest) -> Result<Option<Token>, sqlx::Error> {
    let row = sqlx::query(sql::TOKEN).bind(&digest.as_bytes()[..]).fetch_optional(pool).await?;
    row.as_ref().map(map::token).transpose()
}

/// See [`crate::store::Store::tokens`].
pub(super) async fn all(pool: &PgPool) -> Result<Vec<Token>, sqlx::Error> {
    let rows = sqlx::query(sql::TOKENS).fetch_all(pool).await?;
    rows.iter().map(map::token).collect()
}

/// See [`crate::store::Store::revoke_token`].
pub(super) async fn revoke(pool: &PgPool, name: &str) -> Result<bool, sqlx::Error> {
    let revoked = sqlx::query(sql::REVOKE_TOKEN).bind(name).execute(pool).await?;
    Ok(revoked.rows_affected() > 0)
}

/// See [`crate::store::Store::note_token_uses`].
pub(super) async fn note(pool: &PgPool, uses: &[(TokenId, Timestamp)]) -> Result<(), sqlx::Error> {
    repeated(|| {
        sqlx::query(sql::NOTE_TOKEN_USES)
            .bind(column(uses, |(id, _)| id.as_uuid()))
            .bind(column(uses, |(_, at)| instant(*at)))
            .execute(pool)
    })
    .await?;
    Ok(())
}
