//! Reads `[[handlers]]`: what is done with events.

use std::collections::BTreeSet;
use std::time::Duration;

use config::{Map, Value, ValueKind};

use super::meaning::{A_NAME, DAY, SECOND, TEN_YEARS, choice, duration, is_name, number, text};
use super::section::{Place, Reported, Section, complete};
use super::written::Written;
use super::{HandlerConfig, OnDead, Origin, Retry, Settings};
use crate::model::{Ordering, Subscription, TypePattern};
use crate::shape::Condition;

/// A handler, and where it was written.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) config: HandlerConfig,
    pub(super) origin: Origin,
}

/// Reads all handlers. `defaults` is what every handler falls back to, but for its name and kind.
pub(super) fn read(
    section: &mut Section<'_>,
    defaults: &Map<String, Value>,
) -> Result<Vec<Handler>, Reported> {
    let written = section.take("handlers")?;
    let tables = written.list().and_then(|list| {
        let list = list.into_iter().map(|value| section.written(value));
        list.map(|table| Some((table.origin(), table.table()?))).collect()
    });
    let tables: Vec<(Origin, Map<String, Value>)> = tables
        .ok_or_else(|| section.mistake("handlers", &written, "must be tables, each headed `[[handlers]]`"))?;
    if tables.is_empty() {
        section.note("handlers", "[]".to_owned(), "", written.origin().short());
    }
    let mut names = BTreeSet::new();
    let mut handlers = Vec::new();
    for (at, (origin, table)) in tables.into_iter().enumerate() {
        handlers.push(one(section, at, origin, table, defaults, &mut names));
    }
    handlers.into_iter().collect()
}

fn one(
    section: &mut Section<'_>,
    at: usize,
    origin: Origin,
    mut table: Map<String, Value>,
    defaults: &Map<String, Value>,
    names: &mut BTreeSet<String>,
) -> Result<Handler, Reported> {
    let mut own_defaults = defaults.clone();
    own_defaults.retain(|key, _| key != "name" && key != "kind");
    complete(&mut table, &own_defaults);
    let name = match table.get("name").map(|value| &value.kind) {
        Some(ValueKind::String(name)) => format!("the handler `{name}`"),
        _ => format!("handler number {}", at + 1),
    };
    for (key, what) in [("name", "a name of its own"), ("kind", "what it does, such as \"http\"")] {
        if !table.contains_key(key) {
            return Err(section.complain(format!("{name} in {origin} lacks the key `{key}`: {what}")));
        }
    }
    let place = Place { heading: "[[handlers]]".into(), prefix: String::new(), owner: format!(" of {name}") };
    Section::read(place, table, section.report, |section| {
        let name = section.value("name", |written| {
            let name = text(written)?;
            if is_name(&name) { Ok(name) } else { Err(A_NAME) }
        });
        let kind = section.value("kind", text);
        let types = section.value("events", patterns);
        let locations = section.value("locations", locations);
        let when = section.value("when", condition);
        let concurrency = section.value("concurrency", number(1..=10_000));
        let timeout = section.value("timeout", duration(Duration::from_millis(10)..=DAY));
        let orderings = [("conversation", Ordering::Conversation), ("none", Ordering::None)];
        let ordering = section.value("ordering", choice(&orderings));
        let on_dead =
            section.value("on_dead", choice(&[("continue", OnDead::Continue), ("park", OnDead::Park)]));
        let retry = section.table("retry");
        let settings = settings(section);
        let retry = retry.and_then(|table| section.below("retry", table, self::retry));
        let name = name?;
        if !names.insert(name.clone()) {
            return Err(section
                .complain(format!("two handlers are named `{name}` in {origin}: each needs its own name")));
        }
        let subscription =
            Subscription { handler: name, types: types?, locations: locations?, ordering: ordering? };
        let when = when?;
        let (kind, concurrency, timeout, retry, on_dead) = (kind?, concurrency?, timeout?, retry?, on_dead?);
        if on_dead == OnDead::Park && subscription.ordering == Ordering::None {
            let on_dead = section.said("on_dead");
            return Err(section.complain(format!(
                "{on_dead}, which needs an order: with `ordering = \"none\"` no delivery waits for another"
            )));
        }
        Ok(Handler {
            config: HandlerConfig {
                subscription,
                when,
                kind,
                settings,
                concurrency,
                timeout,
                retry,
                on_dead,
            },
            origin,
        })
    })
}

fn patterns(written: &Written) -> Result<Vec<TypePattern>, String> {
    const EXPECTED: &str = "must be a list of event types, such as [\"message.*\"]; [\"*\"] is all";
    let texts = written.texts().filter(|texts| !texts.is_empty()).ok_or(EXPECTED)?;
    texts.into_iter().map(|text| text.parse().map_err(|error| format!("{error}"))).collect()
}

fn locations(written: &Written) -> Result<Vec<String>, &'static str> {
    let texts = written.texts().ok_or("must be a list of location uids in quotes, or [] for all")?;
    if texts.contains(&"") {
        return Err("an empty text is no location's uid");
    }
    Ok(texts.into_iter().map(str::to_owned).collect())
}

/// A condition, if one is set.
fn condition(written: &Written) -> Result<Option<Condition>, String> {
    match written.text().ok_or("must be a condition in quotes, or \"\" for none")? {
        "" => Ok(None),
        text => Condition::compile(text).map(Some).map_err(|mistake| format!("is no condition: {mistake}")),
    }
}

fn retry(section: &mut Section<'_>) -> Result<Retry, Reported> {
    let initial = section.value("initial", duration(Duration::from_millis(1)..=DAY));
    let max_interval = section.value("max_interval", duration(Duration::from_millis(1)..=30 * DAY));
    let max_attempts = section.value("max_attempts", number(1..=u32::MAX));
    let max_age = section.value("max_age", duration(SECOND..=TEN_YEARS));
    let (initial, max_interval) = (initial?, max_interval?);
    if initial > max_interval {
        let initial = section.said("initial");
        let max_interval = section.shown("max_interval");
        return Err(
            section.complain(format!("{initial}, longer than its `retry.max_interval`, {max_interval}"))
        );
    }
    Ok(Retry { initial, max_interval, max_attempts: max_attempts?, max_age: max_age? })
}

/// The keys that the handler's kind understands. Which of them are secrets only the kind knows: all are hidden.
fn settings(section: &mut Section<'_>) -> Settings {
    let mut own: Vec<_> = section.rest().into_iter().collect();
    own.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut settings = serde_json::Map::new();
    for (key, value) in own {
        let from = section.written(value.clone()).origin().short();
        let value = json(value);
        section.note(&key, "(set)".to_owned(), &value.to_string(), from);
        settings.insert(key, value);
    }
    Settings::new(settings)
}

fn json(value: Value) -> serde_json::Value {
    match value.kind {
        ValueKind::Nil => serde_json::Value::Null,
        ValueKind::Boolean(value) => value.into(),
        ValueKind::I64(number) => number.into(),
        ValueKind::U64(number) => number.into(),
        ValueKind::Float(number) => number.into(),
        ValueKind::String(text) => text.into(),
        ValueKind::Table(table) => table.into_iter().map(|(key, value)| (key, json(value))).collect(),
        ValueKind::Array(values) => values.into_iter().map(json).collect(),
        // TOML has no numbers of 128 bits.
        ValueKind::I128(_) | ValueKind::U128(_) => serde_json::Value::Null,
    }
}
