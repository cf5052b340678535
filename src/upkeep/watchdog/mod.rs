//! The watchdog: whether Podium still sends, and whether anything comes.
//!
//! One process at a time looks, at what is registered and at when each source was last heard of, and keeps what it knows in a
//! note; all processes show what it has found. What it decides is in `judge` alone, without a clock and without asking.

mod heard;
mod judge;
mod state;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::judge::{Act, Known, judge};
use self::state::State;
use super::account::AccountError;
use super::intake::{Intake, told};
use super::registrations::{Registrations, Step, UpkeepError};
use super::repair::Repair;
use crate::clock::Clock;
use crate::config::WatchdogConfig;
use crate::model::Finding;
use crate::podium::client::{ClientError, WebhookChange};
use crate::store::{LeaseToken, NoteStore, Store};
use crate::telemetry::{Chain, Trouble, metrics, surviving};

/// Where it is kept what is known.
const NOTE: &str = "podium/watchdog";

/// How often it looks whether there is something to do.
const EVERY: Duration = Duration::from_secs(5);

/// After so long without a sign of life, nobody was here.
const ABSENT: Duration = Duration::from_secs(150);

/// How soon a repair that failed is tried again.
const REPAIR_AGAIN: Duration = Duration::from_secs(5 * 60);

/// How long another process waits before it takes over.
const LEASE: Duration = Duration::from_secs(15);

