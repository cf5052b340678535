//! A database of its own for each test.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

/// Makes an empty database and returns its URL.
pub(crate) async fn fresh_postgres_database() -> String {
    let url = std::env::var("LECTERN_TEST_POSTGRES_URL").expect(
        "this test needs PostgreSQL: run ./scripts/test, which starts one and sets LECTERN_TEST_POSTGRES_URL",
    );
    let options: PgConnectOptions = url.parse().expect("LECTERN_TEST_POSTGRES_URL is a postgres:// URL");
    let name = format!("test_{:016x}", getrandom::u64().expect("the system has random bytes"));
    let mut server = options.connect().await.expect("PostgreSQL lets us in");
    let create = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0"));
    server.execute(create).await.expect("PostgreSQL makes a database");
    server.close().await.expect("PostgreSQL says goodbye");
    options.database(&name).to_url_lossy().into()
}
