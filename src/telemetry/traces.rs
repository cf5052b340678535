//! Traces: a span for the receipt of an event and one for each attempt to deliver it, to whatever takes OTLP. What is sent where is said
//! by the standard variables of OpenTelemetry (`OTEL_EXPORTER_OTLP_ENDPOINT` and so on); without them nothing is.
//!
//! A trace goes over processes and days: an attempt may be another process's, long after the receipt. So its spans are named by
//! identifiers that all of them know, and are written when they are over.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, Config, SamplingDecision, ShouldSample, SpanData, SpanEvents, SpanLinks,
    SpanProcessor,
};

use crate::model::TraceContext;

/// The variables that say that traces are wanted, and where.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// How long a stop waits for what is still to be sent.
const LAST_WITHIN: Duration = Duration::from_secs(1);

/// Where spans go: once a process, as the log.
static TRACES: OnceLock<Traces> = OnceLock::new();

#[derive(Debug)]
struct Traces {
    processor: BatchSpanProcessor,
    sampler: Box<dyn ShouldSample>,
}

/// What is known of a receipt when it is over.
#[derive(Debug)]
pub struct Receipt<'a> {
    /// Its step.
    pub context: TraceContext,
    /// The event, by its own name.
    pub event_id: String,
    /// The source.
    pub source: &'a str,
    /// The type, among those that are documented.
    pub event_type: &'static str,
    /// What became of it.
    pub outcome: &'static str,
    /// What a proxy in front said of its own step, and whether that is among those that are kept.
    pub caused_by: Option<(TraceContext, bool)>,
    /// Whether a request brought it. If not, it came from within.
    pub is_of_request: bool,
}

/// What is known of an attempt when it is over.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// Its step.
    pub context: TraceContext,
    /// The receipt of its event.
    pub receipt: TraceContext,
    /// The event, by its own name.
    pub event_id: String,
    /// The delivery.
    pub delivery_id: String,
    /// The handler.
    pub handler: &'a str,
    /// The number of the attempt.
    pub number: u32,
    /// How it ended.
    pub outcome: &'static str,
    /// The status of an answer or of an exit.
    pub status: Option<i32>,
}

/// Sends what is still to be sent, at the latest when the process ends.
#[derive(Debug)]
pub struct Stop(());

impl Drop for Stop {
    fn drop(&mut self) {
        if let Some(traces) = TRACES.get() {
            let _unsent = traces.processor.shutdown_with_timeout(LAST_WITHIN);
        }
    }
}

