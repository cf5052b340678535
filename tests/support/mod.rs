//! What the tests share.

pub(crate) mod lectern;
pub(crate) mod patience;
pub(crate) mod postgres;
pub(crate) mod postgres_server;
pub(crate) mod sink;

/// Runs each test on SQLite and on PostgreSQL, from one text.
macro_rules! on_both_stores {
    ($(#[doc = $doc:literal])* $(async fn $name:ident($setup:ident) $body:block)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::lectern::Setup::sqlite()).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::lectern::Setup::postgres().await).await;
            })*
        }
        $(async fn $name($setup: crate::support::lectern::Setup) $body)*
    };
}
pub(crate) use on_both_stores;
