//! The doors between the rooms: who may know whom. The source itself is the witness.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every room, and the other rooms that it may name: the table of `ARCHITECTURE.md`. `podium`, `model` and `clock` name none;
/// `ingest`, `dispatch` and `query` never name one another; only `app` and the command line know everything.
const DOORS: [(&str, &[&str]); 21] = [
    (
        "cli",
        &[
            "app",
            "clock",
            "config",
            "dispatch",
            "doctor",
            "erasure",
            "handlers",
            "model",
            "moving",
            "podium",
            "simulator",
            "spool",
            "store",
            "telemetry",
            "upkeep",
        ],
    ),
    ("config", &["model", "podium", "shape"]),
    (
        "app",
        &[
            "clock",
            "config",
            "dispatch",
            "handlers",
            "http",
            "ingest",
            "mirror",
            "model",
            "podium",
            "query",
            "spool",
            "store",
            "telemetry",
            "upkeep",
        ],
    ),
    ("http", &["clock", "model", "spool", "store", "telemetry"]),
    ("podium", &[]),
    ("ingest", &["clock", "config", "http", "model", "podium", "shape", "spool", "store", "telemetry"]),
    ("store", &["model"]),
    ("spool", &["model"]),
    ("dispatch", &["clock", "config", "handlers", "model", "store", "telemetry"]),
    ("handlers", &["config", "model", "podium", "shape", "telemetry"]),
    ("mirror", &["clock", "model", "podium", "store", "telemetry"]),
    ("query", &["clock", "http", "model", "podium", "store", "telemetry"]),
    ("upkeep", &["clock", "config", "model", "podium", "store", "telemetry"]),
    ("erasure", &["clock", "model", "podium", "store"]),
    ("moving", &["mirror", "model", "store"]),
    ("doctor", &["model", "podium"]),
    ("simulator", &["clock", "config", "http", "podium"]),
    ("shape", &["model", "podium"]),
    ("clock", &[]),
    ("model", &[]),
    ("telemetry", &["config", "model"]),
];

/// Crates that only these rooms may name.
const CRATES: [(&str, &[&str]); 3] = [
    ("sqlx", &["store"]),
    ("axum", &["app", "http", "ingest", "query", "simulator"]),
    ("minijinja", &["shape"]),
];

#[test]
fn each_room_names_only_the_rooms_that_it_may() {
    for (room, may) in DOORS {
        for (file, named) in names(room) {
            assert!(named == room || may.contains(&named.as_str()), "{} names `{named}`", file.display());
        }
    }
}

#[test]
fn each_room_has_its_doors() {
    let mut rooms = rooms();
    // The table of contents, and the program that only calls the command line.
    assert!(rooms.remove("lib") && rooms.remove("main"));
    let known: BTreeSet<String> = DOORS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, known);
}

#[test]
fn sqlx_axum_and_minijinja_stay_in_their_rooms() {
    for room in rooms() {
        for file in files(&room) {
            let code = code_of(&file);
            for (name, homes) in CRATES {
                let used = code.contains(&format!("{name}::")) || code.contains(&format!("use {name};"));
                assert!(!used || homes.contains(&room.as_str()), "{} uses `{name}`", file.display());
            }
        }
    }
}

/// Why, is said there.
#[test]
fn transactions_on_postgres_begin_in_one_place() {
    for file in files("store") {
        let is_the_place =
            file.ends_with("postgres/transaction.rs") || !file.to_str().unwrap().contains("postgres");
        let code = code_of(&file);
        let begins = [".begin()", ".begin_with("].into_iter().any(|call| code.contains(call));
        assert!(is_the_place || !begins, "{} begins a transaction by itself", file.display());
    }
}

/// The rooms: the folders and files directly under `src`.
fn rooms() -> BTreeSet<String> {
    fs::read_dir(source())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

/// Every room that a file of this room names, by `crate::…`.
fn names(room: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for file in files(room) {
        let code = code_of(&file);
        for part in code.split("crate::").skip(1) {
            // `use crate::{model::…, store::…}` would hide the rest: one line a room, as everywhere here.
            assert!(!part.starts_with('{'), "{}: import each room on a line of its own", file.display());
            let named: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if rooms().contains(&named) {
                found.push((file.clone(), named));
            }
        }
    }
    found
}

fn files(room: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        Some(source().join(format!("{room}.rs"))).into_iter().filter(|file| file.exists()).collect();
    let mut folders = vec![source().join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "the room `{room}` is empty");
    found
}

/// A file's text without its comments.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}
