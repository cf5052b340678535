//! A Podium to test against: it lets people sign in, has webhooks and what they tell of, and delivers as Podium does.
//!
//! It is no copy of Podium: it has what the documents say of what Lectern asks for, and what live accounts are known to do. What
//! it has lasts as long as it runs. Two doors lead in: the REST API, for Lectern, and [`Simulator`], for whoever plays the
//! customers; over HTTP the second is `/simulate`.

mod answer;
mod customers;
mod deliver;
mod lists;
mod oauth;
mod routes;
mod webhooks;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::world::World;
use crate::http;

/// How Podium behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often a failing event is tried, besides the first time.
    pub tries: u32,
    /// How long that takes; then the webhook is disabled.
    pub over: Duration,
    /// How long an event waits for its turn before it is lost.
    pub keeps: Duration,
    /// How long an answer may take.
    pub patience: Duration,
    /// How long access tokens are good for.
    pub token_lives: Duration,
    /// Whether a refresh token is good for once only.
    pub rotates_refresh_tokens: bool,
    /// How many requests a minute are allowed.
    pub requests_per_minute: u32,
    /// The application that people sign in for.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// An access token that is good from the beginning.
    pub access_token: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tries: 15,
            over: Duration::from_secs(8 * 60 * 60),
            keeps: Duration::from_secs(10 * 24 * 60 * 60),
            patience: Duration::from_secs(5),
            token_lives: Duration::from_secs(10 * 60 * 60),
            rotates_refresh_tokens: true,
            requests_per_minute: 300,
            client_id: "simulated".to_owned(),
            client_secret: "simulated-secret".to_owned(),
            access_token: None,
        }
    }
}

/// A running Podium. It ends with this value.
pub struct Simulator {
    world: Arc<World>,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Simulator {
    /// Starts at an address; the port 0 is any free one.
    ///
    /// # Errors
    /// When the address can't be listened at.
    pub async fn start(listen: SocketAddr, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let world = Arc::new(World::new(settings, tasks.clone(), stop.clone()));
        let limits = http::Limits::with_connections(1024);
        tasks.spawn(http::serve(listener, routes::router(Arc::clone(&world)), limits, stop.clone()));
        Ok(Self { world, address, stop, tasks })
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it ends, which it does not by itself.
    pub async fn ended(&self) {
        self.stop.cancelled().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
