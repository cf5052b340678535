//! The processes, and the sink that they deliver to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use super::evidence::{Evidence, Trouble};
use super::senders::EVENTS;
use crate::support::lectern::{Lectern, Setup};
use crate::support::sink::{Sink, plain};

/// What a dead process held is another's after so long. On a machine that is short of time a living one must still find the
/// time to renew its own, so it is not shorter.
const LEASE: &str = "3s";

/// One life of one process: its place, and how often there has been another one at that place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Life {
    pub(super) place: usize,
    pub(super) nth: usize,
}

/// A call, as the sink saw it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The event's id.
    pub(super) event: String,
    pub(super) by: Life,
    pub(super) at: Instant,
}

pub(super) struct Fleet {
    pub(super) processes: Vec<Process>,
    database: String,
    sink: Sink,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// One of the processes. Each has a folder of its own, as if it were another machine.
pub(super) struct Process {
    setup: Setup,
    life: Mutex<(Life, Arc<Lectern>)>,
}

impl Fleet {
    /// Three processes on this database, none of which has anything to do yet.
    pub(super) async fn start(database: &str) -> Self {
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let sink = Sink::answering({
            let calls = Arc::clone(&calls);
            move |_, call| {
                let header = |name: &str| call.headers[name].to_str().expect("it is plain text").to_owned();
                let number = |name: &str| header(name).parse().expect("it is a number");
                let by = Life { place: number("x-place"), nth: number("x-life") };
                let call = Call { event: header("webhook-id"), by, at: Instant::now() };
                calls.lock().expect("no test panics with the calls").push(call);
                plain(axum::http::StatusCode::OK)
            }
        })
        .await;
        let mut processes = Vec::new();
        for place in 0..3 {
            let life = Life { place, nth: 0 };
            let setup = Setup::sqlite().env("DATABASE_URL", database).config(&config(life, &sink));
            let lectern = setup.start().await;
            processes.push(Process { setup, life: Mutex::new((life, Arc::new(lectern))) });
        }
        Self { processes, database: database.to_owned(), sink, calls }
    }

    /// Waits until all events are there and none of them is owed to anybody.
    pub(super) async fn is_through(&self) {
        loop {
            // The database may be away at any moment.
            if self.look().await.is_ok_and(|(events, queues)| events >= i64::from(EVENTS) && queues == 0) {
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn look(&self) -> Result<(i64, i64), sqlx::Error> {
        let mut connection = PgConnection::connect(&self.database).await?;
        sqlx::query_as("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM queues)")
            .fetch_one(&mut connection)
            .await
    }

    /// What the database and the sink know of all that was sent.
    pub(super) async fn evidence(&self) -> Evidence {
        let mut connection = PgConnection::connect(&self.database).await.expect("the database is there");
        let ledger = sqlx::query_as(
            "SELECT events.id::text, event_uid, conversation_uid, state
             FROM events LEFT JOIN deliveries ON deliveries.event_id = events.id ORDER BY position",
        )
        .fetch_all(&mut connection)
        .await
        .expect("the ledger can be read");
        let calls = self.calls.lock().expect("no test panics with the calls").clone();
        Evidence { ledger, calls }
    }
}

impl Process {
    /// Whoever lives at this place now.
    pub(super) fn lectern(&self) -> Arc<Lectern> {
        Arc::clone(&self.locked().1)
    }

    /// Ends it as a crash would.
    pub(super) fn kill(&self) -> Trouble {
        let (life, lectern) = &*self.locked();
        lectern.kill_now();
        Trouble::kill(*life)
    }

    /// Starts the next one at this place, with the folder that the last one left.
    pub(super) async fn start_again(&self, fleet: &Fleet) {
        let before = self.locked().0;
        let next = Life { nth: before.nth + 1, ..before };
        std::fs::write(self.setup.dir.path().join("lectern.toml"), config(next, &fleet.sink))
            .expect("the configuration can be written");
        let lectern = self.setup.start().await;
        *self.locked() = (next, Arc::new(lectern));
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, (Life, Arc<Lectern>)> {
        self.life.lock().expect("no test panics with a process")
    }
}

/// A handler that says whose call it is.
fn config(Life { place, nth }: Life, sink: &Sink) -> String {
    format!(
        r#"
        [dispatch]
        lease = "{LEASE}"
        [[handlers]]
        name = "crm"
        kind = "http"
        url = "{}"
        headers = {{ x-place = "{place}", x-life = "{nth}" }}
        "#,
        sink.url
    )
}
