//! A seeded simulation of processes that come and go over one journal that fails.
//!
//! The real owner, writer and recovery run on this thread, under a clock that stands unless it
//! is moved; clients outside keep a ledger. Whatever was acknowledged must be there after every
//! start, what was refused must not be, nobody has a contact that another has, what is due is
//! done, and who has lost the journal says nothing more. Snapshots are written, damaged, and
//! trimmed behind; what a start or a reader behind needs must be there.
//!
//! A failure names its seed: `SURGELINE_SEED=n cargo test --lib shard::tests::simulation --
//! --nocapture` tells it step by step. `SURGELINE_LONG=1` takes more seeds.

mod clients;
mod disk;
mod ledger;
mod life;
mod proofs;
mod snapshots;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::disk::{Bug, Disk, FaultyJournal, Shared, held};
use self::ledger::{Ledger, Witness};
use self::life::Life;
use self::snapshots::{Keeping, Shelf};
use super::bench;
use crate::engine::refusal::Refusal;
use crate::engine::routing::{AgentProfile, Routing};
use crate::journal::{Journal, JournalError, Tip};
use crate::shard::owner::Round;
use crate::shard::recovery::{Recovery, Resumed, ShardOptions, StartError};
use crate::shard::testing::{Recorded, machine};
use crate::time::Span;

const AGENTS: u32 = 5;
const STEPS: u32 = 400;

/// A promise that was broken, in words.
#[derive(Debug)]
struct Broken(String);

impl Broken {
    fn of(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// What happened in a history, so that a simulation that has become blind shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Seen {
    acknowledged: usize,
    refused: usize,
    again: usize,
    crashes: usize,
    takeovers: usize,
    starts_failed: usize,
    from_snapshots: usize,
    trims: usize,
    spoilt: usize,
    left_out: usize,
    struck: [u64; 4],
    unread: u64,
    superseded: u64,
    moved: u64,
}

impl Seen {
    fn add(&mut self, one: &Self) {
        self.acknowledged += one.acknowledged;
        self.refused += one.refused;
        self.again += one.again;
        self.crashes += one.crashes;
        self.takeovers += one.takeovers;
        self.starts_failed += one.starts_failed;
        self.from_snapshots += one.from_snapshots;
        self.trims += one.trims;
        self.spoilt += one.spoilt;
        self.left_out += one.left_out;
        self.unread += one.unread;
        self.superseded += one.superseded;
        self.moved += one.moved;
        for (all, one) in self.struck.iter_mut().zip(one.struck) {
            *all += one;
        }
    }

    /// Every kind of thing happened again and again in so many histories.
    fn must_be_many(&self, histories: u64) {
        let counted = [
            self.acknowledged / 50,
            self.refused,
            self.again,
            self.crashes,
            self.takeovers,
            self.starts_failed,
            self.from_snapshots,
            self.trims,
            self.spoilt,
            self.left_out,
        ];
        let counted = counted.into_iter().map(|n| n as u64);
        let more = [self.unread, self.superseded, self.moved * 10];
        let few = counted.chain(self.struck).chain(more).position(|n| n < histories / 2);
        assert_eq!(few, None, "hardly ever: {self:?}");
    }
}

struct World {
    rng: StdRng,
    bug: Option<Bug>,
    /// Tells every step.
    tells: bool,
    options: ShardOptions,
    routing: Routing,
    disk: Shared,
    life: Option<Life>,
    /// A process that another has taken over from, and that does not know.
    old: Option<Life>,
    lives: u32,
    shelf: Shelf,
    keeping: Option<Keeping>,
    ledger: Ledger,
    witness: Witness,
    requests: u128,
    seen: Seen,
}

fn routing() -> Routing {
    let mut routing = bench::routing();
    routing.queues[0].wrap_up = Span::seconds(5);
    let more =
        |n: u32| AgentProfile { name: format!("agent-{n}").into(), ..routing.agents[0].clone() };
    let more: Vec<_> = (2..AGENTS).map(more).collect();
    routing.agents.extend(more);
    routing
}

impl World {
    fn new(seed: u64, bug: Option<Bug>, tells: bool) -> Self {
        machine::stand();
        let disk = Arc::new(Mutex::new(Disk::new(seed, bug)));
        Self {
            rng: StdRng::seed_from_u64(seed),
            bug,
            tells,
            options: bench::options(Arc::new(Recorded::default())),
            routing: routing(),
            shelf: Shelf::new(&disk, bug),
            keeping: None,
            disk,
            life: None,
            old: None,
            lives: 0,
            ledger: Ledger::default(),
            witness: Witness::default(),
            requests: 0,
            seen: Seen::default(),
        }
    }

