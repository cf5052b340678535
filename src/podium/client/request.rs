//! Asking: one request, as often as it is harmless, until there is an answer.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{Client, Method, Response, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{sleep, timeout};

use super::answer::{Answer, Problem};
use super::credential::Credential;
use super::error::ClientError;
use super::limiter::Limiter;

/// The version of the API that is asked for; without it Podium answers by its newest.
const VERSION: &str = "2021.04.01";

/// How long one answer may take, down to its last byte.
const WITHIN: Duration = Duration::from_secs(30);

/// How much of an answer is read.
const LARGEST: usize = 32 * 1024 * 1024;

/// The waits before what failed is tried again, where that is harmless.
const AGAIN: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(8)];

/// The longest that Podium is given to allow more, and the least that is waited for it.
const PATIENCE: Duration = Duration::from_secs(120);
const LEAST: Duration = Duration::from_secs(1);

/// What is asked.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) url: Url,
    /// A JSON text.
    pub(super) body: Option<SecretString>,
    /// The scope that it needs, for who lacks it.
    pub(super) scope: Option<Cow<'static, str>>,
}

/// What asks.
pub(super) struct Asker {
    pub(super) http: Client,
    pub(super) credential: Box<dyn Credential>,
    pub(super) limiter: Limiter,
}

impl Asker {
    /// Asks until there is an answer, or a reason to stop.
    pub(super) async fn ask(&self, asked: &Asked) -> Result<Answer, ClientError> {
        let mut token = self.credential.token().await?;
        let (mut waits, mut waited, mut is_renewed) = (AGAIN.into_iter(), Duration::ZERO, false);
        loop {
            // Whoever waits wants to know of more.
            if timeout(PATIENCE, self.limiter.turn()).await.is_err() {
                return Err(ClientError::RateLimited { retry_after: PATIENCE });
            }
            let error = match timeout(WITHIN, self.once(asked, &token)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_elapsed) => {
                    ClientError::Unreachable(format!("nothing within {} seconds", WITHIN.as_secs()))
                }
            };
            match &error {
                ClientError::Unauthenticated if !is_renewed => {
                    is_renewed = true;
                    match self.credential.instead_of(&token).await? {
                        Some(other) => token = other,
                        None => return Err(error),
                    }
                }
                // Podium has done nothing.
                ClientError::RateLimited { retry_after } if waited + *retry_after <= PATIENCE => {
                    let wait = (*retry_after).max(LEAST);
                    waited += wait;
                    sleep(wait).await;
                }
                ClientError::Failing { .. } | ClientError::Unreachable(_) | ClientError::Unreadable(_)
                    if is_harmless_again(&asked.method) =>
                {
                    let Some(wait) = waits.next() else { return Err(error) };
                    tracing::debug!(%error, "Podium is asked again");
                    sleep(wait).await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn once(&self, asked: &Asked, token: &SecretString) -> Result<Answer, ClientError> {
        let mut request = self
            .http
            .request(asked.method.clone(), asked.url.clone())
            .bearer_auth(token.expose_secret())
            .header("podium-version", VERSION)
            .header(ACCEPT, "application/json");
        if let Some(body) = &asked.body {
            let json = mime("application/json");
            request = request.headers(json).body(body.expose_secret().to_owned());
        }
        let mut response = request.send().await.map_err(|error| unreachable(&error))?;
        let (status, wait) = (response.status(), self.limiter.note(response.headers()));
        let body = whole(&mut response).await?;
        if status.is_success() {
            return read(&body);
        }
        Err(refusal(status, &body, wait, asked.scope.clone()))
    }
}

/// A GET changes nothing, a PUT changes the same once more, and what is deleted can only be deleted once.
fn is_harmless_again(method: &Method) -> bool {
    [Method::GET, Method::PUT, Method::DELETE].contains(method)
}

fn mime(kind: &'static str) -> HeaderMap {
    let value = reqwest::header::HeaderValue::from_static(kind);
    HeaderMap::from_iter([(reqwest::header::CONTENT_TYPE, value)])
}

async fn whole(response: &mut Response) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(ClientError::Unreadable(format!("it is larger than {LARGEST} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn read(body: &[u8]) -> Result<Answer, ClientError> {
    if body.is_empty() {
        // What is deleted may be answered with nothing.
        return read(br#"{"data":null}"#);
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ClientError::Unreadable(match error.classify() {
            serde_json::error::Category::Eof => format!("it ends too early, after {} bytes", body.len()),
            serde_json::error::Category::Data => "it has no `data`".to_owned(),
            _ => format!("it is no JSON at line {line}, column {column}"),
        })
    })
}

fn refusal(
    status: StatusCode,
    body: &[u8],
    wait: Option<Duration>,
    scope: Option<Cow<'static, str>>,
) -> ClientError {
    let problem = Problem::of(body);
    let (code, message) = (problem.code(), problem.message());
    match (status, code.as_str()) {
        (_, "invalid_cursor") => ClientError::InvalidCursor,
        (StatusCode::TOO_MANY_REQUESTS, _) | (_, "rate_limit") => {
            ClientError::RateLimited { retry_after: wait.unwrap_or(Duration::from_secs(10)) }
        }
        (StatusCode::UNAUTHORIZED, _) => ClientError::Unauthenticated,
        (StatusCode::FORBIDDEN, _) => ClientError::Forbidden { message, scope },
        (StatusCode::NOT_FOUND, _) => ClientError::NotFound { message },
        (status, _) if status.is_server_error() => ClientError::Failing { status: status.as_u16() },
        (status, _) => ClientError::Refused { status: status.as_u16(), code, message },
    }
}

/// What lies at the bottom of the error: an address in it may hold what nobody should read.
fn unreachable(error: &reqwest::Error) -> ClientError {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let reason = if innermost.is::<reqwest::Error>() {
        "the connection failed".to_owned()
    } else {
        innermost.to_string()
    };
    ClientError::Unreachable(reason)
}
