//! What becomes of a value before it is kept, so that it comes back the same from either database.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Claim, FinishedAttempt, Lease, LeasedQueue, QueueRef, Settlement};
use crate::model::{
    DeliveryFilter, DeliveryId, DeliveryState, EventFilter, EventId, Header, PageRequest, QuarantineFilter,
    QuarantineId, ResourceKind, ResourceState, SkippedEvent, Words,
};

/// Where PostgreSQL's time begins, in the year 4714 before Christ. An event that claims to be older is no reason to
/// refuse it.
const EARLIEST: Timestamp = Timestamp::constant(-210_866_803_200, 0);

/// The last moment that can be made from a number of microseconds.
const LATEST: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// What a store knows of a queue that it leases.
pub(super) struct Leased {
    pub(super) ordering_key: String,
    pub(super) due_at: Timestamp,
    pub(super) lost: u32,
}

impl Leased {
    /// The queue as it is handed out, its deliveries yet to come.
    pub(super) fn under(&self, claim: &Claim) -> LeasedQueue {
        let queue = QueueRef { handler: claim.handler.clone(), ordering_key: self.ordering_key.clone() };
        let lease = Lease { queue, token: claim.token };
        LeasedQueue { lease, due_at: self.due_at, lost: self.lost, due: Vec::new() }
    }
}

