//! What the commands that speak HTTP have in common.

use reqwest::{Client, ClientBuilder, Url, redirect};

/// The beginnings of a client for what is at `url`.
pub(super) fn client(url: &Url) -> ClientBuilder {
    let client = Client::builder().http1_only().tcp_nodelay(true).redirect(redirect::Policy::none());
    // A proxy for the outside does not lead back to this machine.
    if url.host_str().is_some_and(is_this_machine) { client.no_proxy() } else { client }
}

/// What lies at the bottom of an error: `Connection refused`, without the layers of software above it.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
