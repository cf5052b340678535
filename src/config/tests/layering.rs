use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::Written;
use crate::config::{DatabaseUrl, LogFormat, OnUnverified};
use crate::model::Ordering;

#[test]
fn each_layer_wins_over_those_before_it_and_is_named_as_the_origin() {
    let shown = |written: &Written| written.shown("[public]", "listen");
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());

    let written = Written::new();
    assert_eq!(shown(&written), pair("\"127.0.0.1:8080\"", "default"));
    let written = written.file("[public]\nlisten = \"127.0.0.1:1\"");
    assert_eq!(shown(&written), pair("\"127.0.0.1:1\"", "lectern.toml"));
    let written = written.environment(&[("LECTERN__PUBLIC__LISTEN", "127.0.0.1:2")]);
    assert_eq!(shown(&written), pair("\"127.0.0.1:2\"", "LECTERN__PUBLIC__LISTEN"));
    let written = written.flag("--listen", "public.listen", "127.0.0.1:3");
    assert_eq!(shown(&written), pair("\"127.0.0.1:3\"", "--listen"));
    assert_eq!(written.load().unwrap().public().listen.port(), 3);
}

#[test]
fn a_layer_changes_only_the_keys_that_it_has() {
    let written = Written::new().file("[public]\nmax_body = \"2MiB\"");
    let loaded = written.load().unwrap();
    let public = loaded.public();
    assert_eq!((public.listen.port(), public.max_body), (8080, 2 * 1024 * 1024));
    assert_eq!(public.store_deadline, Duration::from_secs(2));
}

#[test]
fn short_names_of_variables_set_their_keys() {
    let written = Written::new().environment(&[
        ("DATABASE_URL", "postgres://me:hunter2@db/lectern"),
        ("PODIUM_WEBHOOK_SECRET", "now"),
        ("PODIUM_WEBHOOK_SECRET_PREVIOUS", "before"),
        ("LECTERN_LISTEN", "0.0.0.0:80"),
        ("LECTERN_INTERNAL_LISTEN", "0.0.0.0:81"),
        ("LECTERN_API_TOKEN", "token"),
        ("LECTERN_DATA_DIR", "overruled by the flag"),
    ]);
    let config = written.load().unwrap().start().unwrap().config;
    assert!(
        matches!(&config.database.url, DatabaseUrl::Postgres(url) if url.expose_secret().contains("hunter2"))
    );
    assert_eq!(config.public.listen.to_string(), "0.0.0.0:80");
    assert_eq!(config.internal.listen.to_string(), "0.0.0.0:81");
    assert_eq!(config.internal.api_token.expose_secret(), "token");
    let secrets: Vec<_> = config.sources[0]
        .secrets
        .iter()
        .map(|secret| (&*secret.name, secret.value.expose_secret()))
        .collect();
    assert_eq!(secrets, [("current", "now"), ("previous", "before")]);
    assert_eq!(config.data_dir, written.path("data"));
}

#[test]
fn numbers_and_truths_can_come_from_variables() {
    let config = Written::new()
        .environment(&[
            ("LECTERN__DATABASE__MAX_CONNECTIONS", "7"),
            ("LECTERN__SOURCES__DEFAULT__ALLOW_UNSIGNED", "true"),
            ("LECTERN__PUBLIC__MAX_BODY", "2048"),
            ("LECTERN__LOG__FORMAT", "json"),
        ])
        .load()
        .unwrap()
        .start()
        .unwrap()
        .config;
    assert_eq!(config.database.max_connections, 7);
    assert!(config.sources[0].allow_unsigned && config.sources[0].secrets.is_empty());
    assert_eq!(config.public.max_body, 2048);
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let written = Written::new().environment(&[
        ("LECTERN_LISTEN", ""),
        ("LECTERN__NO__SUCH_KEY", ""),
        ("LECTERN_CONFIG", ""),
    ]);
    assert_eq!(written.shown("[public]", "listen").1, "default");
}

