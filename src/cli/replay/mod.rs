//! `lectern replay`.

mod watch;

use std::num::NonZeroU32;

use clap::{ArgGroup, Args};
use jiff::Timestamp;

use super::duration::duration;
use super::failure::Failure;
use super::resolve::{id, missing};
use super::{beside, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Loaded;
use crate::model::{DeliveryFilter, DeliveryId, EventFilter, EventId, Replay, TypePattern};
use crate::store::Store;

/// Who asked for the replay, where a token has its name.
const ASKER: &str = "(command line)";

#[derive(Args)]
#[command(
    after_long_help = EXAMPLES,
    group = ArgGroup::new("what").required(true).multiple(true).args([
        "delivery", "handler", "types", "source", "location", "conversation", "event", "since", "until",
    ])
)]
pub(super) struct Arguments {
    /// The id of one delivery, whatever its state
    #[arg(value_parser = id)]
    #[arg(conflicts_with_all = [
        "handler", "types", "source", "location", "conversation", "event", "since", "until", "all", "dry_run", "rate",
    ])]
    delivery: Option<DeliveryId>,

    /// Only deliveries of this handler
    #[arg(long, value_name = "NAME")]
    handler: Option<String>,
    /// Only those of events whose type fits, such as `message.*`
    #[arg(long = "type", value_name = "PATTERN")]
    types: Option<TypePattern>,
    /// Only those of events that came in by this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only those of events of this location
    #[arg(long, value_name = "UID")]
    location: Option<String>,
    /// Only those of events of this conversation
    #[arg(long, value_name = "UID")]
    conversation: Option<String>,
    /// Only those of this event
    #[arg(long, value_name = "ID")]
    event: Option<EventId>,
    /// Only those of events received since then: `12h` ago, or 2026-11-22T09:30:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Only those of events received before then
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,

    /// Those that are done, too, and not only dead ones
    #[arg(long)]
    all: bool,
    /// Only say how many there are
    #[arg(long)]
    dry_run: bool,
    /// How many deliveries a second, up to 1000
    #[arg(long, value_name = "N", default_value = "50", value_parser = rate)]
    rate: NonZeroU32,
}

/// So many that nobody knows how many.
const MANY: &str = "more deliveries than can be counted in time";

const EXAMPLES: &str = "\
Examples:
  One delivery:
    lectern replay 01a2027b-da68-7001-9a3c-4b1d5e76f0ab
  How many were given up for the crm since last night, and then all of them:
    lectern replay --handler crm --since 12h --dry-run
    lectern replay --handler crm --since 12h
  Everything of one hour again, what was done too:
    lectern replay --handler archive --since 2026-11-22T09:00:00Z --until 2026-11-22T10:00:00Z --all

The servers replay, oldest first; Ctrl-C ends only the watching. `lectern replays` lists replays and calls them off.";

/// Replays one delivery, or all that the flags fit.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let store = beside::store(loaded).await?;
    let done = match arguments.delivery {
        Some(id) => one(id, &*store).await,
        None => many(arguments, &*store).await,
    };
    store.close().await;
    done
}

async fn one(id: DeliveryId, store: &dyn Store) -> Result<(), Failure> {
    let delivery = store.replay(id, SystemClock.now()).await?.ok_or_else(|| missing(id))?;
    output::line(format_args!(
        "The delivery {id} is open: the handler `{}` does it again, the next time that a server looks (every \
         `dispatch.poll_interval`). Where its conversation is being worked on, or waits for a retry of another, it \
         comes when that is due.",
        delivery.handler
    ))
}

async fn many(arguments: &Arguments, store: &dyn Store) -> Result<(), Failure> {
    let filter = Replay::narrowed(arguments.filter(), !arguments.all)
        .ok_or_else(|| Failure::usage("only closed deliveries are replayed"))?;
    let now = SystemClock.now();
    let matched = store.count_closed(&filter, now).await?;
    if arguments.dry_run {
        let matched = matched.map_or_else(|| MANY.to_owned(), deliveries);
        return output::line(format_args!("{matched} would be replayed."));
    }
    if matched == Some(0) {
        let none = if arguments.all { "No closed delivery matches" } else { "No dead delivery matches" };
        return output::line(format_args!("{none}: there is nothing to replay."));
    }
    let replay = Replay::new(filter, arguments.rate.get(), matched, ASKER.to_owned(), now);
    store.add_replay(&replay).await?;
    watch::until_it_ends(&replay, store).await
}

impl Arguments {
    fn filter(&self) -> DeliveryFilter {
        DeliveryFilter {
            state: None,
            handler: self.handler.clone(),
            event_id: self.event,
            event: EventFilter {
                event_type: self.types.clone(),
                source: self.source.clone(),
                location_uid: self.location.clone(),
                conversation_uid: self.conversation.clone(),
                received_after: self.since,
                received_before: self.until,
            },
        }
    }
}

fn deliveries(number: u64) -> String {
    if number == 1 { "1 delivery".to_owned() } else { format!("{number} deliveries") }
}

/// Reads a moment, or how long ago it was.
fn time(text: &str) -> Result<Timestamp, String> {
    let ago = |text: &str| SystemClock.now().checked_sub(duration(text)?.abs()).ok();
    let at = text.parse().ok().or_else(|| ago(text));
    at.ok_or_else(|| {
        "a time is a duration such as 12h or 7d, which ago it was, or a moment such as 2026-11-22T09:30:00Z"
            .to_owned()
    })
}

fn rate(text: &str) -> Result<NonZeroU32, String> {
    let rate = text.parse().ok().filter(|rate: &NonZeroU32| rate.get() <= Replay::MAX_RATE);
    rate.ok_or_else(|| {
        format!("a rate is a whole number of deliveries a second, from 1 to {}", Replay::MAX_RATE)
    })
}
