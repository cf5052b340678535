//! The spool on a real disk, and what crashes leave there.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use bytes::Bytes;
use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::model::{Content, EventId};

const MAX: u64 = 1024 * 1024;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// Events that tell themselves apart by their body and their time.
fn arrivals(numbers: impl IntoIterator<Item = i64>) -> Vec<Arrival> {
    let arrival = |number: i64| Arrival {
        id: EventId::at(at(number)),
        source: "default".to_owned(),
        received_at: at(number),
        verified_by: Some("current".to_owned()),
        content: Content { headers: Vec::new(), body: Bytes::from(number.to_string()) },
    };
    numbers.into_iter().map(arrival).collect()
}

fn numbers(arrivals: &[Arrival]) -> Vec<i64> {
    arrivals
        .iter()
        .map(|arrival| std::str::from_utf8(&arrival.content.body).unwrap().parse().unwrap())
        .collect()
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.path().join("1")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|end| end == "spool")).collect();
    files.sort();
    files
}

async fn all(spool: &Spool) -> Vec<i64> {
    let mut found = Vec::new();
    while !spool.is_empty() {
        let first = spool.first(7).await.unwrap();
        found.extend(numbers(&first));
        spool.remove(first.len()).await.unwrap();
    }
    found
}

#[tokio::test]
async fn events_come_out_in_the_order_in_which_they_went_in_and_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    assert!(spool.is_empty());
    spool.append(arrivals(0..10)).await.unwrap();
    spool.append(arrivals(10..12)).await.unwrap();
    assert_eq!((spool.depth().events, spool.depth().oldest), (12, Some(at(0))));

    assert_eq!(numbers(&spool.first(3).await.unwrap()), [0, 1, 2]);
    // What is not removed comes again.
    assert_eq!(numbers(&spool.first(3).await.unwrap()), [0, 1, 2]);
    spool.remove(2).await.unwrap();
    assert_eq!((spool.depth().events, spool.depth().oldest), (10, Some(at(2))));
    // What comes in between stands at the end.
    spool.append(arrivals([12])).await.unwrap();
    assert_eq!(all(&spool).await, (2..13).collect::<Vec<_>>());
    assert_eq!(spool.depth(), Depth::default());
    assert!(files(&folder).is_empty());

    spool.append(arrivals([13])).await.unwrap();
    assert_eq!(all(&spool).await, [13]);
}

#[tokio::test]
async fn what_was_not_removed_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    spool.append(arrivals(0..5)).await.unwrap();
    spool.first(5).await.unwrap();
    spool.remove(2).await.unwrap();
    drop(spool);
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    assert_eq!(spool.depth().oldest, Some(at(0)));
    spool.append(arrivals(5..8)).await.unwrap();
    // Those that were removed may come once more: their file was not done with.
    assert_eq!(all(&spool).await, (0..8).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_torn_write_is_cut_off_wherever_it_was_torn() {
    let mut whole = Vec::new();
    record::write(&arrivals([3])[0], &mut whole);
    for length in 1..whole.len() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), MAX).await.unwrap();
        spool.append(arrivals(0..3)).await.unwrap();
        drop(spool);
        let file = files(&folder).remove(0);
        let before = file.metadata().unwrap().len();
        OpenOptions::new().append(true).open(&file).unwrap().write_all(&whole[..length]).unwrap();

        let spool = Spool::open(folder.path(), MAX).await.unwrap();
        assert_eq!(file.metadata().unwrap().len(), before, "cut at {length}");
        assert_eq!(spool.depth().events, 3);
        spool.append(arrivals([4])).await.unwrap();
        assert_eq!(all(&spool).await, [0, 1, 2, 4]);
    }
}

/// Where each of so many events of one digit begins, and where the last ends.
fn places(events: usize) -> Vec<usize> {
    let mut one = Vec::new();
    record::write(&arrivals([0])[0], &mut one);
    (0..=events).map(|place| 16 + place * one.len()).collect()
}

