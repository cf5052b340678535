use std::collections::HashSet;

use secrecy::ExposeSecret as _;

use super::Written;
use crate::config::{SourceError, Started};

fn start(written: &Written) -> Started {
    written.load().unwrap().start().unwrap()
}

fn secret_and_token(started: &Started) -> (String, String) {
    let secret = &started.config.sources[0].secrets[0].value;
    (secret.expose_secret().to_owned(), started.config.internal.api_token.expose_secret().to_owned())
}

#[test]
fn the_first_start_makes_secrets_and_the_next_ones_keep_them() {
    let written = Written::new();
    let first = start(&written);
    assert!(first.is_first);
    assert_eq!(first.webhook_secret_file, Some(written.path("data/webhook-secret")));
    assert_eq!(first.api_token_file, Some(written.path("data/api-token")));
    let (secret, token) = secret_and_token(&first);
    assert_ne!(secret, token);
    for text in [&secret, &token] {
        assert_eq!(text.len(), 43);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
    }

    let next = start(&written);
    assert!(!next.is_first);
    assert_eq!(secret_and_token(&next), (secret.clone(), token));
    assert_eq!(written.load().unwrap().secret("default").unwrap().unwrap().expose_secret(), secret);
}

#[cfg(unix)]
#[test]
fn what_the_first_start_makes_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let written = Written::new();
    start(&written);
    for (name, mode) in [("data", 0o700), ("data/webhook-secret", 0o600), ("data/api-token", 0o600)] {
        let found = std::fs::metadata(written.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name} is {found:o}");
    }
    assert_eq!(std::fs::read_dir(written.path("data")).unwrap().count(), 2, "nothing temporary is left");
}

#[test]
fn starts_at_the_same_moment_end_with_one_secret() {
    for _ in 0..20 {
        let written = Written::new();
        let barrier = std::sync::Barrier::new(8);
        let secrets: HashSet<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let loaded = written.load().unwrap();
                        barrier.wait();
                        secret_and_token(&loaded.start().unwrap())
                    })
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(secrets.len(), 1);
    }
}

#[test]
fn reading_a_configuration_makes_nothing() {
    let written = Written::new();
    let loaded = written.load().unwrap();
    let _shown = loaded.provenance().to_string();
    assert!(matches!(loaded.secret("default"), Err(SourceError::NotMade(_))));
    assert!(!written.path("data").exists());
}

#[test]
fn nothing_is_made_where_everything_is_configured() {
    let written = Written::new().environment(&[
        ("PODIUM_WEBHOOK_SECRET", "secret"),
        ("LECTERN_API_TOKEN", "token"),
        ("DATABASE_URL", "postgres://db/lectern"),
    ]);
    let started = start(&written);
    assert!(!started.is_first && started.webhook_secret_file.is_none() && started.api_token_file.is_none());
    assert!(!written.path("data").exists());
}

#[test]
fn a_source_that_takes_unsigned_requests_gets_no_secret() {
    let written = Written::new().file("[sources.default]\nallow_unsigned = true");
    assert!(start(&written).config.sources[0].secrets.is_empty());
    assert!(!written.path("data/webhook-secret").exists());
    assert!(written.load().unwrap().secret("default").unwrap().is_none());
}

#[test]
fn a_previous_secret_stands_behind_the_one_that_was_made() {
    let written = Written::new().environment(&[("PODIUM_WEBHOOK_SECRET_PREVIOUS", "before")]);
    let config = start(&written).config;
    let names: Vec<_> = config.sources[0].secrets.iter().map(|secret| secret.name.as_str()).collect();
    assert_eq!(names, ["current", "previous"]);
}

#[test]
fn a_secret_that_was_emptied_is_not_replaced_silently() {
    let written = Written::new();
    start(&written);
    std::fs::write(written.path("data/webhook-secret"), "").unwrap();
    let error = written.load().unwrap().start().unwrap_err().to_string();
    assert!(
        error.contains("webhook-secret is empty; put the secret into it that the webhook has at Podium"),
        "{error}"
    );
}

#[test]
fn a_data_folder_that_cannot_be_made_says_which_and_what_to_do() {
    let file = Written::new().other_file("file", "a file where a folder should be");
    let below = file.path("file/data").to_str().unwrap().to_owned();
    let written = Written::new().flag("--data-dir", "data_dir", &below);
    let error = written.load().unwrap().start().unwrap_err().to_string();
    assert!(error.contains("data can't be made: "), "{error}");
    assert!(error.contains("name another folder with `data_dir`"), "{error}");
}