#[test]
fn variables_of_others_are_no_mistake() {
    for variable in [
        // What Kubernetes sets beside services named `lectern`, `lectern-internal`, `lectern-log` and `lectern-api`.
        "LECTERN_PORT",
        "LECTERN_PORT_8080_TCP",
        "LECTERN_PORT_8080_TCP_ADDR",
        "LECTERN_PORT_8080_TCP_PORT",
        "LECTERN_PORT_8080_TCP_PROTO",
        "LECTERN_SERVICE_HOST",
        "LECTERN_SERVICE_PORT",
        "LECTERN_SERVICE_PORT_HTTP",
        "LECTERN_INTERNAL_PORT",
        "LECTERN_INTERNAL_SERVICE_HOST",
        "LECTERN_LOG_PORT",
        "LECTERN_API_PORT_8081_TCP",
        // What a handler's program is given, which may call `lectern` itself.
        "LECTERN_ATTEMPT",
        "LECTERN_EVENT_ID",
        "LECTERN_EVENT_TYPE",
        "LECTERN_CONTACT_UID",
        "LECTERN_HANDLER",
        "LECTERN_SOURCE",
        // What speaks to Podium's own API.
        "PODIUM_WEBHOOKS",
    ] {
        let loaded = Written::new().environment(&[(variable, "x")]).load();
        assert!(loaded.is_ok(), "{variable}: {}", loaded.unwrap_err());
    }
}

#[test]
fn every_secret_can_come_from_a_file_that_a_variable_names() {
    let written = Written::new()
        .other_file("url", "postgres://db/lectern\n")
        .other_file("now", "now\n")
        .other_file("before", "before\n")
        .other_file("token", "token\n");
    let path = |name| written.path(name).to_str().unwrap().to_owned();
    let (url, now, before, token) = (path("url"), path("now"), path("before"), path("token"));
    let written = written.environment(&[
        ("DATABASE_URL_FILE", &url),
        ("PODIUM_WEBHOOK_SECRET_FILE", &now),
        ("PODIUM_WEBHOOK_SECRET_PREVIOUS_FILE", &before),
        ("LECTERN_API_TOKEN_FILE", &token),
    ]);
    assert_eq!(
        written.shown("[sources.default]", "secret").1,
        "now, by secret_file (PODIUM_WEBHOOK_SECRET_FILE)"
    );
    let config = written.load().unwrap().start().unwrap().config;
    assert!(
        matches!(&config.database.url, DatabaseUrl::Postgres(url) if url.expose_secret() == "postgres://db/lectern")
    );
    let secrets: Vec<_> =
        config.sources[0].secrets.iter().map(|secret| secret.value.expose_secret()).collect();
    assert_eq!(secrets, ["now", "before"]);
    assert_eq!(config.internal.api_token.expose_secret(), "token");
}

#[test]
fn the_flag_names_the_file_before_the_variable_does() {
    let written = Written::new().other_file("other.toml", "[public]\nlisten = \"127.0.0.1:5\"");
    let other = written.path("other.toml").to_str().unwrap().to_owned();
    let written = written.environment(&[("LECTERN_CONFIG", &other)]);
    assert_eq!(written.load().unwrap().public().listen.port(), 5);
    let written = written.file("[public]\nlisten = \"127.0.0.1:6\"");
    assert_eq!(written.load().unwrap().public().listen.port(), 6);
}

#[test]
fn a_secret_comes_from_a_file_without_the_newline_at_its_end() {
    for (content, secret) in [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), (" s3cret ", " s3cret ")] {
        let written = Written::new()
            .other_file("secret", content)
            .file("[sources.default]\nsecret_file = \"FOLDER/secret\"");
        assert_eq!(written.load().unwrap().secret("default").unwrap().unwrap().expose_secret(), secret);
        assert_eq!(written.shown("[sources.default]", "secret").1, "secret, by secret_file (lectern.toml)");
    }
}

