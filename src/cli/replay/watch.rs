//! Watching a replay, which goes on whether or not anybody does.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, sleep};

use super::deliveries;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::model::{Replay, ReplayState};
use crate::store::{Store, StoreError};

/// How often to look.
const EVERY: Duration = Duration::from_millis(300);

/// When a replay that has not begun by then is told to wait for a server.
const SOON: Duration = Duration::from_secs(5);

/// Shows how far it is until it has ended, or until Ctrl-C.
pub(super) async fn until_it_ends(replay: &Replay, store: &dyn Store) -> Result<(), Failure> {
    let id = replay.id;
    output::line_if_read(format_args!(
        "The replay {id} of {} begins, {} a second.",
        deliveries(replay.matched),
        replay.rate
    ))?;
    let bar = bar(replay.matched);
    let watched = tokio::select! {
        watched = watch(replay, store, &bar) => Some(watched?),
        _ = tokio::signal::ctrl_c() => None,
    };
    bar.finish_and_clear();
    match watched {
        None => output::line_if_read(format_args!("It goes on. To call it off: lectern replays cancel {id}")),
        Some(ended) if ended.state == ReplayState::Cancelled => {
            Err(Failure::failed(format!("the replay was cancelled after {}", deliveries(ended.replayed))))
        }
        Some(ended) => output::line_if_read(format_args!(
            "{} replayed: their handlers do them again.",
            deliveries(ended.replayed)
        )),
    }
}

async fn watch(begun: &Replay, store: &dyn Store, bar: &ProgressBar) -> Result<Replay, Failure> {
    let since = Instant::now();
    let mut told = false;
    loop {
        match store.one_replay(begun.id).await {
            Ok(Some(replay)) if replay.state != ReplayState::Running => return Ok(replay),
            Ok(Some(replay)) => {
                bar.set_position(replay.replayed);
                if replay.replayed == 0 && since.elapsed() > SOON && !std::mem::replace(&mut told, true) {
                    output::complain("No server has replayed anything yet: it begins when one runs.");
                }
            }
            Ok(None) => return Err(Failure::failed("the replay is gone")),
            // The servers wait for the database, too.
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => return Err(error.into()),
        }
        sleep(EVERY).await;
    }
}

fn bar(matched: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {per_sec}, {eta} left");
    // Without a terminal, indicatif draws nothing.
    ProgressBar::with_draw_target(Some(matched), ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
