//! A store that fails on demand, around one that works.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use lectern::handlers::async_trait;
use lectern::model::{
    Activity, Attempt, Backlog, Content, Delivery, DeliveryFilter, DeliveryId, EventFilter, EventId,
    EventRecord, InQuarantine, NewEvent, NewToken, PageRequest, QuarantineBounds, QuarantineFilter,
    QuarantineId, Quarantined, QuarantinedRequest, Queue, Replay, ReplayId, SecretUse, Token, TokenDigest,
    TokenId,
};
use lectern::store::{
    Acceptance, Claim, Claimed, Lease, Portion, QueueRef, Reopened, ReplayLease, Settlement, Store,
    StoreError,
};
use tokio::sync::watch;

/// What a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Claim,
    Renew,
    Settle,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Hangs,
    IsUnavailable,
    FailsOnce,
    PanicsOnce,
    LosesItsAnswerOnce,
}

/// The faults come and go while it is in use.
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    fault: watch::Sender<Option<(Call, Fault)>>,
    hits: Mutex<Arc<AtomicUsize>>,
}

impl Faulty {
    pub(crate) fn around(inner: Arc<dyn Store>) -> Self {
        Self { inner, fault: watch::Sender::new(None), hits: Mutex::default() }
    }

    /// From now on such calls don't return until the store recovers. Counts them.
    pub(crate) fn hang(&self, call: Call) -> Arc<AtomicUsize> {
        self.set(call, Fault::Hangs)
    }

    /// From now on such calls find the store unavailable. Counts them.
    pub(crate) fn refuse(&self, call: Call) -> Arc<AtomicUsize> {
        self.set(call, Fault::IsUnavailable)
    }

    /// The next such call fails for good. Counts it.
    pub(crate) fn fail_once(&self, call: Call) -> Arc<AtomicUsize> {
        self.set(call, Fault::FailsOnce)
    }

    /// The next such call panics. Counts it.
    pub(crate) fn panic_once(&self, call: Call) -> Arc<AtomicUsize> {
        self.set(call, Fault::PanicsOnce)
    }

    /// The next such call is done, and its answer lost. Counts it.
    pub(crate) fn lose_answer_once(&self, call: Call) -> Arc<AtomicUsize> {
        self.set(call, Fault::LosesItsAnswerOnce)
    }

    /// Everything works again.
    pub(crate) fn recover(&self) {
        self.fault.send_replace(None);
    }

    fn set(&self, call: Call, fault: Fault) -> Arc<AtomicUsize> {
        let hits = Arc::<AtomicUsize>::default();
        *self.hits.lock().unwrap() = Arc::clone(&hits);
        self.fault.send_replace(Some((call, fault)));
        hits
    }

    async fn suffer(&self, call: Call) -> Result<(), StoreError> {
        let fault = *self.fault.borrow();
        let Some((meant, fault)) = fault.filter(|(meant, _)| *meant == call || *meant == Call::All) else {
            return Ok(());
        };
        self.hits.lock().unwrap().fetch_add(1, Ordering::SeqCst);
        match fault {
            Fault::Hangs => {
                let mut fault = self.fault.subscribe();
                fault.wait_for(Option::is_none).await.expect("the store is still here");
                Ok(())
            }
            Fault::IsUnavailable => Err(StoreError::Unavailable(format!("{meant:?} is refused").into())),
            Fault::FailsOnce => {
                self.recover();
                Err(StoreError::Failed("a value can't be kept".into()))
            }
            Fault::LosesItsAnswerOnce => {
                self.recover();
                Err(StoreError::Unavailable("the connection broke".into()))
            }
            Fault::PanicsOnce => {
                self.recover();
                panic!("a mistake")
            }
        }
    }
}

#[async_trait]
impl Store for Faulty {
    async fn accept(&self, batch: &[NewEvent]) -> Result<Vec<Acceptance>, StoreError> {
        self.inner.accept(batch).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        self.suffer(Call::Claim).await?;
        self.inner.claim(claim).await
    }

