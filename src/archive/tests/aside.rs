//! An archive that followed another journal: set aside, and a new one begun.

use super::running::{OnDisk, PATIENCE, Told};
use super::*;

fn aside(data: &Path) -> Vec<std::path::PathBuf> {
    let folder = std::fs::read_dir(data.join("archive")).expect("a folder");
    let paths = folder.map(|entry| entry.expect("it can be listed").path());
    let is_one = |path: &std::path::PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("other-") && name.ends_with(".sqlite")
    };
    paths.filter(is_one).collect()
}

/// Follows the journal that is there to its end.
fn follow(data: &Path) {
    let options = Options { data: data.into(), keep_days: 400, time_zone: "UTC".into() };
    let archive = Archive::start(options, OnDisk::with_space(data), Arc::new(Told::default()));
    let archive = archive.expect("a thread");
    let asks = archive.asks();
    let until = std::time::Instant::now() + PATIENCE;
    // What is asked while it fails is answered so, and may be asked again.
    while asks.catch_up(PATIENCE).is_err() {
        assert!(std::time::Instant::now() < until, "it does not go on");
    }
    archive.stop();
}

/// The archive of a journal of so many contacts, and then another journal in its place.
fn other(data: &Path, before: u64, after: u64) {
    journal(data, before, WallTime(10 * DAY_MS));
    archive(data).sync().expect("the disk takes it");
    std::fs::remove_dir_all(data.join("journal")).expect("it goes");
    journal(data, after, WallTime(20 * DAY_MS));
}

#[test]
fn whether_it_is_ahead_or_somewhere_else_it_goes_aside_and_the_journal_is_followed() {
    for (before, after) in [(3, 1), (1, 3)] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path();
        other(data, before, after);
        follow(data);
        assert_eq!(cells(data, "SELECT count(*) FROM contact"), [after], "of {before}");
        let aside = aside(data);
        assert_eq!(aside.len(), 1);
        let kept = rusqlite::Connection::open(&aside[0]).expect("it is there");
        let count = |sql: &str| kept.query_row(sql, [], |row| row.get::<_, u64>(0)).expect("rows");
        assert_eq!(count("SELECT count(*) FROM contact"), before, "nothing of it is lost");
        assert_eq!(count("SELECT count(*) FROM sealed"), before);

        let mut store = Store::open(data).expect("an archive");
        let rows = usize::try_from(before + after).expect("few");
        assert_eq!(store.forget(CUSTOMER, WallTime(1)).expect("done"), rows, "there and here");
        assert_eq!(count("SELECT count(*) FROM sealed"), 0);
        drop(kept);
        store.retain(WallTime(u64::MAX >> 2)).expect("done");
        store.retain(WallTime(u64::MAX >> 2)).expect("done");
        assert!(self::aside(data).is_empty(), "in its time it goes");
    }
}

#[test]
fn after_another_history_was_accepted_nothing_of_the_first_is_taken_for_fact() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    journal(data, 2, WallTime(DAY_MS));
    drop(archive(data));
    super::cut::accept(data, 6, true);
    drop(Store::open(data).expect("a new one"));
    assert_eq!(aside(data).len(), 1);
    assert_eq!(cells(data, "SELECT count(*) FROM contact"), [0]);
    drop(archive(data));
    assert_eq!(cells(data, "SELECT count(*) FROM contact"), [2], "what the journal has");
    drop(Store::open(data).expect("it is known by now"));
    assert_eq!(aside(data).len(), 1, "once is enough");
}
