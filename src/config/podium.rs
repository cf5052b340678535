//! Reads `[podium]`: what Lectern does at Podium itself.

use std::time::Duration;

use config::{Map, Value};
use reqwest::Url;

use super::meaning::{A_NAME, DAY, SECOND, TEN_YEARS, duration, is_name, number, text};
use super::section::{Place, Reported, Section};
use super::written::Written;
use super::{Origin, Podium, PodiumClient, WatchdogConfig, WebhookConfig, secret};
use crate::model::TypePattern;
use crate::podium::EventType;

/// What is at Podium, and what is done there.
pub(super) fn read(section: &mut Section<'_>) -> Result<Podium, Reported> {
    let api_url = section.value("api_url", address);
    let authorize_url = section.value("authorize_url", address);
    let token_url = section.value("token_url", address);
    let client_id = section.value("client_id", maybe_text);
    let client_secret = section.secret("client_secret", "client_secret_file", secret::hidden);
    let redirect_url = section.value("redirect_url", maybe_address);
    let scopes = section.value("scopes", texts);
    let access_token = section.secret("access_token", "access_token_file", secret::hidden);
    let encryption_key = section.secret("encryption_key", "encryption_key_file", secret::hidden);
    // First, as in a file: what follows the heading of a table belongs to that table.
    let webhooks = webhooks(section);
    let watchdog = section.section("watchdog", watchdog);
    let repair_after = section.section("repair", |section| section.value("after_absence", maybe_duration));
    let (client_id, client_secret) = (client_id?, client_secret?.map(|found| found.value));
    let client = match (client_id, client_secret) {
        (Some(id), Some(secret)) => Some(PodiumClient { id, secret }),
        (None, None) => None,
        (id, _) => {
            let (set, missing) =
                if id.is_some() { ("client_id", "client_secret") } else { ("client_secret", "client_id") };
            let (set, missing) = (section.name(set), section.name(missing));
            return Err(section.complain(format!("{set} is set, but {missing} is not: set both, or neither")));
        }
    };
    let watchdog = WatchdogConfig { repair_after: repair_after?, ..watchdog? };
    Ok(Podium {
        api_url: api_url?,
        authorize_url: authorize_url?,
        token_url: token_url?,
        client,
        redirect_url: redirect_url?,
        scopes: scopes?,
        access_token: access_token?.map(|found| found.value),
        encryption_key: encryption_key?.map(|found| found.value),
        webhooks: webhooks?,
        watchdog,
    })
}

fn watchdog(section: &mut Section<'_>) -> Result<WatchdogConfig, Reported> {
    let check_every = section.value("check_every", duration(SECOND..=DAY));
    let enable_tries = section.value("enable_tries", number(0..=100));
    let silence = section.value("silence", maybe_duration);
    Ok(WatchdogConfig {
        check_every: check_every?,
        enable_tries: enable_tries?,
        silence: silence?,
        repair_after: None,
    })
}

fn webhooks(section: &mut Section<'_>) -> Result<Vec<WebhookConfig>, Reported> {
    let written = section.take("webhooks")?;
    let tables = written.list().and_then(|list| {
        let list = list.into_iter().map(|value| section.written(value));
        list.map(|table| Some((table.origin(), table.table()?))).collect()
    });
    let tables: Vec<(Origin, Map<String, Value>)> = tables.ok_or_else(|| {
        section.mistake("webhooks", &written, "must be tables in a file, each headed `[[podium.webhooks]]`")
    })?;
    if tables.is_empty() {
        section.note("webhooks", "[]".to_owned(), "", written.origin().short());
    }
    let webhooks: Vec<_> = tables
        .into_iter()
        .enumerate()
        .map(|(at, (origin, table))| webhook(section, at, &origin, table))
        .collect();
    let webhooks: Vec<WebhookConfig> = webhooks.into_iter().collect::<Result<_, _>>()?;
    for (at, webhook) in webhooks.iter().enumerate() {
        if webhooks[..at].iter().any(|earlier| earlier.source == webhook.source) {
            return Err(section.complain(format!(
                "two `[[podium.webhooks]]` are for the source `{}`: each needs its own",
                webhook.source
            )));
        }
    }
    Ok(webhooks)
}

