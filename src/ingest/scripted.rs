//! A store for tests that refuses what it is told to.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::model::{
    Activity, Attempt, Backlog, Content, Delivery, DeliveryFilter, DeliveryId, EventFilter, EventId,
    EventRecord, InQuarantine, NewEvent, NewToken, PageRequest, QuarantineBounds, QuarantineFilter,
    QuarantineId, Quarantined, QuarantinedRequest, Queue, Replay, ReplayId, SecretUse, Token, TokenDigest,
    TokenId,
};
use crate::store::{
    Acceptance, Claim, Claimed, Lease, Portion, QueueRef, Reopened, ReplayLease, Settlement, Store,
    StoreError,
};

/// It keeps the names of the events that it accepted, in their order.
#[derive(Default)]
pub(super) struct Scripted {
    accepted: Mutex<Vec<String>>,
    refused: Mutex<HashSet<String>>,
}

impl Scripted {
    /// From now on it refuses these events, and every batch that has one of them.
    pub(super) fn refuse(&self, names: &[&str]) {
        *self.refused.lock().unwrap() = names.iter().map(|name| (*name).to_owned()).collect();
    }

    pub(super) fn accepted(&self) -> MutexGuard<'_, Vec<String>> {
        self.accepted.lock().unwrap()
    }
}

#[async_trait]
impl Store for Scripted {
    async fn accept(&self, batch: &[NewEvent]) -> Result<Vec<Acceptance>, StoreError> {
        let name = |event: &NewEvent| event.record.event_uid.clone().unwrap();
        if batch.iter().any(|event| self.refused.lock().unwrap().contains(&name(event))) {
            return Err(StoreError::Failed("one of them is refused".into()));
        }
        let mut accepted = self.accepted();
        let mut accept = |event: &NewEvent| {
            if accepted.contains(&name(event)) {
                return Acceptance::Duplicate(event.record.id);
            }
            accepted.push(name(event));
            Acceptance::Accepted(event.record.id)
        };
        Ok(batch.iter().map(&mut accept).collect())
    }

    // None of what follows is ever asked.

    async fn claim(&self, _: &Claim) -> Result<Claimed, StoreError> {
        nobody_asks()
    }

    async fn renew(&self, _: &[Lease], _: Timestamp) -> Result<Vec<Lease>, StoreError> {
        nobody_asks()
    }

    async fn settle(&self, _: &[Settlement]) -> Result<Vec<bool>, StoreError> {
        nobody_asks()
    }

    fn work_signal(&self) -> watch::Receiver<u64> {
        watch::Sender::default().subscribe()
    }

    async fn replay(&self, _: DeliveryId, _: Timestamp) -> Result<Option<Delivery>, StoreError> {
        nobody_asks()
    }

    async fn resolve(&self, _: DeliveryId, _: &str, _: Timestamp) -> Result<Option<Delivery>, StoreError> {
        nobody_asks()
    }

    async fn count_closed(&self, _: &DeliveryFilter, _: Timestamp) -> Result<Option<u64>, StoreError> {
        nobody_asks()
    }

    async fn add_replay(&self, _: &Replay) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn replays(&self, _: PageRequest<ReplayId>) -> Result<Vec<Replay>, StoreError> {
        nobody_asks()
    }

    async fn one_replay(&self, _: ReplayId) -> Result<Option<Replay>, StoreError> {
        nobody_asks()
    }

    async fn cancel_replay(&self, _: ReplayId, _: Timestamp) -> Result<Option<Replay>, StoreError> {
        nobody_asks()
    }

    async fn lease_replays(&self, _: &ReplayLease) -> Result<Vec<Replay>, StoreError> {
        nobody_asks()
    }

    async fn reopen(&self, _: &Portion) -> Result<Option<Reopened>, StoreError> {
        nobody_asks()
    }

    async fn queue(&self, _: &QueueRef) -> Result<Option<Queue>, StoreError> {
        nobody_asks()
    }

    async fn note_activity(&self, _: Timestamp, _: &[Activity], _: Timestamp) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn activity(&self, _: Timestamp) -> Result<Vec<Activity>, StoreError> {
        nobody_asks()
    }

    async fn pause(&self, _: &str, _: Timestamp) -> Result<Timestamp, StoreError> {
        nobody_asks()
    }

    async fn resume(&self, _: &str) -> Result<bool, StoreError> {
        nobody_asks()
    }

    async fn paused(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        nobody_asks()
    }

    async fn events(&self, _: &EventFilter, _: PageRequest<EventId>) -> Result<Vec<EventRecord>, StoreError> {
        nobody_asks()
    }

    async fn event(&self, _: EventId) -> Result<Option<EventRecord>, StoreError> {
        nobody_asks()
    }

    async fn contents(&self, _: &[EventId]) -> Result<Vec<(EventId, Content)>, StoreError> {
        nobody_asks()
    }

    async fn deliveries(
        &self,
        _: &DeliveryFilter,
        _: PageRequest<DeliveryId>,
    ) -> Result<Vec<Delivery>, StoreError> {
        nobody_asks()
    }

    async fn delivery(&self, _: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        nobody_asks()
    }

    async fn attempts(&self, _: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        nobody_asks()
    }

    async fn oldest_open(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        nobody_asks()
    }

    async fn in_quarantine(&self) -> Result<Vec<InQuarantine>, StoreError> {
        nobody_asks()
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        nobody_asks()
    }

    async fn quarantine(
        &self,
        _: &[QuarantinedRequest],
        _: QuarantineBounds,
    ) -> Result<Vec<bool>, StoreError> {
        nobody_asks()
    }

    async fn quarantined(
        &self,
        _: &QuarantineFilter,
        _: PageRequest<QuarantineId>,
    ) -> Result<Vec<Quarantined>, StoreError> {
        nobody_asks()
    }

    async fn quarantined_request(&self, _: QuarantineId) -> Result<Option<QuarantinedRequest>, StoreError> {
        nobody_asks()
    }

    async fn oldest_quarantined(
        &self,
        _: &QuarantineFilter,
        _: Option<QuarantineId>,
        _: u32,
    ) -> Result<Vec<QuarantinedRequest>, StoreError> {
        nobody_asks()
    }

    async fn forget_quarantined(&self, _: &[QuarantineId]) -> Result<u64, StoreError> {
        nobody_asks()
    }

    async fn empty_quarantine(&self, _: &QuarantineFilter, _: u32) -> Result<u64, StoreError> {
        nobody_asks()
    }

    async fn note_secret_uses(&self, _: &[SecretUse]) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn secret_uses(&self) -> Result<Vec<SecretUse>, StoreError> {
        nobody_asks()
    }

    async fn add_token(&self, _: &NewToken) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn token(&self, _: &TokenDigest) -> Result<Option<Token>, StoreError> {
        nobody_asks()
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        nobody_asks()
    }

    async fn revoke_token(&self, _: &str) -> Result<bool, StoreError> {
        nobody_asks()
    }

    async fn note_token_uses(&self, _: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}

fn nobody_asks<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("this store only accepts".into()))
}
