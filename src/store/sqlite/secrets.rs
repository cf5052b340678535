//! When the secrets of sources were last used.

use sqlx::SqlitePool;

use super::map::{self, instant};
use super::sql;
use crate::model::SecretUse;
use crate::store::kept;

/// See [`crate::store::Store::note_secret_uses`].
pub(super) async fn note(writer: &SqlitePool, uses: &[SecretUse]) -> Result<(), sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    for used in uses {
        sqlx::query(sql::NOTE_SECRET_USE)
            .bind(&used.secret.as_bytes()[..])
            .bind(&used.source)
            .bind(&used.name)
            .bind(instant(used.known_since))
            .bind(used.last_used_at.map(instant))
            .bind(kept::count(used.events))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

/// See [`crate::store::Store::secret_uses`].
pub(super) async fn all(readers: &SqlitePool) -> Result<Vec<SecretUse>, sqlx::Error> {
    let rows = sqlx::query(sql::SECRET_USES).fetch_all(readers).await?;
    rows.iter().map(map::secret_use).collect()
}
