//! The journal on a real disk: what is written comes back, and what is damaged, missing
//! or shared is refused by name.

mod bytes;
mod loss;
mod loss_snapshots;
mod receipts;
mod refused;
mod segments;
mod wild;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::codec::arbitrary::{self, Source};
use super::recovery::Recovered;
use super::segment::{self, Paths};
use super::sqlite::{Options, SqliteJournal};
use super::verify::verify;
use super::*;
use crate::journal::seal::KeyStore;

/// A journal that this test writes.
struct Writing {
    journal: SqliteJournal,
    recovered: Recovered,
    tip: Tip,
}

impl Writing {
    fn append(&mut self, batch: &Batch) -> Result<Tip, JournalError> {
        self.tip = self.journal.append(self.tip.epoch, self.tip.sequence, batch)?;
        Ok(self.tip)
    }

    fn append_next(&mut self, entries: u64) -> Batch {
        let batch = next(self.tip, entries);
        assert_eq!(self.append(&batch).unwrap(), self.journal.tip());
        batch
    }
}

/// Opens a journal and gives what it held.
fn open(data: &Path) -> (Result<Writing, JournalError>, Vec<Batch>) {
    open_with(data, Tip::default(), Options::default())
}

fn open_with(
    data: &Path,
    after: Tip,
    options: Options,
) -> (Result<Writing, JournalError>, Vec<Batch>) {
    let mut batches = Vec::new();
    let each = &mut |b: Arc<Batch>, _| batches.push(Batch::clone(&b));
    let opened = SqliteJournal::open_with(data, after, options, each);
    let writing = opened.and_then(|(mut journal, recovered)| {
        let tip = journal.acquire()?;
        Ok(Writing { journal, recovered, tip })
    });
    (writing, batches)
}

fn reopened(data: &Path) -> Writing {
    open(data).0.unwrap()
}

fn refused(data: &Path) -> JournalError {
    match open(data).0 {
        Ok(writing) => panic!("opened: {:?}", writing.recovered),
        Err(error) => error,
    }
}

/// A journal of these many entries by batch, closed, and what it holds.
fn journal(sizes: &[u64]) -> (tempfile::TempDir, Vec<Batch>, Tip) {
    journal_of(sizes, Options::default())
}

fn journal_of(sizes: &[u64], options: Options) -> (tempfile::TempDir, Vec<Batch>, Tip) {
    let data = tempfile::tempdir().unwrap();
    let mut writing = open_with(data.path(), Tip::default(), options).0.unwrap();
    assert_eq!(writing.recovered, Recovered::default());
    assert_eq!(writing.tip, Tip { epoch: 1, ..Tip::default() });
    let batches = sizes.iter().map(|size| writing.append_next(*size)).collect();
    (data, batches, writing.tip)
}

fn next(tip: Tip, entries: u64) -> Batch {
    arbitrary::batch(tip.sequence + 1, entries, &mut Source(tip.sequence))
}

/// A segment for every batch.
const TINY: Options = Options { segment_bytes: 1 };

fn segments(data: &Path) -> Vec<PathBuf> {
    let found = segment::list(&Paths::of(data).folder).unwrap();
    found.into_iter().map(|segment| segment.path).collect()
}

fn last_segment(data: &Path) -> PathBuf {
    segments(data).pop().unwrap()
}

