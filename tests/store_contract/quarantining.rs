//! Requests that failed verification: kept within bounds, listed, read again in order, forgotten.

use std::collections::HashSet;

use jiff::Timestamp;
use lectern::model::{
    Content, Header, InQuarantine, PageRequest, QuarantineBounds, QuarantineFilter, QuarantineId,
    Quarantined, QuarantinedRequest,
};
use lectern::store::Store;

use crate::home::Home;
use crate::make::{first, microsecond, second};

crate::on_both_stores![
    what_is_kept_comes_back_byte_for_byte,
    the_oldest_that_were_rejected_make_room,
    what_is_held_leaves_for_nothing_new,
    of_those_to_be_held_the_earlier_come_first,
    one_source_holds_no_more_than_its_share,
    one_that_could_never_fit_drops_nothing,
    bounds_that_became_smaller_drop_what_was_rejected_and_nothing_held,
    keeping_the_same_again_changes_nothing,
    any_sequence_is_kept_as_the_rules_say,
    servers_that_keep_at_once_stay_near_the_bounds,
    every_condition_narrows_the_list,
    pages_walk_over_all_newest_first_and_oldest_first,
    what_is_forgotten_is_gone_and_counted_once,
    a_filter_forgets_the_oldest_first_and_no_more_than_was_asked_for,
    what_is_there_is_counted_by_source_and_by_whether_it_is_held,
];

const PLENTY: QuarantineBounds = QuarantineBounds::new(1000, 1 << 30);

/// A request that was rejected, with a body of so many bytes and no headers.
pub(crate) fn rejected(received_at: Timestamp, size: usize) -> QuarantinedRequest {
    QuarantinedRequest {
        request: Quarantined {
            id: QuarantineId::at(received_at),
            source: "default".into(),
            received_at,
            reason: "signature_mismatch".into(),
            held: false,
            size: size as u64,
        },
        content: Content { headers: vec![], body: vec![b'.'; size].into() },
    }
}

/// The same, to be held.
pub(crate) fn held(received_at: Timestamp, size: usize) -> QuarantinedRequest {
    let mut new = rejected(received_at, size);
    new.request.held = true;
    new
}

/// What is kept, oldest first.
async fn all(store: &dyn Store) -> Vec<Quarantined> {
    let mut all = store.quarantined(&QuarantineFilter::default(), first(10_000)).await.unwrap();
    all.reverse();
    all
}

/// The seconds at which what is kept was received.
async fn seconds(store: &dyn Store) -> Vec<i64> {
    let since = |at: Timestamp| at.duration_since(second(0)).as_secs();
    all(store).await.into_iter().map(|request| since(request.received_at)).collect()
}

async fn what_is_kept_comes_back_byte_for_byte(store: Home) {
    let mut new = held(microsecond(1), 0);
    new.request.source = "the second, ünd \u{1f4da}".into();
    let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
    new.content.headers = vec![header("x", "a\0b"), header("x", "\u{fffd}"), header("", "")];
    new.content.body = (0..=255).cycle().take(100_000).collect::<Vec<u8>>().into();
    new.request.size = 100_000;
    let another = rejected(microsecond(2), 0);
    assert_eq!(store.quarantine(&[new.clone(), another.clone()], PLENTY).await.unwrap(), [true, true]);
    assert_eq!(store.quarantined_request(new.request.id).await.unwrap(), Some(new.clone()));
    assert_eq!(store.quarantined_request(another.request.id).await.unwrap(), Some(another.clone()));
    assert_eq!(store.quarantined_request(QuarantineId::at(microsecond(1))).await.unwrap(), None);
    assert_eq!(all(&*store).await, [new.request, another.request]);
    assert_eq!(store.quarantine(&[], PLENTY).await.unwrap(), [false; 0]);
}

async fn the_oldest_that_were_rejected_make_room(store: Home) {
    let three = QuarantineBounds { requests: 3, ..PLENTY };
    for at in 0..5 {
        assert_eq!(store.quarantine(&[rejected(second(at), 1)], three).await.unwrap(), [true]);
    }
    assert_eq!(seconds(&*store).await, [2, 3, 4]);
    // More than fit at once: the last of them do.
    let batch: Vec<_> = (5..10).map(|at| rejected(second(at), 1)).collect();
    assert_eq!(store.quarantine(&batch, three).await.unwrap(), [false, false, true, true, true]);
    assert_eq!(seconds(&*store).await, [7, 8, 9]);
    // By their size, too.
    let bytes = QuarantineBounds { bytes: 100, ..three };
    assert_eq!(store.quarantine(&[rejected(second(10), 99)], bytes).await.unwrap(), [true]);
    assert_eq!(seconds(&*store).await, [9, 10]);
    // Headers count.
    let mut with_headers = rejected(second(11), 50);
    with_headers.content.headers = vec![Header { name: "name".into(), value: "v".repeat(46) }];
    assert_eq!(store.quarantine(&[with_headers], bytes).await.unwrap(), [true]);
    assert_eq!(seconds(&*store).await, [11]);
}

