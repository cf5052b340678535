//! The one table of all metrics.

/// A metric.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) meaning: &'static str,
}

/// How it is counted.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// It only grows.
    Counter,
    /// It is as it is now.
    Gauge,
    /// How many were in each range, by the ranges' upper ends.
    Histogram(&'static [f64]),
}

/// From what is answered at once to what Podium gives up on.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// From a call that is over in a moment to one that takes minutes.
const LONG_SECONDS: &[f64] = &[0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 14400.0, 86400.0];
/// From a request that was just signed to one that waited for days.
const AGES: &[f64] = &[1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 28800.0, 86400.0, 864_000.0];
/// From one event to as many as are committed together.
const BATCHES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

const fn counter(name: &'static str, meaning: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, meaning }
}

const fn gauge(name: &'static str, meaning: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, meaning }
}

const fn histogram(name: &'static str, ranges: &'static [f64], meaning: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram(ranges), meaning }
}

/// All of them.
pub(super) const METRICS: [Metric; 34] = [
    gauge("lectern_build_info", "1, with the version and the role as labels"),
    counter("lectern_received_events_total", "Events that were received, by source, type and outcome"),
    histogram(
        "lectern_answer_seconds",
        SECONDS,
        "How long webhooks waited for their answer, from their headers on, by outcome",
    ),
    histogram(
        "lectern_signature_age_seconds",
        AGES,
        "How long before its arrival a genuine request was signed",
    ),
    counter("lectern_accepted_requests_total", "Requests that were verified and made durable, by source"),
    counter(
        "lectern_rejected_requests_total",
        "Requests that were not accepted, by source and the code of their answer",
    ),
    counter("lectern_quarantined_requests_total", "Requests that were kept in quarantine, by source"),
    gauge(
        "lectern_quarantine_requests",
        "Requests that are in quarantine, by source and whether they were held, so that nobody sends them again",
    ),
    gauge("lectern_spool_events", "Events in the spool, which wait for the database"),
    gauge("lectern_spool_bytes", "What the spool's files take on the disk"),
    gauge("lectern_spool_max_bytes", "What the spool's files may take on the disk"),
    gauge(
        "lectern_spool_oldest_age_seconds",
        "How long the first event in the spool has waited; 0 when it is empty",
    ),
    gauge("lectern_spool_set_aside_files", "Files of the spool that wait for a person"),
    histogram(
        "lectern_commit_batch_events",
        BATCHES,
        "How many events were made durable together, and where",
    ),
    gauge(
        "lectern_database_connections",
        "Connections to the database, those that are open and those that rest",
    ),
    counter("lectern_attempts_total", "Calls of handlers, by handler and outcome"),
    histogram("lectern_attempt_seconds", LONG_SECONDS, "How long calls of handlers took"),
    histogram(
        "lectern_handled_after_seconds",
        LONG_SECONDS,
        "How long after its arrival a handler was through with an event",
    ),
    counter("lectern_dead_deliveries_total", "Deliveries that were given up"),
    gauge("lectern_open_deliveries", "Deliveries that a handler has yet to do"),
    gauge("lectern_dead_deliveries", "Deliveries that were given up and wait for a person"),
    gauge("lectern_parked_queues", "Conversations that wait for a person to decide about a dead delivery"),
    gauge(
        "lectern_oldest_due_seconds",
        "For how long the longest waiting conversation of a handler has been due",
    ),
    gauge(
        "lectern_oldest_open_seconds",
        "For how long the delivery of a handler is open that has been so longest, due or not",
    ),
    gauge("lectern_handler_failing", "1 while a handler fails throughout and is only probed, else 0"),
    gauge("lectern_handler_paused", "1 while a handler is paused, else 0"),
    counter(
        "lectern_undecided_conditions_total",
        "Conditions that failed at an event, which their handler was given all the same",
    ),
    counter("lectern_mirrored_events_total", "Events that were mirrored, repeated ones included"),
    counter("lectern_mirror_skipped_events_total", "Events that were to be mirrored and gave no picture"),
    gauge(
        "lectern_mirror_lag_seconds",
        "For how long the event has waited that has waited longest to be mirrored; 0 when none waits",
    ),
    gauge("lectern_watchdog_findings", "What the watchdog has found to be wrong with webhooks, by kind"),
    counter("lectern_repaired_events_total", "Events that were missed and read back from Podium, by type"),
    counter("lectern_forgotten_total", "What was forgotten for its age, by kind"),
    counter(
        "lectern_forgetting_rounds_total",
        "Rounds of forgetting, by whether all that was old could be forgotten",
    ),
];

#[cfg(test)]
mod tests;