    /// Tells a step, when it is listened to.
    fn tell(&self, what: impl FnOnce() -> String) {
        if self.tells {
            println!("{:>9.3} s  {}", machine::elapsed().as_secs_f64(), what());
        }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    fn run(&mut self) -> Result<(), Broken> {
        for _ in 0..STEPS {
            self.step()?;
        }
        // Nothing fails any more: what was left open is asked again, and all of it is held
        // against the journal by one more start.
        held(&self.disk).calm = true;
        self.crash()?;
        self.start()?;
        self.ask_again(usize::MAX);
        self.settle()?;
        self.ledger_read()?;
        self.crash()?;
        self.start()?;
        self.settle()?;
        self.crash()
    }

    fn step(&mut self) -> Result<(), Broken> {
        if self.life.is_none() {
            return self.start();
        }
        match self.rng.random_range(0..1_000) {
            0..12 => self.crash()?,
            12..22 => self.take_over()?,
            22..50 => self.take_snapshot()?,
            50..60 => self.spoil_a_snapshot(),
            60..160 => {
                let ms = self.rng.random_range(1..6_000);
                self.tell(|| format!("{ms} ms pass"));
                machine::advance(Duration::from_millis(ms));
            }
            _ => self.clients_act(),
        }
        match self.rng.random_range(0..10) {
            0..3 => {
                self.life.as_mut().map(Life::decide);
            }
            3..5 => self.write()?,
            5..8 => self.settle()?,
            _ => {}
        }
        self.old_acts()?;
        self.hear()?;
        if self.chance(20) {
            self.shelf.follow(self.keeping.as_ref(), &mut self.rng)?;
        }
        if self.life.as_ref().is_some_and(|life| life.failed) && self.chance(40) {
            self.crash()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Broken> {
        let bug = self.bug;
        if let Some(life) = &mut self.life
            && life.write(bug)
        {
            let (number, failed) = (life.number, life.failed);
            self.tell(|| format!("life {number} wrote a batch, failed: {failed}"));
            self.hear()?;
        }
        Ok(())
    }

    /// Until there is nothing more to decide or to write; then nothing may be overdue.
    fn settle(&mut self) -> Result<(), Broken> {
        loop {
            let Some(life) = &mut self.life else { return Ok(()) };
            let round = life.decide();
            let wrote = life.write(self.bug);
            self.hear()?;
            if round == Round::Over || (round != Round::Worked && !wrote) {
                break;
            }
        }
        let Some(life) = self.life.as_ref().filter(|life| !life.failed) else { return Ok(()) };
        let now = life.now();
        self.follow()?;
        self.witness.overdue(now)
    }

    /// A process that has been taken over from goes on as if nothing had happened.
    fn old_acts(&mut self) -> Result<(), Broken> {
        if self.old.is_none() {
            return Ok(());
        }
        if self.chance(4) {
            self.tell(|| "the old process is gone".into());
            return self.old.take().map_or(Ok(()), Life::end);
        }
        if self.chance(20) {
            self.ask_the_old();
        }
        let bug = self.bug;
        if let Some(old) = &mut self.old {
            old.decide();
            if old.write(bug) {
                let (number, failed) = (old.number, old.failed);
                self.tell(|| format!("old life {number} wrote a batch, failed: {failed}"));
            }
        }
        self.hear()
    }

    fn hear(&mut self) -> Result<(), Broken> {
        for life in self.life.iter_mut().chain(&mut self.old) {
            life.hear()?;
        }
        self.ledger_read()
    }

    fn ledger_read(&mut self) -> Result<(), Broken> {
        let failed = |number: u32| {
            let mut lives = self.life.iter().chain(&self.old);
            lives.any(|life| life.number == number && life.failed)
        };
        self.ledger.read(failed)
    }

    /// The process dies where it stands.
    fn crash(&mut self) -> Result<(), Broken> {
        self.tell(|| "the process dies".into());
        self.seen.crashes += 1;
        self.life.take().map_or(Ok(()), Life::end)?;
        self.old.take().map_or(Ok(()), Life::end)?;
        self.keeping.take().into_iter().for_each(|keeping| self.shelf.close(keeping));
        self.ledger_read()
    }

    /// Another process starts while this one lives.
    fn take_over(&mut self) -> Result<(), Broken> {
        self.old.take().map_or(Ok(()), Life::end)?;
        self.old = self.life.take();
        self.seen.takeovers += 1;
        self.tell(|| "another process takes over".into());
        self.start()
    }

    /// What a replica would write now; the journal may go behind it.
    fn take_snapshot(&mut self) -> Result<(), Broken> {
        self.follow()?;
        let Some(keeping) = &mut self.keeping else { return Ok(()) };
        if self.shelf.take(keeping, self.witness.snapshot()) {
            let (sequence, begins) = (self.witness.tip.sequence, held(&self.disk).begins());
            self.tell(|| format!("a snapshot of entry {sequence}, trimmed up to {begins}"));
        }
        Ok(())
    }

    fn spoil_a_snapshot(&mut self) {
        if let Some(which) = self.shelf.spoil(&mut self.rng) {
            self.tell(|| format!("the snapshot of entry {which} is damaged"));
        }
    }

    /// The witness follows what is durable.
    fn follow(&mut self) -> Result<(), Broken> {
        let batches = held(&self.disk).durable_after(self.witness.tip.sequence);
        self.witness.follow(batches)
    }

    /// A process starts: reads, while an older one may still write, and then begins its epoch.
    fn start(&mut self) -> Result<(), Broken> {
        held(&self.disk).settle();
        let observer = Arc::new(Recorded::default());
        let options = ShardOptions { observer: observer.clone(), ..self.options.clone() };
        let mut recovery = Recovery::new(options).map_err(|e| Broken(e.to_string()))?;
        self.keeping.take().into_iter().for_each(|keeping| self.shelf.close(keeping));
        let (keeping, resumed) = self.shelf.open()?;
        self.keeping = Some(keeping);
        let after = resumed.as_ref().map_or(Tip::default(), Resumed::tip);
        if let Some(resumed) = resumed {
            recovery.resume(resumed);
            self.seen.from_snapshots += 1;
        }
        let journal = FaultyJournal::new(&self.disk);
        let read = journal.read(after, &mut |batch, tip| recovery.batch(batch, tip));
        if let Err(JournalError::Trimmed { asked, .. }) = read {
            return Err(Broken(format!("entry {asked}, which a start needs, was trimmed")));
        }
        for _ in 0..3 {
            self.old_acts()?;
        }
        let (began, epoch) = (machine::elapsed(), held(&self.disk).epoch);
        let prepared = match read {
            Ok(_) => recovery.prepare(journal, |_| Ok::<_, Refusal>(self.routing.clone())),
            Err(error) => Err(StartError::Journal(error.into())),
        };
        if let Some(old) = &mut self.old {
            old.superseded |= held(&self.disk).epoch > epoch;
        }
        self.hold_against_journal()?;
        match prepared {
            Ok(parts) => {
                self.lives += 1;
                self.tell(|| {
                    format!("life {} begins, entries from {}", self.lives, after.sequence)
                });
                // The last entry is the start itself, at the time that its clock began with.
                let began = (began, self.witness.at());
                self.life = Some(Life::new(parts, observer, self.lives, began));
                self.greet();
                Ok(())
            }
            Err(StartError::Journal(error)) => {
                self.seen.starts_failed += 1;
                self.tell(|| format!("a start failed: {error}"));
                Ok(())
            }
            Err(error) => Err(Broken(format!("it does not start: {error}"))),
        }
    }

    fn hold_against_journal(&mut self) -> Result<(), Broken> {
        if !held(&self.disk).holds(self.witness.tip) {
            return Err(Broken::of("what was durable is gone"));
        }
        self.follow()?;
        self.ledger.check(&self.witness)
    }

    /// All that the clients know and all that the journal makes, for comparing.
    fn trace(&self) -> String {
        format!("{:?} {:?}", self.ledger, self.witness.snapshot())
    }

    fn seen(&self) -> Seen {
        let disk = held(&self.disk);
        Seen {
            acknowledged: self.ledger.acknowledged(),
            refused: self.ledger.refused(),
            struck: disk.struck,
            unread: disk.unread,
            superseded: disk.superseded,
            moved: disk.moved,
            trims: self.shelf.trims(),
            spoilt: self.shelf.spoilt,
            left_out: self.shelf.left_out,
            ..self.seen
        }
    }
}

/// One history; what happened in it, or what was broken.
fn history(seed: u64, bug: Option<Bug>, tells: bool) -> Result<World, Broken> {
    let mut world = World::new(seed, bug, tells);
    world.run()?;
    Ok(world)
}

#[test]
fn no_fault_of_the_journal_breaks_a_promise() {
    let one = std::env::var("SURGELINE_SEED").ok();
    let one = one.map(|seed| seed.parse::<u64>().expect("SURGELINE_SEED is a number"));
    let most = if std::env::var_os("SURGELINE_LONG").is_some() { 5_000 } else { 100 };
    let seeds = one.map_or(1..=most, |seed| seed..=seed);
    let mut all = Seen::default();
    for seed in seeds {
        match history(seed, None, one.is_some()) {
            Ok(world) => all.add(&world.seen()),
            Err(Broken(what)) => panic!(
                "seed {seed}: {what}\nstep by step: SURGELINE_SEED={seed} cargo test --lib \
                 shard::tests::simulation::no_fault -- --nocapture"
            ),
        }
    }
    println!("{all:?}");
    if one.is_none() {
        all.must_be_many(most);
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    let trace = |seed| {
        let world = history(seed, None, false).unwrap_or_else(|Broken(what)| panic!("{what}"));
        (world.seen(), machine::elapsed(), world.trace())
    };
    for seed in [3, 77, 1_234] {
        assert_eq!(trace(seed), trace(seed), "seed {seed}");
    }
}
