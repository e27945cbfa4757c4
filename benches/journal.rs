//! The journal alone: an append beside a bare write and `fdatasync` of as many bytes.
//!
//! `cargo bench --bench journal [-- FOLDER]`; the folder is on the disk to be measured, else
//! the temporary one. Batches of three sizes are appended one after the other for as long as
//! several segments last, so that rolling and sealing are in the figures; before and after it
//! the bare syncs are measured, because a disk is not the same from minute to minute.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use surgeline::engine::entry::{Actor, Entry, Role};
use surgeline::engine::event::Event;
use surgeline::journal::sqlite::{Options, SqliteJournal};
use surgeline::journal::{Batch, Journal, Tip};
use surgeline::time::{EngineTime, WallTime};

// As in the shipped binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A batch of entries about as long as those of a contact's life.
fn batch(after: u64, entries: u64) -> Batch {
    let why: Arc<str> = "x".repeat(96).into();
    let entries = (after + 1..=after + entries)
        .map(|sequence| Entry {
            sequence,
            at: EngineTime(sequence),
            actor: Actor { role: Role::Gateway, name: Arc::from("gateway-1") },
            request: None,
            events: vec![Event::Ordered { why: why.clone() }],
            sealed: None,
        })
        .collect();
    Batch { entries, mark: None, wall: WallTime(after) }
}

fn histogram() -> Histogram<u64> {
    // With bounds: one that grows by itself clamps what is saturated to where it began.
    Histogram::new_with_max(60_000_000_000, 3).expect("bounds are allowed")
}

fn timed(times: &mut Histogram<u64>, work: impl FnOnce()) {
    let began = Instant::now();
    work();
    times.saturating_record(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
}

/// Bare appends of this many bytes, each synced.
fn bare(folder: &Path, bytes: usize, lasting: Duration) -> Histogram<u64> {
    let path = folder.join("bare");
    let mut file = OpenOptions::new().append(true).create(true).open(&path).expect("a file");
    let (mut times, payload, began) = (histogram(), vec![7; bytes], Instant::now());
    while began.elapsed() < lasting {
        timed(&mut times, || {
            file.write_all(&payload).and_then(|()| file.sync_data()).expect("the disk takes it");
        });
    }
    std::fs::remove_file(path).expect("it was there");
    times
}

/// Appends of batches; what it comes to in bytes each, and how many segments it took.
fn append(
    folder: &Path,
    entries: u64,
    lasting: Duration,
    options: Options,
) -> (Histogram<u64>, usize) {
    let data = tempfile::tempdir_in(folder).expect("a folder");
    let mut read = |_, _| {};
    let opened = SqliteJournal::open_with(data.path(), Tip::default(), options, &mut read);
    let (mut journal, _) = opened.expect("a journal");
    let mut tip = journal.acquire().expect("an epoch");
    let (mut times, began) = (histogram(), Instant::now());
    while began.elapsed() < lasting {
        let batch = batch(tip.sequence, entries);
        timed(&mut times, || {
            tip = journal.append(tip.epoch, tip.sequence, &batch).expect("the disk takes it");
        });
    }
    let segments = std::fs::read_dir(data.path().join("journal"))
        .expect("a folder")
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("segment-") && name.ends_with(".sqlite")
        })
        .count();
    (times, segments)
}

fn tell(what: &str, entries: u64, times: &Histogram<u64>, ratio: Option<f64>, segments: usize) {
    let ms = |nanos: u64| Duration::from_nanos(nanos).as_secs_f64() * 1_000.0;
    println!(
        "{what:>12} {entries:>8} {:>8} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>9} {segments:>9}",
        times.len(),
        ms(times.value_at_quantile(0.5)),
        ms(times.value_at_quantile(0.99)),
        ms(times.value_at_quantile(0.999)),
        ms(times.max()),
        ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
    );
}

fn main() {
    // `cargo test --all-targets` runs this too: then it only has to work.
    let quick = !std::env::args().any(|a| a == "--bench");
    let folder = std::env::args().skip(1).find(|a| !a.starts_with("--")).map(PathBuf::from);
    let folder = folder.unwrap_or_else(std::env::temp_dir);
    let scale = if quick { Duration::from_millis(10) } else { Duration::from_secs(1) };
    println!("a batch to the journal beside a bare write and fdatasync; ms");
    println!(
        "{:>12} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "what", "entries", "times", "p50", "p99", "p99.9", "max", "ratio p50", "segments"
    );
    for entries in [1, 64, 512] {
        let bytes = 140 * usize::try_from(entries).unwrap_or(usize::MAX);
        let mut around = bare(&folder, bytes, scale * 5);
        let (times, segments) = append(&folder, entries, scale * 30, Options::default());
        around += bare(&folder, bytes, scale * 5);
        let median = |times: &Histogram<u64>| times.value_at_quantile(0.5) as f64;
        tell("bare", entries, &around, None, 0);
        tell("journal", entries, &times, Some(median(&times) / median(&around)), segments);
    }
}