fn kept(folder: &TempDir, end: &str) -> usize {
    let files = fs::read_dir(folder.path().join("1")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|found| found == end)).count()
}

#[tokio::test]
async fn a_damaged_event_does_not_take_the_ones_behind_it_along() {
    let places = places(3);
    // Its last byte, its length (as one that is too long, and as one that is within the file), its checksum.
    for (place, byte) in [(places[2] - 1, 1), (places[1] + 3, 0xff), (places[1], 0xff), (places[1] + 5, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), MAX).await.unwrap();
        spool.append(arrivals(0..3)).await.unwrap();
        let file = files(&folder).remove(0);
        let mut bytes = fs::read(&file).unwrap();
        bytes[place] ^= byte;
        fs::write(&file, &bytes).unwrap();
        // The process that wrote it goes on, and so does the next one.
        assert_eq!(numbers(&spool.first(9).await.unwrap()), [0, 2], "{place}");
        drop(spool);
        let spool = Spool::open(folder.path(), MAX).await.unwrap();
        assert_eq!(spool.depth().events, 2);
        assert_eq!(all(&spool).await, [0, 2]);
        spool.adopt().await.unwrap();
        assert_eq!(spool.depth(), Depth { set_aside: 1, ..Depth::default() });
        // Nothing of it is thrown away.
        assert_eq!(fs::read(file.with_extension("damaged")).unwrap(), bytes);
        // And nothing takes its place.
        drop(spool);
        let spool = Spool::open(folder.path(), MAX).await.unwrap();
        spool.append(arrivals([5])).await.unwrap();
        assert_ne!(files(&folder)[0], file);
        assert_eq!(all(&spool).await, [5]);
    }
}

/// Events with so much of a body each.
fn large(numbers: impl IntoIterator<Item = i64>, bytes: usize) -> Vec<Arrival> {
    let mut arrivals = arrivals(numbers);
    arrivals.iter_mut().for_each(|arrival| arrival.content.body = Bytes::from(vec![b'7'; bytes]));
    arrivals
}

#[tokio::test]
async fn a_write_of_a_large_event_is_torn_as_any_other() {
    let mut write = Vec::new();
    record::write(&large([3], 20 * 1024 * 1024)[0], &mut write);
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    spool.append(arrivals(0..3)).await.unwrap();
    drop(spool);
    let file = files(&folder).remove(0);
    let before = file.metadata().unwrap().len();
    OpenOptions::new().append(true).open(&file).unwrap().write_all(&write[..write.len() - 1]).unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    assert_eq!(file.metadata().unwrap().len(), before);
    assert_eq!(all(&spool).await, [0, 1, 2]);
    assert_eq!(kept(&folder, "damaged"), 0);
}

#[tokio::test]
async fn no_more_is_written_at_once_than_can_be_told_from_damage() {
    const MIB: usize = 1024 * 1024;
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), 100 * MAX).await.unwrap();
    assert_eq!(spool.append(large(0..4, 5 * MIB)).await.unwrap(), 2);
    assert_eq!(spool.append(large(2..4, 9 * MIB)).await.unwrap(), 1);
    assert_eq!(spool.depth().events, 3);
}

#[tokio::test]
async fn an_end_that_is_too_long_for_a_torn_write_is_kept_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    spool.append(arrivals(0..2)).await.unwrap();
    drop(spool);
    let file = files(&folder).remove(0);
    // More than the longest write of several. It takes no room on the disk.
    let end = 9 * 1024 * 1024;
    OpenOptions::new().append(true).open(&file).unwrap().set_len(end).unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    assert_eq!(all(&spool).await, [0, 1]);
    assert_eq!(file.with_extension("damaged").metadata().unwrap().len(), end);
}

#[tokio::test]
async fn a_file_that_is_gone_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    spool.append(arrivals([0])).await.unwrap();
    drop(spool);
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    spool.append(arrivals([1])).await.unwrap();
    fs::remove_file(&files(&folder)[0]).unwrap();
    assert_eq!(all(&spool).await, [1]);
    assert!(spool.is_empty());
}