async fn what_is_held_leaves_for_nothing_new(store: Home) {
    let three = QuarantineBounds { requests: 3, ..PLENTY };
    store
        .quarantine(&[held(second(0), 1), rejected(second(1), 1), rejected(second(2), 1)], three)
        .await
        .unwrap();
    assert_eq!(store.quarantine(&[held(second(3), 1)], three).await.unwrap(), [true]);
    assert_eq!(seconds(&*store).await, [0, 2, 3]);
    assert_eq!(store.quarantine(&[held(second(4), 1)], three).await.unwrap(), [true]);
    assert_eq!(seconds(&*store).await, [0, 3, 4]);
    assert_eq!(store.quarantine(&[held(second(5), 1)], three).await.unwrap(), [false]);
    assert_eq!(store.quarantine(&[rejected(second(6), 1)], three).await.unwrap(), [false]);
    assert_eq!(seconds(&*store).await, [0, 3, 4]);
}

async fn of_those_to_be_held_the_earlier_come_first(store: Home) {
    let bounds = QuarantineBounds::new(3, 100);
    // The second is too large beside the first; the third would fit, but comes after one that was refused.
    let batch = [held(second(1), 60), held(second(2), 50), held(second(3), 10), rejected(second(4), 10)];
    assert_eq!(store.quarantine(&batch, bounds).await.unwrap(), [true, false, false, true]);
    assert_eq!(seconds(&*store).await, [1, 4]);
}

async fn one_source_holds_no_more_than_its_share(store: Home) {
    let of_north = |at, size| {
        let mut new = held(second(at), size);
        new.request.source = "north".into();
        new
    };
    let bounds = QuarantineBounds::new(5, 100).half_each();
    let batch: Vec<_> =
        (0..6).map(|at| if at < 5 { held(second(at), 1) } else { of_north(at, 10) }).collect();
    assert_eq!(store.quarantine(&batch, bounds).await.unwrap(), [true, true, true, false, false, true]);
    assert_eq!(store.quarantine(&[held(second(6), 1), of_north(7, 41)], bounds).await.unwrap(), [false; 2]);
    assert_eq!(store.quarantine(&[of_north(8, 40)], bounds).await.unwrap(), [true]);
    assert_eq!(seconds(&*store).await, [0, 1, 2, 5, 8]);
}

async fn one_that_could_never_fit_drops_nothing(store: Home) {
    let bounds = QuarantineBounds::new(10, 100);
    store.quarantine(&[held(second(1), 30), rejected(second(2), 60)], bounds).await.unwrap();
    let batch = [held(second(3), 71), rejected(second(4), 71)];
    assert_eq!(store.quarantine(&batch, bounds).await.unwrap(), [false, false]);
    assert_eq!(seconds(&*store).await, [1, 2]);
    assert_eq!(store.quarantine(&[rejected(second(5), 70)], bounds).await.unwrap(), [true]);
    assert_eq!(seconds(&*store).await, [1, 5]);
}

async fn bounds_that_became_smaller_drop_what_was_rejected_and_nothing_held(store: Home) {
    let batch: Vec<_> =
        (0..6).map(|at| if at < 3 { held(second(at), 10) } else { rejected(second(at), 10) }).collect();
    store.quarantine(&batch, PLENTY).await.unwrap();
    let two = QuarantineBounds { requests: 2, ..PLENTY };
    assert_eq!(store.quarantine(&[rejected(second(9), 1)], two).await.unwrap(), [false]);
    assert_eq!(seconds(&*store).await, [0, 1, 2]);
}

async fn keeping_the_same_again_changes_nothing(store: Home) {
    let two = QuarantineBounds::new(2, 20);
    let batch = [held(second(1), 10), rejected(second(2), 10)];
    for _ in 0..3 {
        assert_eq!(store.quarantine(&batch, two).await.unwrap(), [true, true]);
        assert_eq!(seconds(&*store).await, [1, 2]);
    }
}

