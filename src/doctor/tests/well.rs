//! What is accepted, and with which words.

use super::*;

fn notes(diagnosis: &Diagnosis) -> Vec<&str> {
    diagnosis
        .steps
        .iter()
        .map(|step| match &step.outcome {
            Outcome::Passed { note } => note.as_str(),
            outcome => unreachable!("{outcome:?}"),
        })
        .collect()
}

#[test]
fn what_podium_signs_is_accepted_and_the_secret_is_named() {
    let vectors = [
        (SECRET, BODY, "4d09f22dd01181ccf651c1236f4bec9e6226c472b39cb9dbdcf5dfa633dda982"),
        ("whsec_test", BODY, "391c121ba27caf897a280051419c054766f24961f25bf7f3765df752496a62e4"),
        (
            SECRET,
            r#"{"data":"Data for the test webhook event :)"}"#,
            "98b2531bd882d0b9b54799f396a8ebe60d5ed1319441a79af8e67e5006284326",
        ),
    ];
    for (secret, body, signature) in vectors {
        let secrets = ["another", secret].map(|value| Candidate {
            source: Some("default".to_owned()),
            name: format!("the {}-byte one", value.len()),
            value: value.into(),
            expired: false,
        });
        let headers = signed(TIMESTAMP, signature);
        let request = Examined { headers: &headers, body: body.as_bytes(), received_at: received_at() };
        let diagnosis = examine(&request, &rules(&secrets));
        assert_sound(&diagnosis, &headers, body.as_bytes(), &secrets);
        assert_eq!(diagnosis.answer, Answer::Accepted);
        assert_eq!(diagnosis.verifier.unwrap().name, format!("the {}-byte one", secret.len()));
    }
}

#[test]
fn each_step_says_what_it_found() {
    let headers = signed(TIMESTAMP, &signature(PREVIOUS, TIMESTAMP, BODY.as_bytes()));
    let diagnosis = diagnosed(&headers, BODY.as_bytes());
    assert_eq!(
        notes(&diagnosis),
        [
            "podium-signature and podium-timestamp are there",
            "1620771659663 is 2021-05-11T22:20:59.663Z",
            "64 hexadecimal characters",
            "the signature fits the secret `previous` of the source `default`",
            "signed at 2021-05-11T22:20:59.663Z, received at 2021-05-11T22:21:00Z",
        ]
    );
}

#[test]
fn upper_case_is_as_good() {
    let signature = signature(SECRET, TIMESTAMP, BODY.as_bytes()).to_uppercase();
    let diagnosis = diagnosed(&signed(TIMESTAMP, &signature), BODY.as_bytes());
    assert!(diagnosis.accepted());
    assert!(notes(&diagnosis)[2].ends_with("upper case is as good"), "{diagnosis:?}");
}

#[test]
fn a_request_without_a_signature_is_accepted_where_it_may_be() {
    let secrets = candidates();
    let none: Vec<Candidate> = Vec::new();
    for (secrets, headers) in [
        (&secrets, vec![]),
        (&secrets, vec![header("x-podium-signature", "?")]),
        (&none, signed("?", "what nobody can verify")),
    ] {
        let rules = Rules { allow_unsigned: true, ..rules(secrets) };
        let request = Examined { headers: &headers, body: b"{}", received_at: received_at() };
        let diagnosis = examine(&request, &rules);
        assert_eq!((diagnosis.accepted(), diagnosis.findings().count()), (true, 0), "{diagnosis:?}");
        assert_eq!(diagnosis.verifier, None);
        assert_eq!(diagnosis.steps.len(), 5);
    }
    let wrong = signed(TIMESTAMP, &signature("a stranger's", TIMESTAMP, BODY.as_bytes()));
    let rules = Rules { allow_unsigned: true, ..rules(&secrets) };
    let request = Examined { headers: &wrong, body: BODY.as_bytes(), received_at: received_at() };
    assert_eq!(examine(&request, &rules).answer, Answer::SignatureMismatch);
}