#[tokio::test]
async fn a_folder_that_is_gone_for_a_while_takes_nothing_along() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    spool.append(arrivals([0])).await.unwrap();
    let (here, away) = (folder.path().join("1"), folder.path().join("away"));
    fs::rename(&here, &away).unwrap();
    for _ in 0..60 {
        spool.first(9).await.unwrap_err();
    }
    fs::rename(&away, &here).unwrap();
    assert_eq!(all(&spool).await, [0]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_can_not_be_read_is_kept_for_a_person_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    spool.append(arrivals([0])).await.unwrap();
    drop(spool);
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    spool.append(arrivals([1])).await.unwrap();
    // Reading a folder is an error for everybody, root included.
    let file = files(&folder).remove(0);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let mut failures = 0;
    let found = loop {
        match spool.first(9).await {
            Ok(found) => break found,
            Err(_) => failures += 1,
        }
    };
    assert_eq!((failures, numbers(&found)), (segment::READ_TRIES - 1, vec![1]));
    assert_eq!((kept(&folder, "unreadable"), spool.depth().set_aside, spool.depth().events), (1, 1, 1));
    // A start does not stumble over one either.
    drop(spool);
    fs::create_dir(&file).unwrap();
    fs::remove_dir(file.with_extension("unreadable")).unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    assert_eq!(all(&spool).await, [1]);
}

#[tokio::test]
async fn past_its_size_it_takes_no_more_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = Vec::new();
    record::write(&arrivals([0])[0], &mut one);
    let spool = Spool::open(folder.path(), 16 + 3 * one.len() as u64).await.unwrap();
    spool.append(arrivals(0..3)).await.unwrap();
    assert!(matches!(spool.append(arrivals([3])).await, Err(SpoolError::Full { .. })));
    assert!(spool.is_full());
    assert_eq!(all(&spool).await, [0, 1, 2]);
    // Of several, those are kept that fit.
    assert_eq!(spool.append(arrivals(4..9)).await.unwrap(), 3);
    assert_eq!(all(&spool).await, [4, 5, 6]);
    spool.append(arrivals([3])).await.unwrap();
    assert_eq!(all(&spool).await, [3]);
}

#[tokio::test]
async fn two_processes_never_have_the_same_files_and_the_next_one_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let first = Spool::open(folder.path(), MAX).await.unwrap();
    let second = Spool::open(folder.path(), MAX).await.unwrap();
    first.append(arrivals(0..2)).await.unwrap();
    second.append(arrivals(2..4)).await.unwrap();
    first.adopt().await.unwrap();
    assert_eq!(first.depth().events, 2, "what somebody still has is not taken over");

    drop(second);
    first.append(arrivals(4..6)).await.unwrap();
    first.adopt().await.unwrap();
    first.append(arrivals(6..8)).await.unwrap();
    assert_eq!(all(&first).await, [0, 1, 4, 5, 2, 3, 6, 7]);
    drop(first);

    let second = Spool::open(folder.path(), MAX).await.unwrap();
    let _third = Spool::open(folder.path(), MAX).await.unwrap();
    assert!(second.is_empty(), "each event has one owner");
}

#[tokio::test]
async fn what_is_taken_over_comes_before_what_is_newer_and_after_what_is_older() {
    let folder = tempfile::tempdir().unwrap();
    let older = Spool::open(folder.path(), MAX).await.unwrap();
    let other = Spool::open(folder.path(), MAX).await.unwrap();
    older.append(arrivals([0])).await.unwrap();
    drop(older);
    other.append(arrivals([5])).await.unwrap();
    // It has files of the seconds 0 and 9, and takes over that of the second 5.
    let own = Spool::open(folder.path(), MAX).await.unwrap();
    own.append(arrivals([9])).await.unwrap();
    drop(other);
    let first = numbers(&own.first(1).await.unwrap());
    own.adopt().await.unwrap();
    assert_eq!((first, own.depth().events), (vec![0], 3));
    own.remove(1).await.unwrap();
    assert_eq!(numbers(&own.first(2).await.unwrap()), [5, 9]);
    // The next process finds them in the same order.
    drop(own);
    let next = Spool::open(folder.path(), MAX).await.unwrap();
    assert_eq!(all(&next).await, [5, 9]);
}

