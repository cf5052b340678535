//! `lectern health`.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use tokio::time::timeout;

use super::failure::Failure;
use super::http::{client, innermost};
use super::output;
use super::welcome::reachable;
use crate::config::Loaded;

/// How long the server may take: it looks at its database for two seconds at the most.
const WITHIN: Duration = Duration::from_secs(4);

/// Asks the public listener of the configured server whether it is ready.
pub(super) async fn run(loaded: &Loaded) -> Result<(), Failure> {
    let address = reachable(loaded.public().listen);
    if address.port() == 0 {
        return Err(Failure::usage("`public.listen` has the port 0, so nobody knows where the server is"));
    }
    let url = Url::parse(&format!("http://{address}/readyz"))?;
    let http = client(&url).build()?;
    let status = match timeout(WITHIN, http.get(url).send()).await {
        Ok(Ok(response)) => response.status(),
        Ok(Err(error)) => {
            return Err(Failure::failed(format!("{address} can't be reached: {}", innermost(&error))));
        }
        Err(_elapsed) => {
            return Err(Failure::failed(format!(
                "{address} did not answer within {} seconds",
                WITHIN.as_secs()
            )));
        }
    };
    match status {
        StatusCode::OK => output::line("ready"),
        StatusCode::SERVICE_UNAVAILABLE => {
            Err(Failure::failed("it takes no events: neither the database nor the spool does"))
        }
        other => {
            Err(Failure::failed(format!("{address} answers {}, which Lectern does not", other.as_u16())))
        }
    }
}
