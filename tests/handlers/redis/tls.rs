//! Servers with TLS.

use serde_json::json;

use super::{conf, start};
use crate::brokers::{Server, file, in_time};
use crate::support::{handler, work};

async fn tls_server() -> Server {
    start(|home, port| {
        let (certificate, key) = (file("certificate.pem"), file("key.pem"));
        let (certificate, key) = (certificate.display(), key.display());
        format!(
            "port 0\ntls-port {port}\ntls-cert-file {certificate}\ntls-key-file {key}\ntls-auth-clients no\n{}",
            conf(home)
        )
    })
    .await
}

#[tokio::test]
async fn a_certificate_of_ones_own_authority_is_good() {
    let server = tls_server().await;
    let url = format!("rediss://:hunter2@127.0.0.1:{}", server.port);
    let settings = json!({ "url": url, "stream": "podium", "ca_file": file("certificate.pem") });

    let done = in_time(&*handler("redis", settings), &work("{}")).await.unwrap();

    assert!(done.output.unwrap().starts_with("stream podium, entry "));
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_refused() {
    let server = tls_server().await;
    let url = format!("rediss://:hunter2@127.0.0.1:{}", server.port);

    let failure = in_time(&*handler("redis", json!({ "url": url, "stream": "podium" })), &work("{}"))
        .await
        .unwrap_err();

    assert!(failure.reason.contains("certificate"), "{failure:?}");
    assert!(!failure.permanent);
}
