//! Too old and too new.

use super::*;

fn at(received_at: &str) -> Diagnosis {
    let secrets = candidates();
    let headers = signed(TIMESTAMP, &signature(SECRET, TIMESTAMP, BODY.as_bytes()));
    let received_at = received_at.parse().unwrap();
    let diagnosis =
        examine(&Examined { headers: &headers, body: BODY.as_bytes(), received_at }, &rules(&secrets));
    assert_sound(&diagnosis, &headers, BODY.as_bytes(), &secrets);
    diagnosis
}

#[test]
fn the_window_has_its_limits_to_the_millisecond() {
    for (received_at, answer) in [
        ("2021-05-22T22:20:59.663Z", Answer::Accepted),
        ("2021-05-22T22:20:59.664Z", Answer::TimestampTooOld),
        ("2021-05-11T22:15:59.663Z", Answer::Accepted),
        ("2021-05-11T22:15:59.662Z", Answer::TimestampInFuture),
    ] {
        assert_eq!(at(received_at).answer, answer, "{received_at}");
    }
}

#[test]
fn both_instants_and_the_difference_are_told() {
    let diagnosis = at("2021-06-11T22:20:59.663Z");
    let finding = diagnosis.findings().next().unwrap();
    assert_eq!(finding.code, Code::TimestampTooOld);
    assert_eq!(
        finding.message,
        "The request is 31 days old, and 11 days is the limit: signed at 2021-05-11T22:20:59.663Z, received at \
         2021-06-11T22:20:59.663Z."
    );
}

#[test]
fn a_clock_in_local_time_is_suspected() {
    let advice = |received_at: &str| at(received_at).findings().next().unwrap().advice.clone();
    assert!(advice("2021-05-11T15:21:30Z").contains("time zone"));
    assert!(!advice("2021-05-11T22:05:00Z").contains("time zone"));
}