/// The rules once more, in the plainest of words.
fn keep(standing: &mut Vec<QuarantinedRequest>, batch: &[QuarantinedRequest], bounds: QuarantineBounds) {
    let weight =
        |requests: &[QuarantinedRequest]| requests.iter().map(QuarantinedRequest::weight).sum::<u64>();
    let fits = |requests: &[QuarantinedRequest]| {
        requests.len() <= bounds.requests as usize && weight(requests) <= bounds.bytes
    };
    let (mut held, mut rejected): (Vec<_>, Vec<_>) = standing.drain(..).partition(|kept| kept.request.held);
    let mut full = HashSet::new();
    for new in batch.iter().filter(|new| new.request.held) {
        let source = &new.request.source;
        held.push(new.clone());
        let own: Vec<_> = held.iter().filter(|kept| kept.request.source == *source).cloned().collect();
        let too_many =
            own.len() > bounds.held_requests_each as usize || weight(&own) > bounds.held_bytes_each;
        if full.contains(source) || too_many {
            held.pop();
            full.insert(source.clone());
        } else if !fits(&held) {
            held.pop();
            break;
        }
    }
    let room = bounds.bytes.saturating_sub(weight(&held));
    rejected.extend(batch.iter().filter(|new| !new.request.held && new.weight() <= room).cloned());
    rejected.sort_by_key(|kept| kept.request.id);
    while !rejected.is_empty() && !fits(&[held.clone(), rejected.clone()].concat()) {
        rejected.remove(0);
    }
    *standing = [held, rejected].concat();
    standing.sort_by_key(|kept| kept.request.id);
}

async fn any_sequence_is_kept_as_the_rules_say(store: Home) {
    let mut standing = Vec::new();
    // Chance that is the same each time.
    let mut state = 7_u64;
    let mut chance = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for round in 0..150_i64 {
        let bounds = QuarantineBounds::new(5 + u32::try_from(chance(10)).unwrap(), 200 + chance(400));
        let bounds = if chance(2) == 0 { bounds.half_each() } else { bounds };
        let batch: Vec<_> = (0..i64::try_from(chance(6)).unwrap())
            .map(|n| {
                let (at, size) = (microsecond(round * 10 + n), usize::try_from(chance(120)).unwrap());
                let mut new = if chance(3) == 0 { held(at, size) } else { rejected(at, size) };
                new.request.source = ["default", "north"][usize::try_from(chance(2)).unwrap()].into();
                new
            })
            .collect();
        let answers = store.quarantine(&batch, bounds).await.unwrap();
        keep(&mut standing, &batch, bounds);
        let expected: Vec<_> = standing.iter().map(|kept| kept.request.clone()).collect();
        assert_eq!(all(&*store).await, expected, "round {round}");
        let kept: Vec<_> = batch.iter().map(|new| standing.contains(new)).collect();
        assert_eq!(answers, kept, "round {round}");
        if chance(10) == 0 {
            let gone: Vec<_> =
                standing.extract_if(.., |kept| kept.request.held).map(|kept| kept.request.id).collect();
            assert_eq!(store.forget_quarantined(&gone).await.unwrap(), gone.len() as u64);
        }
    }
}

async fn servers_that_keep_at_once_stay_near_the_bounds(store: Home) {
    let bounds = QuarantineBounds { requests: 20, ..PLENTY };
    let servers = [store.share(), store.another_server().await, store.another_server().await];
    let keeping = servers.into_iter().enumerate().map(|(server, store)| {
        tokio::spawn(async move {
            for round in 0..40 {
                let at = |n: i64| microsecond(round * 100 + n * 10 + i64::try_from(server).unwrap());
                let batch: Vec<_> =
                    (0..4).map(|n| if n == 0 { held(at(n), 1) } else { rejected(at(n), 1) }).collect();
                store.quarantine(&batch, bounds).await.unwrap();
            }
        })
    });
    for server in futures_util::future::join_all(keeping).await {
        server.unwrap();
    }
    assert!(all(&*store).await.len() <= 20 + 2 * 4, "{}", all(&*store).await.len());
    store.quarantine(&[rejected(second(9), 1)], bounds).await.unwrap();
    let left = all(&*store).await;
    let held = left.iter().filter(|request| request.held).count();
    assert!(left.len() <= 20.max(held), "{} are left", left.len());
}

async fn some(store: &dyn Store) -> Vec<Quarantined> {
    let batch: Vec<_> = (0..24_usize)
        .zip(0..)
        .map(|(n, at)| {
            let mut new = if n % 5 == 0 { held(second(at), n) } else { rejected(second(at), n) };
            new.request.source = ["default", "other"][n % 2].into();
            new.request.reason =
                ["signature_mismatch", "signature_missing", "timestamp_too_old"][n % 3].into();
            new
        })
        .collect();
    assert!(store.quarantine(&batch, PLENTY).await.unwrap().into_iter().all(|kept| kept));
    batch.into_iter().map(|new| new.request).collect()
}

