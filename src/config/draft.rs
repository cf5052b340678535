//! The configuration as it is meant, but for the secrets that the first start makes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use config::{Map, Value, ValueKind};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use super::handlers::Handler;
use super::meaning::{
    DAY, SECOND, TEN_YEARS, address, choice, duration, folder, maybe_folder, number, size, text,
};
use super::section::{Place, Report, Reported, Section};
use super::sources::Source;
use super::written::Written;
use super::{
    Database, DatabaseUrl, Dispatch, Log, LogFormat, Podium, Public, Quarantine, Retention, Role, Spool,
    Verification, handlers, podium, secret, sources,
};

/// The configuration as it is meant, but for the secrets that the first start makes.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) data_dir: PathBuf,
    pub(super) role: Role,
    pub(super) public: Public,
    pub(super) internal: Internal,
    pub(super) database: Database,
    pub(super) spool: Spool,
    pub(super) verification: Verification,
    pub(super) retention: Retention,
    pub(super) quarantine: Quarantine,
    pub(super) sources: Vec<Source>,
    pub(super) handlers: Vec<Handler>,
    pub(super) dispatch: Dispatch,
    pub(super) log: Log,
    pub(super) podium: Podium,
}

#[derive(Debug)]
pub(super) struct Internal {
    pub(super) listen: SocketAddr,
    /// None when the first start makes it.
    pub(super) api_token: Option<secret::Found>,
}

/// Reads the merged layers. The defaults are read once more by themselves: what sources and handlers fall back to.
pub(super) fn read(
    merged: Map<String, Value>,
    defaults: &Map<String, Value>,
    report: &mut Report,
) -> Result<Draft, Reported> {
    let source_defaults =
        table_in(defaults, "sources").and_then(|sources| table_in(sources, sources::DEFAULT));
    let handler_defaults = match defaults.get("handlers").map(|value| &value.kind) {
        Some(ValueKind::Array(handlers)) => handlers.first().and_then(|first| table(&first.kind)),
        _ => None,
    };
    let nothing = Map::new();
    let (source_defaults, handler_defaults) =
        (source_defaults.unwrap_or(&nothing), handler_defaults.unwrap_or(&nothing));

    Section::read(Place::default(), merged, report, |top| {
        let data_dir = top.value("data_dir", folder);
        let role = top.value(
            "role",
            choice(&[Role::All, Role::Receive, Role::Dispatch].map(|role| (role.as_str(), role))),
        );
        let public = top.section("public", public);
        let internal = top.section("internal", internal);
        if let (Ok(public), Ok(internal)) = (&public, &internal)
            && overlap(public.listen, internal.listen)
        {
            let [public, internal] = ["[public]", "[internal]"].map(|at| top.report.shown(at, "listen"));
            top.complain(format!(
                "`public.listen` is {public} and `internal.listen` is {internal}: each listener needs a port of its own"
            ));
        }
        let database = top.section("database", |section| {
            database(section, data_dir.as_ref().map_err(|reported| *reported))
        });
        if let (Ok(Role::Receive | Role::Dispatch), Ok(Database { url: DatabaseUrl::Sqlite(_), .. })) =
            (role, &database)
        {
            let role = top.said("role");
            top.complain(format!(
                "{role}, which needs a PostgreSQL that others share (`database.url`): an SQLite file is one process's"
            ));
        }
        let spool =
            top.section("spool", |section| spool(section, data_dir.as_ref().map_err(|reported| *reported)));
        let verification = top.section("verification", verification);
        let retention = top.section("retention", |section| retention(section, verification));
        let quarantine = top.section("quarantine", quarantine);
        let podium = top.section("podium", podium::read);
        // Their secrets need not be configured: Lectern makes them.
        let registered: Vec<String> =
            podium.iter().flat_map(|podium| &podium.webhooks).map(|webhook| webhook.source.clone()).collect();
        let sources = top.section("sources", |section| sources::read(section, source_defaults, &registered));
        if let (Ok(podium), Ok(sources)) = (&podium, &sources) {
            for webhook in &podium.webhooks {
                if !sources.iter().any(|source| source.config.name == webhook.source) {
                    let name = &webhook.source;
                    top.complain(format!(
                        "a `[[podium.webhooks]]` is for the source `{name}`, which is not there: add `[sources.{name}]`"
                    ));
                }
            }
        }
        let dispatch = top.section("dispatch", dispatch);
        let log = top.section("log", log);
        let handlers = handlers::read(top, handler_defaults);
        Ok(Draft {
            data_dir: data_dir?,
            role: role?,
            public: public?,
            internal: internal?,
            database: database?,
            spool: spool?,
            verification: verification?,
            retention: retention?,
            quarantine: quarantine?,
            sources: sources?,
            handlers: handlers?,
            dispatch: dispatch?,
            log: log?,
            podium: podium?,
        })
    })
}

