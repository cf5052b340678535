//! What was signed, and what with.

use super::Code::*;
use super::*;

fn codes_of_key(key: impl AsRef<[u8]>) -> Vec<Code> {
    let message = format!("{TIMESTAMP}.{BODY}");
    codes(&signed(TIMESTAMP, &hex::encode(hmac(key.as_ref(), message.as_bytes()))), BODY.as_bytes())
}

#[test]
fn another_secret_is_named_by_where_it_belongs() {
    for (secret, expected, words) in [
        (NORTH, SecretOfAnotherSource, "the secret `current` of the source `north`"),
        (EXPIRED, SecretExpired, "the secret `old` of the source `default`"),
        (BY_HAND, SecretNotConfigured, "the secret in drawer.txt"),
    ] {
        let diagnosis =
            diagnosed(&signed(TIMESTAMP, &signature(secret, TIMESTAMP, BODY.as_bytes())), BODY.as_bytes());
        let findings: Vec<&Finding> = diagnosis.findings().collect();
        assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [expected]);
        assert!(findings[0].message.contains(words), "{findings:?}");
        assert_eq!(diagnosis.answer, Answer::SignatureMismatch);
    }
    assert_eq!(codes_of_key("a stranger's"), [NothingFits]);
}

#[test]
fn a_secret_that_is_misread_is_found() {
    for (key, expected) in [
        (format!("{SECRET}\n").into_bytes(), SecretNotBare),
        (format!("{SECRET}\r\n").into_bytes(), SecretNotBare),
        (format!("{SECRET} ").into_bytes(), SecretNotBare),
        (format!("\"{SECRET}\"").into_bytes(), SecretNotBare),
        (WITH_SPACES.trim().into(), SecretNotBare),
        (format!("whsec_{SECRET}").into_bytes(), SecretPrefix),
        (PREVIOUS.strip_prefix("whsec_").unwrap().into(), SecretPrefix),
        (b"not-so-secret".to_vec(), SecretDecoded),
        (b"lectern-doctor".to_vec(), SecretDecoded),
    ] {
        assert_eq!(codes_of_key(&key), [expected], "{}", String::from_utf8_lossy(&key));
    }
    assert_eq!(codes_of_key(format!("{NORTH}\n")), [SecretOfAnotherSource, SecretNotBare]);
}

#[test]
fn what_was_signed_is_found() {
    for (message, expected) in [
        (BODY.to_owned(), TimestampNotSigned),
        (format!("{TIMESTAMP}{BODY}"), SeparatorWrong),
        (format!("{TIMESTAMP}:{BODY}"), SeparatorWrong),
        (format!("{TIMESTAMP},{BODY}"), SeparatorWrong),
        (format!("{TIMESTAMP}\n{BODY}"), SeparatorWrong),
        (format!("{BODY}.{TIMESTAMP}"), OrderSwapped),
        (format!("{BODY}{TIMESTAMP}"), OrderSwapped),
        (format!("v0:{TIMESTAMP}:{BODY}"), SignedAsAnotherVendor),
        (format!("1620771659.{BODY}"), SignedOverSeconds),
    ] {
        assert_eq!(codes_of_message(&message), [expected], "{message}");
    }
    assert_eq!(codes_of_message(format!("1620771659:{BODY}")), [SeparatorWrong, SignedOverSeconds]);
}

#[test]
fn what_standard_webhooks_sign_has_an_id_before_it() {
    let digest = hmac(b"not-so-secret", format!("msg_1.1620771659.{BODY}").as_bytes());
    let headers = [
        header("webhook-id", "msg_1"),
        header("webhook-timestamp", "1620771659"),
        header("webhook-signature", &hex::encode(digest)),
    ];
    assert_eq!(
        codes(&headers, BODY.as_bytes()),
        [SignatureRenamed, TimestampRenamed, TimestampInSeconds, SecretDecoded, SignedAsAnotherVendor]
    );
}

#[test]
fn a_source_without_a_secret_is_told() {
    let headers = signed(TIMESTAMP, &signature(NORTH, TIMESTAMP, BODY.as_bytes()));
    let request = Examined { headers: &headers, body: BODY.as_bytes(), received_at: received_at() };
    let codes = |secrets: &[Candidate]| {
        let diagnosis = examine(&request, &rules(secrets));
        assert_sound(&diagnosis, &headers, BODY.as_bytes(), secrets);
        diagnosis.findings().map(|finding| finding.code).collect::<Vec<_>>()
    };
    let others: Vec<_> = candidates().into_iter().filter(|secret| !secret.is_good_for("default")).collect();
    assert_eq!(codes(&[]), [NoSecret]);
    assert_eq!(codes(&others), [SecretOfAnotherSource]);
    assert_eq!(codes(&others[1..]), [NoSecret, NothingFits]);
}

#[test]
fn a_body_one_message_and_one_secret_are_supposed_together() {
    let message = format!("{TIMESTAMP}:{BODY}");
    let digest = hex::encode(hmac(format!("{SECRET}\n").as_bytes(), message.as_bytes()));
    assert_eq!(
        codes(&signed(TIMESTAMP, &digest), format!("{BODY}\n").as_bytes()),
        [SecretNotBare, SeparatorWrong, BodyNewline]
    );
}

#[test]
fn without_a_timestamp_only_what_was_signed_without_one_is_told() {
    let alone = header(SIGNATURE_HEADER, &hex::encode(hmac(SECRET.as_bytes(), BODY.as_bytes())));
    assert_eq!(codes(&[alone], BODY.as_bytes()), [TimestampMissing, TimestampNotSigned]);
    let with_one = header(SIGNATURE_HEADER, &signature(SECRET, TIMESTAMP, BODY.as_bytes()));
    assert_eq!(codes(&[with_one], BODY.as_bytes()), [TimestampMissing]);
}
