//! News of work between the processes that share a database, by LISTEN and NOTIFY.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::sleep;

use super::{PostgresStore, sql};

/// Where news are told. What is told is who tells it: whoever hears its own passes over it.
const CHANNEL: &str = "lectern_work";

/// The least time between two tellings. Each is told at once when there was none for so long: under load a telling stands for
/// many commits, and costs the database next to nothing.
const BETWEEN: Duration = Duration::from_millis(20);

/// How long to wait before a database that can't be reached is listened to again. Meanwhile whoever waits for work looks now
/// and again by itself.
const AGAIN: Duration = Duration::from_secs(1);

impl PostgresStore {
    /// Tells other processes of work that this one made, and has [`work_signal`](crate::store::Store::work_signal) change when
    /// they do. It takes one connection more than the store's own, and never ends. Without it, or behind a pooler that
    /// does not pass notifications on, work of others is found by looking.
    pub async fn exchange_news(&self) {
        let mut me = [0; 8];
        // Without it one could take another's news for its own: better to stop.
        getrandom::fill(&mut me).expect("the operating system gives random bytes");
        let me = hex::encode(me);
        tokio::join!(self.tell(&me), self.hear(&me));
    }

    async fn tell(&self, me: &str) {
        let mut made = self.work.made_here();
        while made.changed().await.is_ok() {
            if let Ok(pool) = self.pool() {
                // Where it can't be told, the others look by themselves.
                let _ = sqlx::query(sql::TELL).bind(CHANNEL).bind(me).execute(pool).await;
            }
            sleep(BETWEEN).await;
        }
    }

    async fn hear(&self, me: &str) {
        let connection = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let connection = connection.connect_lazy_with(self.options.clone());
        loop {
            if let Err(error) = self.listen(&connection, me).await {
                tracing::debug!(%error, "no news of other processes' work");
            }
            sleep(AGAIN).await;
        }
    }

    async fn listen(&self, connection: &sqlx::PgPool, me: &str) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(connection).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // What was told before this connection was there.
            self.work.hear();
            // None is a connection that was lost, and has been made anew.
            while let Some(news) = listener.try_recv().await? {
                if news.payload() != me {
                    self.work.hear();
                }
            }
        }
    }
}