async fn every_condition_narrows_the_list(store: Home) {
    let all = some(&*store).await;
    for set in 0..16_u32 {
        let is_set = |condition: u32| set & (1 << condition) > 0;
        let filter = QuarantineFilter {
            source: is_set(0).then(|| "other".into()),
            reason: is_set(1).then(|| "signature_missing".into()),
            received_after: is_set(2).then(|| second(5)),
            received_before: is_set(3).then(|| second(20)),
        };
        let fits = |request: &&Quarantined| {
            filter.source.as_ref().is_none_or(|source| *source == request.source)
                && filter.reason.as_ref().is_none_or(|reason| *reason == request.reason)
                && filter.received_after.is_none_or(|after| request.received_at >= after)
                && filter.received_before.is_none_or(|before| request.received_at < before)
        };
        let mut expected: Vec<Quarantined> = all.iter().filter(fits).cloned().collect();
        let oldest = store.oldest_quarantined(&filter, None, 100).await.unwrap();
        let oldest: Vec<Quarantined> = oldest.into_iter().map(|kept| kept.request).collect();
        assert_eq!(oldest, expected, "{filter:?}");
        expected.reverse();
        assert_eq!(store.quarantined(&filter, first(100)).await.unwrap(), expected, "{filter:?}");
    }
}

async fn pages_walk_over_all_newest_first_and_oldest_first(store: Home) {
    // Many of one microsecond: what orders them is the rest of the identifier.
    let mut batch: Vec<_> = (0..50).map(|n| rejected(microsecond(n / 20), 1)).collect();
    store.quarantine(&batch, PLENTY).await.unwrap();
    batch.sort_by_key(|new| new.request.id);
    let filter = QuarantineFilter { received_after: Some(microsecond(0)), ..QuarantineFilter::default() };

    let mut walked: Vec<QuarantinedRequest> = Vec::new();
    loop {
        let after = walked.last().map(|kept| kept.request.id);
        let page = store.oldest_quarantined(&filter, after, 7).await.unwrap();
        if page.is_empty() {
            break;
        }
        walked.extend(page);
    }
    assert_eq!(walked, batch);

    let mut walked: Vec<Quarantined> = Vec::new();
    loop {
        let below = walked.last().map(|request| request.id);
        let page = store.quarantined(&filter, PageRequest { limit: 7, below }).await.unwrap();
        if page.is_empty() {
            break;
        }
        walked.extend(page);
    }
    walked.reverse();
    assert_eq!(walked, batch.into_iter().map(|new| new.request).collect::<Vec<_>>());
}

async fn what_is_forgotten_is_gone_and_counted_once(store: Home) {
    let all_before = some(&*store).await;
    let ids: Vec<_> = all_before.iter().take(5).map(|request| request.id).collect();
    assert_eq!(store.forget_quarantined(&ids[..2]).await.unwrap(), 2);
    assert_eq!(store.forget_quarantined(&ids).await.unwrap(), 3);
    assert_eq!(store.forget_quarantined(&ids).await.unwrap(), 0);
    assert_eq!(store.forget_quarantined(&[]).await.unwrap(), 0);
    assert_eq!(store.quarantined_request(ids[0]).await.unwrap(), None);
    assert_eq!(all(&*store).await, all_before[5..]);
}

async fn a_filter_forgets_the_oldest_first_and_no_more_than_was_asked_for(store: Home) {
    some(&*store).await;
    let other = QuarantineFilter { source: Some("other".into()), ..QuarantineFilter::default() };
    assert_eq!(store.empty_quarantine(&other, 10).await.unwrap(), 10);
    assert_eq!(store.quarantined(&other, first(100)).await.unwrap().last().unwrap().received_at, second(21));
    assert_eq!(store.empty_quarantine(&other, 10).await.unwrap(), 2);
    assert_eq!(store.empty_quarantine(&other, 10).await.unwrap(), 0);
    assert_eq!(all(&*store).await.len(), 12);
    assert_eq!(store.empty_quarantine(&QuarantineFilter::default(), 100).await.unwrap(), 12);
}

async fn what_is_there_is_counted_by_source_and_by_whether_it_is_held(store: Home) {
    assert_eq!(store.in_quarantine().await.unwrap(), []);
    let mut second_held = held(second(4), 1);
    second_held.request.source = "second".into();
    let batch = [rejected(second(1), 1), held(second(2), 1), rejected(second(3), 1), second_held.clone()];
    store.quarantine(&batch, PLENTY).await.unwrap();
    let counted = |source: &str, held, rejected| InQuarantine { source: source.into(), held, rejected };
    let default = counted("default", 1, 2);
    assert_eq!(store.in_quarantine().await.unwrap(), [default.clone(), counted("second", 1, 0)]);
    store.forget_quarantined(&[second_held.request.id]).await.unwrap();
    assert_eq!(store.in_quarantine().await.unwrap(), [default]);
}
