//! What monitoring reads: counts that begin at 0, so that the first of what they count is seen, and what waits in the database.

use reqwest::{Method, StatusCode};

use crate::events::new_event;
use crate::support::lectern::{Answer, Lectern, SECRET, Setup, now_in_milliseconds};
use crate::support::on_both_stores;
use crate::support::patience::eventually;
use crate::support::postgres_server::PostgresServer;
use crate::support::sink::{Sink, plain};

const PATH: &str = "/webhooks/podium";

/// What a line of the metrics says; none when there is no such line.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(|number| number.parse().expect("a metric has a number"))
}

/// Waits until the line says something that will do.
async fn once(lectern: &Lectern, series: &str, will_do: impl Fn(f64) -> bool) {
    eventually(series, async || value(&lectern.metrics().await, series).filter(|it| will_do(*it))).await;
}

async fn post(lectern: &Lectern, path: &str, secret: &str) -> Answer {
    let body = new_event("message.received", "c");
    Answer::of(lectern.signed(path, secret, &now_in_milliseconds(), &body)).await
}

fn with_handler(setup: Setup, sink: &Sink, more: &str) -> Setup {
    setup.config(&format!("{more}\n[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurl = \"{}\"", sink.url))
}

on_both_stores! {
    async fn what_is_counted_of_a_source_begins_at_0_also_where_it_is_added_later(setup) {
        let setup = setup.config("[sources.default]");
        let lectern = setup.start().await;
        let unknown = r#"lectern_rejected_requests_total{source="",code="unknown_source"}"#;
        let all_of = |source: &str| [
            format!("lectern_accepted_requests_total{{source=\"{source}\"}}"),
            format!("lectern_quarantined_requests_total{{source=\"{source}\"}}"),
            format!("lectern_rejected_requests_total{{source=\"{source}\",code=\"signature_mismatch\"}}"),
            format!("lectern_rejected_requests_total{{source=\"{source}\",code=\"store_unavailable\"}}"),
        ];
        let metrics = lectern.metrics().await;
        assert_eq!(value(&metrics, unknown), Some(0.0));
        assert_eq!(all_of("default").map(|series| value(&metrics, &series)), [Some(0.0); 4]);
        assert_eq!(all_of("second").map(|series| value(&metrics, &series)), [None; 4]);

        let _added = setup.config("[sources.second]\nsecret = \"another\"");
        lectern.reload().await;
        let metrics = lectern.metrics().await;
        assert_eq!(all_of("second").map(|series| value(&metrics, &series)), [Some(0.0); 4]);

        assert_eq!(post(&lectern, PATH, "wrong").await.code(), "signature_mismatch");
        assert_eq!(post(&lectern, "/webhooks/podium/second", "another").await.status, StatusCode::OK);
        assert_eq!(post(&lectern, "/webhooks/podium/whatever-a-stranger-likes", SECRET).await.code(), "unknown_source");
        once(&lectern, &all_of("default")[1], |kept| kept == 1.0).await;
        let metrics = lectern.metrics().await;
        assert_eq!(value(&metrics, unknown), Some(1.0));
        assert_eq!(all_of("default").map(|series| value(&metrics, &series)), [0.0, 1.0, 1.0, 0.0].map(Some));
        assert_eq!(all_of("second").map(|series| value(&metrics, &series)), [1.0, 0.0, 0.0, 0.0].map(Some));
        assert!(!metrics.contains("stranger"), "{metrics}");
    }

    async fn how_long_answers_took_is_told_by_what_became_of_the_request(setup) {
        let setup = setup.config("[sources.holding]\nsecret = \"another\"\non_unverified = \"hold\"");
        let lectern = setup.start().await;
        let body = new_event("message.received", "c");
        for expected in ["accepted", "duplicate"] {
            assert_eq!(lectern.post(&body).await.json()["data"]["status"], expected);
        }
        let unsigned = lectern.http.post(format!("{}{PATH}", lectern.public)).body("{}");
        assert_eq!(Answer::of(unsigned).await.code(), "signature_missing");
        assert_eq!(post(&lectern, "/webhooks/podium/holding", "wrong").await.status, StatusCode::OK);
        let metrics = lectern.metrics().await;
        for outcome in ["accepted", "duplicate", "rejected", "held"] {
            let series = format!("lectern_answer_seconds_count{{outcome=\"{outcome}\"}}");
            assert_eq!(value(&metrics, &series), Some(1.0), "{metrics}");
        }
        // What is held is not yet known to be Podium's.
        assert_eq!(value(&metrics, r#"lectern_accepted_requests_total{source="holding"}"#), Some(0.0));
        assert_eq!(value(&metrics, r#"lectern_rejected_requests_total{source="holding",code="signature_mismatch"}"#), Some(0.0));
        assert!(value(&metrics, "lectern_spool_max_bytes") > Some(1e6), "{metrics}");
    }

    async fn what_waits_for_a_person_is_measured_at_the_start(setup) {
        let sink = Sink::answering(|_, _| plain(StatusCode::BAD_REQUEST)).await;
        let setup = with_handler(setup, &sink, "sources.default.on_unverified = \"hold\"");
        let lectern = setup.start().await;
        for series in [
            r#"lectern_dead_deliveries_total{handler="crm"}"#,
            r#"lectern_attempts_total{handler="crm",outcome="failed"}"#,
            r#"lectern_handler_failing{handler="crm"}"#,
        ] {
            once(&lectern, series, |number| number == 0.0).await;
        }
        assert_eq!(post(&lectern, PATH, "wrong").await.status, StatusCode::OK);
        assert_eq!(post(&lectern, PATH, SECRET).await.status, StatusCode::OK);
        once(&lectern, r#"lectern_dead_deliveries_total{handler="crm"}"#, |dead| dead == 1.0).await;
        assert_eq!(lectern.api(Method::POST, "/api/v1/handlers/crm/pause").await.status, StatusCode::OK);
        lectern.stop().await;

        let lectern = setup.start().await;
        once(&lectern, r#"lectern_quarantine_requests{source="default",held="true"}"#, |held| held == 1.0).await;
        once(&lectern, r#"lectern_quarantine_requests{source="default",held="false"}"#, |rejected| rejected == 0.0).await;
        once(&lectern, r#"lectern_dead_deliveries{handler="crm"}"#, |dead| dead == 1.0).await;
        once(&lectern, r#"lectern_handler_paused{handler="crm"}"#, |paused| paused == 1.0).await;
    }

    async fn what_is_forgotten_for_its_age_is_counted(setup) {
        let setup = setup.config("[verification]\nmax_age = \"5s\"\nmax_future = \"1s\"\n[retention]\nevents = \"6s\"");
        let lectern = setup.start().await;
        once(&lectern, r#"lectern_forgetting_rounds_total{outcome="done"}"#, |rounds| rounds == 1.0).await;
        assert_eq!(value(&lectern.metrics().await, r#"lectern_forgotten_total{kind="deliveries"}"#), Some(0.0));
        assert_eq!(lectern.post(&new_event("message.received", "c")).await.status, StatusCode::OK);
        eventually("it is handled, and old", async || {
            let old = setup.run(&["prune", "--dry-run", "--json"]).await.stdout;
            let old: serde_json::Value = serde_json::from_str(&old).ok()?;
            let deliveries = old.as_array()?.iter().find(|line| line["what"] == "deliveries")?;
            (deliveries["old"] == 1).then_some(())
        })
        .await;
        lectern.stop().await;
        // It forgets at its start, and then every ten minutes.
        let lectern = setup.start().await;
        once(&lectern, r#"lectern_forgotten_total{kind="deliveries"}"#, |deliveries| deliveries == 1.0).await;
    }
}

#[tokio::test]
async fn who_only_receives_tells_what_waits_for_those_who_are_gone() {
    let sink = Sink::start().await;
    let setup = with_handler(Setup::postgres().await, &sink, "role = \"receive\"");
    let lectern = setup.start().await;
    assert_eq!(post(&lectern, PATH, SECRET).await.status, StatusCode::OK);
    lectern.stop().await;

    let lectern = setup.start().await;
    let build = format!("lectern_build_info{{version=\"{}\",role=\"receive\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&lectern.metrics().await, &build), Some(1.0));
    once(&lectern, r#"lectern_open_deliveries{handler="crm"}"#, |open| open == 1.0).await;
    once(&lectern, r#"lectern_oldest_open_seconds{handler="crm"}"#, |age| age > 0.0).await;
    once(&lectern, "lectern_mirror_lag_seconds", |lag| lag > 0.0).await;
}

#[tokio::test]
async fn a_round_of_forgetting_that_fails_is_counted() {
    let server = PostgresServer::start().await;
    let setup = Setup::sqlite().env("DATABASE_URL", &server.url());
    setup.start().await.stop().await;
    server.stop().await;
    let lectern = setup.start().await;
    once(&lectern, r#"lectern_forgetting_rounds_total{outcome="failed"}"#, |rounds| rounds >= 1.0).await;
    assert_eq!(
        value(&lectern.metrics().await, r#"lectern_forgetting_rounds_total{outcome="done"}"#),
        Some(0.0)
    );
}
