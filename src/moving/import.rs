//! The way in.

use std::io::BufRead;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::export::sum_up;
use super::tally::Counting;
use super::{AHEAD, FORM, Line, MovingError, Tally};
use crate::mirror;
use crate::store::{Cell, Collection, Database, MovingStore, Record};

/// How many records are written together, and how much of them.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Reads what an export has written into a store that is empty, or, to `resume`, that has a part of it. `tell` hears how many records are
/// in. In the end the store is read out again and must come to what the lines say, which is returned.
///
/// # Errors
/// When the lines are not those of an export or were damaged, when the store fails or is not empty, and when something is not
/// there in the end as it was. What was written by then stays.
pub async fn import(
    lines: &mut (dyn BufRead + Send),
    store: &dyn Database,
    resume: bool,
    tell: impl Fn(u64),
) -> Result<Tally, MovingError> {
    if !resume {
        is_empty(store).await?;
    }
    let mut reader = Reader { lines, number: 0 };
    match reader.next()? {
        Some(Line::Lectern { form: FORM, .. }) => {}
        Some(Line::Lectern { form, version }) => {
            let reason =
                format!("it was written by {version} in form {form}, and this version reads form {FORM}");
            return Err(reader.wrong(reason));
        }
        _ => return Err(reader.wrong("it does not begin as an export does")),
    }
    let (mut counting, mut batch, mut bytes) = (Counting::default(), Vec::<Record>::new(), 0);
    let expected = loop {
        let (record, end) = match reader.next()? {
            Some(Line::Record { of, has }) => {
                let Some(collection) = Collection::named(&of) else {
                    return Err(reader.wrong(format!("there are no records of `{of}`")));
                };
                let number = reader.number;
                let record = Record::from_json(collection, &has)
                    .map_err(|source| MovingError::Record { number, source })?;
                (Some(with_words(record)), None)
            }
            Some(Line::End(tally)) => (None, Some(tally)),
            Some(Line::Lectern { .. }) => return Err(reader.wrong("it begins a second time")),
            None => return Err(MovingError::Unfinished),
        };
        let is_other =
            |record: &Record| batch.first().is_some_and(|first| first.collection != record.collection);
        let is_full = batch.len() == BATCH || bytes >= BATCH_BYTES;
        if end.is_some() || is_full || record.as_ref().is_some_and(is_other) {
            write(&batch, store).await?;
            tell(counting.total());
            batch.clear();
            bytes = 0;
        }
        if let Some(record) = record {
            counting.add(&record);
            bytes += record.size();
            batch.push(record);
        }
        if let Some(tally) = end {
            break tally;
        }
    };
    let read = counting.finish();
    if let Some(collection) = differing(&expected, &read) {
        return Err(MovingError::Damaged { collection });
    }
    store.end_import().await?;
    let found = sum_up(store).await?;
    match differing(&expected, &found) {
        None => Ok(found),
        Some(collection) => {
            let count = |tally: &Tally| tally.0.get(&collection).map_or(0, |sum| sum.count);
            let (expected, found) = (count(&expected), count(&found));
            Err(MovingError::Different { collection, expected, found })
        }
    }
}

/// A resource's words are worked out of it.
fn with_words(mut record: Record) -> Record {
    if let (Some(kind), Some(data)) = (record.text("kind"), record.text("data"))
        && let Ok(kind) = kind.parse()
    {
        record.words = mirror::words(kind, record.text("name"), data);
    }
    record
}

async fn write(batch: &[Record], store: &dyn Database) -> Result<(), MovingError> {
    let moment = |record: &Record| match record.cell("received_at") {
        Some(Cell::Instant(at)) => Timestamp::from_microsecond(*at).ok(),
        _ => None,
    };
    // Their bodies follow.
    if batch.first().is_some_and(|record| record.collection.name == "events") {
        let moments = batch.iter().filter_map(moment);
        if let (Some(from), Some(until)) = (moments.clone().min(), moments.max()) {
            store.make_ready(from, until).await?;
        }
    }
    store.import(batch).await?;
    Ok(())
}

/// The first collection of which one tally says something else than the other.
fn differing(one: &Tally, other: &Tally) -> Option<String> {
    let names = one.0.keys().chain(other.0.keys());
    names.into_iter().find(|name| one.0.get(*name) != other.0.get(*name)).cloned()
}

async fn is_empty(store: &dyn MovingStore) -> Result<(), MovingError> {
    let (to, mut records) = mpsc::channel(AHEAD);
    let first = async {
        let first = records.recv().await;
        records.close();
        first
    };
    let (exported, first) = tokio::join!(store.export(to), first);
    exported?;
    match first {
        None => Ok(()),
        Some(record) => Err(MovingError::NotEmpty { collection: record.collection.name.to_owned() }),
    }
}

struct Reader<'a> {
    lines: &'a mut (dyn BufRead + Send),
    number: u64,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<Line>, MovingError> {
        let mut line = Vec::new();
        self.number += 1;
        if self.lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        // What stood in it is not repeated: it may be anything that a customer wrote.
        let place =
            |error: serde_json::Error| self.wrong(format!("no such line, at column {}", error.column()));
        serde_json::from_slice(&line).map(Some).map_err(place)
    }

    fn wrong(&self, reason: impl Into<String>) -> MovingError {
        MovingError::Line { number: self.number, reason: reason.into() }
    }
}
