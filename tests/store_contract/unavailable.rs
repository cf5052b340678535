//! What a store says that can't be reached any more.

use lectern::model::{
    DeliveryFilter, DeliveryId, EventFilter, EventId, Forgettable, NewToken, QuarantineBounds,
    QuarantineFilter, QuarantineId, Replay, Role, TokenDigest, TokenId,
};
use lectern::store::{Portion, Reached, ReplayLease, StoreError};

use crate::home::Home;
use crate::make::{accept, all_done, claim, claim_one, first, owed, second};

crate::on_both_stores![an_open_store_is_healthy, a_closed_store_is_unavailable_whatever_is_asked,];

async fn an_open_store_is_healthy(store: Home) {
    store.check().await.unwrap();
}

async fn a_closed_store_is_unavailable_whatever_is_asked(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let queue = claim_one(&*store, second(1)).await;
    store.close().await;

    let (event, delivery, now) = (EventId::at(second(1)), DeliveryId::at(second(1)), second(2));
    let quarantined = QuarantineId::at(second(1));
    let all = QuarantineFilter::default();
    let digest = TokenDigest::of("secret");
    let token = NewToken {
        id: TokenId::at(now),
        name: "laptop".into(),
        digest,
        role: Role::Read,
        created_at: now,
        expires_at: None,
    };
    let replay = Replay::new(DeliveryFilter::default(), 1, Some(0), "laptop".into(), now);
    let portion = Portion { replay: replay.id, token: queue.lease.token, at_most: 1, now };
    let refusals: [Option<StoreError>; 44] = [
        store.accept(&[owed("e2", "a", now)]).await.err(),
        store.claim(&claim(now)).await.err(),
        store.renew(std::slice::from_ref(&queue.lease), now).await.err(),
        store.settle(&[all_done(&queue, now)]).await.err(),
        store.replay(delivery, now).await.err(),
        store.resolve(delivery, "by hand", now).await.err(),
        store.pause("crm", now).await.err(),
        store.resume("crm").await.err(),
        store.paused().await.err(),
        store.count_closed(&DeliveryFilter::default(), now).await.err(),
        store.add_replay(&replay).await.err(),
        store.replays(first(1)).await.err(),
        store.one_replay(replay.id).await.err(),
        store.cancel_replay(replay.id, now).await.err(),
        store.lease_replays(&ReplayLease { token: queue.lease.token, now, until: now }).await.err(),
        store.reopen(&portion).await.err(),
        store.queue(&queue.lease.queue).await.err(),
        store.note_activity(now, &[], now).await.err(),
        store.activity(now).await.err(),
        store.events(&EventFilter::default(), first(1)).await.err(),
        store.event(event).await.err(),
        store.contents(&[event]).await.err(),
        store.deliveries(&DeliveryFilter::default(), first(1)).await.err(),
        store.delivery(delivery).await.err(),
        store.attempts(delivery).await.err(),
        store.backlog().await.err(),
        store.forget_before(Forgettable::Events, Reached::default(), now, 1).await.err(),
        store.count_before(Forgettable::Bodies, now).await.err(),
        store.forget_contents(&[event]).await.err(),
        store.forget_resources(&[]).await.err(),
        store.quarantine(&[], QuarantineBounds::new(1, 1)).await.err(),
        store.quarantined(&all, first(1)).await.err(),
        store.quarantined_request(quarantined).await.err(),
        store.oldest_quarantined(&all, None, 1).await.err(),
        store.forget_quarantined(&[quarantined]).await.err(),
        store.empty_quarantine(&all, 1).await.err(),
        store.add_token(&token).await.err(),
        store.token(&digest).await.err(),
        store.tokens().await.err(),
        store.revoke_token("laptop").await.err(),
        store.note_token_uses(&[]).await.err(),
        store.note_secret_uses(&[]).await.err(),
        store.secret_uses().await.err(),
        store.check().await.err(),
    ];
    for (number, refusal) in refusals.iter().enumerate() {
        assert!(matches!(refusal, Some(StoreError::Unavailable(_))), "number {number} answers {refusal:?}");
    }
}
