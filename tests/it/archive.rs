//! The archive over random histories: its sums are those of the replica, cell by cell.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use surgeline::archive::{Store, query};
use surgeline::engine::Engine;
use surgeline::engine::contact::StateKind;
use surgeline::engine::recall::{ReturnedBecause, Tier};
use surgeline::journal::follow::{last_sequence, read_after};
use surgeline::journal::receipt::Receipts;
use surgeline::journal::seal::KeyStore;
use surgeline::journal::{Batch, EachBatch, Journal, JournalError, Tip, Trimmed, verify};
use surgeline::metrics::Metrics;
use surgeline::shard::recovery::{Shard, ShardOptions};

use super::simulation::World;

/// Takes everything and keeps nothing.
///
/// What a shard does by itself after its start waits until the other end is dropped: steps that
/// are due by then would be counted too.
struct Nowhere {
    started: bool,
    go_on: Receiver<()>,
}

impl Journal for Nowhere {
    fn acquire(&mut self) -> Result<Tip, JournalError> {
        Ok(Tip { epoch: 1, ..Tip::default() })
    }

    fn append(&mut self, epoch: u64, _: u64, batch: &Batch) -> Result<Tip, JournalError> {
        if std::mem::replace(&mut self.started, true) {
            // Nobody says anything: it ends.
            let _ = self.go_on.recv();
        }
        let sequence = batch.entries.last().map_or(0, |entry| entry.sequence);
        Ok(Tip { epoch, sequence, hash: [0; 32] })
    }

    fn read(&self, after: Tip, _: &mut EachBatch<'_>) -> Result<Tip, JournalError> {
        Ok(after)
    }

    fn trim(&mut self, _: u64) -> Result<Trimmed, JournalError> {
        Ok(Trimmed::default())
    }
}

