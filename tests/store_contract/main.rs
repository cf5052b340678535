//! What every store must keep, as sentences. One text, run on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed, and the line says where")]

#[path = "../support/postgres.rs"]
mod postgres;

mod hanging;
mod home;
mod make;

mod accepting;
mod activity;
mod batches;
mod cancelling;
mod claiming;
mod exactness;
mod forgetting;
mod leases;
mod listing;
mod load;
mod mirroring;
mod moving;
mod notes;
mod opening;
mod ordering;
mod parking;
mod patterns;
mod pausing;
mod quarantining;
mod replaying;
mod replays;
mod resources;
mod secrets;
mod settling;
mod signalling;
mod tokens;
mod unavailable;
mod upgrading;
mod waiting;

/// Stamps tests onto both stores. A test that is not named here is unused code, and so does not pass the linter.
macro_rules! on_both_stores {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::home::Home::in_sqlite().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::home::Home::in_postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_stores;
