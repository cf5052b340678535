//! Servers with TLS.

use std::path::Path;

use serde_json::json;

use super::{conf, start};
use crate::brokers::{Server, file, in_time};
use crate::support::{handler, work};

async fn tls_server() -> Server {
    fn with_tls(home: &Path, port: u16) -> String {
        let (certificate, key) = (file("certificate.pem"), file("key.pem"));
        let tls = format!("tls: {{ cert_file: {certificate:?}, key_file: {key:?} }}\n");
        conf(home, port) + &tls
    }
    start(with_tls).await
}

#[tokio::test]
async fn a_certificate_of_ones_own_authority_is_good() {
    let server = tls_server().await;
    for scheme in ["tls", "nats"] {
        let url = format!("{scheme}://lectern:hunter2@127.0.0.1:{}", server.port);
        let settings = json!({ "url": url, "subject": "podium", "ca_file": file("certificate.pem") });
        let failure = in_time(&*handler("nats", settings), &work("{}")).await.unwrap_err();
        // An answer by way of the connection: it was made.
        assert!(failure.reason.starts_with("no stream takes the subject `podium`"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_refused() {
    let server = tls_server().await;
    let url = format!("tls://lectern:hunter2@127.0.0.1:{}", server.port);

    let failure = in_time(&*handler("nats", json!({ "url": url, "subject": "podium" })), &work("{}"))
        .await
        .unwrap_err();

    assert!(failure.reason.contains("certificate"), "{failure:?}");
    assert!(!failure.permanent);
}

#[tokio::test]
async fn a_server_without_tls_is_given_no_password_when_tls_is_asked_for() {
    let server = start(conf).await;
    let url = format!("tls://lectern:hunter2@127.0.0.1:{}", server.port);
    let settings = json!({ "url": url, "subject": "podium", "ca_file": file("certificate.pem") });

    let failure = in_time(&*handler("nats", settings), &work("{}")).await.unwrap_err();

    assert!(failure.reason.contains("can't be reached") || failure.timed_out, "{failure:?}");
}
