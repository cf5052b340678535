//! The store in SQLite: one file, one process, nothing to install.

mod accept;
mod activity;
mod batch;
mod claim;
mod connect;
mod control;
mod lock;
mod feed;
mod forgetting;
mod map;
mod mirror;
mod moving;
mod notes;
mod quarantine;
mod read;
mod replays;
mod resources;
mod secrets;
mod sql;
mod statistics;
mod tokens;
mod work;

pub use lock::ServerLock;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqlitePool;
use tokio::sync::{mpsc, watch};

use super::work_signal::WorkSignal;
use super::{
    Acceptance, Claim, Claimed, ForgettingStore, Forgotten, Lease, LeaseToken, MirrorLease, MirrorStore,
    Mirrored, MovingStore, Note, NoteStore, PoolUse, Portion, QueueRef, Reached, Rebuilding, Record,
    Reopened, ReplayLease, Settlement, Store, StoreError, Unmirrored,
};
use crate::model::{
    Activity, Attempt, Backlog, Content, Delivery, DeliveryFilter, DeliveryId, EventFilter, EventId,
    EventRecord, Forgettable, InQuarantine, MirrorStatus, NewEvent, NewToken, PageRequest, Place,
    QuarantineBounds, QuarantineFilter, QuarantineId, Quarantined, QuarantinedRequest, Queue, Replay,
    ReplayId, Resource, ResourceFilter, ResourceKind, SecretUse, SkippedEvent, Statistics, Token,
    TokenDigest, TokenId,
};

/// Everything that Lectern remembers, in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    /// One connection: SQLite takes one writer at a time, so they queue here and not at the file.
    writer: SqlitePool,
    /// For what the API looks up and lists.
    readers: SqlitePool,
    /// For claims: they never wait for what somebody lists.
    claim_readers: SqlitePool,
    work: WorkSignal,
}

#[async_trait]
impl Store for SqliteStore {
    async fn accept(&self, batch: &[NewEvent]) -> Result<Vec<Acceptance>, StoreError> {
        let answers = accept::accept(&self.writer, batch).await?;
        self.work.announce_new(&answers);
        Ok(answers)
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        Ok(claim::claim(&self.writer, &self.claim_readers, claim).await?)
    }

