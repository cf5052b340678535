//! Statistics: how much arrived, what became of it, how soon customers were answered.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State as Extracted;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::{Book, says};
use super::params::{FromParams, Narrowed, Params};
use super::refusal::Refusal;
use super::{State, answer};
use crate::model::{DeliveryState, ResponseTimes, Statistics};

/// The range that is meant when none is given, and the longest.
const DAY: SignedDuration = SignedDuration::from_hours(24);
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 7);

/// The range of time that is asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl FromParams for Wanted {
    fn from_params(params: &mut Params) -> Self {
        let wanted = Self { after: params.moment("receivedAfter"), before: params.moment("receivedBefore") };
        if let Self { after: Some(after), before: Some(before) } = wanted
            && !(SignedDuration::ZERO..=LONGEST).contains(&before.duration_since(after))
        {
            params.fault("receivedBefore is before receivedAfter, or more than 7 days after it");
        }
        wanted
    }
}

impl Wanted {
    fn range(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let day_before = |at: Timestamp| at.checked_sub(DAY).unwrap_or(Timestamp::MIN);
        match (self.after, self.before) {
            (Some(after), Some(before)) => (after, before),
            // The newest as far as it may reach.
            (Some(after), None) => (after, now.min(after.checked_add(LONGEST).unwrap_or(now)).max(after)),
            (None, before) => {
                let before = before.unwrap_or(now);
                (day_before(before), before)
            }
        }
    }
}

/// The operation on statistics.
pub(super) fn entries(book: Book) -> Book {
    let show = says("Statistics", "How much arrived, what became of it, how soon customers were answered");
    book.get(
        "/api/v1/stats",
        self::show,
        show.more("Of the last 24 hours, unless another range is named: of 7 days at the most.")
            .one::<Summary<'_>>(),
    )
}

/// `GET /api/v1/stats`
pub(super) async fn show(
    Extracted(state): Extracted<State>,
    Narrowed { filter, uri }: Narrowed<Wanted>,
) -> Result<Response, Refusal> {
    let (from, before) = filter.range(state.clock.now());
    let statistics = state.mirror.statistics(from, before).await?;
    Ok(answer::one(&uri, &Summary::of(&statistics, from, before)))
}

/// What arrived in a range of time, and what became of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Statistics)]
pub(super) struct Summary<'a> {
    received_after: Timestamp,
    received_before: Timestamp,
    events: Events<'a>,
    deliveries: Deliveries,
    response_times: Responses,
}

/// How many events there were.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventStatistics)]
struct Events<'a> {
    total: u64,
    by_type: BTreeMap<&'a str, u64>,
    by_source: BTreeMap<&'a str, u64>,
    by_hour: Vec<Hour>,
}

/// How many events there were in the hour that began so.
#[derive(Serialize, ToSchema)]
#[schema(as = HourStatistics)]
struct Hour {
    hour: Timestamp,
    count: u64,
}

/// How the deliveries of these events stand.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = DeliveryStatistics)]
struct Deliveries {
    pending: u64,
    done: u64,
    dead: u64,
}

/// How long customers waited for an answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ResponseTimes)]
struct Responses {
    count: u64,
    average_seconds: Option<f64>,
    median_seconds: Option<f64>,
    ninetieth_percentile_seconds: Option<f64>,
}

impl<'a> Summary<'a> {
    pub(super) fn of(
        statistics: &'a Statistics,
        received_after: Timestamp,
        received_before: Timestamp,
    ) -> Self {
        let mut events =
            Events { total: 0, by_type: BTreeMap::new(), by_source: BTreeMap::new(), by_hour: Vec::new() };
        let mut hours = BTreeMap::<Timestamp, u64>::new();
        for counted in &statistics.events {
            events.total += counted.count;
            *events.by_type.entry(&counted.event_type).or_default() += counted.count;
            *events.by_source.entry(&counted.source).or_default() += counted.count;
            *hours.entry(counted.hour).or_default() += counted.count;
        }
        events.by_hour = hours.into_iter().map(|(hour, count)| Hour { hour, count }).collect();
        let mut deliveries = Deliveries::default();
        for (state, count) in &statistics.deliveries {
            match state {
                DeliveryState::Pending => deliveries.pending = *count,
                DeliveryState::Done => deliveries.done = *count,
                DeliveryState::Dead => deliveries.dead = *count,
            }
        }
        let response_times = Responses::from(statistics.responses);
        Self { received_after, received_before, events, deliveries, response_times }
    }
}

impl From<ResponseTimes> for Responses {
    fn from(times: ResponseTimes) -> Self {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        Self {
            count: times.count,
            average_seconds: seconds(times.average),
            median_seconds: seconds(times.median),
            ninetieth_percentile_seconds: seconds(times.ninetieth),
        }
    }
}
