//! What can go wrong in a store, by what the caller will do about it.

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

/// Why a store did not keep a promise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, is busy or shutting down, or took too long: the same call may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was to be added is there already.
    #[error("{0} is there already")]
    Conflict(String),
    /// It answered with something that it should not: repeating won't help.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether it is what was to be written that was refused (a value that can't be kept, a rule that it breaks, a size),
    /// and not the store that was out of order.
    #[must_use]
    pub fn is_of_the_data(&self) -> bool {
        let Self::Failed(source) = self else { return false };
        match source.downcast_ref() {
            Some(sqlx::Error::Database(refused)) => is_of_the_data(refused.as_ref()),
            Some(sqlx::Error::Encode(_)) => true,
            _ => false,
        }
    }

    /// A conflict where the database says so, with a name for what is there already.
    pub(super) fn or_conflict(error: sqlx::Error, what: impl FnOnce() -> String) -> Self {
        match error.as_database_error() {
            Some(refused) if refused.is_unique_violation() => Self::Conflict(what()),
            _ => error.into(),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let passes = match &error {
            sqlx::Error::Database(refused) => passes(refused.as_ref()),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            _ => false,
        };
        if passes { Self::Unavailable(error.into()) } else { Self::Failed(error.into()) }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            MigrateError::VersionMismatch(version) => Self::Failed(
                format!(
                    "migration {version} of the database is another one than this version of Lectern has: \
                     the database was made by a build of your own, or for something else"
                )
                .into(),
            ),
            other => Self::Failed(other.into()),
        }
    }
}

/// Whether the database may take the same statement another time.
fn passes(refused: &dyn DatabaseError) -> bool {
    let code = refused.code().unwrap_or_default();
    match refused.try_downcast_ref::<PgDatabaseError>() {
        Some(_) => passes_in_postgres(&code),
        None => code.parse().is_ok_and(passes_in_sqlite),
    }
}

/// The first two characters of a PostgreSQL code are its class.
fn passes_in_postgres(code: &str) -> bool {
    match code.get(..2) {
        // Connection lost; not let in (a password is being changed); no such database (yet); ended for another;
        // out of memory, disk or connections; shutting down or a conflict with an operator; trouble with files.
        Some("08" | "28" | "3D" | "40" | "53" | "57" | "58") => true,
        // The server takes no writes for now; a lock was not to be had.
        _ => matches!(code, "25006" | "55P03"),
    }
}

/// The lowest byte of an extended SQLite code is the plain one.
fn passes_in_sqlite(code: u32) -> bool {
    // BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL
    matches!(code & 0xff, 5 | 6 | 7 | 8 | 10 | 13 | 14 | 15)
}

fn is_of_the_data(refused: &dyn DatabaseError) -> bool {
    let code = refused.code().unwrap_or_default();
    match refused.try_downcast_ref::<PgDatabaseError>() {
        // A value that can't be, a rule that is broken, a limit of the program's.
        Some(_) => matches!(code.get(..2), Some("22" | "23" | "54")),
        // TOOBIG, CONSTRAINT, MISMATCH
        None => code.parse().is_ok_and(|code: u32| matches!(code & 0xff, 18..=20)),
    }
}