    async fn renew(&self, leases: &[Lease], until: Timestamp) -> Result<Vec<Lease>, StoreError> {
        Ok(work::renew(&self.writer, leases, until).await?)
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<bool>, StoreError> {
        Ok(work::settle(&self.writer, settlements).await?)
    }

    fn work_signal(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    async fn replay(&self, id: DeliveryId, now: Timestamp) -> Result<Option<Delivery>, StoreError> {
        let replayed = work::replay(&self.writer, id, now).await?;
        self.work.announce();
        Ok(replayed)
    }

    async fn resolve(
        &self,
        id: DeliveryId,
        note: &str,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let resolved = work::resolve(&self.writer, id, note, now).await?;
        self.work.announce();
        Ok(resolved)
    }

    async fn count_closed(&self, filter: &DeliveryFilter, by: Timestamp) -> Result<Option<u64>, StoreError> {
        Ok(replays::count_closed(&self.readers, filter, by).await?)
    }

    async fn add_replay(&self, replay: &Replay) -> Result<(), StoreError> {
        Ok(replays::add(&self.writer, replay).await?)
    }

    async fn replays(&self, page: PageRequest<ReplayId>) -> Result<Vec<Replay>, StoreError> {
        Ok(replays::list(&self.readers, page).await?)
    }

    async fn one_replay(&self, id: ReplayId) -> Result<Option<Replay>, StoreError> {
        Ok(replays::one(&self.readers, id).await?)
    }

    async fn cancel_replay(&self, id: ReplayId, now: Timestamp) -> Result<Option<Replay>, StoreError> {
        Ok(replays::cancel(&self.writer, id, now).await?)
    }

    async fn lease_replays(&self, lease: &ReplayLease) -> Result<Vec<Replay>, StoreError> {
        Ok(replays::lease(&self.writer, &self.claim_readers, lease).await?)
    }

    async fn reopen(&self, portion: &Portion) -> Result<Option<Reopened>, StoreError> {
        let reopened = replays::reopen(&self.writer, portion).await?;
        if reopened.as_ref().is_some_and(|reopened| reopened.number > 0) {
            self.work.announce();
        }
        Ok(reopened)
    }

    async fn pause(&self, handler: &str, now: Timestamp) -> Result<Timestamp, StoreError> {
        Ok(control::pause(&self.writer, handler, now).await?)
    }

    async fn resume(&self, handler: &str) -> Result<bool, StoreError> {
        let resumed = control::resume(&self.writer, handler).await?;
        self.work.announce();
        Ok(resumed)
    }

    async fn paused(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        Ok(control::all(&self.readers).await?)
    }

    async fn events(
        &self,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Vec<EventRecord>, StoreError> {
        Ok(read::events(&self.readers, filter, page).await?)
    }

    async fn event(&self, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        Ok(read::event(&self.readers, id).await?)
    }

    async fn contents(&self, ids: &[EventId]) -> Result<Vec<(EventId, Content)>, StoreError> {
        Ok(read::contents(&self.readers, ids).await?)
    }

    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        page: PageRequest<DeliveryId>,
    ) -> Result<Vec<Delivery>, StoreError> {
        Ok(read::deliveries(&self.readers, filter, page).await?)
    }

    async fn queue(&self, queue: &QueueRef) -> Result<Option<Queue>, StoreError> {
        Ok(read::queue(&self.readers, queue).await?)
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        Ok(read::delivery(&self.readers, id).await?)
    }

    async fn attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        Ok(read::attempts(&self.readers, id).await?)
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        Ok(read::backlog(&self.readers).await?)
    }

    async fn oldest_open(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        Ok(read::oldest_open(&self.readers).await?)
    }

    async fn note_activity(
        &self,
        slot: Timestamp,
        noted: &[Activity],
        forget_before: Timestamp,
    ) -> Result<(), StoreError> {
        Ok(activity::note(&self.writer, slot, noted, forget_before).await?)
    }

    async fn activity(&self, since: Timestamp) -> Result<Vec<Activity>, StoreError> {
        Ok(activity::since(&self.readers, since).await?)
    }

    async fn quarantine(
        &self,
        batch: &[QuarantinedRequest],
        bounds: QuarantineBounds,
    ) -> Result<Vec<bool>, StoreError> {
        Ok(quarantine::keep(&self.writer, batch, bounds).await?)
    }

    async fn quarantined(
        &self,
        filter: &QuarantineFilter,
        page: PageRequest<QuarantineId>,
    ) -> Result<Vec<Quarantined>, StoreError> {
        Ok(quarantine::list(&self.readers, filter, page).await?)
    }

    async fn quarantined_request(&self, id: QuarantineId) -> Result<Option<QuarantinedRequest>, StoreError> {
        Ok(quarantine::one(&self.readers, id).await?)
    }

    async fn oldest_quarantined(
        &self,
        filter: &QuarantineFilter,
        after: Option<QuarantineId>,
        at_most: u32,
    ) -> Result<Vec<QuarantinedRequest>, StoreError> {
        Ok(quarantine::oldest(&self.readers, filter, after, at_most).await?)
    }

    async fn in_quarantine(&self) -> Result<Vec<InQuarantine>, StoreError> {
        Ok(quarantine::count(&self.readers).await?)
    }

    async fn forget_quarantined(&self, ids: &[QuarantineId]) -> Result<u64, StoreError> {
        Ok(quarantine::forget(&self.writer, ids).await?)
    }

    async fn empty_quarantine(&self, filter: &QuarantineFilter, at_most: u32) -> Result<u64, StoreError> {
        Ok(quarantine::empty(&self.writer, filter, at_most).await?)
    }

    async fn add_token(&self, token: &NewToken) -> Result<(), StoreError> {
        tokens::add(&self.writer, token).await
    }

    async fn token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError> {
        Ok(tokens::by_digest(&self.readers, digest).await?)
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        Ok(tokens::all(&self.readers).await?)
    }

    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError> {
        Ok(tokens::revoke(&self.writer, name).await?)
    }

    async fn note_token_uses(&self, uses: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        Ok(tokens::note(&self.writer, uses).await?)
    }

    async fn note_secret_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        Ok(secrets::note(&self.writer, uses).await?)
    }

    async fn secret_uses(&self) -> Result<Vec<SecretUse>, StoreError> {
        Ok(secrets::all(&self.readers).await?)
    }

    fn connections(&self) -> PoolUse {
        PoolUse::of(&[&self.writer, &self.readers, &self.claim_readers])
    }

    async fn check(&self) -> Result<(), StoreError> {
        connect::check(&self.writer, &self.claim_readers).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.claim_readers.close().await;
        // The last one to leave folds the write-ahead log into the file.
        self.writer.close().await;
    }
}

#[async_trait]
impl MirrorStore for SqliteStore {
    async fn lease_mirror(&self, lease: &MirrorLease) -> Result<bool, StoreError> {
        Ok(mirror::lease(&self.writer, lease).await?)
    }

    async fn unmirrored(&self, at_most: u32) -> Result<Vec<Unmirrored>, StoreError> {
        Ok(mirror::unmirrored(&self.claim_readers, at_most).await?)
    }

    async fn mirror(&self, mirrored: &Mirrored) -> Result<bool, StoreError> {
        Ok(mirror::mirror(&self.writer, mirrored).await?)
    }

    async fn begin_rebuild(&self, now: Timestamp) -> Result<(), StoreError> {
        Ok(mirror::begin_rebuild(&self.writer, &self.readers, now).await?)
    }