/// Starts sending traces, if the environment asks for them. What can't be used is told in the log: a service does not end for want
/// of its traces.
#[must_use]
pub fn start() -> Stop {
    let exporter = match wanted(|name| std::env::var(name).ok()) {
        Ok(false) => return Stop(()),
        Ok(true) => SpanExporter::builder().with_http().build().map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    match exporter {
        Ok(exporter) => {
            let mut processor = BatchSpanProcessor::builder(exporter).build();
            processor.set_resource(&resource());
            let _started_before = TRACES.set(Traces { processor, sampler: Config::default().sampler });
        }
        Err(error) => tracing::error!(%error, "no traces are sent: what OTEL_… say can't be used"),
    }
    Stop(())
}

/// Whether the environment asks for traces, or why what it asks for can't be had. `said` is the value of a variable.
fn wanted(said: impl Fn(&str) -> Option<String>) -> Result<bool, String> {
    let said = |name: &str| said(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let exporter = said("OTEL_TRACES_EXPORTER").map(|exporter| exporter.to_ascii_lowercase());
    let is_off = said("OTEL_SDK_DISABLED").is_some_and(|disabled| disabled.eq_ignore_ascii_case("true"))
        || exporter.as_deref() == Some("none");
    if is_off || (exporter.is_none() && ENDPOINTS.iter().all(|name| said(name).is_none())) {
        return Ok(false);
    }
    if let Some(other) = exporter.filter(|exporter| exporter != "otlp") {
        return Err(format!("OTEL_TRACES_EXPORTER is {other:?}: Lectern has `otlp` and `none`"));
    }
    for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match said(name) {
            Some(protocol) if protocol == "http/protobuf" => break,
            Some(other) => {
                return Err(format!(
                    "{name} is {other:?}: Lectern sends `http/protobuf`, which collectors take at port 4318"
                ));
            }
            None => {}
        }
    }
    for what in ["CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"] {
        for name in [format!("OTEL_EXPORTER_OTLP_TRACES_{what}"), format!("OTEL_EXPORTER_OTLP_{what}")] {
            if said(&name).is_some() {
                return Err(format!(
                    "{name} is set: Lectern trusts the certificates that the system does, and shows none"
                ));
            }
        }
    }
    Ok(true)
}

/// `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` may say more, and otherwise.
fn resource() -> Resource {
    let ours = [("service.name", "lectern"), ("service.version", env!("CARGO_PKG_VERSION"))];
    let ours =
        Resource::builder_empty().with_attributes(ours.map(|(name, value)| KeyValue::new(name, value)));
    let said = Resource::builder().build();
    let said = said.iter().filter(|(name, value)| {
        // What the library says where nobody has said anything.
        name.as_str() != "service.name" || !value.as_str().starts_with("unknown_service")
    });
    ours.with_attributes(said.map(|(name, value)| KeyValue::new(name.clone(), value.clone()))).build()
}

/// Whether traces are sent: else nobody need say anything.
#[must_use]
pub fn are_sent() -> bool {
    TRACES.get().is_some()
}

/// The header `traceparent` for a system that goes on with the trace; none when no traces are sent.
#[must_use]
pub fn parent(context: TraceContext) -> Option<String> {
    TRACES.get().map(|traces| context.parent(traces.takes(context)))
}

/// Says that an event was received, in so long until `end`.
pub fn received(receipt: &Receipt<'_>, end: Timestamp, took: Duration) {
    let kind = if receipt.is_of_request { SpanKind::Server } else { SpanKind::Internal };
    send(receipt.context, || SpanData {
        links: {
            let mut links = SpanLinks::default();
            let link = |(cause, is_sampled)| Link::with_context(known(cause, is_sampled, true));
            links.links.extend(receipt.caused_by.map(link));
            links
        },
        attributes: vec![
            KeyValue::new("lectern.event.id", receipt.event_id.clone()),
            KeyValue::new("lectern.event.type", receipt.event_type),
            KeyValue::new("lectern.source", receipt.source.to_owned()),
            KeyValue::new("lectern.outcome", receipt.outcome),
        ],
        ..span(receipt.context, kind, "receive", end, took)
    });
}

/// Says that an attempt has ended, after so long.
pub fn attempted(attempt: &Attempt<'_>, end: Timestamp, took: Duration) {
    send(attempt.context, || {
        let mut attributes = vec![
            KeyValue::new("lectern.event.id", attempt.event_id.clone()),
            KeyValue::new("lectern.delivery.id", attempt.delivery_id.clone()),
            KeyValue::new("lectern.handler", attempt.handler.to_owned()),
            KeyValue::new("lectern.attempt", i64::from(attempt.number)),
            KeyValue::new("lectern.outcome", attempt.outcome),
        ];
        attributes.extend(attempt.status.map(|status| KeyValue::new("lectern.status", i64::from(status))));
        let is_done = attempt.outcome == "done";
        SpanData {
            parent_span_id: SpanId::from_bytes(attempt.receipt.span_id),
            parent_span_is_remote: true,
            attributes,
            // Why it failed is kept with the attempt: what a system answered is not for everybody who sees traces.
            status: if is_done { Status::Unset } else { Status::error(attempt.outcome) },
            ..span(attempt.context, SpanKind::Client, "deliver", end, took)
        }
    });
}

fn send(context: TraceContext, span: impl FnOnce() -> SpanData) {
    if let Some(traces) = TRACES.get()
        && traces.takes(context)
    {
        traces.processor.on_end(span());
    }
}

impl Traces {
    /// Whether the trace is among those that are sent. It depends on the trace alone, so all its spans are, or none.
    fn takes(&self, context: TraceContext) -> bool {
        let trace = TraceId::from_bytes(context.trace_id);
        let decision =
            self.sampler.should_sample(None, trace, "receive", &SpanKind::Server, &[], &[]).decision;
        decision == SamplingDecision::RecordAndSample
    }
}

fn known(context: TraceContext, is_sampled: bool, is_remote: bool) -> SpanContext {
    let (trace, span) = (TraceId::from_bytes(context.trace_id), SpanId::from_bytes(context.span_id));
    let flags = if is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    SpanContext::new(trace, span, flags, is_remote, TraceState::default())
}

fn span(
    context: TraceContext,
    span_kind: SpanKind,
    name: &'static str,
    end: Timestamp,
    took: Duration,
) -> SpanData {
    let end_time = SystemTime::from(end);
    SpanData {
        span_context: known(context, true, false),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind,
        name: Cow::Borrowed(name),
        start_time: end_time.checked_sub(took).unwrap_or(end_time),
        end_time,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("lectern").build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<bool, String> {
        wanted(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn traces_are_sent_where_the_environment_asks_for_them() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        assert_eq!(with(&[]), Ok(false));
        assert_eq!(with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(false));
        assert_eq!(with(&[endpoint]), Ok(true));
        assert_eq!(
            with(&[("OTEL_TRACES_EXPORTER", "otlp")]),
            Ok(true),
            "at the address that it has by default"
        );
        assert_eq!(with(&[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]), Ok(true));
        assert_eq!(with(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]), Ok(false));
        assert_eq!(with(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]), Ok(false));
    }

    #[test]
    fn what_can_not_be_had_is_named() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317");
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem"),
            ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/etc/key.pem"),
        ] {
            let why = with(&[endpoint, (name, value)]).unwrap_err();
            assert!(why.contains(name), "{why}");
        }
        let both = [
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ];
        assert_eq!(with(&[endpoint, both[0], both[1]]), Ok(true), "what is said of traces counts for them");
    }
}
