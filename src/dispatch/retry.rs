//! When a failed delivery is tried again, or that it is not.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;

use crate::config::Retry;
use crate::handlers::Failure;
use crate::model::Delivery;

/// When `delivery` is tried again after it failed once more at `now`; `None` gives it up. `delivery.failures` counts the
/// failures before this one.
///
/// The wait doubles with each failure. Chance takes up to half of it away, so that what failed together does not come
/// back together; the delivery's own name is that chance, so the same failure always gives the same answer.
pub(super) fn after_failure(
    retry: &Retry,
    delivery: &Delivery,
    failure: &Failure,
    now: Timestamp,
) -> Option<Timestamp> {
    if failure.permanent || delivery.failures + 1 >= retry.max_attempts {
        return None;
    }
    let until = delivery.opened_at.checked_add(retry.max_age).unwrap_or(Timestamp::MAX);
    let asked = failure.retry_after.unwrap_or_default();
    let at = now.checked_add(wait(retry, delivery).max(asked)).unwrap_or(Timestamp::MAX);
    // A wait that would last too long is cut short, so that there is a last try at the very end.
    (now < until).then_some(at.min(until))
}

fn wait(retry: &Retry, delivery: &Delivery) -> Duration {
    let seed = delivery.id.as_uuid().as_u64_pair().1 ^ u64::from(delivery.failures);
    // Half, because the jitter adds up to as much again.
    let mut waits = ExponentialBuilder::new()
        .with_min_delay(retry.initial / 2)
        .with_max_delay(retry.max_interval / 2)
        .without_max_times()
        .with_jitter()
        .with_jitter_seed(seed)
        .build();
    // After a hundred doublings every wait has reached its maximum.
    let step = delivery.failures.min(100) as usize;
    waits.nth(step).unwrap_or(retry.max_interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeliveryId, DeliveryState, EventId};
    use proptest::prelude::*;

    const RETRY: Retry = Retry {
        initial: Duration::from_secs(1),
        max_interval: Duration::from_secs(60),
        max_attempts: 10,
        max_age: Duration::from_secs(3600),
    };

    fn delivery(failures: u32) -> Delivery {
        Delivery {
            id: DeliveryId::at(Timestamp::UNIX_EPOCH),
            event_id: EventId::at(Timestamp::UNIX_EPOCH),
            event_type: "message.received".to_owned(),
            handler: "crm".to_owned(),
            ordering_key: "conversation:1".to_owned(),
            state: DeliveryState::Pending,
            attempts: failures,
            failures,
            opened_at: Timestamp::UNIX_EPOCH,
            settled_at: None,
            note: None,
        }
    }

    fn seconds_until(again_at: Option<Timestamp>) -> f64 {
        again_at.unwrap().duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
    }

    proptest! {
        #[test]
        fn the_wait_doubles_up_to_its_maximum_less_at_most_half(failures in 0_u32..9) {
            let whole = f64::from(1_u32 << failures).min(60.0);
            let next = after_failure(&RETRY, &delivery(failures), &Failure::retry("no"), Timestamp::UNIX_EPOCH);
            let wait = seconds_until(next);
            prop_assert!(wait >= whole / 2.0 - 0.001 && wait <= whole + 0.001, "{wait} of {whole}");
        }
    }

    #[test]
    fn a_longer_wait_that_the_other_side_asks_for_is_honoured() {
        let failure = Failure { retry_after: Some(Duration::from_secs(120)), ..Failure::retry("busy") };
        let next = after_failure(&RETRY, &delivery(0), &failure, Timestamp::UNIX_EPOCH);
        assert!((seconds_until(next) - 120.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_last_attempt_a_permanent_failure_and_old_age_each_end_it() {
        let now = Timestamp::UNIX_EPOCH;
        let transient = Failure::retry("no");
        assert_eq!(after_failure(&RETRY, &delivery(9), &transient, now), None);
        assert_eq!(after_failure(&RETRY, &delivery(0), &Failure::permanent("never"), now), None);
        let late = now + Duration::from_secs(3600);
        assert_eq!(after_failure(&RETRY, &delivery(0), &transient, late), None);
    }

    #[test]
    fn a_wait_that_would_outlast_the_delivery_ends_with_a_last_try() {
        let failure = Failure { retry_after: Some(Duration::from_secs(86_400)), ..Failure::retry("busy") };
        let next = after_failure(&RETRY, &delivery(0), &failure, Timestamp::UNIX_EPOCH);
        assert!((seconds_until(next) - 3600.0).abs() < f64::EPSILON);
    }

    #[test]
    fn deliveries_that_failed_together_come_back_apart() {
        let waits: std::collections::HashSet<_> = (0..20)
            .map(|_| {
                seconds_until(after_failure(
                    &RETRY,
                    &delivery(5),
                    &Failure::retry("no"),
                    Timestamp::UNIX_EPOCH,
                ))
                .to_bits()
            })
            .collect();
        assert!(waits.len() > 15);
    }
}
