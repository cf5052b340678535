//! Every mistake is one sentence that names the key, where it stands and what would be right.

use super::Written;

/// What a file is told that has nothing else wrong with it.
fn told(toml: &str) -> Vec<String> {
    Written::new().file(toml).mistakes()
}

#[test]
fn a_mistake_in_a_file_is_one_clear_sentence() {
    let handler = "[[handlers]]\nname = \"crm\"\nkind = \"http\"\n";
    let cases: &[(&str, &str)] = &[
        // The file itself.
        ("[public\nlisten = 1", "lectern.toml is no TOML: line 1, column 8: unclosed table, expected `]`"),
        ("a = 1\na = 2", "lectern.toml is no TOML: line 2, column 1: duplicate key"),
        // Keys that are none.
        (
            "[public]\nlisen = \"x\"",
            "unknown key `public.lisen` in lectern.toml; did you mean `public.listen`?",
        ),
        ("[publik]", "unknown key `publik` in lectern.toml; did you mean `public`?"),
        ("[publik]\nlisten = \"x\"", "unknown key `publik` in lectern.toml; did you mean `public`?"),
        ("[log]\ncolour = true", "unknown key `log.colour` in lectern.toml; known are `filter` and `format`"),
        (
            "[sources.north]\nsecret = \"x\"\nsecert_file = \"y\"",
            "unknown key `sources.north.secert_file` in lectern.toml; did you mean `sources.north.secret_file`?",
        ),
        // Shapes.
        ("public = 5", "`public` is 5 in lectern.toml, but must be a table"),
        (
            "[public]\nlisten = 8080",
            "`public.listen` is 8080 in lectern.toml, but must be an IP address and a port, such as \"127.0.0.1:8080\"",
        ),
        ("[log]\nfilter = \"\"", "`log.filter` is \"\" in lectern.toml, but must not be empty"),
        ("[log]\nfilter = 5", "`log.filter` is 5 in lectern.toml, but must be a text in quotes"),
        ("[sources]\nnorth = 5", "`sources.north` is 5 in lectern.toml, but must be a table"),
        (
            "[handlers]\nname = \"x\"",
            "`handlers` is a table in lectern.toml, but must be tables, each headed `[[handlers]]`",
        ),
        (
            "[sources.default]\nallow_unsigned = \"yes\"",
            "`sources.default.allow_unsigned` is \"yes\" in lectern.toml, but must be true or false",
        ),
        (
            "[sources.default]\non_unverified = \"held\"",
            "`sources.default.on_unverified` is \"held\" in lectern.toml, but must be `reject` or `hold`; did you mean `hold`?",
        ),
        (
            "[quarantine]\nmax_bytes = \"5GiB\"",
            "`quarantine.max_bytes` is \"5GiB\" in lectern.toml, but must be from \"1MiB\" to \"4GiB\"",
        ),
        // Values.
        (
            "[public]\nlisten = \"nowhere\"",
            "`public.listen` is \"nowhere\" in lectern.toml, but must be an IP address and a port, such as \"127.0.0.1:8080\"",
        ),
        (
            "[public]\nmax_body = \"lots\"",
            "`public.max_body` is \"lots\" in lectern.toml, but must be a size, such as \"512KiB\" or \"1MiB\"",
        ),
        (
            "[public]\nmax_body = \"1B\"",
            "`public.max_body` is \"1B\" in lectern.toml, but must be from \"1KiB\" to \"64MiB\"",
        ),
        (
            "[public]\nmax_body = \"1GiB\"",
            "`public.max_body` is \"1GiB\" in lectern.toml, but must be from \"1KiB\" to \"64MiB\"",
        ),
        (
            "[public]\nmax_body = -1",
            "`public.max_body` is -1 in lectern.toml, but must be a size, such as \"512KiB\" or \"1MiB\"",
        ),
        (
            "[public]\nmax_connections = 0",
            "`public.max_connections` is 0 in lectern.toml, but must be a whole number from 16 to 100000",
        ),
        (
            "[public]\nstore_deadline = \"10s\"",
            "`public.store_deadline` is \"10s\" in lectern.toml, but must be from \"100ms\" to \"3s\"",
        ),
        (
            "[dispatch]\nlease = 30",
            "`dispatch.lease` is 30 in lectern.toml, but must be a duration in quotes, such as \"500ms\", \"1h 30m\" or \"11d\"",
        ),
        (
            "[dispatch]\nlease = \"1 month\"",
            "`dispatch.lease` is \"1 month\" in lectern.toml, but must be a duration in quotes, such as \"500ms\", \"1h 30m\" or \"11d\"",
        ),
        (
            "[dispatch]\nlease = \"0s\"",
            "`dispatch.lease` is \"0s\" in lectern.toml, but must be from \"1s\" to \"1h\"",
        ),
        (
            "[dispatch]\npoll_interval = \"-1s\"",
            "`dispatch.poll_interval` is \"-1s\" in lectern.toml, but must be a duration in quotes, such as \"500ms\", \"1h 30m\" or \"11d\"",
        ),
        (
            "[verification]\nmax_age = \"100000d\"",
            "`verification.max_age` is \"100000d\" in lectern.toml, but must be from \"1s\" to \"3650d\"",
        ),
        (
            "[retention]\nevents = \"5d\"",
            "`retention.events` is \"5d\" (lectern.toml), shorter than `verification.max_age`, which is \"11d\" (default), and `verification.max_future`, which is \"5m\" (default), together: a signed request could be sent again after it is forgotten, and be taken for a new event",
        ),
        (
            "[database]\nmax_connections = 0",
            "`database.max_connections` is 0 in lectern.toml, but must be a whole number from 2 to 1000",
        ),
        (
            "[database]\nmax_connections = \"5\"",
            "`database.max_connections` is \"5\" in lectern.toml, but must be a whole number from 2 to 1000",
        ),
        (
            "[database]\nurl = \"mysql://me:hunter2@db/x\"",
            "`database.url` (lectern.toml) must begin with `postgres:` or `sqlite:`, not with `mysql:`",
        ),
        (
            "[log]\nfilter = \"lectern=loud\"",
            "`log.filter` is \"lectern=loud\" in lectern.toml, but must be a level, such as \"info\", or parts with levels, such as \"info,lectern=debug\"",
        ),
        (
            "[log]\nformat = \"jsn\"",
            "`log.format` is \"jsn\" in lectern.toml, but must be `auto`, `text` or `json`; did you mean `json`?",
        ),
        // Secrets.
        ("[internal]\napi_token = 12345", "`internal.api_token` in lectern.toml must be a text in quotes"),
        (
            "[internal]\napi_token = \"two words\"",
            "`internal.api_token` can't be sent in a header: it must be letters, digits and signs of ASCII, without spaces",
        ),
        (
            "[internal]\napi_token_file = \"FOLDER/none\"",
            "`internal.api_token_file` in lectern.toml names none, which can't be read: No such file or directory (os error 2)",
        ),
        (
            "[internal]\napi_token = \"a\"\napi_token_file = \"b\"",
            "`internal.api_token` and `internal.api_token_file` are both set in lectern.toml: keep one",
        ),
        // Sources.
        (
            "[sources.north]",
            "the source `north` in lectern.toml has no secret: set `sources.north.secret` to the one that its webhook has at Podium",
        ),
        (
            "[sources.north]\nsecret = \"\"",
            "the source `north` in lectern.toml has no secret: set `sources.north.secret` to the one that its webhook has at Podium",
        ),
        (
            "[sources.\"No/rth\"]\nsecret = \"x\"",
            "the source \"No/rth\" in lectern.toml has a name that can't be part of a URL: a name has 1 to 64 lower-case letters, digits, `-` and `_`",
        ),
        // Handlers.
        (
            "[[handlers]]\nkind = \"log\"",
            "handler number 1 in lectern.toml lacks the key `name`: a name of its own",
        ),
        (
            "[[handlers]]\nname = \"crm\"",
            "the handler `crm` in lectern.toml lacks the key `kind`: what it does, such as \"http\"",
        ),
        (
            "[[handlers]]\nname = \"a b\"\nkind = \"log\"",
            "`name` of the handler `a b` is \"a b\" in lectern.toml, but a name has 1 to 64 lower-case letters, digits, `-` and `_`",
        ),
    ];
    let mut wrong = Vec::new();
    for (toml, sentence) in cases {
        let told = told(toml);
        if told != [*sentence] {
            wrong.push((*toml, told, *sentence));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let cases: &[(&str, &str)] = &[
        (
            "events = []",
            "`events` of the handler `crm` is [] in lectern.toml, but must be a list of event types, such as [\"message.*\"]; [\"*\"] is all",
        ),
        (
            "events = [\"\"]",
            "`events` of the handler `crm` is [\"\"] in lectern.toml, but an event type pattern has 1 to 255 characters, none of them a control character, such as `message.*`",
        ),
        (
            "events = \"message.*\"",
            "`events` of the handler `crm` is \"message.*\" in lectern.toml, but must be a list of event types, such as [\"message.*\"]; [\"*\"] is all",
        ),
        (
            "locations = [1]",
            "`locations` of the handler `crm` is [1] in lectern.toml, but must be a list of location uids in quotes, or [] for all",
        ),
        (
            "when = 5",
            "`when` of the handler `crm` is 5 in lectern.toml, but must be a condition in quotes, or \"\" for none",
        ),
        (
            "when = \"data.body ==\"",
            "`when` of the handler `crm` is \"data.body ==\" in lectern.toml, but is no condition: unexpected end of input, expected expression",
        ),
        (
            "when = \"dat.body\"",
            "`when` of the handler `crm` is \"dat.body\" in lectern.toml, but is no condition: there is no `dat` here, but `event`, `data`, `metadata`, `body`",
        ),
        (
            "concurrency = 0",
            "`concurrency` of the handler `crm` is 0 in lectern.toml, but must be a whole number from 1 to 10000",
        ),
        (
            "timeout = \"0s\"",
            "`timeout` of the handler `crm` is \"0s\" in lectern.toml, but must be from \"10ms\" to \"1d\"",
        ),
        (
            "ordering = \"conversations\"",
            "`ordering` of the handler `crm` is \"conversations\" in lectern.toml, but must be `conversation` or `none`; did you mean `conversation`?",
        ),
        ("retry = 5", "`retry` of the handler `crm` is 5 in lectern.toml, but must be a table"),
        (
            "retry = { max_attempts = 0 }",
            "`retry.max_attempts` of the handler `crm` is 0 in lectern.toml, but must be a whole number from 1",
        ),
        (
            "retry = { inital = \"1s\" }",
            "unknown key `retry.inital` of the handler `crm` in lectern.toml; did you mean `retry.initial`?",
        ),
        (
            "retry = { initial = \"1h\" }",
            "`retry.initial` of the handler `crm` is \"1h\" (lectern.toml), longer than its `retry.max_interval`, \"15m\" (default)",
        ),
        (
            "[[handlers]]\nname = \"crm\"\nkind = \"log\"",
            "two handlers are named `crm` in lectern.toml: each needs its own name",
        ),
    ];
    for (toml, sentence) in cases {
        let told = told(&format!("{handler}{toml}"));
        if told != [*sentence] {
            wrong.push((*toml, told, *sentence));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_mistake_in_a_variable_is_one_clear_sentence() {
    for (variables, sentence) in [
        (
            &[("LECTERN_LISTEN", "8080")][..],
            "`public.listen` is \"8080\" in the environment variable LECTERN_LISTEN, but must be an IP address and a port, such as 127.0.0.1:8080",
        ),
        (
            &[("LECTERN__DISPATCH__LEASE", "30")],
            "`dispatch.lease` is \"30\" in the environment variable LECTERN__DISPATCH__LEASE, but must be a duration, such as 500ms, 1h 30m or 11d",
        ),
        (
            &[("LECTERN__DISPATCH__LEASE", "30d")],
            "`dispatch.lease` is \"30d\" in the environment variable LECTERN__DISPATCH__LEASE, but must be from 1s to 1h",
        ),
        (
            &[("LECTERN_API_TOKEN__X", "1")],
            "the environment variable LECTERN_API_TOKEN__X names no key; did you mean LECTERN_API_TOKEN?",
        ),
        (
            &[("LECTERN__INTERNAL__API_TOKEN__X", "1")],
            "`internal.api_token` in the environment variable LECTERN__INTERNAL__API_TOKEN__X must be a text",
        ),
        (
            &[("LECTERN__PUBLIC__LISEN", "x")],
            "the environment variable LECTERN__PUBLIC__LISEN names no key; did you mean LECTERN__PUBLIC__LISTEN?",
        ),
        (
            &[("LECTERN__PUBLIC_MAX_BODY", "1MiB")],
            "the environment variable LECTERN__PUBLIC_MAX_BODY names no key; did you mean LECTERN__PUBLIC__MAX_BODY?",
        ),
        (&[("LECTERN__ZZZ", "x")], "the environment variable LECTERN__ZZZ names no key"),
        (&[("LECTERN__ZZZ__ZZZ", "x")], "the environment variable LECTERN__ZZZ__ZZZ names no key"),
        (&[("LECTERN__", "x")], "the environment variable LECTERN__ names no key"),
        (
            &[("LECTERN__PUBLIC", "x")],
            "`public` is \"x\" in the environment variable LECTERN__PUBLIC, but must be a table",
        ),
        (
            &[("LECTERN__HANDLERS__0__NAME", "x")],
            "the environment variable LECTERN__HANDLERS__0__NAME can't be used: handlers are configured in a file only",
        ),
        (
            &[("LECTERN_LISTEN", "127.0.0.1:1"), ("LECTERN__PUBLIC__LISTEN", "127.0.0.1:2")],
            "the environment variables LECTERN_LISTEN and LECTERN__PUBLIC__LISTEN both set `public.listen`, to different values: keep one",
        ),
        (
            &[("LECTERN_DATADIR", "x")],
            "the environment variable LECTERN_DATADIR names no key; did you mean LECTERN_DATA_DIR?",
        ),
        (
            &[("LECTERN_DATA__DIR", "x")],
            "the environment variable LECTERN_DATA__DIR names no key; did you mean LECTERN_DATA_DIR?",
        ),
        (
            &[("LECTERN_LISTNE", "x")],
            "the environment variable LECTERN_LISTNE names no key; did you mean LECTERN_LISTEN?",
        ),
        (
            &[("LECTERN_CONFG", "x")],
            "the environment variable LECTERN_CONFG names no key; did you mean LECTERN_CONFIG?",
        ),
        (
            &[("LECTERN_PUBLIC_MAX_BODY", "1MiB")],
            "the environment variable LECTERN_PUBLIC_MAX_BODY names no key; did you mean LECTERN__PUBLIC__MAX_BODY?",
        ),
        (
            &[("LECTERN_SOURCES_DEFAULT_SECRET_FILE", "x")],
            "the environment variable LECTERN_SOURCES_DEFAULT_SECRET_FILE names no key; did you mean LECTERN__SOURCES__DEFAULT__SECRET_FILE?",
        ),
        (
            &[("PODIUM_WEBHOOK_SECRT", "hunter2")],
            "the environment variable PODIUM_WEBHOOK_SECRT names no key; did you mean PODIUM_WEBHOOK_SECRET?",
        ),
        (
            &[("PODIUM_WEBHOOK_KEY", "hunter2")],
            "the environment variable PODIUM_WEBHOOK_KEY names no key; known are `PODIUM_WEBHOOK_SECRET`, `PODIUM_WEBHOOK_SECRET_FILE`, `PODIUM_WEBHOOK_SECRET_PREVIOUS` and `PODIUM_WEBHOOK_SECRET_PREVIOUS_FILE`",
        ),
        (
            &[("LECTERN_API_TOKEN", "a"), ("LECTERN_API_TOKEN_FILE", "b")],
            "`internal.api_token` in the environment variable LECTERN_API_TOKEN and `internal.api_token_file` in the environment variable LECTERN_API_TOKEN_FILE are both set: keep one",
        ),
        (
            &[("DATABASE_URL_FILE", "/nowhere/url")],
            "`database.url_file` in the environment variable DATABASE_URL_FILE names /nowhere/url, which can't be read: No such file or directory (os error 2)",
        ),
        (
            &[("LECTERN_CONFIG", "/no/such/file.toml")],
            "the configuration file /no/such/file.toml (named by LECTERN_CONFIG) can't be read: No such file or directory (os error 2)",
        ),
        (
            &[("DATABASE_URL", "mysql://me:hunter2@db/x")],
            "`database.url` (DATABASE_URL) must begin with `postgres:` or `sqlite:`, not with `mysql:`",
        ),
        (
            &[("LECTERN__SOURCES__NORTH__ALLOW_UNSIGNED", "perhaps")],
            "`sources.north.allow_unsigned` is \"perhaps\" in the environment variable LECTERN__SOURCES__NORTH__ALLOW_UNSIGNED, but must be true or false",
        ),
    ] {
        assert_eq!(Written::new().environment(variables).mistakes(), [sentence], "{variables:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_named() {
    use std::os::unix::ffi::OsStrExt as _;

    let mut written = Written::new();
    let value = std::ffi::OsStr::from_bytes(b"\xff").to_owned();
    written.layers.environment = [("PODIUM_WEBHOOK_SECRET", value)].into_iter().collect();
    assert_eq!(written.mistakes(), ["the environment variable PODIUM_WEBHOOK_SECRET is not UTF-8"]);
}

#[test]
fn a_mistake_in_a_flag_names_the_flag() {
    assert_eq!(
        Written::new().flag("--listen", "public.listen", "here").mistakes(),
        [
            "`public.listen` is \"here\" in the flag --listen, but must be an IP address and a port, such as 127.0.0.1:8080"
        ]
    );
}

#[test]
fn a_data_folder_without_a_name_is_none() {
    assert_eq!(
        Written::new().flag("--data-dir", "data_dir", "").mistakes(),
        ["`data_dir` is \"\" in the flag --data-dir, but must not be empty"]
    );
}

#[test]
fn a_data_folder_that_is_a_file_is_named() {
    let written = Written::new().other_file("data", "a file");
    assert_eq!(
        written.mistakes(),
        [format!(
            "`data_dir` is {:?} in the flag --data-dir, but that is a file, not a folder",
            written.path("data")
        )
        .replace(&format!("{}/", written.folder.path().display()), "")]
    );
}

#[test]
fn listeners_that_are_in_each_others_way_are_told_with_their_origins() {
    let written = Written::new()
        .file("[public]\nlisten = \"0.0.0.0:8081\"")
        .environment(&[("LECTERN_INTERNAL_LISTEN", "10.0.0.1:8081")]);
    assert_eq!(
        written.mistakes(),
        [
            "`public.listen` is \"0.0.0.0:8081\" (lectern.toml) and `internal.listen` is \"10.0.0.1:8081\" (LECTERN_INTERNAL_LISTEN): each listener needs a port of its own"
        ]
    );
}

#[test]
fn a_file_for_a_secret_that_holds_none_is_named() {
    for (content, why) in [("", "is empty"), ("\n", "is empty"), ("two\nlines\n", "has more than one line")] {
        let written =
            Written::new().other_file("s", content).file("[sources.default]\nsecret_file = \"FOLDER/s\"");
        let sentence = format!("`sources.default.secret_file` in lectern.toml names s, which {why}");
        assert_eq!(written.mistakes(), [sentence]);
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    let written = Written::new()
        .file("[public]\nlisten = \"x\"\nmax_body = \"y\"\n[log]\nformt = \"z\"\n[sources.a]\nsecret = 1")
        .environment(&[("LECTERN_INTERNAL_LISTEN", "w")]);
    assert_eq!(written.mistakes().len(), 5);
    let text = written.load().unwrap_err().to_string();
    assert!(text.starts_with("the configuration has 5 mistakes:\n  - `public.listen` is"), "{text}");
}

#[test]
fn what_a_kind_has_against_its_settings_names_the_handler_and_the_file() {
    let written = Written::new().file("[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurll = \"x\"");
    let mistakes = written.load().unwrap().check_handlers(|kind, settings| {
        assert_eq!((kind, format!("{settings:?}").as_str()), ("http", "{\"urll\"}"));
        Err(crate::config::SettingsError("unknown key `urll`; did you mean `url`?".into()))
    });
    let file = written.path("lectern.toml");
    assert_eq!(
        mistakes.unwrap_err().to_string(),
        format!(
            "the handler `crm` in {} can't be used: unknown key `urll`; did you mean `url`?",
            file.display()
        )
    );
}
