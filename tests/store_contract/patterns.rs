//! A pattern over event types means the same in SQL as in Rust.

use lectern::model::{EventFilter, TypePattern};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::home::Home;
use crate::make::{event, first, second};

crate::on_both_stores![any_pattern_finds_the_types_that_it_matches];

/// Short texts over few characters, so that patterns often match: whatever one of the databases gives a meaning to.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        proptest::sample::select("aAb.*%_\\[]^-?é字📚' ".chars().collect::<Vec<_>>()),
        1..6,
    )
    .prop_map(String::from_iter)
}

async fn any_pattern_finds_the_types_that_it_matches(store: Home) {
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let types: Vec<String> = (0..300).map(|_| text().new_tree(&mut runner).unwrap().current()).collect();
    let batch: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(n, event_type)| {
            let mut new = event(&n.to_string(), second(1));
            new.record.event_type.clone_from(event_type);
            new
        })
        .collect();
    store.accept(&batch).await.unwrap();

    block_in_place(|| {
        runner
            .run(&text(), |pattern| {
                let pattern: TypePattern = pattern.parse().unwrap();
                let mut expected: Vec<&String> = types.iter().filter(|text| pattern.matches(text)).collect();
                let filter = EventFilter { event_type: Some(pattern), ..EventFilter::default() };
                let found = Handle::current().block_on(store.events(&filter, first(1000))).unwrap();
                let mut found: Vec<&String> = found.iter().map(|record| &record.event_type).collect();
                found.sort();
                expected.sort();
                prop_assert_eq!(found, expected);
                Ok(())
            })
            .unwrap();
    });
}
