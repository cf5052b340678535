//! The watchdog: whether Podium still sends, and whether anything comes.
//!
//! One process at a time looks, at what is registered and at when each source was last heard of, and keeps what it knows in a
//! note; all processes show what it has found. What it decides is in `judge` alone, without a clock and without asking.

mod heard;
mod judge;
mod state;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::judge::{Act, Known, judge};
use self::state::State;
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
    let mut is_new_here = true;
    while !stop.is_cancelled() {
        let turn = surviving("the watchdog", watchdog.turn(token, &mut is_new_here));
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
    async fn turn(&self, token: LeaseToken, is_new_here: &mut bool) -> Result<(), UpkeepError> {
        let now = self.clock.now();
        let until = now.checked_add(LEASE).unwrap_or(now);
        let is_ours = self.notes.lease_task(NOTE, token, now, until).await?;
        let (mut state, version) = State::read(&*self.notes).await?;
        if is_ours {
            if std::mem::take(is_new_here) {
                self.repair_after_absence(&state, now);
            }
            self.look(&mut state, version, now).await?;
        }
        self.show(&state.findings);
        Ok(())
    }

    async fn look(&self, state: &mut State, version: u64, now: Timestamp) -> Result<(), UpkeepError> {
        let before = state.clone();
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
                        // Looked at again at once: it may have been disabled for a reason that is still there.
                        state.checked_at = None;
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

    /// On request, reads back what was missed while nobody was here.
    fn repair_after_absence(&self, state: &State, now: Timestamp) {
        let (Some(after), Some(alive_at), Some(repair)) =
            (self.config.repair_after, state.alive_at, self.repair.clone())
        else {
            return;
        };
        if heard::since(alive_at, now) < after {
            return;
        }
        tracing::info!(since = %alive_at, "nobody was here: what was missed is read back from Podium");
        tokio::spawn(async move {
            match repair.run(alive_at, false, |_| {}).await {
                Ok(summary) => tracing::info!(missed = summary.missed(), "what was missed is read back"),
                Err(error) => tracing::error!(error = %Chain(&error), "what was missed can't be read back"),
            }
        });
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

/// What Podium's answer is for the watchdog: a step for each webhook, or why there is none.
type Registered = Result<Vec<super::registrations::Planned>, UpkeepError>;

/// Why Podium can't be asked, as a person should know it; none when it will be possible by itself.
fn needs_a_person(error: &UpkeepError) -> bool {
    match error {
        UpkeepError::Podium(error) => !ClientError::is_passing(error),
        _ => false,
    }
}

/// Whether the step is one that the watchdog sees to itself.
fn is_disabled(step: &Step) -> bool {
    matches!(step, Step::Change { changes, .. } if changes.disabled)
}
