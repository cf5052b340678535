use std::collections::BTreeSet;

use super::*;

/// Every word that looks like one of our metrics. Prometheus adds ends of its own to those of histograms.
fn names_in(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("lectern_"))
        .map(|word| {
            let ends = ["_bucket", "_sum", "_count"];
            ends.iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word)
        })
        .collect()
}

fn known() -> BTreeSet<&'static str> {
    METRICS.iter().map(|metric| metric.name).collect()
}

#[test]
fn what_is_counted_is_what_the_documentation_tells_of() {
    assert_eq!(names_in(include_str!("../../../../docs/metrics.md")), known());
    assert_eq!(names_in(include_str!("../../metrics.rs")), known(), "each is set somewhere");
}

#[test]
fn other_pages_speak_of_what_there_is() {
    for page in [
        include_str!("../../../../docs/operating.md"),
        include_str!("../../../../docs/scaling.md"),
        include_str!("../../../../docs/security.md"),
        include_str!("../../../../docs/webhooks.md"),
    ] {
        let (told, known) = (names_in(page), known());
        let unknown: Vec<_> =
            told.difference(&known).filter(|name| !name.starts_with("lectern_data")).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn alerts_and_the_dashboard_ask_for_what_there_is() {
    for text in [
        ALERTS,
        include_str!("../../../../tests/alerts.yaml"),
        include_str!("../../../../deploy/grafana/lectern.json"),
    ] {
        let (asked, known) = (names_in(text), known());
        assert!(asked.len() > 5, "only {asked:?}: is this still the file?");
        let unknown: Vec<_> = asked.difference(&known).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

const ALERTS: &str = include_str!("../../../../deploy/prometheus/alerts.yaml");

/// The names of the alerts, each with the rest of its rule.
fn alerts() -> Vec<(&'static str, &'static str)> {
    ALERTS.split("- alert: ").skip(1).filter_map(|rule| rule.split_once('\n')).collect()
}

#[test]
fn every_alert_says_what_is_wrong_and_what_to_do() {
    assert!(alerts().len() > 10);
    for (name, rule) in alerts() {
        for part in ["severity: ", "summary: ", "action: "] {
            assert!(rule.contains(part), "{name} has no `{part}`");
        }
    }
}

#[test]
fn every_alert_has_a_case_in_which_it_is_told() {
    let cases = include_str!("../../../../tests/alerts.yaml");
    for (name, _) in alerts() {
        let told = format!("ALERTS{{alertname=\"{name}\", alertstate=\"firing\", severity=");
        assert!(cases.contains(&told), "{name} has none");
    }
}

#[test]
fn every_panel_shows_the_jobs_that_were_chosen() {
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../../../deploy/grafana/lectern.json")).unwrap();
    let of_all = |pointer: &'static str, values: &serde_json::Value| {
        values.as_array().unwrap().iter().map(|value| value[pointer].clone()).collect::<Vec<_>>()
    };
    let targets = of_all("targets", &dashboard["panels"]);
    let expressions: Vec<String> = targets
        .iter()
        .flat_map(|targets| of_all("expr", targets))
        .map(|expression| expression.as_str().unwrap().to_owned())
        .collect();
    assert!(expressions.len() > 20);
    for expression in expressions {
        for prefix in ["lectern_", "process_"] {
            for (place, _) in expression.match_indices(prefix) {
                let rest =
                    expression[place..].trim_start_matches(|c: char| c == '_' || c.is_ascii_lowercase());
                assert!(rest.starts_with("{job=~\"$job\""), "{expression}");
            }
        }
    }
}