/// An instant in whole microseconds, what both databases keep.
pub(super) fn instant(at: Timestamp) -> Timestamp {
    let at = at.clamp(EARLIEST, LATEST);
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// A duration in whole microseconds.
pub(super) fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// How many of something.
pub(super) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// When an attempt settled its delivery, if it did.
pub(super) fn settled_at(attempt: &FinishedAttempt) -> Option<Timestamp> {
    let ended_at = attempt.started_at.checked_add(attempt.duration).unwrap_or(Timestamp::MAX);
    (attempt.state != DeliveryState::Pending).then_some(ended_at)
}

/// Whether what was settled waits to be tried again.
pub(super) fn retries(settlement: &Settlement) -> bool {
    settlement.attempts.last().is_some_and(|attempt| attempt.state == DeliveryState::Pending)
}

/// A text without NUL, which PostgreSQL can't keep. What a command prints may hold anything.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// What lies behind all texts that begin so.
pub(super) fn behind(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

/// Headers as JSON text: it escapes what a database may not like, and keeps order and repetitions.
pub(super) fn headers(headers: &[Header]) -> String {
    serde_json::to_string(headers).expect("pairs of texts can always be written as JSON")
}

/// What is written of a mirrored batch, as one JSON text: names are those of the columns, identifiers and versions are
/// hexadecimal, moments are microseconds since 1970.
pub(super) fn states(states: &[ResourceState]) -> String {
    let states: Vec<_> = states.iter().map(KeptState::from).collect();
    serde_json::to_string(&states).expect("texts and numbers can always be written as JSON")
}

/// Which resources events tell of, in the same way.
pub(super) fn told_by(told_by: &[(ResourceKind, String, EventId)]) -> String {
    let rows: Vec<_> = told_by
        .iter()
        .map(|(kind, uid, event)| json!({"kind": kind.as_str(), "uid": uid, "event_id": event.as_uuid().simple().to_string()}))
        .collect();
    Value::Array(rows).to_string()
}

/// Resources by kind and uid, in the same way.
pub(super) fn named(resources: &[(ResourceKind, String)]) -> String {
    let rows: Vec<_> =
        resources.iter().map(|(kind, uid)| json!({"kind": kind.as_str(), "uid": uid})).collect();
    Value::Array(rows).to_string()
}

/// How much of bodies is read at once, but for a single one that is larger.
const BYTES_TOGETHER: i64 = 4 * 1024 * 1024;

/// How many of these bodies are read together, given the size of each that is there.
pub(super) fn fitting(sizes: impl Iterator<Item = Option<i64>>) -> usize {
    let mut total = 0_i64;
    let fits = |(nth, size): &(usize, Option<i64>)| {
        total = total.saturating_add(size.unwrap_or(0));
        *nth == 0 || total <= BYTES_TOGETHER
    };
    sizes.enumerate().take_while(fits).count()
}

/// Words as a store keeps them: of each kind others, so that what is common in one kind is not taken to be common in all.
pub(super) fn lexemes(kind: ResourceKind, words: &Words) -> Vec<String> {
    let letter = match kind {
        ResourceKind::Message => 'm',
        ResourceKind::Conversation => 'c',
        ResourceKind::Contact => 'p',
        ResourceKind::Invoice => 'i',
        ResourceKind::Review => 'r',
        ResourceKind::ReviewInvite => 'n',
        ResourceKind::ReviewResponse => 'a',
        ResourceKind::Call => 't',
    };
    words.as_slice().iter().map(|word| format!("{letter}{word}")).collect()
}

/// Events that gave no picture, in the same way.
pub(super) fn skipped(skipped: &[SkippedEvent]) -> String {
    let rows: Vec<_> = skipped
        .iter()
        .map(|one| json!({"event_id": one.event_id.as_uuid().simple().to_string(), "reason": text(&one.reason)}))
        .collect();
    Value::Array(rows).to_string()
}

/// The messages that a batch tells of.
pub(super) fn messages(states: &[ResourceState]) -> Vec<&str> {
    of_kind(states, ResourceKind::Message).collect()
}

/// The messages among resources.
pub(super) fn forgotten_messages(resources: &[(ResourceKind, String)]) -> Vec<&str> {
    let messages = resources.iter().filter(|(kind, _)| *kind == ResourceKind::Message);
    messages.map(|(_, uid)| uid.as_str()).collect()
}

/// The conversations whose messages may come to something else after a batch: those that it tells of, and those that its messages
/// belonged to before.
pub(super) fn conversations(states: &[ResourceState], before: Vec<String>) -> Vec<String> {
    let mut all = before;
    all.extend(of_kind(states, ResourceKind::Conversation).map(str::to_owned));
    all.sort_unstable();
    all.dedup();
    all
}

fn of_kind(states: &[ResourceState], kind: ResourceKind) -> impl Iterator<Item = &str> {
    states.iter().filter(move |state| state.kind == kind).map(|state| state.uid.as_str())
}

/// One row of [`states`].
#[derive(Serialize)]
struct KeptState<'a> {
    kind: &'static str,
    uid: &'a str,
    version: String,
    event_id: String,
    at: i64,
    conversation_uid: Option<&'a str>,
    contact_uid: Option<&'a str>,
    location_uid: Option<&'a str>,
    organization_uid: Option<&'a str>,
    user_uid: Option<&'a str>,
    channel_type: Option<&'a str>,
    channel_identifier: Option<&'a str>,
    direction: Option<&'a str>,
    status: Option<&'a str>,
    name: Option<Cow<'a, str>>,
    merged_into: Option<&'a str>,
    is_awaiting: Option<bool>,
    words: String,
    data: &'a str,
}

impl<'a> From<&'a ResourceState> for KeptState<'a> {
    fn from(state: &'a ResourceState) -> Self {
        let keys = &state.keys;
        Self {
            kind: state.kind.as_str(),
            uid: &state.uid,
            version: hex::encode(state.version.as_bytes()),
            event_id: state.event_id.as_uuid().simple().to_string(),
            at: instant(state.at).as_microsecond(),
            conversation_uid: keys.conversation_uid.as_deref(),
            contact_uid: keys.contact_uid.as_deref(),
            location_uid: keys.location_uid.as_deref(),
            organization_uid: keys.organization_uid.as_deref(),
            user_uid: keys.user_uid.as_deref(),
            channel_type: keys.channel_type.as_deref(),
            channel_identifier: keys.channel_identifier.as_deref(),
            direction: keys.direction.as_deref(),
            status: keys.status.as_deref(),
            name: state.name.as_deref().map(text),
            merged_into: keys.merged_into.as_deref(),
            is_awaiting: keys.is_awaiting,
            words: lexemes(state.kind, &state.words).join(" "),
            data: &state.data,
        }
    }
}