/// What the watchdog needs.
pub struct Watchdog {
    /// What it is to watch for.
    pub config: WatchdogConfig,
    /// The configured sources.
    pub sources: Vec<String>,
    /// The registered webhooks; none when nobody can ask Podium.
    pub registrations: Option<Arc<Registrations>>,
    /// What reads back what was missed; none when nobody can ask Podium.
    pub repair: Option<Arc<Repair>>,
    /// When each source was last heard of.
    pub store: Arc<dyn Store>,
    /// Where it keeps what it knows.
    pub notes: Arc<dyn NoteStore>,
    /// What takes what it has to tell.
    pub intake: Arc<dyn Intake>,
    /// Where it says what it has found.
    pub findings: watch::Sender<Arc<[Finding]>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Watches until `stop` is cancelled.
pub async fn watch(watchdog: Watchdog, stop: CancellationToken) {
    let token = LeaseToken::at(watchdog.clock.now());
    let mut trouble = Trouble::default();
    let mut repairing = Repairing::default();
    while !stop.is_cancelled() {
        let turn = surviving("the watchdog", watchdog.turn(token, &mut repairing));
        let turned = tokio::select! {
            turned = turn => turned,
            () = stop.cancelled() => break,
        };
        if let Some(Err(error)) = turned
            && let Some(left_out) = trouble.due(tokio::time::Instant::now())
        {
            tracing::warn!(error = %Chain(&error), left_out, "the watchdog can't look now");
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    let now = watchdog.clock.now();
    // Where this fails, the lease ends by itself.
    let _ = watchdog.notes.lease_task(NOTE, token, now, now).await;
}

impl Watchdog {
    async fn turn(&self, token: LeaseToken, repairing: &mut Repairing) -> Result<(), UpkeepError> {
        let is_ours = self.lease(token).await?;
        let (mut state, version) = State::read(&*self.notes).await?;
        if is_ours {
            // Podium may take longer than the lease lasts.
            let look = self.look(&mut state, version, repairing);
            tokio::select! {
                looked = look => looked?,
                () = self.hold(token) => return Ok(()),
            }
        }
        self.show(&state.findings);
        Ok(())
    }

    async fn lease(&self, token: LeaseToken) -> Result<bool, UpkeepError> {
        let now = self.clock.now();
        let until = now.checked_add(LEASE).unwrap_or(now);
        Ok(self.notes.lease_task(NOTE, token, now, until).await?)
    }

    /// Prolongs the lease for as long as it can.
    async fn hold(&self, token: LeaseToken) {
        loop {
            sleep(EVERY).await;
            if matches!(self.lease(token).await, Ok(false)) {
                return;
            }
        }
    }

    async fn look(
        &self,
        state: &mut State,
        version: u64,
        repairing: &mut Repairing,
    ) -> Result<(), UpkeepError> {
        let (before, now) = (state.clone(), self.clock.now());
        let absent_since = state.alive_at.filter(|at| heard::since(*at, now) >= ABSENT);
        if let Some(since) = absent_since {
            heard::forget_pauses(state);
            let is_long = |after| heard::since(since, now) >= after;
            if self.config.repair_after.is_some_and(is_long) {
                // Owed until it is done, whoever is here by then.
                state.repair_owed_since.get_or_insert(since);
            }
        }
        self.repair(state, repairing, now);
        let uses = self.store.secret_uses().await?;
        let is_due = state.checked_at.is_none_or(|at| heard::since(at, now) >= self.config.check_every);
        let registered = match &self.registrations {
            Some(registrations) if is_due => {
                state.checked_at = Some(now);
                Some(registrations.plan().await.map(|(planned, _)| planned))
            }
            _ => None,
        };
        let known = Known { sources: &self.sources, uses: &uses, registered: registered.as_ref(), now };
        let acts = judge(state, &self.config, &known);
        state.alive_at = Some(now);
        log(&before.findings, &state.findings);
        // First what is told: whoever dies in between tells it again, under the same name.
        for act in acts {
            self.act(state, act, now).await?;
        }
        // Nothing is written anew every few seconds for the sake of the moment alone.
        if state.differs_from(&before) {
            self.write(state, version, now).await?;
        }
        Ok(())
    }

    async fn act(&self, state: &mut State, act: Act, now: Timestamp) -> Result<(), UpkeepError> {
        match act {
            Act::Tell { source, event_type, uid, data } => {
                tracing::warn!(source, event_type, %data, "the watchdog has something to tell");
                self.intake.take_in(vec![told(&source, event_type, &uid, now, data)]).await?;
            }
            Act::Enable { source, uid } => {
                let Some(registrations) = &self.registrations else { return Ok(()) };
                let enabled = registrations.client.update_webhook(&uid, &WebhookChange::enabled()).await;
                match enabled {
                    Ok(_) => {
                        // Only what Podium has done counts as a try.
                        state.sources.entry(source.clone()).or_default().enabled.push(now);
                        tracing::warn!(
                            source,
                            uid,
                            "the webhook was disabled at Podium, and is enabled again"
                        );
                    }
                    Err(error) => {
                        tracing::error!(source, uid, error = %Chain(&error), "the webhook is disabled at Podium");
                    }
                }
            }
        }
        Ok(())
    }

    /// On request, reads back what was missed while nobody was here. What fails is tried again.
    fn repair(&self, state: &mut State, repairing: &mut Repairing, now: Timestamp) {
        let (Some(since), Some(repair)) = (state.repair_owed_since, self.repair.clone()) else { return };
        match repairing.ended() {
            Some(true) => {
                state.repair_owed_since = None;
                return;
            }
            Some(false) => repairing.not_before = now.checked_add(REPAIR_AGAIN).ok(),
            None => {}
        }
        if repairing.task.is_some() || repairing.not_before.is_some_and(|at| now < at) {
            return;
        }
        tracing::info!(%since, "nobody was here: what was missed is read back from Podium");
        repairing.task = Some(tokio::spawn(async move {
            match repair.run(since, false, |_| {}).await {
                Ok(summary) => {
                    tracing::info!(missed = summary.missed(), "what was missed is read back");
                    true
                }
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "what was missed can't be read back now");
                    false
                }
            }
        }));
    }

    fn show(&self, findings: &[Finding]) {
        self.findings.send_if_modified(|shown| {
            let is_another = **shown != *findings;
            if is_another {
                *shown = findings.into();
            }
            is_another
        });
        metrics::findings(
            super::findings::FINDINGS
                .iter()
                .map(|kind| (*kind, findings.iter().filter(|finding| finding.kind == *kind).count())),
        );
    }

    async fn write(&self, state: &State, version: u64, now: Timestamp) -> Result<(), UpkeepError> {
        // Another process that took over meanwhile has written it, and knows it as well.
        self.notes.write_note(NOTE, &state.as_bytes(), version, now).await?;
        Ok(())
    }
}

/// A repair that is under way beside the looking.
#[derive(Default)]
struct Repairing {
    task: Option<JoinHandle<bool>>,
    not_before: Option<Timestamp>,
}

impl Repairing {
    /// Whether it has succeeded, once it has ended.
    fn ended(&mut self) -> Option<bool> {
        let task = self.task.take_if(|task| task.is_finished())?;
        // What it came to is there, since it has ended.
        Some(task.now_or_never().and_then(Result::ok).unwrap_or(false))
    }
}

impl Drop for Repairing {
    fn drop(&mut self) {
        // The next one goes on where it was.
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Says what is wrong now and was not before, and the other way round.
fn log(before: &[Finding], now: &[Finding]) {
    let is_in = |findings: &[Finding], one: &Finding| {
        findings.iter().any(|other| (&other.kind, &other.source) == (&one.kind, &one.source))
    };
    for Finding { kind, source, detail, .. } in now.iter().filter(|finding| !is_in(before, finding)) {
        tracing::warn!(kind, source, detail, "the watchdog has found something");
    }
    for Finding { kind, source, .. } in before.iter().filter(|finding| !is_in(now, finding)) {
        tracing::info!(kind, source, "what the watchdog had found is over");
    }
}

/// What Podium's answer is for the watchdog: a step for each webhook, or why there is none.
type Registered = Result<Vec<super::registrations::Planned>, UpkeepError>;

/// Why Podium can't be asked, as a person should know it; none when it will be possible by itself.
fn needs_a_person(error: &UpkeepError) -> bool {
    match error {
        UpkeepError::Podium(error) => !ClientError::is_passing(error),
        // Sealed with another key.
        UpkeepError::Account(AccountError::NotSealed(_)) => true,
        _ => false,
    }
}

/// Whether the step is one that the watchdog sees to itself.
fn is_disabled(step: &Step) -> bool {
    matches!(step, Step::Change { changes, .. } if changes.disabled)
}