fn table_in<'a>(tree: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
    tree.get(key).and_then(|value| table(&value.kind))
}

const fn table(kind: &ValueKind) -> Option<&Map<String, Value>> {
    match kind {
        ValueKind::Table(table) => Some(table),
        _ => None,
    }
}

fn public(section: &mut Section<'_>) -> Result<Public, Reported> {
    let listen = section.value("listen", address);
    let max_body = section.value("max_body", size(ByteSize::kib(1)..=ByteSize::mib(64)));
    let max_connections = section.value("max_connections", number(16..=100_000));
    // Below Podium's own 5 seconds, with time for the request and its answer to travel.
    let deadlines = Duration::from_millis(100)..=Duration::from_secs(3);
    let store_deadline = section.value("store_deadline", duration(deadlines));
    Ok(Public {
        listen: listen?,
        max_body: max_body?,
        max_connections: max_connections?,
        store_deadline: store_deadline?,
    })
}

/// Whether two listeners would be in each other's way. The port 0 is any free one; `::` takes in IPv4, too.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let takes_in = |all: SocketAddr, one: SocketAddr| {
        all.ip().is_unspecified() && (all.is_ipv6() || one.ip().to_canonical().is_ipv4())
    };
    let same_address = a.ip().to_canonical() == b.ip().to_canonical();
    a.port() == b.port() && a.port() != 0 && (same_address || takes_in(a, b) || takes_in(b, a))
}

fn internal(section: &mut Section<'_>) -> Result<Internal, Reported> {
    let listen = section.value("listen", address);
    let api_token = section.secret("api_token", "api_token_file", secret::hidden)?;
    if let Some(token) = &api_token
        && !token.expose().bytes().all(|byte| byte.is_ascii_graphic())
    {
        let name = section.name("api_token");
        return Err(section.complain(format!(
            "{name} can't be sent in a header: it must be letters, digits and signs of ASCII, without spaces"
        )));
    }
    Ok(Internal { listen: listen?, api_token })
}

fn database(section: &mut Section<'_>, data_dir: Result<&PathBuf, Reported>) -> Result<Database, Reported> {
    let shown = |url: &str| {
        let url = SecretString::from(url);
        let url = DatabaseUrl::read(Some(&url), "".as_ref());
        url.map_or_else(|_| "(unusable)".to_owned(), |url| format!("{:?}", url.to_string()))
    };
    let url = section.secret("url", "url_file", shown);
    let max_connections = section.value("max_connections", number(2..=1000));
    let lanes = section.value("lanes", number(1..=16));
    let (url, data_dir) = (url?, data_dir?);
    let url = DatabaseUrl::read(url.map(|url| url.value).as_ref(), data_dir).map_err(|but| {
        let from = section.report.noted("[database]", "url").map(|url| url.from.clone()).unwrap_or_default();
        section.complain(format!("`database.url` ({from}) {but}"))
    })?;
    Ok(Database { url, max_connections: max_connections?, lanes: lanes? })
}

