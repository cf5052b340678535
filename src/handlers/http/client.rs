//! The client that posts.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use crate::config::SettingsError;
use crate::handlers::{Failure, tls};

/// How long making a connection may take. It is shorter than most handlers' whole time, so that a host that is not
/// there is told apart from one that is slow.
const CONNECT: Duration = Duration::from_secs(10);

/// A client for `url`. The proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`, …) are used.
pub(super) fn build(url: &Url) -> Result<Client, SettingsError> {
    tls::use_ring();
    let mut builder = Client::builder()
        .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .redirect(Policy::none());
    if url.scheme() == "http" {
        // A machine without any certificate authorities can still post to its neighbour.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| {
        let Failure { reason, .. } = error.without_url().into();
        SettingsError(format!("`url`: https is not possible on this machine: {reason}"))
    })
}
