//! Watching a replay, which goes on whether or not anybody does.

use super::{MANY, deliveries};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::progress::{self, Step};
use crate::model::{Replay, ReplayState};
use crate::store::Store;

/// What is said when it does not go on.
const STANDING: &str = "No server has replayed anything for some seconds: it goes on when one runs.";

/// Shows how far it is until it has ended, or until Ctrl-C.
pub(super) async fn until_it_ends(replay: &Replay, store: &dyn Store) -> Result<(), Failure> {
    let id = replay.id;
    output::line_if_read(format_args!(
        "The replay {id} of {} begins, {} a second.",
        replay.matched.map_or_else(|| MANY.to_owned(), deliveries),
        replay.rate
    ))?;
    let watched = progress::until_it_ends(STANDING, async || {
        Ok(match store.one_replay(id).await? {
            Some(replay) if replay.state == ReplayState::Running => {
                Step::At { done: replay.replayed, of: replay.matched }
            }
            ended => Step::Over(ended),
        })
    })
    .await?;
    match watched {
        None => output::line_if_read(format_args!("It goes on. To call it off: lectern replays cancel {id}")),
        Some(None) => Err(Failure::failed("the replay is gone")),
        Some(Some(ended)) if ended.state == ReplayState::Cancelled => {
            Err(Failure::failed(format!("the replay was cancelled after {}", deliveries(ended.replayed))))
        }
        Some(Some(ended)) => output::line_if_read(format_args!(
            "{} replayed: their handlers do them again.",
            deliveries(ended.replayed)
        )),
    }
}
