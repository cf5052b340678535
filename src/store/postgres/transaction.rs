//! Beginning a transaction of several statements.

use sqlx::{PgPool, Postgres, Transaction};

/// Begins a transaction. Dropped before its commit, it is undone before its connection is used again.
///
/// In a task of its own, because whoever asks may go away at any moment, and sqlx only knows of a transaction once the server has answered
/// to BEGIN. Given up before that, it would stay open on a connection that goes back into the pool: what the next one accepts
/// there would be acknowledged, and never be committed.
pub(super) async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    tokio::spawn(async move { pool.begin().await }).await.unwrap_or(Err(sqlx::Error::PoolClosed))
}

/// The same, by a BEGIN of one's own.
pub(super) async fn begin_with(
    pool: &PgPool,
    statement: &'static str,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(statement).await });
    begun.await.unwrap_or(Err(sqlx::Error::PoolClosed))
}
