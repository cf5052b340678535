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

/// Starts counting, in a process that has this `role` of those that share a database. Once: a second call only adds its role.
pub fn start(role: &'static str) {
    counts();
    gauge!("lectern_build_info", "version" => env!("CARGO_PKG_VERSION"), "role" => role).set(1.0);
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
        (handle, process)
    })
}

/// An event of this type came in by this source, and is `accepted`, a `duplicate` or `spooled`.
pub fn received(source: &str, event_type: &'static str, outcome: &'static str) {
    let source = source.to_owned();
    counter!("lectern_received_events_total", "source" => source, "type" => event_type, "outcome" => outcome)
        .increment(1);
}

/// Requests to this source may be accepted, or be kept in quarantine. Counts that others are compared with begin at 0: of one that
/// begins with what it counts first, Prometheus sees no increase.
pub fn may_be_accepted(source: &str) {
    for name in ["lectern_accepted_requests_total", "lectern_quarantined_requests_total"] {
        counter!(name, "source" => source.to_owned()).increment(0);
    }
}

/// Requests to this source, or to none, may be rejected with these codes: their counts begin at 0, too.
pub fn may_be_rejected(source: &str, codes: &[&'static str]) {
    for code in codes {
        counter!("lectern_rejected_requests_total", "source" => source.to_owned(), "code" => *code)
            .increment(0);
    }
}

/// A request was answered so long after its headers were here; what became of it is its `outcome`.
pub fn answered(outcome: &'static str, after: Duration) {
    histogram!("lectern_answer_seconds", "outcome" => outcome).record(after.as_secs_f64());
}

/// A request to this source was verified, and is durable.
pub fn accepted(source: &str) {
    counter!("lectern_accepted_requests_total", "source" => source.to_owned()).increment(1);
}

/// A genuine request was signed so long before it was here.
pub fn signed_before(seconds: f64) {
    histogram!("lectern_signature_age_seconds").record(seconds.max(0.0));
}

/// A request was not accepted. `source` is one of ours, or empty.
pub fn rejected(source: &str, code: &'static str) {
    counter!("lectern_rejected_requests_total", "source" => source.to_owned(), "code" => code).increment(1);
}

/// A request to this source is kept in quarantine.
pub fn quarantined(source: &str) {
    counter!("lectern_quarantined_requests_total", "source" => source.to_owned()).increment(1);
}

/// Says how much waits in the spool, how much of it there may be, for how long the first of it has waited, and how many files wait
/// for a person.
pub fn spool(events: u64, bytes: u64, max_bytes: u64, oldest_age_seconds: f64, set_aside: u64) {
    gauge!("lectern_spool_events").set(of_count(events));
    gauge!("lectern_spool_bytes").set(of_count(bytes));
    gauge!("lectern_spool_max_bytes").set(of_count(max_bytes));
    gauge!("lectern_spool_oldest_age_seconds").set(oldest_age_seconds);
    gauge!("lectern_spool_set_aside_files").set(of_count(set_aside));
}

/// So many events were made durable together, in the `store` or in the `spool`.
pub fn committed(events: usize, place: &'static str) {
    histogram!("lectern_commit_batch_events", "to" => place).record(of_count(events as u64));
}

/// So many connections to the database are open, of which so many rest; so many may be open.
pub fn connections(open: u32, resting: u32, most: u32) {
    gauge!("lectern_database_connections", "state" => "open").set(f64::from(open));
    gauge!("lectern_database_connections", "state" => "resting").set(f64::from(resting));
    gauge!("lectern_database_connections", "state" => "most").set(f64::from(most));
}

/// There is this handler, whose calls may have these outcomes: its counts begin at 0, too.
pub fn may_be_attempted<const N: usize>(handler: &str, outcomes: [&'static str; N]) {
    for outcome in outcomes {
        counter!("lectern_attempts_total", "handler" => handler.to_owned(), "outcome" => outcome)
            .increment(0);
    }
    counter!("lectern_dead_deliveries_total", "handler" => handler.to_owned()).increment(0);
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

/// A handler fails throughout, and is only probed; or it is not so.
pub fn failing(handler: &str, is_failing: bool) {
    gauge!("lectern_handler_failing", "handler" => handler.to_owned()).set(f64::from(is_failing));
}

/// So many deliveries of a handler are open, so many dead, so many of its queues parked, and the longest due is so long.
pub fn backlog(handler: &str, open: u64, dead: u64, parked: u64, oldest_due_seconds: f64) {
    let set = |name, value| gauge!(name, "handler" => handler.to_owned()).set(value);
    set("lectern_open_deliveries", of_count(open));
    set("lectern_dead_deliveries", of_count(dead));
    set("lectern_parked_queues", of_count(parked));
    set("lectern_oldest_due_seconds", oldest_due_seconds);
}

/// For so long the delivery of a handler is open that has been so longest, due or not.
pub fn oldest_open(handler: &str, seconds: f64) {
    gauge!("lectern_oldest_open_seconds", "handler" => handler.to_owned()).set(seconds);
}

/// A person has paused a handler; or not.
pub fn paused(handler: &str, is_paused: bool) {
    gauge!("lectern_handler_paused", "handler" => handler.to_owned()).set(f64::from(is_paused));
}

/// So many requests to a source are in quarantine, by whether they are held.
pub fn in_quarantine(source: &str, held: u64, rejected: u64) {
    for (is_held, requests) in [("true", held), ("false", rejected)] {
        gauge!("lectern_quarantine_requests", "source" => source.to_owned(), "held" => is_held)
            .set(of_count(requests));
    }
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

/// For so long the event has been here that has waited longest to be mirrored.
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

/// Of these kinds something may be forgotten: what is counted of it begins at 0, too.
pub fn may_forget<const N: usize>(kinds: [&'static str; N]) {
    for kind in kinds {
        forgotten(kind, 0);
    }
    for outcome in ["done", "failed"] {
        counter!("lectern_forgetting_rounds_total", "outcome" => outcome).increment(0);
    }
}

/// So many rows of a kind were forgotten for their age.
pub fn forgotten(kind: &'static str, rows: u64) {
    counter!("lectern_forgotten_total", "kind" => kind).increment(rows);
}

/// A round of forgetting has ended, and all that was old is gone; or not.
pub fn round_of_forgetting(is_done: bool) {
    let outcome = if is_done { "done" } else { "failed" };
    counter!("lectern_forgetting_rounds_total", "outcome" => outcome).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the last digits of a count tell nothing")]
const fn of_count(number: u64) -> f64 {
    number as f64
}