#[test]
fn a_secret_of_a_higher_layer_takes_the_place_of_a_file_from_a_lower_one() {
    let written = Written::new()
        .other_file("secret", "from the file")
        .file("[sources.default]\nsecret_file = \"FOLDER/secret\"")
        .environment(&[("PODIUM_WEBHOOK_SECRET", "from the variable")]);
    assert_eq!(
        written.load().unwrap().secret("default").unwrap().unwrap().expose_secret(),
        "from the variable"
    );
    assert_eq!(written.shown("[sources.default]", "secret").1, "PODIUM_WEBHOOK_SECRET");

    let file = written.path("secret").to_str().unwrap().to_owned();
    let written = Written { layers: written.layers, folder: written.folder }
        .file("[sources.default]\nsecret = \"written\"")
        .environment(&[("LECTERN__SOURCES__DEFAULT__SECRET_FILE", &file)]);
    assert_eq!(written.load().unwrap().secret("default").unwrap().unwrap().expose_secret(), "from the file");
}

#[test]
fn sources_fall_back_to_the_documented_defaults_and_the_default_source_comes_first() {
    let config = Written::new()
        .file("[sources.a]\nsecret = \"x\"\n[sources.z_9-]\nallow_unsigned = true")
        .load()
        .unwrap()
        .start()
        .unwrap()
        .config;
    let sources: Vec<_> =
        config.sources.iter().map(|s| (s.name.as_str(), s.secrets.len(), s.allow_unsigned)).collect();
    assert_eq!(sources, [("default", 1, false), ("a", 1, false), ("z_9-", 0, true)]);
}

#[test]
fn what_becomes_of_what_fails_verification_is_said_for_each_source() {
    let config = Written::new()
        .file("[quarantine]\nmax_requests = 0\n[sources.a]\nsecret = \"x\"\non_unverified = \"hold\"")
        .load()
        .unwrap()
        .start()
        .unwrap()
        .config;
    let said: Vec<_> =
        config.sources.iter().map(|source| (source.name.as_str(), source.on_unverified)).collect();
    assert_eq!(said, [("default", OnUnverified::Reject), ("a", OnUnverified::Hold)]);
    assert_eq!((config.quarantine.max_requests, config.quarantine.max_bytes), (0, 64 * 1024 * 1024));
}