#[tokio::test]
async fn what_was_returned_is_removed_though_something_older_was_taken_over_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let own = Spool::open(folder.path(), MAX).await.unwrap();
    let other = Spool::open(folder.path(), MAX).await.unwrap();
    own.append(arrivals(5..7)).await.unwrap();
    other.append(arrivals(0..2)).await.unwrap();
    assert_eq!(numbers(&own.first(1).await.unwrap()), [5]);
    drop(other);
    own.adopt().await.unwrap();
    own.remove(1).await.unwrap();
    own.append(arrivals([7])).await.unwrap();
    assert_eq!(all(&own).await, [0, 1, 6, 7]);
}

#[tokio::test]
async fn what_can_not_be_taken_over_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let own = Spool::open(folder.path(), MAX).await.unwrap();
    let other = Spool::open(folder.path(), MAX).await.unwrap();
    other.append(arrivals([0])).await.unwrap();
    drop(other);
    let unreadable = folder.path().join("2/00000000000000000000.spool");
    fs::create_dir(&unreadable).unwrap();
    own.adopt().await.unwrap();
    assert!(unreadable.exists());
    assert_eq!(all(&own).await, [0]);
}

#[tokio::test]
async fn a_file_of_another_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Spool::open(folder.path(), MAX).await.unwrap());
    let file = folder.path().join("1/00000000000000000007.spool");
    fs::write(&file, "lectern spool 9\nwhatever it is").unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    assert!(spool.is_empty());
    spool.append(arrivals([0])).await.unwrap();
    assert_eq!(all(&spool).await, [0]);
    assert_eq!(fs::read(&file).unwrap(), b"lectern spool 9\nwhatever it is");
}

#[tokio::test]
async fn an_event_that_was_set_aside_comes_again_when_its_file_is_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    let file = PathBuf::from(spool.set_aside(arrivals([1]).remove(0)).await.unwrap());
    drop(spool);
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    assert!(spool.is_empty());
    drop(spool);
    fs::rename(&file, file.with_extension("spool")).unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    assert_eq!(all(&spool).await, [1]);
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(&folder.path().join("spool"), MAX).await.unwrap();
    spool.append(arrivals([0])).await.unwrap();
    let mode = |path: &str| folder.path().join(path).metadata().unwrap().permissions().mode() & 0o077;
    assert_eq!(mode("spool") | mode("spool/1") | mode("spool/1/00000000000000000001.spool"), 0);
}

#[tokio::test]
async fn a_refusal_is_remembered_until_something_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), MAX).await.unwrap();
    assert!(!spool.is_refusing());
    assert!(spool.note_refusal());
    assert!(!spool.note_refusal() && spool.is_refusing());
    spool.note_taken();
    assert!(!spool.is_refusing() && spool.note_refusal());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_nothing_and_is_forgotten_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut segments = Segments::open(folder.path(), MAX).unwrap();
    segments.append(&arrivals(0..2)).unwrap();
    let full = || OpenOptions::new().append(true).open("/dev/full").unwrap();
    segments.write_to(full());
    let error = segments.append(&arrivals([2])).unwrap_err();
    assert!(
        matches!(&error, SpoolError::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull)
    );
    assert!(
        error.is_for_want_of_room() && error.to_string().contains("00000000000000000001.spool"),
        "{error}"
    );
    segments.append(&arrivals([3])).unwrap();
    assert_eq!(segments.depth().events, 3);
    drop(segments);
    let mut segments = Segments::open(folder.path(), MAX).unwrap();
    assert_eq!(numbers(&segments.first(9).unwrap()), [0, 1, 3]);
}
