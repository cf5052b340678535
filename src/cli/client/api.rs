//! Asking the API, and what its answers mean to a person.

use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode, Url};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::server::{Server, Target};
use crate::cli::failure::Failure;
use crate::cli::http::{self, innermost};
use crate::cli::plain::plain;
use crate::config::Loaded;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The API of one Lectern.
pub(in crate::cli) struct Api {
    http: Client,
    target: Target,
}

/// Why there is nothing to show.
pub(in crate::cli) struct Trouble {
    /// What is said of it.
    pub(in crate::cli) failure: Failure,
    /// Whether it may be otherwise when it is asked again later.
    pub(in crate::cli) passes: bool,
}

/// An answer with what was asked for.
#[derive(Deserialize)]
pub(super) struct Answer<T> {
    pub(super) data: T,
    pub(super) metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) next_cursor: Option<String>,
}

/// An answer without it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    code: String,
    message: String,
    more_info: Option<String>,
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        trouble.failure
    }
}

impl Api {
    /// The API that is asked.
    pub(in crate::cli) fn of(server: &Server, loaded: &Loaded) -> Result<Self, Failure> {
        let target = server.target(loaded)?;
        let http = http::client(&target.url)
            .connect_timeout(PATIENCE)
            .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")));
        Ok(Self { http: http.build()?, target })
    }

    /// The address of a path under `/api/v1`, of which `path` has the parts.
    pub(in crate::cli) fn url<'p>(
        &self,
        path: impl IntoIterator<Item = &'p str>,
        params: &[(String, String)],
    ) -> Url {
        let mut url = self.target.url.clone();
        // Only an address that can have no path has no parts, and none such is taken.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if !params.is_empty() {
            url.query_pairs_mut().extend_pairs(params);
        }
        url
    }

    /// Asks for what is there.
    pub(super) async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<Answer<T>, Trouble> {
        self.answer(Method::GET, url).await
    }

    /// Has something done; what came of it.
    pub(in crate::cli) async fn have_done<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
    ) -> Result<T, Trouble> {
        Ok(self.answer(method, url).await?.data)
    }

    async fn answer<T: DeserializeOwned>(&self, method: Method, url: Url) -> Result<Answer<T>, Trouble> {
        let asked = async {
            let response = self.ask(method, url, None).await?;
            let bytes = response.bytes().await.map_err(|error| self.unanswered(&error))?;
            serde_json::from_slice(&bytes).map_err(|_| self.unlike(StatusCode::OK))
        };
        timeout(PATIENCE, asked).await.map_err(|_| self.too_slow())?
    }

    /// Opens a stream, behind what was read of it before.
    pub(in crate::cli) async fn listen(&self, url: Url, after: Option<u64>) -> Result<Response, Trouble> {
        let response =
            timeout(PATIENCE, self.ask(Method::GET, url, after)).await.map_err(|_| self.too_slow())??;
        let kind = response.headers().get(reqwest::header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            Ok(response)
        } else {
            Err(self.unlike(response.status()))
        }
    }

    async fn ask(&self, method: Method, url: Url, after: Option<u64>) -> Result<Response, Trouble> {
        let mut request = self.http.request(method, url).bearer_auth(self.target.token.expose_secret());
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = request.send().await.map_err(|error| self.unanswered(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.map_err(|error| self.unanswered(&error))?;
        Err(match serde_json::from_slice(&body) {
            // The public listener answers so, too.
            Ok(Problem { code, .. }) if code == "route_not_found" => self.unlike(status),
            Ok(problem) => self.refused(status, &problem),
            Err(_) => self.unlike(status),
        })
    }

    /// Where it is.
    pub(in crate::cli) fn address(&self) -> &str {
        self.target.url.as_str().trim_end_matches('/')
    }

    fn refused(&self, status: StatusCode, Problem { message, more_info, .. }: &Problem) -> Trouble {
        let (message, address) = (plain(message), self.address());
        let more_info = more_info.as_deref().map(|more| format!("; {}", plain(more))).unwrap_or_default();
        let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        let failure = match status {
            StatusCode::UNAUTHORIZED => Failure::failed(format!(
                "{address} does not take the token from {}: {message}; `lectern token create` makes one, and \
                 LECTERN_API_TOKEN or --token-file gives it here",
                self.target.token_from
            )),
            StatusCode::BAD_REQUEST => {
                Failure::usage(format!("{message}; {}", more_info.trim_start_matches("; ")))
            }
            _ => Failure::failed(format!("{message}{more_info}")),
        };
        Trouble { failure, passes }
    }

    fn unanswered(&self, error: &reqwest::Error) -> Trouble {
        let (address, why) = (self.address(), plain(&innermost(error)));
        let sentence = if error.is_connect() {
            format!(
                "{address} can't be reached ({why}): start a server there with `lectern`, or say with --url where one is"
            )
        } else {
            format!("{address} did not answer: {why}")
        };
        Trouble { failure: Failure::failed(sentence), passes: true }
    }

    fn too_slow(&self) -> Trouble {
        let (address, seconds) = (self.address(), PATIENCE.as_secs());
        let sentence = format!("{address} did not answer within {seconds} seconds");
        Trouble { failure: Failure::failed(sentence), passes: true }
    }

    /// Something else answers there, or something on the way.
    fn unlike(&self, status: StatusCode) -> Trouble {
        let (address, status) = (self.address(), status.as_u16());
        let sentence = format!(
            "{address} does not answer as the API of Lectern does ({status}): --url is the address of the internal listener"
        );
        // What stands before a server that starts says so in its own words.
        Trouble { failure: Failure::failed(sentence), passes: (500..600).contains(&status) }
    }
}