    async fn to_rebuild(&self, at_most: u32) -> Result<Option<Rebuilding>, StoreError> {
        Ok(mirror::to_rebuild(&self.claim_readers, at_most).await?)
    }

    async fn end_rebuild(
        &self,
        token: LeaseToken,
        after: EventId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(mirror::end_rebuild(&self.writer, token, after, now).await?)
    }

    async fn feed(&self, after: u64, at_most: u32) -> Result<Vec<(u64, EventRecord)>, StoreError> {
        Ok(feed::after(&self.readers, after, at_most).await?)
    }

    async fn feed_end(&self) -> Result<u64, StoreError> {
        Ok(feed::end(&self.readers).await?)
    }

    async fn statistics(&self, from: Timestamp, before: Timestamp) -> Result<Statistics, StoreError> {
        Ok(statistics::between(&self.readers, from, before).await?)
    }

    async fn mirror_status(&self) -> Result<MirrorStatus, StoreError> {
        Ok(mirror::status(&self.readers).await?)
    }

    async fn skipped(&self, page: PageRequest<EventId>) -> Result<Vec<SkippedEvent>, StoreError> {
        Ok(mirror::skipped(&self.readers, page).await?)
    }

    async fn resources(
        &self,
        kind: ResourceKind,
        filter: &ResourceFilter,
        page: PageRequest<Place>,
    ) -> Result<Vec<Resource>, StoreError> {
        Ok(resources::list(&self.readers, kind, filter, page).await?)
    }

    async fn resources_by_uid(
        &self,
        kind: ResourceKind,
        uids: &[String],
    ) -> Result<Vec<Resource>, StoreError> {
        Ok(resources::by_uid(&self.readers, kind, uids).await?)
    }

    async fn merged_uids(&self, kind: ResourceKind, uid: &str) -> Result<Vec<String>, StoreError> {
        Ok(resources::merged_uids(&self.readers, kind, uid).await?)
    }

    async fn events_of(
        &self,
        kind: ResourceKind,
        uid: &str,
        page: PageRequest<EventId>,
    ) -> Result<Vec<EventRecord>, StoreError> {
        Ok(resources::events_of(&self.readers, kind, uid, page).await?)
    }
}

#[async_trait]
impl NoteStore for SqliteStore {
    async fn note(&self, name: &str) -> Result<Option<Note>, StoreError> {
        Ok(notes::one(&self.readers, name).await?)
    }

    async fn notes_under(&self, prefix: &str) -> Result<Vec<(String, Note)>, StoreError> {
        Ok(notes::under(&self.readers, prefix).await?)
    }

    async fn write_note(
        &self,
        name: &str,
        content: &[u8],
        version: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(notes::write(&self.writer, name, content, version, now).await?)
    }

    async fn erase_note(&self, name: &str, version: u64) -> Result<bool, StoreError> {
        Ok(notes::erase(&self.writer, name, version).await?)
    }

    async fn lease_task(
        &self,
        name: &str,
        token: LeaseToken,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(notes::lease(&self.writer, name, token, now, until).await?)
    }
}

#[async_trait]
impl ForgettingStore for SqliteStore {
    async fn make_ready(&self, _from: Timestamp, _until: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn forget_before(
        &self,
        what: Forgettable,
        from: Reached,
        before: Timestamp,
        at_most: u32,
    ) -> Result<Forgotten, StoreError> {
        Ok(forgetting::forget_before((&self.readers, &self.writer), what, from, before, at_most).await?)
    }

    async fn count_before(&self, what: Forgettable, before: Timestamp) -> Result<u64, StoreError> {
        Ok(forgetting::count_before(&self.readers, what, before).await?)
    }

    async fn forget_contents(&self, ids: &[EventId]) -> Result<Vec<EventId>, StoreError> {
        Ok(forgetting::forget_contents(&self.writer, ids).await?)
    }

    async fn forget_resources(&self, resources: &[(ResourceKind, String)]) -> Result<u64, StoreError> {
        Ok(forgetting::forget_resources(&self.writer, resources).await?)
    }

    async fn leave_nothing(&self) -> Result<bool, StoreError> {
        Ok(forgetting::leave_nothing(&self.writer).await?)
    }
}

#[async_trait]
impl MovingStore for SqliteStore {
    async fn is_known(&self) -> Result<bool, StoreError> {
        Ok(connect::is_known(&self.readers).await?)
    }

    async fn export(&self, to: mpsc::Sender<Record>) -> Result<(), StoreError> {
        Ok(moving::export(&self.readers, to).await?)
    }

    async fn import(&self, records: &[Record]) -> Result<(), StoreError> {
        Ok(moving::import(&self.writer, records).await?)
    }

    async fn end_import(&self) -> Result<(), StoreError> {
        Ok(moving::end_import(&self.writer).await?)
    }
}
