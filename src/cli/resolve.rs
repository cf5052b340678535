//! `lectern resolve`.

use clap::Args;

use super::failure::Failure;
use super::{beside, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Loaded;
use crate::model::{DeliveryId, DeliveryState};

#[derive(Args)]
pub(super) struct Arguments {
    /// The id of a dead delivery
    #[arg(value_parser = id)]
    delivery: DeliveryId,
    /// Why it is done, for whoever looks at it later
    #[arg(long, value_name = "TEXT", value_parser = note)]
    note: String,
}

/// Calls a dead delivery done.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let (id, note) = (arguments.delivery, &arguments.note);
    let store = beside::store(loaded).await?;
    let resolved = async {
        let before = store.delivery(id).await?.ok_or_else(|| missing(id))?;
        if before.state != DeliveryState::Dead {
            let state = before.state;
            return Err(Failure::failed(format!(
                "the delivery {id} is {state}: only a dead one is called done"
            )));
        }
        let after = store.resolve(id, note, SystemClock.now()).await?.ok_or_else(|| missing(id))?;
        if after.state == DeliveryState::Done {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "the delivery {id} was replayed at the same moment: it is {}",
            after.state
        )))
    }
    .await;
    store.close().await;
    resolved?;
    output::line(format_args!("The delivery {id} is done."))
}

/// Reads an id as it is typed.
pub(super) fn id(text: &str) -> Result<DeliveryId, &'static str> {
    text.parse().map_err(|_| "no id of a delivery, such as 01a2027b-da68-7001-9a3c-4b1d5e76f0ab")
}

/// What is said of an id that is not there.
pub(super) fn missing(id: DeliveryId) -> Failure {
    Failure::failed(format!(
        "there is no delivery {id}: it was forgotten with its event, or is in another database"
    ))
}

fn note(text: &str) -> Result<String, &'static str> {
    let fits = (1..=2000).contains(&text.chars().count());
    fits.then(|| text.to_owned()).ok_or("a note has 1 to 2000 characters")
}
