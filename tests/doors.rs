//! The doors between the rooms: who may know whom. The source itself is the witness.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms, and the only other rooms that they may name. A room that does not stand here may name any but those that
/// are closed below.
const ONLY: [(&str, &[&str]); 3] = [("podium", &[]), ("clock", &[]), ("model", &[])];

/// Stages that never name one another.
const APART: [&str; 3] = ["ingest", "dispatch", "query"];

/// Crates that only these rooms may name.
const CRATES: [(&str, &[&str]); 2] = [("sqlx", &["store"]), ("axum", &["app", "http", "ingest", "query"])];

#[test]
fn podium_model_and_clock_import_no_other_room() {
    for (room, may) in ONLY {
        for (file, named) in names(room) {
            assert!(named == room || may.contains(&named.as_str()), "{} names `{named}`", file.display());
        }
    }
}

#[test]
fn the_stages_never_import_one_another() {
    for room in APART {
        for (file, named) in names(room) {
            assert!(named == room || !APART.contains(&named.as_str()), "{} names `{named}`", file.display());
        }
    }
}

#[test]
fn only_the_app_and_the_command_line_know_everything() {
    for room in rooms() {
        for (file, named) in names(&room) {
            let may = matches!(room.as_str(), "app" | "cli" | "lib" | "main");
            assert!(may || !matches!(named.as_str(), "app" | "cli"), "{} names `{named}`", file.display());
        }
    }
}

#[test]
fn sqlx_and_axum_stay_in_their_rooms() {
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

/// The rooms: the folders and files directly under `src`.
fn rooms() -> BTreeSet<String> {
    let rooms: BTreeSet<String> = fs::read_dir(source())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    for room in ONLY.iter().map(|(room, _)| *room).chain(APART) {
        assert!(
            rooms.contains(room),
            "there is no room `{room}` any more: is this test still about this house?"
        );
    }
    rooms
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