fn spool(section: &mut Section<'_>, data_dir: Result<&PathBuf, Reported>) -> Result<Spool, Reported> {
    let dir = section.value("dir", maybe_folder);
    let max_bytes = section.value("max_bytes", size(ByteSize::mib(1)..=ByteSize::tib(1)));
    let dir = dir?.map_or_else(|| data_dir.map(|data_dir| data_dir.join("spool")), Ok)?;
    Ok(Spool { dir, max_bytes: max_bytes? as u64 })
}

fn verification(section: &mut Section<'_>) -> Result<Verification, Reported> {
    let max_age = section.value("max_age", duration(SECOND..=TEN_YEARS));
    let max_future = section.value("max_future", duration(Duration::ZERO..=DAY));
    Ok(Verification { max_age: max_age?, max_future: max_future? })
}

fn retention(
    section: &mut Section<'_>,
    verification: Result<Verification, Reported>,
) -> Result<Retention, Reported> {
    let age = duration(SECOND..=TEN_YEARS);
    let [deliveries, bodies, events, quarantine] =
        ["deliveries", "bodies", "events", "quarantine"].map(|key| section.value(key, &age));
    let events = events?;
    let window = verification?;
    if events < window.max_age + window.max_future {
        let events = section.said("events");
        let [max_age, max_future] =
            ["max_age", "max_future"].map(|key| section.report.shown("[verification]", key));
        return Err(section.complain(format!(
            "{events}, shorter than `verification.max_age`, which is {max_age}, and `verification.max_future`, which is \
             {max_future}, together: a signed request could be sent again after it is forgotten, and be taken for a \
             new event"
        )));
    }
    let bodies = bodies?.min(events);
    Ok(Retention { deliveries: deliveries?.min(bodies), bodies, events, quarantine: quarantine?.min(events) })
}

fn quarantine(section: &mut Section<'_>) -> Result<Quarantine, Reported> {
    // What is kept is weighed anew with each batch: more than this would be slow.
    let max_requests = section.value("max_requests", number(0..=100_000));
    let max_bytes = section.value("max_bytes", size(ByteSize::mib(1)..=ByteSize::mib(4096)));
    let max_per_minute = section.value("max_per_minute", number(1..=100_000));
    Ok(Quarantine { max_requests: max_requests?, max_bytes: max_bytes?, max_per_minute: max_per_minute? })
}

fn dispatch(section: &mut Section<'_>) -> Result<Dispatch, Reported> {
    let lease = section.value("lease", duration(SECOND..=Duration::from_secs(60 * 60)));
    let polls = Duration::from_millis(10)..=Duration::from_secs(10 * 60);
    let poll_interval = section.value("poll_interval", duration(polls));
    Ok(Dispatch { lease: lease?, poll_interval: poll_interval? })
}

fn log(section: &mut Section<'_>) -> Result<Log, Reported> {
    let filter = section.value("filter", |written: &Written| {
        let filter = text(written)?;
        match EnvFilter::builder().parse(&filter) {
            Ok(_) => Ok(filter),
            Err(_) => {
                Err("must be a level, such as \"info\", or parts with levels, such as \"info,lectern=debug\"")
            }
        }
    });
    let formats = [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = section.value("format", choice(&formats));
    Ok(Log { filter: filter?, format: format? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_overlap_where_one_port_would_be_taken_twice() {
        for (a, b, expected) in [
            ("127.0.0.1:1", "127.0.0.1:1", true),
            ("127.0.0.1:1", "127.0.0.1:2", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:1", "10.0.0.1:1", false),
            ("0.0.0.0:1", "10.0.0.1:1", true),
            ("0.0.0.0:1", "[::1]:1", false),
            ("[::]:1", "0.0.0.0:1", true),
            ("[::]:1", "10.0.0.1:1", true),
            ("[::ffff:10.0.0.1]:1", "10.0.0.1:1", true),
        ] {
            let (first, second) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(overlap(first, second), expected, "{a} {b}");
            assert_eq!(overlap(second, first), expected, "{b} {a}");
        }
    }
}