/// A filter as JSON text, to be read again as long as it is needed.
pub(super) fn filter(filter: &DeliveryFilter) -> String {
    serde_json::to_string(filter).expect("texts, moments and identifiers can always be written as JSON")
}

/// The identifiers of the events that a list of deliveries reaches over.
pub(super) fn ids_of_events(filter: &DeliveryFilter) -> Range<Uuid> {
    ids_between(filter.event.received_after, filter.event.received_before)
}

/// The identifiers that a list of events reaches over. An identifier's order is that of the moment of its making, to the
/// microsecond, so this answers the conditions on time as well as the page.
pub(super) fn event_ids(filter: &EventFilter, page: PageRequest<EventId>) -> Range<Uuid> {
    let ids = ids_between(filter.received_after, filter.received_before);
    ids.start..page.below.map_or(ids.end, |below| ids.end.min(below.as_uuid()))
}

/// The same for requests in quarantine: those after one and below another.
pub(super) fn quarantine_ids(
    filter: &QuarantineFilter,
    after: Option<QuarantineId>,
    below: Option<QuarantineId>,
) -> Range<Uuid> {
    let ids = ids_between(filter.received_after, filter.received_before);
    let next = |id: QuarantineId| Uuid::from_u128(id.as_uuid().as_u128().saturating_add(1));
    let start = after.map_or(ids.start, |after| ids.start.max(next(after)));
    start..below.map_or(ids.end, |below| ids.end.min(below.as_uuid()))
}

fn ids_between(after: Option<Timestamp>, before: Option<Timestamp>) -> Range<Uuid> {
    after.map_or(Uuid::nil(), first_id_from)..before.map_or(Uuid::max(), first_id_from)
}

/// The smallest identifier that an event can have which was received at that moment or later.
pub(super) fn first_id_from(at: Timestamp) -> Uuid {
    EventId::floor(rounded_up(at)).as_uuid()
}

/// Where a page of deliveries ends; the highest of all UUIDs is never an identifier.
pub(super) fn below(page: PageRequest<DeliveryId>) -> Uuid {
    page.below.map_or(Uuid::max(), DeliveryId::as_uuid)
}

/// The first whole microsecond that is not before `at`: events have no finer time, so the same ones lie before it.
fn rounded_up(at: Timestamp) -> Timestamp {
    let down = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
    if down < at { down.checked_add(Duration::from_micros(1)).unwrap_or(at) } else { down }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_kept_to_the_microsecond_and_within_what_both_can_tell() {
        let fine: Timestamp = "2026-01-02T03:04:05.123456789Z".parse().unwrap();
        assert_eq!(instant(fine), "2026-01-02T03:04:05.123456Z".parse().unwrap());
        assert_eq!(instant(Timestamp::MIN).to_string(), "-004713-11-24T00:00:00Z");
        assert_eq!(instant(Timestamp::MAX).to_string(), "9999-12-30T22:00:00Z");
    }

    #[test]
    fn a_bound_between_two_microseconds_leaves_out_the_one_before() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let filter = EventFilter {
            received_after: Some(at("2026-01-01T00:00:00.0000005Z")),
            received_before: Some(at("2026-01-01T00:00:01Z")),
            ..EventFilter::default()
        };
        let ids = event_ids(&filter, PageRequest { limit: 1, below: None });
        assert!(!ids.contains(&EventId::at(at("2026-01-01T00:00:00Z")).as_uuid()));
        assert!(ids.contains(&EventId::at(at("2026-01-01T00:00:00.000001Z")).as_uuid()));
        assert!(ids.contains(&EventId::at(at("2026-01-01T00:00:00.999999Z")).as_uuid()));
        assert!(!ids.contains(&EventId::floor(at("2026-01-01T00:00:01Z")).as_uuid()));
    }
}
