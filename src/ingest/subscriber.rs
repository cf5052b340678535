//! Who wants to hear of an event.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::model::{EventRecord, NewDelivery, Subscription};
use crate::shape::{Condition, Mistake, Scope};
use crate::telemetry::metrics;

/// How often the log tells of a handler that its condition fails, in seconds.
const TELL_EVERY: i64 = 60;

/// A handler, and which events it wants.
#[derive(Debug)]
pub struct Subscriber {
    subscription: Subscription,
    when: Option<Condition>,
    /// When the log last told that the condition failed, in seconds since 1970.
    told: AtomicI64,
}

impl Subscriber {
    /// A handler that wants what it subscribes to, as far as that meets the condition.
    #[must_use]
    pub const fn new(subscription: Subscription, when: Option<Condition>) -> Self {
        Self { subscription, when, told: AtomicI64::new(i64::MIN) }
    }

    /// The delivery that `event` means for this handler, if it wants the event. `scope` is only asked for when there is a
    /// condition to decide on an event that is wanted by everything else.
    pub(super) fn delivery<'a>(
        &self,
        event: &EventRecord,
        ordering_key: Option<&str>,
        opened_at: Timestamp,
        scope: impl FnOnce() -> &'a Scope,
    ) -> Option<NewDelivery> {
        let delivery = self.subscription.delivery(event, ordering_key, opened_at)?;
        let is_met = self.when.as_ref().is_none_or(|when| {
            when.is_met(scope()).unwrap_or_else(|mistake| {
                // Rather one event too many than one that nobody hears of.
                self.tell(event, &mistake, opened_at);
                true
            })
        });
        is_met.then_some(delivery)
    }

    fn tell(&self, event: &EventRecord, mistake: &Mistake, now: Timestamp) {
        let handler = &self.subscription.handler;
        metrics::undecided(handler);
        let (told, now) = (self.told.load(Ordering::Relaxed), now.as_second());
        // A clock may be set back; then nothing would be told for as long.
        let is_due = !(0..TELL_EVERY).contains(&now.saturating_sub(told));
        if is_due && self.told.compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            tracing::warn!(
                handler,
                event_id = %event.id,
                event_type = event.event_type,
                reason = %mistake,
                "the condition `when` fails at an event, which the handler gets all the same"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use bytes::Bytes;

    use super::*;
    use crate::model::Ordering as Ordered;

    fn subscriber(types: &str, when: Option<&str>) -> Subscriber {
        let subscription = Subscription {
            handler: "chat".to_owned(),
            types: vec![types.parse().unwrap()],
            locations: Vec::new(),
            ordering: Ordered::Conversation,
        };
        Subscriber::new(subscription, when.map(|when| Condition::compile(when).unwrap()))
    }

    /// Whether the event is owed, and whether the condition was looked at.
    fn owed(subscriber: &Subscriber, body: &str) -> (bool, bool) {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let event = EventRecord::bare("message.failed", now);
        let asked = Cell::new(false);
        let scope = Scope::of_event(&event, &Bytes::copy_from_slice(body.as_bytes()));
        let delivery = subscriber.delivery(&event, None, now, || {
            asked.set(true);
            &scope
        });
        (delivery.is_some(), asked.get())
    }

    #[test]
    fn a_condition_is_looked_at_when_all_else_is_met_and_decides() {
        let sms = r#"{"data":{"conversation":{"channel":{"type":"sms"}}}}"#;
        let is_sms = Some("data.conversation.channel.type == 'sms'");
        assert_eq!(owed(&subscriber("message.*", None), sms), (true, false));
        assert_eq!(owed(&subscriber("review.*", is_sms), sms), (false, false));
        assert_eq!(owed(&subscriber("message.*", is_sms), sms), (true, true));
        assert_eq!(owed(&subscriber("message.*", is_sms), "{}"), (false, true));
        assert_eq!(owed(&subscriber("message.*", is_sms), "no JSON"), (false, true));
    }

    #[test]
    fn a_condition_that_fails_keeps_no_event_from_its_handler_and_is_told_once_in_a_while() {
        let subscriber = subscriber("*", Some("data.amount + 1 > 5"));
        assert_eq!(owed(&subscriber, r#"{"data":{"amount":1}}"#), (false, true));
        assert_eq!(subscriber.told.load(Ordering::Relaxed), i64::MIN);
        assert_eq!(owed(&subscriber, r#"{"data":{"amount":{}}}"#), (true, true));
        assert_eq!(subscriber.told.load(Ordering::Relaxed), 1_790_000_000);
    }
}