    async fn renew(&self, leases: &[Lease], until: Timestamp) -> Result<Vec<Lease>, StoreError> {
        self.suffer(Call::Renew).await?;
        self.inner.renew(leases, until).await
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<bool>, StoreError> {
        let loses_answer = *self.fault.borrow() == Some((Call::Settle, Fault::LosesItsAnswerOnce));
        if loses_answer {
            self.inner.settle(settlements).await?;
        }
        self.suffer(Call::Settle).await?;
        self.inner.settle(settlements).await
    }

    fn work_signal(&self) -> watch::Receiver<u64> {
        self.inner.work_signal()
    }

    async fn replay(&self, id: DeliveryId, now: Timestamp) -> Result<Option<Delivery>, StoreError> {
        self.inner.replay(id, now).await
    }

    async fn resolve(
        &self,
        id: DeliveryId,
        note: &str,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        self.inner.resolve(id, note, now).await
    }

    async fn count_closed(&self, filter: &DeliveryFilter, by: Timestamp) -> Result<Option<u64>, StoreError> {
        self.inner.count_closed(filter, by).await
    }

    async fn add_replay(&self, replay: &Replay) -> Result<(), StoreError> {
        self.inner.add_replay(replay).await
    }

    async fn replays(&self, page: PageRequest<ReplayId>) -> Result<Vec<Replay>, StoreError> {
        self.inner.replays(page).await
    }

    async fn one_replay(&self, id: ReplayId) -> Result<Option<Replay>, StoreError> {
        self.inner.one_replay(id).await
    }

    async fn cancel_replay(&self, id: ReplayId, now: Timestamp) -> Result<Option<Replay>, StoreError> {
        self.inner.cancel_replay(id, now).await
    }

    async fn lease_replays(&self, lease: &ReplayLease) -> Result<Vec<Replay>, StoreError> {
        self.inner.lease_replays(lease).await
    }

    async fn reopen(&self, portion: &Portion) -> Result<Option<Reopened>, StoreError> {
        self.inner.reopen(portion).await
    }

    async fn queue(&self, queue: &QueueRef) -> Result<Option<Queue>, StoreError> {
        self.inner.queue(queue).await
    }

    async fn note_activity(
        &self,
        slot: Timestamp,
        noted: &[Activity],
        forget_before: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.note_activity(slot, noted, forget_before).await
    }

    async fn activity(&self, since: Timestamp) -> Result<Vec<Activity>, StoreError> {
        self.inner.activity(since).await
    }

    async fn pause(&self, handler: &str, now: Timestamp) -> Result<Timestamp, StoreError> {
        self.inner.pause(handler, now).await
    }

    async fn resume(&self, handler: &str) -> Result<bool, StoreError> {
        self.inner.resume(handler).await
    }

    async fn paused(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.inner.paused().await
    }

    async fn events(
        &self,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Vec<EventRecord>, StoreError> {
        self.inner.events(filter, page).await
    }

    async fn event(&self, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        self.inner.event(id).await
    }

    async fn contents(&self, ids: &[EventId]) -> Result<Vec<(EventId, Content)>, StoreError> {
        self.inner.contents(ids).await
    }

    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        page: PageRequest<DeliveryId>,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.inner.deliveries(filter, page).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.inner.delivery(id).await
    }

    async fn attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        self.inner.attempts(id).await
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        self.inner.backlog().await
    }

    async fn oldest_open(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.inner.oldest_open().await
    }

    async fn in_quarantine(&self) -> Result<Vec<InQuarantine>, StoreError> {
        self.inner.in_quarantine().await
    }

    async fn quarantine(
        &self,
        batch: &[QuarantinedRequest],
        bounds: QuarantineBounds,
    ) -> Result<Vec<bool>, StoreError> {
        self.inner.quarantine(batch, bounds).await
    }

    async fn quarantined(
        &self,
        filter: &QuarantineFilter,
        page: PageRequest<QuarantineId>,
    ) -> Result<Vec<Quarantined>, StoreError> {
        self.inner.quarantined(filter, page).await
    }

    async fn quarantined_request(&self, id: QuarantineId) -> Result<Option<QuarantinedRequest>, StoreError> {
        self.inner.quarantined_request(id).await
    }

    async fn oldest_quarantined(
        &self,
        filter: &QuarantineFilter,
        after: Option<QuarantineId>,
        at_most: u32,
    ) -> Result<Vec<QuarantinedRequest>, StoreError> {
        self.inner.oldest_quarantined(filter, after, at_most).await
    }

    async fn forget_quarantined(&self, ids: &[QuarantineId]) -> Result<u64, StoreError> {
        self.inner.forget_quarantined(ids).await
    }

    async fn empty_quarantine(&self, filter: &QuarantineFilter, at_most: u32) -> Result<u64, StoreError> {
        self.inner.empty_quarantine(filter, at_most).await
    }

    async fn add_token(&self, token: &NewToken) -> Result<(), StoreError> {
        self.inner.add_token(token).await
    }

    async fn token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError> {
        self.inner.token(digest).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.inner.tokens().await
    }

    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError> {
        self.inner.revoke_token(name).await
    }

    async fn note_token_uses(&self, uses: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        self.inner.note_token_uses(uses).await
    }

    async fn note_secret_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        self.inner.note_secret_uses(uses).await
    }

    async fn secret_uses(&self) -> Result<Vec<SecretUse>, StoreError> {
        self.inner.secret_uses().await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.inner.check().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