/// Runs SQL on a closed journal's last file.
fn sql(data: &Path, statement: &str) {
    let connection = Connection::open(last_segment(data)).unwrap();
    connection.execute_batch(statement).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_was_appended_comes_back_and_goes_on() {
    let (data, mut written, tip) = journal(&[1, 3, 256]);
    assert_eq!((tip.epoch, tip.sequence), (1, 260));
    for epoch in 2..4 {
        let (opened, batches) = open(data.path());
        let mut journal = opened.unwrap();
        let recovered = journal.recovered;
        assert_eq!(batches, written);
        let last = written.last().unwrap();
        assert_eq!((recovered.tip.epoch, journal.tip.epoch), (epoch - 1, epoch));
        assert_eq!(recovered.tip.sequence, last.entries.last().unwrap().sequence);
        assert_eq!(recovered.batches, written.len() as u64);
        assert_eq!(recovered.entries, recovered.tip.sequence);
        assert_eq!(recovered.last_at, last.entries.last().unwrap().at);
        assert_eq!(recovered.last_wall, Some(last.wall));
        assert_eq!(recovered.dropped, 0);
        written.push(journal.append_next(2));
    }
}

#[test]
fn a_copy_taken_without_closing_holds_all_that_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let mut journal = reopened(data.path());
    let tip = journal.append(&next(journal.tip, 5)).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("journal");
    fs::create_dir(&folder).unwrap();
    for file in files(data.path()) {
        fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
    assert_eq!(reopened(copy.path()).tip, Tip { epoch: 2, ..tip });
}

#[test]
fn folders_and_files_are_private() {
    let data = tempfile::tempdir().unwrap();
    let mut journal = reopened(data.path());
    journal.append(&next(journal.tip, 1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&Paths::of(data.path()).folder), 0o700);
    let files = files(data.path());
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_second_opener_is_refused_until_the_first_is_gone() {
    let data = tempfile::tempdir().unwrap();
    let first = reopened(data.path());
    assert!(matches!(refused(data.path()), JournalError::Locked { .. }));
    drop(first);
    reopened(data.path());
}

#[test]
fn verify_reads_beside_a_writer_and_changes_nothing() {
    let (data, mut written, _) = journal(&[3, 4]);
    let before: Vec<_> = files(data.path()).iter().map(|f| fs::read(f).unwrap()).collect();
    let mut told = Vec::new();
    let report = verify(data.path(), &mut |n| told.push(n)).unwrap();
    let after: Vec<_> = ["lock", "segment-00000000000000000001.sqlite", "tip"]
        .iter()
        .map(|f| fs::read(data.path().join("journal").join(f)).unwrap())
        .collect();
    assert!(after.iter().all(|f| before.contains(f)));
    assert_eq!(told, [7]);

    let mut journal = reopened(data.path());
    assert_eq!((report.batches, report.entries), (2, 7));
    assert_eq!((report.first_sequence, report.last_sequence), (1, 7));
    assert_eq!(report.tip, Tip { epoch: 1, ..journal.tip });
    let batch = next(journal.tip, 2);
    let tip = journal.append(&batch).unwrap();
    written.push(batch);
    let report = verify(data.path(), &mut |_| {}).unwrap();
    assert_eq!((report.tip, report.entries), (tip, 9));
    assert_eq!(report.marks, written.iter().filter(|b| b.mark.is_some()).count() as u64);
    assert!(report.bytes > 0);
}

#[test]
fn verify_says_when_there_is_no_journal() {
    let data = tempfile::tempdir().unwrap();
    let error = verify(data.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, JournalError::NoJournal { .. }), "{error}");
    assert_eq!(files(data.path()), Vec::<PathBuf>::new());
}

#[test]
fn no_sealed_words_are_in_any_file() {
    let canary = b"CANARY +41 79 555 01 23 Ada Lovelace";
    let data = tempfile::tempdir().unwrap();
    let keys = KeyStore::open(data.path()).unwrap();
    let customer = keys.customer("CANARY +41 79 555 01 23");
    let sealed = keys.seal(Some(customer), canary);
    let mut journal = reopened(data.path());
    let mut batch = next(journal.tip, 1);
    batch.entries[0].sealed = Some(sealed.clone());
    journal.append(&batch).unwrap();
    for file in files(data.path()) {
        let bytes = fs::read(&file).unwrap();
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|w| w == part);
        assert!(!holds(b"CANARY") && !holds(b"Ada Lovelace"), "{}", file.display());
    }
    drop((journal, keys));
    let (_, batches) = open(data.path());
    let back = batches[0].entries[0].sealed.clone().unwrap();
    assert_eq!(back, sealed);
    let keys = KeyStore::open(data.path()).unwrap();
    assert_eq!(keys.unseal(&back).as_deref(), Some(&canary[..]));
}

#[test]
fn sqlite_is_compiled_as_the_configuration_of_cargo_says() {
    let used = "SELECT sqlite_compileoption_used('DEFAULT_MEMSTATUS=0')";
    let connection = Connection::open_in_memory().unwrap();
    let used: bool = connection.query_row(used, [], |row| row.get(0)).unwrap();
    // `fdatasync` is in the same line, and SQLite does not tell of that one.
    assert!(used, "LIBSQLITE3_FLAGS of .cargo/config.toml is lost: build in the sources' folder");
}
