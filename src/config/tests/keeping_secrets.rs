//! No secret gets out by what is shown, printed for debugging or said about a mistake.

use proptest::prelude::*;

use super::{Loaded, Written};

/// What is right and what is wrong around secrets. `SECRET` stands for a secret, wherever it was put.
const LINES: &[&str] = &[
    "",
    "[sources.default]\nsecret = \"SECRET\"",
    "[sources.default]\nsecret = \"SECRET",
    "[sources.default]\nsecret = SECRET",
    "[sources.default]\nsecret = [\"SECRET\"]",
    "[sources.default]\nsecret = { a = \"SECRET\" }",
    "[sources.default]\nsecret = \"\"\"SECRET",
    "[sources.default]\nsecret = 'SECRET' x",
    "[sources.default]\nsecret = 'SECRET'\nsecret = 'SECRET'",
    "[sources.default]\nsecret = \"\\qSECRET\"",
    "[sources.default]\nsecert = \"SECRET\"",
    "[sources.default]\nprevious_secret = \"SECRET\"",
    "[sources.other]\nsecret = \"SECRET\"\nsecret_file = \"FOLDER/secret\"",
    "[sources.another]\nsecret_file = \"FOLDER/secret\"",
    "[sources.third]\nsecret_file = \"FOLDER/two-lines\"",
    "[[sources.fourth.secrets]]\nname = \"a\"\nsecret = \"SECRET\"",
    "[[sources.fifth.secrets]]\nname = \"a\"\nsecret = \"SECRET\"\n[[sources.fifth.secrets]]\nname = \"b\"\nsecret_file = \"FOLDER/secret\"",
    "[[sources.sixth.secrets]]\nname = \"a\"\nsecret = [\"SECRET\"]\nnot_after = \"soon\"",
    "[[sources.seventh.secrets]]\nname = \"a\"\nsecert = \"SECRET\"",
    "[sources.eighth]\nsecrets = [\"SECRET\"]",
    "[sources.ninth]\nsecrets = { secret = \"SECRET\" }",
    "[sources.NotAName]\nsecret = \"SECRET\"",
    "[internal]\napi_token = \"SECRET\"",
    "[internal]\napi_token = \"SECRET with spaces\"",
    "[internal]\napi_token_file = \"FOLDER/secret\"",
    "[database]\nurl = \"postgres://me:SECRET@db/x\"",
    "[database]\nurl = \"postgres://me:SECRET@db:port/x\"",
    "[database]\nurl = \"mysql://me:SECRET@db/x\"",
    "[database]\nurl = \"me:SECRET@db\"",
    "[database]\nurl = \"SECRET\"",
    "[database]\nurl = \"SECRET:x\"",
    "[database]\nurl = \"postgres://db/x?password=SECRET&user=me\"",
    "[database]\nurl_file = \"FOLDER/secret\"",
    "[public]\nlisten = \"nowhere\"",
    "[[handlers]]\nname = \"a\"\nkind = \"http\"\nsecret = \"SECRET\"",
    "[[handlers]]\nname = \"b\"\nkind = \"http\"\nheaders = { \"x-key\" = \"SECRET\" }\ntimeout = \"no\"",
    "[[handlers]]\nname = \"c\"\nkind = \"http\"\ntoken = [\"SECRET\", { a = \"SECRET\" }]",
];

const VARIABLES: &[&str] = &[
    "PODIUM_WEBHOOK_SECRET",
    "PODIUM_WEBHOOK_SECRET_PREVIOUS",
    "LECTERN_API_TOKEN",
    "DATABASE_URL",
    "LECTERN__SOURCES__NORTH__SECRET",
    "LECTERN__SOURCES__DEFAULT__SECRET",
    "LECTERN__SOURCES__DEFAULT__SECERT",
    "LECTERN__SOURCES__DEFAULT__SECRETS",
    "LECTERN__HANDLERS__0__SECRET",
];

/// Everything that is ever said of a configuration.
fn everything_said(written: &Written) -> String {
    match written.load() {
        Err(mistakes) => format!("{mistakes} {mistakes:?}"),
        Ok(loaded) => {
            let mut said = format!("{loaded:?} {} {}", loaded.provenance(), loaded.database().url);
            match loaded.start() {
                Ok(started) => said.push_str(&format!("{started:?}")),
                Err(error) => said.push_str(&format!("{error} {error:?}")),
            }
            match written.load().map(Loaded::reread) {
                Ok(Ok(reread)) => said.push_str(&format!("{reread:?}")),
                Ok(Err(mistakes)) | Err(mistakes) => said.push_str(&format!("{mistakes} {mistakes:?}")),
            }
            said
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_secret_is_never_shown(
        lines in prop::collection::vec(prop::sample::select(LINES), 0..4),
        variables in prop::collection::vec(prop::sample::select(VARIABLES), 0..3),
        // Nothing else in a configuration looks like this.
        secret in "q7Z[a-zA-Z0-9]{9,20}",
        by_flag in any::<bool>(),
    ) {
        let written = Written::new()
            .other_file("secret", &secret)
            .other_file("two-lines", &format!("{secret}\n{secret}\n"))
            .file(&lines.join("\n").replace("SECRET", &secret));
        let variables: Vec<(&str, &str)> = variables.iter().map(|name| (*name, secret.as_str())).collect();
        let mut written = written.environment(&variables);
        if by_flag {
            written = written.flag("--database-url", "database.url", &format!("postgres://me:{secret}@db/x"));
        }
        let said = format!("{} {:?}", everything_said(&written), written.layers);
        prop_assert!(!said.contains(&secret), "{said}");
    }
}

#[test]
fn every_line_of_the_property_keeps_its_secret_alone() {
    for line in LINES {
        let secret = "q7Zhunter2hunter2";
        let written = Written::new()
            .other_file("secret", secret)
            .other_file("two-lines", &format!("{secret}\n{secret}\n"))
            .file(&line.replace("SECRET", secret));
        let said = everything_said(&written);
        assert!(!said.contains(secret), "{line}: {said}");
    }
}
