//! Metrics, in the form that Prometheus reads. Whoever has something to count says so by the functions that stand here;
//! docs/metrics.md tells what each is good for.

mod named;

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tokio::time::interval;

use self::named::{Kind, METRICS};

/// What was measured lies in memory as it came until somebody asks, or this often.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// Where everything is counted: once a process, as the log.
static COUNTS: OnceLock<(PrometheusHandle, Collector)> = OnceLock::new();

/// Starts counting. Once; later calls change nothing.
pub fn start() {
    counts();
}

/// Everything that was counted, as Prometheus reads it.
#[must_use]
pub fn render() -> String {
    let (handle, process) = counts();
    process.collect();
    handle.render()
}

/// Keeps the memory for what was measured small, whether or not anybody asks for it. It never ends.
pub async fn tidy() {
    let mut turns = interval(TIDY_EVERY);
    loop {
        turns.tick().await;
        counts().0.run_upkeep();
    }
}

fn counts() -> &'static (PrometheusHandle, Collector) {
    COUNTS.get_or_init(|| {
        let builder = METRICS.iter().fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
            Kind::Histogram(ranges) => builder
                .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), ranges)
                .expect("there is a range"),
            Kind::Counter | Kind::Gauge => builder,
        });
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // A program that has metrics of its own keeps them.
        let _set_before = metrics::set_global_recorder(recorder);
        for metric in &METRICS {
            match metric.kind {
                Kind::Counter => describe_counter!(metric.name, metric.meaning),
                Kind::Gauge => describe_gauge!(metric.name, metric.meaning),
                Kind::Histogram(_) => describe_histogram!(metric.name, metric.meaning),
            }
        }
        let process = Collector::default();
        process.describe();
        gauge!("lectern_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        (handle, process)
    })
}

/// An event of this type came in by this source, and is `accepted`, a `duplicate` or `spooled`.
pub fn received(source: &str, event_type: &'static str, outcome: &'static str) {
    let source = source.to_owned();
    counter!("lectern_received_events_total", "source" => source, "type" => event_type, "outcome" => outcome)
        .increment(1);
}

/// A request was answered so long after its headers were here.
pub fn answered(after: Duration) {
    histogram!("lectern_answer_seconds").record(after.as_secs_f64());
}

/// A genuine request was signed so long before it was here.
pub fn signed_before(seconds: f64) {
    histogram!("lectern_signature_age_seconds").record(seconds.max(0.0));
}

/// A request was not accepted.
pub fn rejected(code: &'static str) {
    counter!("lectern_rejected_requests_total", "code" => code).increment(1);
}

/// So many requests were kept in quarantine.
pub fn quarantined(requests: usize) {
    counter!("lectern_quarantined_requests_total").increment(requests as u64);
}

/// Says how much waits in the spool, for how long the first of it has, and how many files wait for a person.
pub fn spool(events: u64, bytes: u64, oldest_age_seconds: f64, set_aside: u64) {
    gauge!("lectern_spool_events").set(of_count(events));
    gauge!("lectern_spool_bytes").set(of_count(bytes));
    gauge!("lectern_spool_oldest_age_seconds").set(oldest_age_seconds);
    gauge!("lectern_spool_set_aside_files").set(of_count(set_aside));
}

/// So many events were made durable together, in the `store` or in the `spool`.
pub fn committed(events: usize, place: &'static str) {
    histogram!("lectern_commit_batch_events", "to" => place).record(of_count(events as u64));
}

/// So many connections to the database are open, of which so many rest.
pub fn connections(open: u32, resting: u32) {
    gauge!("lectern_database_connections", "state" => "open").set(f64::from(open));
    gauge!("lectern_database_connections", "state" => "resting").set(f64::from(resting));
}

/// A handler was called, with this outcome, for so long.
pub fn attempted(handler: &str, outcome: &'static str, took: Duration) {
    let handler = handler.to_owned();
    counter!("lectern_attempts_total", "handler" => handler.clone(), "outcome" => outcome).increment(1);
    histogram!("lectern_attempt_seconds", "handler" => handler).record(took.as_secs_f64());
}

/// A handler was through with an event so long after it was here.
pub fn handled_after(handler: &str, seconds: f64) {
    histogram!("lectern_handled_after_seconds", "handler" => handler.to_owned()).record(seconds.max(0.0));
}

/// A delivery was given up.
pub fn given_up(handler: &str) {
    counter!("lectern_dead_deliveries_total", "handler" => handler.to_owned()).increment(1);
}

/// So many deliveries of a handler are open, so many dead, so many of its queues parked, and the longest due is so long.
pub fn backlog(handler: &str, open: u64, dead: u64, parked: u64, oldest_due_seconds: f64) {
    let set = |name, value| gauge!(name, "handler" => handler.to_owned()).set(value);
    set("lectern_open_deliveries", of_count(open));
    set("lectern_dead_deliveries", of_count(dead));
    set("lectern_parked_queues", of_count(parked));
    set("lectern_oldest_due_seconds", oldest_due_seconds.max(0.0));
}

/// The condition of this handler failed at an event.
pub fn undecided(handler: &str) {
    counter!("lectern_undecided_conditions_total", "handler" => handler.to_owned()).increment(1);
}

/// So many events were mirrored, of which so many gave no picture.
pub fn mirrored(events: usize, skipped: usize) {
    counter!("lectern_mirrored_events_total").increment(events as u64);
    counter!("lectern_mirror_skipped_events_total").increment(skipped as u64);
}

/// How long the event that waited longest had been here when it was mirrored.
pub fn mirror_lag(seconds: f64) {
    gauge!("lectern_mirror_lag_seconds").set(seconds);
}

/// So much is wrong with webhooks, of each kind.
pub fn findings(kinds: impl Iterator<Item = (&'static str, usize)>) {
    for (kind, number) in kinds {
        gauge!("lectern_watchdog_findings", "kind" => kind).set(of_count(number as u64));
    }
}

/// An event was missed and is read back.
pub fn repaired(event_type: &str) {
    counter!("lectern_repaired_events_total", "type" => event_type.to_owned()).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the last digits of a count tell nothing")]
const fn of_count(number: u64) -> f64 {
    number as f64
}