fn webhook(
    section: &mut Section<'_>,
    at: usize,
    origin: &Origin,
    mut table: Map<String, Value>,
) -> Result<WebhookConfig, Reported> {
    let source = table.get("source").and_then(|source| source.clone().into_string().ok());
    let this = match &source {
        Some(source) => format!("webhook of the source `{source}`"),
        None => format!("webhook number {}", at + 1),
    };
    for (key, what) in [
        ("source", "the name of the source that its events belong to"),
        ("url", "where Podium is to send events, such as \"https://lectern.example.com/webhooks/podium\""),
    ] {
        if !table.contains_key(key) {
            return Err(section.complain(format!("the {this} in {origin} lacks the key `{key}`: {what}")));
        }
    }
    for key in ["location", "organization"] {
        table.entry(key.to_owned()).or_insert_with(|| Value::new(Some(&Origin::Default.mark()), ""));
    }
    let all = Value::new(Some(&Origin::Default.mark()), vec!["*".to_owned()]);
    table.entry("events".to_owned()).or_insert(all);
    let place = Place {
        heading: "[[podium.webhooks]]".into(),
        prefix: String::new(),
        owner: format!(" of the {this}"),
    };
    Section::read(place, table, section.report, |section| {
        let source = section.value("source", |written| {
            let name = text(written)?;
            if is_name(&name) { Ok(name) } else { Err(A_NAME) }
        });
        let url = section.value("url", address);
        let location = section.value("location", maybe_text);
        let organization = section.value("organization", maybe_text);
        let events = section.value("events", patterns);
        let (source, location, organization) = (source?, location?, organization?);
        let complaint = match (&location, &organization) {
            (None, None) => "needs the uid of its `location` or of its `organization`",
            (Some(_), Some(_)) => "has a `location` and an `organization`: Podium takes one of them",
            _ => "",
        };
        if !complaint.is_empty() {
            return Err(section.complain(format!(
                "the {this} in {origin} {complaint}; `lectern podium locations` lists them"
            )));
        }
        Ok(WebhookConfig { source, url: url?, location, organization, events: events? })
    })
}

fn address(written: &Written) -> Result<Url, &'static str> {
    maybe_address(written)?.ok_or("must not be empty")
}

fn maybe_address(written: &Written) -> Result<Option<Url>, &'static str> {
    const EXPECTED: &str =
        "must be an address in quotes, such as \"https://api.podium.com\", without a user or a fragment";
    match written.text().ok_or(EXPECTED)? {
        "" => Ok(None),
        text => {
            let fits = |url: &Url| {
                ["http", "https"].contains(&url.scheme())
                    && (url.username(), url.password(), url.fragment()) == ("", None, None)
            };
            Url::parse(text).ok().filter(fits).map(Some).ok_or(EXPECTED)
        }
    }
}

fn maybe_text(written: &Written) -> Result<Option<String>, &'static str> {
    let text = written.text().ok_or("must be a text in quotes")?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn maybe_duration(written: &Written) -> Result<Option<Duration>, String> {
    if written.text() == Some("") { Ok(None) } else { duration(SECOND..=TEN_YEARS)(written).map(Some) }
}

fn texts(written: &Written) -> Result<Vec<String>, &'static str> {
    let texts = written.texts().ok_or("must be a list of texts in quotes")?;
    Ok(texts.into_iter().map(str::to_owned).collect())
}

/// Patterns of which each fits a type that Podium knows: it refuses any other.
fn patterns(written: &Written) -> Result<Vec<TypePattern>, String> {
    const EXPECTED: &str = "must be a list of event types, such as [\"message.*\"]; [\"*\"] is all";
    let texts = written.texts().filter(|texts| !texts.is_empty()).ok_or(EXPECTED)?;
    let pattern = |text: &str| {
        let pattern: TypePattern = text.parse().map_err(|error| format!("{error}"))?;
        let is_known = EventType::ALL.iter().any(|event_type| pattern.matches(event_type.as_str()));
        if is_known { Ok(pattern) } else { Err(format!("no event type of Podium's fits \"{text}\"")) }
    };
    texts.into_iter().map(pattern).collect()
}