/// Archives a journal a few batches at a time; after every third transaction the archive is
/// let go of with something taken and not committed, and opened again.
fn archive(data: &Path) {
    let last = last_sequence(data).expect("a journal");
    let mut store = Store::open(data).expect("an archive");
    let mut commits = 0;
    while store.tip().sequence < last {
        let mut taken = 0;
        let (from, most) = (store.tip(), 1 + commits % 3);
        read_after(data, &mut None, from, last, &mut |batch, tip| {
            store.take(batch, tip);
            taken += 1;
            if taken < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .expect("the journal is whole");
        if commits % 3 == 2 {
            store = Store::open(data).expect("the archive is there");
            let next = store.tip();
            assert_eq!(next, from, "what was not committed is not there");
            read_after(data, &mut None, next, last, &mut |batch, tip| {
                store.take(batch, tip);
                ControlFlow::Break(())
            })
            .expect("the journal is whole");
        }
        store.commit().expect("the disk takes it");
        commits += 1;
    }
}

fn numbers(data: &Path, sql: &str) -> Vec<Vec<serde_json::Value>> {
    query(data, sql).unwrap_or_else(|e| panic!("{sql}: {e}")).rows
}

fn number(data: &Path, sql: &str) -> u64 {
    numbers(data, sql)[0][0].as_u64().unwrap_or_else(|| panic!("{sql}: not a count"))
}

async fn compare(seed: u64, data: &Path, engine: &Engine) {
    let mut batches = Vec::new();
    verify::read(data, &mut |batch, tip| batches.push((batch, tip))).expect("a sound journal");
    let observer = Arc::new(Metrics::new().expect("metrics"));
    let receipts = Arc::new(Receipts::ephemeral().expect("random bytes"));
    let keys = Arc::new(KeyStore::ephemeral());
    let options = ShardOptions { keys, receipts, observer, snapshots: None };
    let (hold, go_on) = channel();
    let nowhere = Nowhere { started: false, go_on };
    let (handle, shard) = Shard::start(options, nowhere, batches, |previous| {
        Ok::<_, JournalError>(previous.cloned().expect("it was configured"))
    })
    .expect("a shard");
    let (queues, recalls) = handle
        .read(|view| (view.statistics.queues.clone(), view.statistics.recalls.clone()))
        .await
        .expect("the replica answers");
    for (id, counts) in queues.iter().enumerate() {
        let sql = format!(
            "SELECT coalesce(sum(offered), 0), coalesce(sum(answered), 0),
                 coalesce(sum(answered_in_target), 0), coalesce(sum(abandoned), 0),
                 coalesce(sum(abandoned_after_target), 0), coalesce(sum(answered_wait_us), 0)
             FROM interval WHERE queue = (SELECT name FROM queue WHERE id = {id})"
        );
        let expected = [
            counts.offered,
            counts.answered,
            counts.answered_in_target,
            counts.abandoned,
            counts.abandoned_after_target,
            counts.answered_wait_us,
        ];
        assert_eq!(numbers(data, &sql)[0], expected, "seed {seed} queue {id}");
        let rows = format!(
            "SELECT count(*), coalesce(sum(wait_us), 0) FROM contact WHERE consult_of IS NULL
                 AND wait_us IS NOT NULL AND answered_queue = (SELECT name FROM queue WHERE id = {id})"
        );
        let expected = [counts.answered, counts.answered_wait_us];
        assert_eq!(numbers(data, &rows)[0], expected, "seed {seed} queue {id} by contacts");
    }
    assert!(queues.iter().any(|q| q.answered > 0 && q.abandoned > 0), "seed {seed} shows little");
    for recall in &recalls {
        for tier in Tier::MACHINES {
            for because in ReturnedBecause::ALL {
                let sql = format!(
                    "SELECT count(*) FROM self_service WHERE recall = {} AND tier = '{}'
                         AND because = '{}'",
                    recall.recall,
                    tier.name(),
                    because.name()
                );
                let expected = recall.returned[tier.index()][because as usize];
                assert_eq!(number(data, &sql), expected, "seed {seed}: {sql}");
            }
        }
    }
    drop(hold);
    shard_is_over(shard).await;
    whole(seed, data, engine);
}

async fn shard_is_over(shard: Shard) {
    tokio::task::spawn_blocking(move || shard.stop()).await.expect("it stops");
}

/// What holds between the tables, and between them and the engine.
fn whole(seed: u64, data: &Path, engine: &Engine) {
    let contacts = number(data, "SELECT count(*) FROM contact");
    assert_eq!(contacts, engine.accepted(), "seed {seed}");
    let ended = number(data, "SELECT count(*) FROM contact WHERE ended_ms IS NOT NULL");
    assert_eq!(ended, engine.in_state(StateKind::Closed), "seed {seed}");
    for (column, book) in [
        ("talk_us", "agent_interval"),
        ("hold_us", "agent_interval"),
        ("wrap_up_us", "agent_interval"),
        ("talk_us", "interval"),
        ("wrap_up_us", "interval"),
        ("self_service_entered", "interval"),
        ("self_service_returned", "interval"),
        ("self_service_solved", "interval"),
    ] {
        let sum = |table| number(data, &format!("SELECT sum({column}) FROM {table}"));
        assert_eq!(sum("contact"), sum(book), "seed {seed} {column} in {book}");
    }
    for recall in engine.recalls() {
        for tier in Tier::MACHINES {
            let counts = recall.tiers[tier.index()];
            let of = |what: &str| {
                let (id, tier) = (recall.id, tier.name());
                let sql = format!(
                    "SELECT count(*) FROM self_service WHERE recall = {id} AND tier = '{tier}' {what}"
                );
                number(data, &sql)
            };
            let found = [of(""), of("AND outcome = 'solved'"), of("AND outcome = 'returned'")];
            let expected = [counts.entered, counts.solved, counts.returned];
            assert_eq!(found, expected, "seed {seed} recall {} {}", recall.id, tier.name());
        }
    }
    let lost = "SELECT count(*) FROM contact c WHERE NOT EXISTS
        (SELECT 1 FROM timeline t WHERE t.contact = c.id AND t.kind IN
            ('arrived', 'consult_started', 'follow_up_opened', 'promise_opened'))";
    assert_eq!(number(data, lost), 0, "seed {seed}");
}

#[tokio::test]
async fn random_histories_add_up_to_what_the_replica_counted() {
    let mut shown = std::collections::BTreeSet::new();
    for seed in 101..=106 {
        let mut world = World::new(seed);
        world.run(4_000);
        let (folder, engine) = world.into_journal();
        archive(folder.path());
        compare(seed, folder.path(), &engine).await;
        shown.extend(super::record::compare(seed, folder.path()));
    }
    for column in [
        "transferred_in",
        "returned_in",
        "moved_in",
        "moved_out",
        "self_served",
        "abandoned",
        "overflowed_in",
        "overflowed_out",
        "to_callback",
        "callbacks_answered",
        "callbacks_ended",
    ] {
        assert!(shown.contains(column), "no history has {column}: {shown:?}");
    }
}

/// An archive of a journal up to an entry, in a folder of its own.
fn archived_upto(journal: &Path, upto: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path()).expect("an archive");
    go_on(&mut store, journal, upto);
    folder
}

fn go_on(store: &mut Store, journal: &Path, upto: u64) -> Tip {
    read_after(journal, &mut None, store.tip(), upto, &mut |batch, tip| {
        store.take(batch, tip);
        ControlFlow::Continue(())
    })
    .expect("the journal is whole");
    store.commit().expect("the disk takes it");
    store.tip()
}

const TABLES: [&str; 16] = [
    "contact",
    "timeline",
    "sealed",
    "self_service",
    "interval",
    "agent_interval",
    "queue_record",
    "agent_record",
    "not_ready_record",
    "agent_state",
    "recall",
    "recall_level",
    "audit",
    "work",
    "(SELECT value, name FROM meta WHERE name IN ('sequence', 'hash', 'wall_ms'))",
    "(SELECT count(*) FROM contact)",
];

fn assert_same(seed: u64, cut: &Path, fresh: &Path) {
    for table in TABLES {
        let sql = format!("SELECT * FROM {table} ORDER BY 1, 2, 3");
        let sql = if table.starts_with('(') { format!("SELECT * FROM {table}") } else { sql };
        let sql = if table == "work" { "SELECT * FROM work ORDER BY 1".to_owned() } else { sql };
        let (cut, fresh) = (numbers(cut, &sql), numbers(fresh, &sql));
        let differ = cut.iter().zip(&fresh).find(|(a, b)| a != b);
        assert_eq!(differ, None, "seed {seed} {table}");
        assert_eq!(cut.len(), fresh.len(), "seed {seed} {table}");
    }
}

#[test]
fn an_archive_that_is_cut_back_is_as_one_that_never_went_further_and_goes_on() {
    for seed in 201..=204 {
        let mut world = World::new(seed);
        world.run(2_000);
        let (journal, _) = world.into_journal();
        let last = last_sequence(journal.path()).expect("a journal");
        for part in [3, 5, 6] {
            let fresh = archived_upto(journal.path(), last * part / 7);
            let cut = archived_upto(journal.path(), last);
            let mut fresh_store = Store::open(fresh.path()).expect("an archive");
            let tip = fresh_store.tip();
            let hash: String = tip.hash.iter().map(|byte| format!("{byte:02x}")).collect();
            let wall = numbers(fresh.path(), "SELECT value FROM meta WHERE name = 'wall_ms'");
            let loss = serde_json::json!({
                "when_ms": 1, "who": "ada", "why": "the disk", "from": tip.sequence + 1,
                "to": last, "lost": last - tip.sequence, "acknowledged": 1, "epoch": 1_000,
                "hash": hash, "kept_ms": wall[0][0], "refusal": null, "moved_to": "there",
            });
            std::fs::create_dir(cut.path().join("journal")).expect("a folder");
            std::fs::write(cut.path().join("journal/losses.jsonl"), format!("{loss}\n"))
                .expect("it can be written");
            let mut store = Store::open(cut.path()).expect("it is cut back");
            assert_eq!((store.tip().sequence, store.tip().epoch), (tip.sequence, 1_000));
            assert_same(seed, cut.path(), fresh.path());

            // Nothing of what is behind the cut is gone.
            let lost = rusqlite::Connection::open(cut.path().join("archive/lost.sqlite"))
                .expect("it is there");
            let count =
                |sql: &str| lost.query_row(sql, [], |row| row.get::<_, u64>(0)).expect("a count");
            let whole = archived_upto(journal.path(), last);
            let behind = |table: &str| {
                let sql = format!("SELECT count(*) FROM {table} WHERE sequence > {}", tip.sequence);
                number(whole.path(), &sql)
            };
            for table in ["timeline", "sealed", "audit", "recall_level"] {
                let moved = count(&format!("SELECT count(*) FROM {table} WHERE loss = 1000"));
                assert_eq!(moved, behind(table), "seed {seed} {table}");
            }
            // A second start does nothing more; and the same entries lead to the same again.
            drop(store);
            store = Store::open(cut.path()).expect("it opens again");
            assert_same(seed, cut.path(), fresh.path());
            let (a, b) = (
                go_on(&mut store, journal.path(), last),
                go_on(&mut fresh_store, journal.path(), last),
            );
            assert_eq!((a.sequence, a.hash), (b.sequence, b.hash));
            assert_same(seed, cut.path(), whole.path());
        }
    }
}
