//! The kind `http`: posts the event to an address of one's own.
//!
//! The body goes out exactly as it came in, or as a template makes it. Its headers follow the
//! [Standard Webhooks](https://www.standardwebhooks.com) specification: `webhook-id` is the event's id, the same over
//! every attempt, so that the receiver knows a repetition; with a `secret` there is a `webhook-signature`. The
//! `lectern-…` headers say which event and which attempt it is.
//!
//! A status from 200 to 299 is done, every other one a failure, and a few of them for good. Redirects are not followed: a body with personal data
//! goes where the configuration says and nowhere else. The status decides as soon as it is there; the answer's start
//! is kept if it comes soon, and within the handler's timeout.

mod answer;
mod client;
mod request;
mod retry_after;
mod settings;
mod signature;

use std::collections::BTreeSet;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION};
use reqwest::{Client, Response, Url};
use tokio::time::{Instant, timeout_at};

use self::signature::Signer;
use super::excerpt::Secrets;
use super::{Body, Failure, Handler, Success, Work};
use crate::config::{Settings, SettingsError};

/// It has no `Debug`: the address and the headers may hold credentials.
struct Http {
    client: Client,
    url: Url,
    headers: HeaderMap,
    signer: Option<Signer>,
    body: Body,
    /// The statuses after which there is no further try.
    permanent: BTreeSet<u16>,
    /// What is kept of an answer has none of these.
    secrets: Secrets,
}

/// Makes a handler of this kind.
pub(super) fn build(settings: Settings) -> Result<Box<dyn Handler>, SettingsError> {
    let (body, written) = Body::read_beside(settings)?;
    let settings::Checked { url, headers, signer, permanent, mut secrets } = settings::check(written)?;
    let client = client::build(&url)?;
    if let Some((sent, credentials)) = credentials(&client, &url) {
        secrets.add(&sent);
        secrets.add(&credentials);
        credentials.splitn(2, ':').for_each(|one| secrets.add(one));
    }
    Ok(Box::new(Http { client, url, headers, signer, body, permanent, secrets }))
}

/// The user and the password of the address, as they are sent and as they are.
fn credentials(client: &Client, url: &Url) -> Option<(String, String)> {
    let request = client.post(url.clone()).build().ok()?;
    let sent = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?.to_owned();
    let credentials = String::from_utf8(STANDARD.decode(&sent).ok()?).ok()?;
    Some((sent, credentials))
}

#[async_trait]
impl Handler for Http {
    async fn handle(&self, work: &Work) -> Result<Success, Failure> {
        let deadline = Instant::now() + work.timeout;
        let body = self.body.render(work)?;
        let request = self
            .client
            .post(self.url.clone())
            .headers(request::headers(&self.headers, self.signer.as_ref(), work, &body))
            .body(body.bytes)
            .send();
        let response = timeout_at(deadline, request)
            .await
            .map_err(|_elapsed| Failure::timed_out(format!("no answer within {:?}", work.timeout)))?
            .map_err(reqwest::Error::without_url)?;
        let status = response.status();
        let code = Some(i32::from(status.as_u16()));
        if status.is_success() {
            return Ok(Success {
                status: code,
                output: answer::start(response, deadline, &self.secrets).await,
            });
        }
        let reason = if status.is_redirection() {
            let target = self.target(&response).unwrap_or_default();
            format!("the answer was {status}, a redirect{target}; redirects are not followed")
        } else {
            format!("the answer was {status}")
        };
        Err(Failure {
            permanent: self.permanent.contains(&status.as_u16()),
            retry_after: retry_after::read(response.headers(), work.started_at),
            status: code,
            output: answer::start(response, deadline, &self.secrets).await,
            ..Failure::retry(reason)
        })
    }
}

impl Http {
    /// The host that a redirect points to. No more of it is shown: a path or a query can be as secret as a password.
    fn target(&self, response: &Response) -> Option<String> {
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        Some(format!(" to {}", self.url.join(location).ok()?.host_str()?))
    }
}
