//! A store for one test, and more of them on the same database.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use lectern::store::postgres::PostgresStore;
use lectern::store::sqlite::SqliteStore;
use lectern::store::{Database, StoreError};
use tempfile::TempDir;

use crate::postgres::fresh_postgres_database;

/// A store on a database of its own.
pub(crate) struct Home {
    store: Arc<dyn Database>,
    pub(crate) place: Place,
}

/// Where a database is.
pub(crate) enum Place {
    Sqlite { folder: TempDir },
    Postgres { url: String },
}

impl Home {
    pub(crate) async fn in_sqlite() -> Self {
        Self::at(Place::sqlite()).await
    }

    pub(crate) async fn in_postgres() -> Self {
        Self::at(Place::postgres().await).await
    }

    async fn at(place: Place) -> Self {
        Self { store: place.open().await.unwrap(), place }
    }

    /// The store, to be shared with tasks.
    pub(crate) fn share(&self) -> Arc<dyn Database> {
        Arc::clone(&self.store)
    }

    /// What another server would use: on PostgreSQL a store of its own; SQLite has one server.
    pub(crate) async fn another_server(&self) -> Arc<dyn Database> {
        match self.place {
            Place::Sqlite { .. } => self.share(),
            Place::Postgres { .. } => self.another().await,
        }
    }

    /// Another store on the same database, as a command beside the server would have it.
    pub(crate) async fn another(&self) -> Arc<dyn Database> {
        self.place.open().await.unwrap()
    }
}

impl Deref for Home {
    type Target = dyn Database;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres { url: fresh_postgres_database().await }
    }

    pub(crate) async fn open(&self) -> Result<Arc<dyn Database>, StoreError> {
        Ok(match self {
            Self::Sqlite { folder } => Arc::new(SqliteStore::open(&file(folder)).await?),
            Self::Postgres { url } => Arc::new(PostgresStore::connect(url, 8).await?),
        })
    }

    /// A connection to the SQLite file, as another program would have it.
    pub(crate) async fn beside(&self) -> sqlx::SqliteConnection {
        let Self::Sqlite { folder } = self else { unreachable!("only a file is opened by its name") };
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file(folder));
        sqlx::ConnectOptions::connect(&options).await.unwrap()
    }

    /// Changes the database behind the store's back.
    pub(crate) async fn tamper(&self, statement: &'static str) {
        match self {
            Self::Sqlite { .. } => {
                let mut connection = self.beside().await;
                sqlx::query(statement).execute(&mut connection).await.unwrap();
                sqlx::Connection::close(connection).await.unwrap();
            }
            Self::Postgres { url } => {
                let pool = sqlx::PgPool::connect(url).await.unwrap();
                sqlx::query(statement).execute(&pool).await.unwrap();
                pool.close().await;
            }
        }
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("lectern.db")
}
