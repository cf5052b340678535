//! Brokers that refuse, are away, or say nothing.

use std::time::{Duration, Instant};

use lectern::handlers::{Failure, Success, Work};
use rdkafka::Message;

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::cluster::{BROKER, Cluster, TOPIC};
use super::gate;
use crate::support::{MARGIN, handler, work};

/// Work that must be done soon.
fn urgent(body: &'static str, patience: Duration) -> Work {
    Work { timeout: patience, ..work(body) }
}

/// The failure of a call, which ends in its time.
async fn failure(handler: &dyn lectern::handlers::Handler, work: &Work) -> Failure {
    let outcome: Result<Success, Failure> =
        timeout(work.timeout + MARGIN, handler.handle(work)).await.expect("the call ends in its time");
    outcome.unwrap_err()
}

#[tokio::test]
async fn what_is_not_confirmed_in_time_is_not_done() {
    let cluster = Cluster::start();
    let handler = cluster.handler();
    let patience = Duration::from_secs(2);
    handler.handle(&work("1")).await.unwrap();
    cluster.broker.broker_round_trip_time(BROKER, 2 * patience).unwrap();

    let failure = failure(&*handler, &urgent("2", patience)).await;

    assert!(failure.timed_out, "{failure:?}");
    assert!(failure.reason.starts_with("not confirmed within 2s"), "{failure:?}");
}

#[tokio::test]
async fn what_too_few_replicas_have_is_sent_again_and_there_once() {
    let cluster = Cluster::start();
    let too_few = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
    cluster.broker.request_errors(RDKafkaApiKey::Produce, &[too_few, too_few]);

    cluster.handler().handle(&work("{}")).await.unwrap();

    assert_eq!(cluster.count().await, 1);
}

#[tokio::test]
async fn brokers_that_are_away_cost_the_timeout_and_get_the_event_once_when_they_are_back() {
    let cluster = Cluster::start();
    cluster.broker.broker_down(BROKER).unwrap();
    let handler = cluster.handler();

    let failure = failure(&*handler, &urgent("given up", Duration::from_secs(3))).await;

    assert!(failure.timed_out && !failure.permanent, "{failure:?}");
    assert!(failure.reason.starts_with("not confirmed within 3s: "), "{failure:?}");
    assert!(failure.reason.ends_with("; check that the brokers run, and `brokers` and `tls`"), "{failure:?}");

    cluster.broker.broker_up(BROKER).unwrap();
    handler.handle(&urgent("tried again", Duration::from_secs(3))).await.unwrap();
    assert_eq!(cluster.count().await, 1, "what was given up does not come later");
    assert_eq!(cluster.messages(1).await[0].payload(), Some(b"tried again".as_slice()));
}

#[tokio::test]
async fn brokers_that_were_lost_in_between_are_found_again() {
    let cluster = Cluster::start();
    let handler = cluster.handler();
    handler.handle(&work("1")).await.unwrap();

    cluster.broker.broker_down(BROKER).unwrap();
    failure(&*handler, &urgent("2", Duration::from_secs(2))).await;
    cluster.broker.broker_up(BROKER).unwrap();

    handler.handle(&work("2")).await.unwrap();
    assert_eq!(cluster.count().await, 2);
}

#[tokio::test]
async fn a_broker_that_accepts_and_says_nothing_costs_the_timeout_only() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let handler =
        handler("kafka", json!({ "brokers": [silent.local_addr().unwrap().to_string()], "topic": TOPIC }));
    for patience in [Duration::from_millis(300), Duration::from_secs(2)] {
        let begin = Instant::now();
        let failure = failure(&*handler, &urgent("{}", patience)).await;
        assert!(failure.timed_out, "{failure:?}");
        assert!(begin.elapsed() >= patience / 4, "the broker had some time to answer");
    }
}

#[tokio::test]
async fn a_topic_that_is_not_there_is_named() {
    let cluster = Cluster::start();

    let failure = failure(&*cluster.handler_for("podiun"), &work("{}")).await;

    assert_eq!(
        failure,
        Failure::retry("there is no topic `podiun`: create it, or correct `topic`; Lectern creates none")
    );
}

#[tokio::test]
async fn a_topic_that_is_closed_to_the_user_is_named() {
    let cluster = Cluster::start();
    let closed = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    cluster.broker.request_errors(RDKafkaApiKey::Produce, &[closed]);

    let failure = failure(&*cluster.handler(), &work("{}")).await;

    assert!(failure.reason.starts_with("the topic `podium` is closed to this user"), "{failure:?}");
    assert!(!failure.permanent);
}

#[tokio::test]
async fn a_body_that_the_brokers_find_too_large_is_given_up() {
    let cluster = Cluster::start();
    let too_large = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    cluster.broker.request_errors(RDKafkaApiKey::Produce, &[too_large]);
    let handler = cluster.handler();

    let failure = failure(&*handler, &work(vec![b'x'; 2_000_000])).await;

    assert!(failure.permanent, "{failure:?}");
    assert!(
        failure.reason.starts_with("the body of 2000000 bytes is more than the brokers take"),
        "{failure:?}"
    );
    handler.handle(&work("{}")).await.unwrap();
}

#[tokio::test]
async fn a_client_that_gave_up_is_replaced() {
    let cluster = Cluster::start();
    let closed = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    cluster.broker.request_errors(RDKafkaApiKey::InitProducerId, &[closed]);
    let handler = cluster.handler();

    let failure = failure(&*handler, &urgent("{}", Duration::from_secs(5))).await;

    assert!(failure.reason.contains("IdempotentWrite"), "{failure:?}");
    handler.handle(&work("{}")).await.unwrap();
}

/// Whose TLS it is makes no difference here.
#[tokio::test]
async fn over_tls_the_brokers_certificate_is_looked_at() {
    let variable =
        |name| std::env::var(name).expect("this test needs brokers: run ./scripts/test, which starts them");
    let address: reqwest::Url = variable("LECTERN_TEST_RABBITMQ_TLS_URL").parse().unwrap();
    let address = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
    let mut settings = json!({ "brokers": [address], "topic": TOPIC, "tls": true });
    let work = urgent("{}", Duration::from_secs(3));

    let stranger = failure(&*handler("kafka", settings.clone()), &work).await;
    assert!(stranger.reason.contains("certificate verify failed"), "{stranger:?}");
    assert!(stranger.reason.ends_with("; check `tls` and `ca_file`"), "{stranger:?}");

    settings["ca_file"] = format!("{}/certificate.pem", variable("LECTERN_TEST_BROKERS_DIR")).into();
    let known = failure(&*handler("kafka", settings), &work).await;
    assert!(!known.reason.contains("certificate"), "{known:?}");
}

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    let settings = json!({
        "brokers": [gate::start().await],
        "topic": TOPIC,
        "tls": false,
        "mechanism": "PLAIN",
        "username": "lectern",
        "password": "hunter2",
    });

    let failure = failure(&*handler("kafka", settings), &urgent("{}", Duration::from_secs(3))).await;

    assert!(failure.reason.contains("Wrong password"), "{failure:?}");
    assert!(failure.reason.ends_with("; check `username`, `password` and `mechanism`"), "{failure:?}");
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
}
