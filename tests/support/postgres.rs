//! A database of its own for each test, on the PostgreSQL that `scripts/test` starts.

use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// Makes an empty database and returns its URL. It goes away with the throw-away server.
pub(crate) async fn fresh_postgres_database() -> String {
    let url = std::env::var("LECTERN_TEST_POSTGRES_URL").expect(
        "this test needs PostgreSQL: run ./scripts/test, which starts one and sets LECTERN_TEST_POSTGRES_URL",
    );
    let mut url = Url::parse(&url).expect("LECTERN_TEST_POSTGRES_URL is a postgres:// URL");

    // Chance, and not a counter: tests run as several processes on the one server.
    let name = format!("test_{:016x}", getrandom::u64().expect("the system has random bytes"));
    let mut server = PgConnection::connect(url.as_str()).await.expect("the throw-away PostgreSQL lets us in");
    // `template1`, the default, can't be copied while somebody looks into it; nobody can look into `template0`.
    let create = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0"));
    server.execute(create).await.expect("the throw-away PostgreSQL makes a database");
    server.close().await.expect("the throw-away PostgreSQL says goodbye");

    url.set_path(&name);
    url.into()
}
