//! Metrics, in the form that Prometheus reads. Whoever has something to count says so by the names that stand here.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::interval;

const SPOOL_EVENTS: &str = "lectern_spool_events";
const SPOOL_BYTES: &str = "lectern_spool_bytes";
const SPOOL_OLDEST_AGE: &str = "lectern_spool_oldest_age_seconds";
const SPOOL_SET_ASIDE: &str = "lectern_spool_set_aside_files";
const COMMIT_BATCH: &str = "lectern_commit_batch_events";
const UNDECIDED: &str = "lectern_undecided_conditions_total";
const MIRRORED: &str = "lectern_mirrored_events_total";
const MIRROR_SKIPPED: &str = "lectern_mirror_skipped_events_total";
const MIRROR_LAG: &str = "lectern_mirror_lag_seconds";
const FINDINGS: &str = "lectern_watchdog_findings";
const REPAIRED: &str = "lectern_repaired_events_total";
const REJECTIONS: &str = "lectern_rejected_requests_total";

/// The upper ends of the ranges in which the sizes of batches are counted.
const BATCH_RANGES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// What was measured lies in memory as it came until somebody asks, or this often.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// Where everything is counted: once a process, as the log.
static COUNTS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts counting. Once; later calls change nothing.
pub fn start() {
    counts();
}

/// Everything that was counted, as Prometheus reads it.
#[must_use]
pub fn render() -> String {
    counts().render()
}

/// Keeps the memory for what was measured small, whether or not anybody asks for it. It never ends.
pub async fn tidy() {
    let mut turns = interval(TIDY_EVERY);
    loop {
        turns.tick().await;
        counts().run_upkeep();
    }
}

fn counts() -> &'static PrometheusHandle {
    COUNTS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(COMMIT_BATCH.to_owned()), &BATCH_RANGES)
            .expect("there is a range")
            .build_recorder();
        let handle = recorder.handle();
        // A program that has metrics of its own keeps them.
        let _set_before = metrics::set_global_recorder(recorder);
        describe_gauge!(SPOOL_EVENTS, "Events in the spool, which wait for the database");
        describe_gauge!(SPOOL_BYTES, "What the spool's files take on the disk");
        describe_gauge!(
            SPOOL_OLDEST_AGE,
            "How long the first event in the spool has waited; 0 when it is empty"
        );
        describe_gauge!(SPOOL_SET_ASIDE, "Files of the spool that wait for a person");
        describe_histogram!(COMMIT_BATCH, "How many events were made durable together, and where");
        describe_counter!(MIRRORED, "Events that were mirrored, repeated ones included");
        describe_counter!(MIRROR_SKIPPED, "Events that were to be mirrored and gave no picture");
        describe_gauge!(
            MIRROR_LAG,
            "How long after its arrival the event was mirrored that waited longest; 0 when none waits"
        );
        describe_gauge!(FINDINGS, "What the watchdog has found to be wrong with webhooks, by kind");
        describe_counter!(REPAIRED, "Events that were missed and read back from Podium, by type");
        describe_counter!(REJECTIONS, "Requests that were not accepted, by the code of their answer");
        describe_counter!(
            UNDECIDED,
            "Conditions that failed at an event, which their handler was given all the same"
        );
        handle
    })
}

/// Says how much waits in the spool, for how long the first of it has, and how many files wait for a person.
pub fn spool(events: u64, bytes: u64, oldest_age_seconds: f64, set_aside: u64) {
    #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the last digits of a count tell nothing")]
    let [events, bytes, set_aside] = [events as f64, bytes as f64, set_aside as f64];
    gauge!(SPOOL_EVENTS).set(events);
    gauge!(SPOOL_BYTES).set(bytes);
    gauge!(SPOOL_OLDEST_AGE).set(oldest_age_seconds);
    gauge!(SPOOL_SET_ASIDE).set(set_aside);
}

/// So many events were made durable together, in the `store` or in the `spool`.
pub fn committed(events: usize, place: &'static str) {
    #[expect(clippy::cast_precision_loss, reason = "a batch has hundreds of events")]
    let events = events as f64;
    histogram!(COMMIT_BATCH, "to" => place).record(events);
}

/// The condition of this handler failed at an event.
pub fn undecided(handler: &str) {
    counter!(UNDECIDED, "handler" => handler.to_owned()).increment(1);
}

/// So many events were mirrored, of which so many gave no picture.
pub fn mirrored(events: usize, skipped: usize) {
    counter!(MIRRORED).increment(events as u64);
    counter!(MIRROR_SKIPPED).increment(skipped as u64);
}

/// How long the event that waited longest had been here when it was mirrored.
pub fn mirror_lag(seconds: f64) {
    gauge!(MIRROR_LAG).set(seconds);
}

/// So much is wrong with webhooks, of each kind.
pub fn findings(kinds: impl Iterator<Item = (&'static str, usize)>) {
    for (kind, number) in kinds {
        #[expect(clippy::cast_precision_loss, reason = "there are as many as sources at the most")]
        gauge!(FINDINGS, "kind" => kind).set(number as f64);
    }
}

/// An event was missed and is read back.
pub fn repaired(event_type: &'static str) {
    counter!(REPAIRED, "type" => event_type).increment(1);
}

/// A request was not accepted.
pub fn rejected(code: &'static str) {
    counter!(REJECTIONS, "code" => code).increment(1);
}
