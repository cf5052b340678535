//! When the secrets of sources were last used.

use sqlx::PgPool;

use super::map::{self, column, instant};
use super::repeat::repeated;
use super::sql;
use crate::model::SecretUse;
use crate::store::kept;

/// See [`crate::store::Store::note_secret_uses`].
pub(super) async fn note(pool: &PgPool, uses: &[SecretUse]) -> Result<(), sqlx::Error> {
    repeated(|| {
        sqlx::query(sql::NOTE_SECRET_USES)
            .bind(column(uses, |used| &used.secret.as_bytes()[..]))
            .bind(column(uses, |used| used.source.as_str()))
            .bind(column(uses, |used| used.name.as_str()))
            .bind(column(uses, |used| instant(used.known_since)))
            .bind(column(uses, |used| used.last_used_at.map(instant)))
            .bind(column(uses, |used| kept::count(used.events)))
            .execute(pool)
    })
    .await?;
    Ok(())
}

/// See [`crate::store::Store::secret_uses`].
pub(super) async fn all(pool: &PgPool) -> Result<Vec<SecretUse>, sqlx::Error> {
    let rows = sqlx::query(sql::SECRET_USES).fetch_all(pool).await?;
    rows.iter().map(map::secret_use).collect()
}
