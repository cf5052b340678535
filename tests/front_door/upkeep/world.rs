//! A Podium that is played, and a Lectern that knows where it is.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use lectern::simulator::{Settings, Simulator};
use serde_json::Value;

use crate::support::lectern::{Lectern, Setup};
use crate::support::patience::eventually;

/// The token that the played Podium takes from the beginning.
pub(crate) const ACCESS: &str = "a-token-from-the-beginning";

/// A Podium that gives up within half a second.
pub(crate) fn impatient() -> Settings {
    Settings {
        tries: 4,
        over: Duration::from_millis(400),
        access_token: Some(ACCESS.to_owned()),
        requests_per_minute: 100_000,
        ..Settings::default()
    }
}

/// Both, with a webhook configured that leads from the one to the other.
pub(crate) struct World {
    pub(crate) podium: Simulator,
    pub(crate) setup: Setup,
}

impl World {
    /// `more` is added to the configuration.
    pub(crate) async fn with(setup: Setup, settings: Settings, more: &str) -> Self {
        let podium = Simulator::start((Ipv4Addr::LOCALHOST, 0).into(), settings).await.unwrap();
        let (address, (location, _)) = (podium.address(), podium.owner());
        let (public, internal) = (free_port(), free_port());
        let setup = setup
            .env("LECTERN_LISTEN", &public.to_string())
            .env("LECTERN_INTERNAL_LISTEN", &internal.to_string())
            .env("PODIUM_API_URL", &format!("http://{address}"))
            .env("LECTERN__PODIUM__AUTHORIZE_URL", &format!("http://{address}/oauth/authorize"))
            .env("LECTERN__PODIUM__TOKEN_URL", &format!("http://{address}/oauth/token"))
            .config(&format!(
                r#"
                [podium.watchdog]
                check_every = "1s"
                [[podium.webhooks]]
                source = "north"
                url = "http://{public}/webhooks/podium/north"
                location = "{location}"
                [sources.north]
                {more}
                "#
            ));
        Self { podium, setup }
    }

    /// The same, asking with the token from the beginning.
    pub(crate) fn with_token(mut self) -> Self {
        self.setup = self.setup.env("PODIUM_ACCESS_TOKEN", ACCESS);
        self
    }

    /// The same, with an application that somebody can sign in for.
    pub(crate) fn with_application(mut self) -> Self {
        self.setup =
            self.setup.env("PODIUM_CLIENT_ID", "simulated").env("PODIUM_CLIENT_SECRET", "simulated-secret");
        self
    }

    /// What a command says that must succeed.
    pub(crate) async fn told(&self, arguments: &[&str]) -> String {
        let ended = self.setup.run(arguments).await;
        assert!(ended.success, "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// Waits until the mirror has every message that Podium has, and no other.
    pub(crate) async fn nothing_is_missing(&self, lectern: &Lectern) {
        let mut expected = self.podium.messages();
        expected.sort();
        eventually("every message is there", async || {
            let mut found = messages(lectern).await;
            found.sort();
            (found == expected).then_some(())
        })
        .await;
    }
}

/// The uids of all messages that the mirror has.
pub(crate) async fn messages(lectern: &Lectern) -> Vec<String> {
    let (mut uids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/messages?limit=100{cursor}");
        let page = lectern.api(reqwest::Method::GET, &path).await.json();
        let items = page["data"].as_array().unwrap();
        uids.extend(items.iter().map(|item| item["uid"].as_str().unwrap().to_owned()));
        match page["metadata"]["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return uids,
        }
    }
}

/// The events of a type, newest first.
pub(crate) async fn events(lectern: &Lectern, event_type: &str) -> Vec<Value> {
    lectern.get(&format!("/api/v1/events?type={event_type}")).await.as_array().unwrap().clone()
}

/// An address that nothing listens at: what is registered must stay where it is over a restart.
fn free_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}
