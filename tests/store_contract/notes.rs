//! Notes, and tasks that are one process's at a time.

use lectern::store::LeaseToken;

use crate::home::Home;
use crate::make::second;

crate::on_both_stores![
    a_note_is_written_by_whoever_knows_what_it_said,
    notes_are_found_by_how_their_names_begin,
    a_task_is_one_askers_until_its_lease_ends,
];

async fn a_note_is_written_by_whoever_knows_what_it_said(store: Home) {
    assert_eq!(store.note("a").await.unwrap(), None);
    assert!(store.write_note("a", b"one\0\xff", 0, second(1)).await.unwrap());
    assert!(!store.write_note("a", b"other", 0, second(2)).await.unwrap());
    let note = store.note("a").await.unwrap().unwrap();
    assert_eq!(
        (note.content.as_slice(), note.version, note.written_at),
        (b"one\0\xff".as_slice(), 1, second(1))
    );
    assert!(store.write_note("a", b"two", 1, second(3)).await.unwrap());
    assert!(!store.write_note("a", b"late", 1, second(4)).await.unwrap());
    assert!(!store.erase_note("a", 1).await.unwrap());
    assert_eq!(store.note("a").await.unwrap().unwrap().content, b"two");
    assert!(store.erase_note("a", 2).await.unwrap());
    assert_eq!(store.note("a").await.unwrap(), None);
}

async fn notes_are_found_by_how_their_names_begin(store: Home) {
    for name in ["secret/b/2", "secret/a/1", "secre", "secret0", "tokens"] {
        assert!(store.write_note(name, name.as_bytes(), 0, second(0)).await.unwrap());
    }
    let found = store.notes_under("secret/").await.unwrap();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["secret/a/1", "secret/b/2"]);
    assert_eq!(found[0].1.content, b"secret/a/1");
}

async fn a_task_is_one_askers_until_its_lease_ends(store: Home) {
    let (one, other) = (LeaseToken::at(second(0)), LeaseToken::at(second(0)));
    let lease =
        async |token, now, until| store.lease_task("watch", token, second(now), second(until)).await.unwrap();
    assert!(lease(one, 0, 30).await);
    assert!(!lease(other, 29, 60).await);
    assert!(lease(one, 29, 60).await, "whoever has it prolongs it");
    assert!(!lease(other, 59, 90).await);
    assert!(lease(other, 60, 90).await, "it ends by itself");
    assert!(!lease(one, 61, 91).await);
    assert!(lease(other, 61, 61).await, "and can be given back");
    assert!(lease(one, 61, 91).await);
    assert!(store.lease_task("another", other, second(0), second(1)).await.unwrap());
}
