//! Any number of secrets a source, and what differs when a configuration is read again.

use secrecy::ExposeSecret as _;

use super::Written;
use crate::config::{Change, Reread, Snapshot};

/// Name, value and last moment of each secret of the source at this place.
fn secrets(written: &Written, place: usize) -> Vec<(String, String, Option<String>)> {
    let config = written.load().unwrap().start().unwrap().config;
    let secrets = config.sources[place].secrets.iter();
    secrets
        .map(|secret| {
            let not_after = secret.not_after.map(|moment| moment.to_string());
            (secret.name.clone(), secret.value.expose_secret().to_owned(), not_after)
        })
        .collect()
}

fn reread(toml: &str) -> Reread {
    Written::new()
        .other_file("north", "from a file\n")
        .file(&format!("internal.api_token = \"t\"\n{toml}"))
        .load()
        .unwrap()
        .reread()
        .unwrap()
}

#[test]
fn a_source_has_any_number_of_secrets_each_with_a_name_and_perhaps_a_last_moment() {
    let written = Written::new().other_file("b", "bb\n").file(
        r#"
        [sources.north]
        secret = "now"
        previous_secret = "before"
        previous_secret_not_after = "2027-01-31T01:00:00+01:00"
        [[sources.north.secrets]]
        name = "2025"
        secret = "aa"
        not_after = 2026-01-01T00:00:00Z
        [[sources.north.secrets]]
        name = "2026"
        secret_file = "FOLDER/b"
        "#,
    );
    let expected = [
        ("current", "now", None),
        ("previous", "before", Some("2027-01-31T00:00:00Z")),
        ("2025", "aa", Some("2026-01-01T00:00:00Z")),
        ("2026", "bb", None),
    ];
    let expected = expected.map(|(name, value, at)| (name.into(), value.into(), at.map(str::to_owned)));
    assert_eq!(secrets(&written, 1), expected);

    let shown = written.load().unwrap().provenance().to_string();
    let shown = shown.replace(&format!("{}/", written.folder.path().display()), "");
    let from = shown.find("[sources.north]").unwrap();
    let to = shown.find("[dispatch]").unwrap();
    insta::assert_snapshot!(shown[from..to].trim_end(), @r#"
    [sources.north]
    secret                    = (hidden)                                  # lectern.toml
    previous_secret           = (hidden)                                  # lectern.toml
    previous_secret_not_after = "2027-01-31T01:00:00+01:00"               # lectern.toml
    allow_unsigned            = false                                     # default
    on_unverified             = "reject"                                  # default

    [[sources.north.secrets]]
    name                      = "2025"                                    # lectern.toml
    secret                    = (hidden)                                  # lectern.toml
    not_after                 = "2026-01-01T00:00:00Z"                    # lectern.toml

    [[sources.north.secrets]]
    name                      = "2026"                                    # lectern.toml
    secret                    = (hidden)                                  # b, by secret_file (lectern.toml)
    not_after                 = ""                                        # default
    "#);
}

#[test]
fn a_default_source_with_secrets_of_its_own_gets_none_made() {
    let written = Written::new().file("[[sources.default.secrets]]\nname = \"a\"\nsecret = \"aa\"");
    assert_eq!(secrets(&written, 0), [("a".to_owned(), "aa".to_owned(), None)]);
    assert!(!written.path("data/webhook-secret").exists());
}

#[test]
fn samples_are_signed_with_the_secret_that_lasts_longest() {
    let table = |name: &str, not_after: &str| {
        format!(
            "[[sources.a.secrets]]\nname = \"{name}\"\nsecret = \"{name}\"\nnot_after = \"{not_after}\"\n"
        )
    };
    let (soon, later) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    for (tables, expected) in [
        ([table("one", soon), table("two", later)], "two"),
        ([table("one", ""), table("two", later)], "one"),
        ([table("one", ""), table("two", "")], "one"),
    ] {
        let loaded = Written::new().file(&tables.concat()).load().unwrap();
        assert_eq!(loaded.secret("a").unwrap().unwrap().expose_secret(), expected);
    }
}

#[test]
fn a_mistake_about_the_secrets_of_a_source_is_one_clear_sentence_without_a_secret() {
    let north = "[sources.north]\nsecret = \"hunter2\"\n";
    let table = "[[sources.north.secrets]]\n";
    for (toml, sentence) in [
        (
            format!("{north}secrets = \"hunter2\""),
            "`sources.north.secrets` in lectern.toml must be tables in a file, each headed `[[sources.north.secrets]]`",
        ),
        (
            format!("{north}secrets = [\"hunter2\"]"),
            "`sources.north.secrets` in lectern.toml must be tables in a file, each headed `[[sources.north.secrets]]`",
        ),
        (
            format!("{north}{table}secret = \"x\""),
            "secret number 1 of the source `north` in lectern.toml lacks the key `name`: a name of its own",
        ),
        (
            format!("{north}{table}name = \"Old one\"\nsecret = \"x\""),
            "`name` of the secret `Old one` of the source `north` is \"Old one\" in lectern.toml, but a name has 1 to 64 lower-case letters, digits, `-` and `_`",
        ),
        (
            format!("{north}{table}name = \"a\""),
            "the secret `a` of the source `north` in lectern.toml is not there: set its `secret` or its `secret_file`",
        ),
        (
            format!("{north}{table}name = \"a\"\nsecert = \"hunter2\"\nsecret = \"x\""),
            "unknown key `secert` of the secret `a` of the source `north` in lectern.toml; did you mean `secret`?",
        ),
        (
            format!("{north}{table}name = \"a\"\nsecret = 5"),
            "`secret` of the secret `a` of the source `north` in lectern.toml must be a text in quotes",
        ),
        (
            format!("{north}{table}name = \"a\"\nsecret_file = \"FOLDER/none\""),
            "`secret_file` of the secret `a` of the source `north` in lectern.toml names none, which can't be read: No such file or directory (os error 2)",
        ),
        (
            format!("{north}{table}name = \"a\"\nsecret = \"x\"\nnot_after = \"2027-01-31\""),
            "`not_after` of the secret `a` of the source `north` is \"2027-01-31\" in lectern.toml, but must be a moment with its offset from UTC in quotes, such as \"2027-01-31T00:00:00Z\"",
        ),
        (
            format!("{north}{table}name = \"a\"\nsecret = \"x\"\n{table}name = \"a\"\nsecret = \"y\""),
            "two secrets of the source `north` in lectern.toml are named `a`: each needs its own name",
        ),
        (
            format!("{north}{table}name = \"current\"\nsecret = \"x\""),
            "two secrets of the source `north` in lectern.toml are named `current`: each needs its own name, and this is that of the key `secret`",
        ),
        (
            format!("{north}{table}name = \"a\"\nsecret = \"hunter2\""),
            "the secrets `current` and `a` of the source `north` in lectern.toml are the same: keep one of them",
        ),
        (
            format!("{north}previous_secret = \"hunter2\""),
            "the secrets `current` and `previous` of the source `north` in lectern.toml are the same: keep one of them",
        ),
        (
            format!("{north}previous_secret_not_after = \"2027-01-31T00:00:00Z\""),
            "`sources.north.previous_secret_not_after` is \"2027-01-31T00:00:00Z\" (lectern.toml), but `sources.north.previous_secret` is not set: set both, or neither",
        ),
        (
            format!("{north}previous_secret = \"x\"\nprevious_secret_not_after = \"soon\""),
            "`sources.north.previous_secret_not_after` is \"soon\" in lectern.toml, but must be a moment with its offset from UTC in quotes, such as \"2027-01-31T00:00:00Z\"",
        ),
    ] {
        assert_eq!(Written::new().file(&toml).mistakes(), [sentence], "{toml}");
    }
    let variables = [("LECTERN__SOURCES__DEFAULT__SECRETS__0__SECRET", "hunter2")];
    let sentence = "`sources.default.secrets` in the environment variable LECTERN__SOURCES__DEFAULT__SECRETS__0__SECRET must be tables in a file, each headed `[[sources.default.secrets]]`";
    assert_eq!(Written::new().environment(&variables).mistakes(), [sentence]);
}

#[test]
fn a_secret_that_was_made_and_is_also_the_previous_one_is_a_mistake() {
    let written = Written::new();
    written.load().unwrap().start().unwrap();
    let made = std::fs::read_to_string(written.path("data/webhook-secret")).unwrap();
    let written = written.environment(&[("PODIUM_WEBHOOK_SECRET_PREVIOUS", made.trim())]);
    let file = written.path("data/webhook-secret").display().to_string();
    let sentence = format!(
        "{file} holds the secret `current`, but the secrets `current` and `previous` of the source `default` are the same: keep one of them"
    );
    assert_eq!(written.load().unwrap().check_generated().unwrap_err().to_string(), sentence);
    assert_eq!(written.load().unwrap().reread().unwrap_err().to_string(), sentence);
    assert_eq!(written.load().unwrap().start().unwrap_err().to_string(), sentence);
}

#[test]
fn reading_again_makes_nothing() {
    let written = Written::new();
    let refused = written.load().unwrap().reread().unwrap_err().to_string();
    assert!(refused.contains("data/webhook-secret is not there yet"), "{refused}");
    assert!(!written.path("data").exists());
}

#[test]
fn what_the_first_start_made_is_read_again() {
    let written = Written::new();
    let started = written.load().unwrap().start().unwrap();
    let again = written.load().unwrap().reread().unwrap();
    assert_eq!(started.snapshot.differences(&again.snapshot), []);
    std::fs::write(written.path("data/webhook-secret"), "another\n").unwrap();
    std::fs::write(written.path("data/api-token"), "another\n").unwrap();
    let again = written.load().unwrap().reread().unwrap();
    assert_eq!(again.sources[0].secrets[0].value.expose_secret(), "another");
    let expected = [("internal.api_token", Change::Changed), ("sources.default.secret", Change::Changed)];
    assert_eq!(differences(&started.snapshot, &again.snapshot), expected.map(|(key, c)| (key.to_owned(), c)));
}

fn differences(before: &Snapshot, now: &Snapshot) -> Vec<(String, Change)> {
    before.differences(now).into_iter().map(|difference| (difference.key, difference.change)).collect()
}

#[test]
fn what_differs_is_named_by_its_key_secrets_and_long_values_included() {
    use Change::{Added, Changed, Removed};
    let long = "x".repeat(200);
    let handler = "[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurl = \"http://a\"\n";
    let source = "[sources.default]\nsecret = \"a\"\n";
    let table = |name: &str, secret: &str| {
        format!("{source}[[sources.default.secrets]]\nname = \"{name}\"\nsecret = \"{secret}\"\n")
    };
    for (before, now, expected) in [
        (String::new() + source, format!("{source}\n# a remark\n"), vec![]),
        (source.into(), source.replace("\"a\"", "\"b\""), vec![("sources.default.secret", Changed)]),
        (
            source.into(),
            "[sources.default]\nsecret_file = \"FOLDER/north\"".into(),
            vec![("sources.default.secret", Changed)],
        ),
        (
            source.into(),
            format!("{source}previous_secret = \"b\""),
            vec![("sources.default.previous_secret", Added)],
        ),
        (
            table("one", "x"),
            table("two", "x"),
            vec![("sources.default.secrets.one", Removed), ("sources.default.secrets.two", Added)],
        ),
        (table("one", "x"), table("one", "y"), vec![("sources.default.secrets.one.secret", Changed)]),
        (
            table("one", "x"),
            format!("{}not_after = \"2027-01-01T00:00:00Z\"", table("one", "x")),
            vec![("sources.default.secrets.one.not_after", Added)],
        ),
        (
            source.into(),
            format!("{source}allow_unsigned = true\n[sources.north]\nsecret = \"n\""),
            vec![("sources.default.allow_unsigned", Changed), ("sources.north", Added)],
        ),
        (
            format!("{source}[public]\nmax_body = \"2MiB\""),
            format!("{source}[database]\nurl = \"postgres://me:b@db/x\""),
            vec![("database.url", Added), ("public.max_body", Changed)],
        ),
        (
            format!("{source}[database]\nurl = \"postgres://me:a@db/x\""),
            format!("{source}[database]\nurl = \"postgres://me:b@db/x\""),
            vec![("database.url", Changed)],
        ),
        (
            format!("{source}[log]\nfilter = \"{long}a=info\""),
            format!("{source}[log]\nfilter = \"{long}b=info\""),
            vec![("log.filter", Changed)],
        ),
        (
            format!("{source}{handler}"),
            format!("{source}{}retry = {{ initial = \"2s\" }}", handler.replace("//a", "//b")),
            vec![("handlers.crm.retry.initial", Changed), ("handlers.crm.url", Changed)],
        ),
        (format!("{source}{handler}"), format!("handlers = []\n{source}"), vec![("handlers.crm", Removed)]),
        (
            format!("{source}{handler}{}", handler.replace("crm", "second")),
            format!("{source}{}{handler}", handler.replace("crm", "second")),
            vec![],
        ),
    ] {
        let found = differences(&reread(&before).snapshot, &reread(&now).snapshot);
        // Each is read from a folder of its own.
        let found: Vec<_> = found.into_iter().filter(|(key, _)| key != "data_dir").collect();
        let expected: Vec<_> = expected.into_iter().map(|(key, change)| (key.to_owned(), change)).collect();
        assert_eq!(found, expected, "from {before:?} to {now:?}");
    }
}

#[test]
fn the_api_token_says_where_it_is_from_and_whether_the_environment_gave_it() {
    let found = |written: &Written| {
        let token = written.load().unwrap().api_token().unwrap();
        (token.value.expose_secret().to_owned(), token.from, token.is_of_environment)
    };
    let by_variable = Written::new().environment(&[("LECTERN_API_TOKEN", "v")]);
    assert_eq!(found(&by_variable), ("v".to_owned(), "LECTERN_API_TOKEN".to_owned(), true));
    let by_file = Written::new().file("internal.api_token = \"f\"");
    let (value, from, is_of_environment) = found(&by_file);
    assert!(value == "f" && from.ends_with("lectern.toml") && !is_of_environment, "{from}");

    let made = Written::new();
    assert!(made.load().unwrap().api_token().is_err(), "nothing is made by asking");
    made.load().unwrap().start().unwrap();
    let (_, from, is_of_environment) = found(&made);
    assert!(from.ends_with("api-token") && !is_of_environment, "{from}");
}
