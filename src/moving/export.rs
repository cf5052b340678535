//! The way out.

use std::io::Write;

use tokio::sync::mpsc;

use super::tally::Counting;
use super::{AHEAD, FORM, Line, MovingError, Tally};
use crate::model::Rebuild;
use crate::store::{Database, MovingStore, Record};

/// Writes everything that a store keeps, as it is at one moment. `tell` hears how many records are written. Returns what it comes to.
///
/// # Errors
/// When the store fails, its mirror is being made anew, or nobody takes the lines.
pub async fn export(
    store: &dyn Database,
    out: &mut (dyn Write + Send),
    tell: impl Fn(u64),
) -> Result<Tally, MovingError> {
    let is_rebuilding = |rebuild: Rebuild| rebuild.ended_at.is_none();
    if store.mirror_status().await?.rebuild.is_some_and(is_rebuilding) {
        return Err(MovingError::Rebuilding);
    }
    write(out, &Line::Lectern { form: FORM, version: env!("CARGO_PKG_VERSION").to_owned() })?;
    let mut counting = Counting::default();
    each(store, |record| {
        counting.add(&record);
        tell(counting.total());
        let serde_json::Value::Object(has) = record.as_json() else { return Ok(()) };
        write(out, &Line::Record { of: record.collection.name.to_owned(), has })
    })
    .await?;
    let tally = counting.finish();
    write(out, &Line::End(tally.clone()))?;
    out.flush()?;
    Ok(tally)
}

/// What everything that a store keeps comes to.
pub(super) async fn sum_up(store: &dyn MovingStore) -> Result<Tally, MovingError> {
    let mut counting = Counting::default();
    each(store, |record| {
        counting.add(&record);
        Ok(())
    })
    .await?;
    Ok(counting.finish())
}

async fn each(
    store: &dyn MovingStore,
    mut take: impl FnMut(Record) -> Result<(), MovingError>,
) -> Result<(), MovingError> {
    let (to, mut records) = mpsc::channel(AHEAD);
    let taking = async {
        while let Some(record) = records.recv().await {
            take(record)?;
        }
        Ok::<_, MovingError>(())
    };
    let exporting = async { Ok::<_, MovingError>(store.export(to).await?) };
    // Whoever can't take any more lets go of the channel, which ends the other.
    tokio::try_join!(taking, exporting)?;
    Ok(())
}

fn write(out: &mut dyn Write, line: &Line) -> Result<(), MovingError> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}