#[test]
fn handlers_of_ones_own_replace_the_default_one_and_fall_back_to_its_values() {
    let config = Written::new()
        .file(
            r#"
            [[handlers]]
            name = "crm"
            kind = "http"
            events = ["message.*", "call.missed"]
            url = "https://crm.example.com"
            headers = { "X-Key" = "1" }
            retry = { initial = "5s" }

            [[handlers]]
            name = "second"
            kind = "command"
            ordering = "none"
            locations = ["here"]
            when = "data.failureReason"
            concurrency = 2
            timeout = "1h 30m"
            "#,
        )
        .load()
        .unwrap()
        .start()
        .unwrap()
        .config;
    let [crm, second] = config.handlers.as_slice() else { panic!("two handlers are configured") };
    assert_eq!((crm.subscription.handler.as_str(), crm.kind.as_str()), ("crm", "http"));
    assert_eq!(crm.subscription.types.len(), 2);
    assert_eq!((crm.concurrency, crm.timeout), (8, Duration::from_secs(30)));
    assert_eq!(crm.retry.initial, Duration::from_secs(5));
    assert_eq!(crm.retry.max_interval, Duration::from_secs(15 * 60));
    assert_eq!(format!("{:?}", crm.settings), r#"{"headers", "url"}"#);
    assert_eq!(second.subscription.ordering, Ordering::None);
    assert_eq!(second.subscription.types[0].as_str(), "*");
    assert_eq!(second.subscription.locations, ["here"]);
    assert!(crm.when.is_none());
    assert_eq!(format!("{:?}", second.when), r#"Some(Condition("data.failureReason"))"#);
    assert_eq!((second.concurrency, second.timeout), (2, Duration::from_secs(90 * 60)));
}

#[test]
fn no_handlers_at_all_can_be_said() {
    assert_eq!(Written::new().file("handlers = []").load().unwrap().handlers().count(), 0);
    assert_eq!(Written::new().load().unwrap().handlers().count(), 1);
}

#[test]
fn what_is_shown_says_for_every_value_where_it_is_from() {
    let written = Written::new().other_file("token", "s3cret").file(
        r#"
        [internal]
        api_token_file = "FOLDER/token"
        [database]
        url = "postgres://me:s3cret@db/lectern?password=s3cret"
        [sources.north]
        secret = "s3cret"
        [[handlers]]
        name = "crm"
        kind = "http"
        url = "https://me:s3cret@crm.example.com"
        "#,
    );
    let shown = written.load().unwrap().provenance().to_string();
    let shown = shown.replace(&format!("{}/", written.folder.path().display()), "");
    // The first line is the data folder of this test.
    let shown: Vec<&str> = shown.lines().skip(2).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    [public]
    listen                    = "127.0.0.1:8080"                          # default
    max_body                  = "1MiB"                                    # default
    max_connections           = 4096                                      # default
    store_deadline            = "2s"                                      # default

    [internal]
    listen                    = "127.0.0.1:8081"                          # default
    api_token                 = (hidden)                                  # token, by api_token_file (lectern.toml)

    [database]
    url                       = "postgres://me:...@db/lectern?..."        # lectern.toml
    max_connections           = 16                                        # default
    lanes                     = 2                                         # default

    [spool]
    dir                       = ""                                        # default
    max_bytes                 = "1GiB"                                    # default

    [verification]
    max_age                   = "11d"                                     # default
    max_future                = "5m"                                      # default

    [retention]
    deliveries                = "90d"                                     # default
    bodies                    = "90d"                                     # default
    events                    = "365d"                                    # default
    quarantine                = "90d"                                     # default

    [quarantine]
    max_requests              = 1000                                      # default
    max_bytes                 = "64MiB"                                   # default
    max_per_minute            = 60                                        # default

    [podium]
    api_url                   = "https://api.podium.com"                  # default
    authorize_url             = "https://api.podium.com/oauth/authorize"  # default
    token_url                 = "https://api.podium.com/oauth/token"      # default
    client_id                 = ""                                        # default
    client_secret             = (not set)                                 # default
    redirect_url              = ""                                        # default
    scopes                    = ["read_contacts", "read_locations", "read_messages", "read_organizations", "read_payments", "read_ph…  # default
    access_token              = (not set)                                 # default
    encryption_key            = (not set)                                 # default
    webhooks                  = []                                        # default

    [podium.watchdog]
    check_every               = "5m"                                      # default
    enable_tries              = 3                                         # default
    silence                   = ""                                        # default

    [podium.repair]
    after_absence             = ""                                        # default

    [sources.default]
    secret                    = (hidden)                                  # data/webhook-secret, the first start makes it
    previous_secret           = (not set)                                 # default
    previous_secret_not_after = ""                                        # default
    allow_unsigned            = false                                     # default
    on_unverified             = "reject"                                  # default
    secrets                   = []                                        # default

    [sources.north]
    secret                    = (hidden)                                  # lectern.toml
    previous_secret           = (not set)                                 # default
    previous_secret_not_after = ""                                        # default
    allow_unsigned            = false                                     # default
    on_unverified             = "reject"                                  # default
    secrets                   = []                                        # default

    [dispatch]
    lease                     = "30s"                                     # default
    poll_interval             = "1s"                                      # default

    [log]
    filter                    = "info"                                    # default
    format                    = "auto"                                    # default

    [[handlers]]
    name                      = "crm"                                     # lectern.toml
    kind                      = "http"                                    # lectern.toml
    events                    = ["*"]                                     # default
    locations                 = []                                        # default
    when                      = ""                                        # default
    concurrency               = 8                                         # default
    timeout                   = "30s"                                     # default
    ordering                  = "conversation"                            # default
    on_dead                   = "continue"                                # default
    url                       = (set)                                     # lectern.toml

    [handlers.retry]
    initial                   = "1s"                                      # default
    max_interval              = "15m"                                     # default
    max_attempts              = 1000                                      # default
    max_age                   = "3d"                                      # default
    "#);
}
