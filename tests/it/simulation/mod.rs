//! A seeded simulation: random commands against the engine, everything checked after each.
//!
//! `SURGELINE_SEED=n` repeats a failure; every panic names its seed and step.

mod callback;
mod care;
mod center;
mod commands;
mod life;
mod naive;
mod people;
mod policies;
mod recall;
mod shadow;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use surgeline::engine::Engine;
use surgeline::engine::command::{Act, Command, GatewayLimits, Reply};
use surgeline::engine::contact::{Contact, StateKind};
use surgeline::engine::entry::{Actor, Entry, Role};
use surgeline::engine::event::{Event, Rule};
use surgeline::engine::words::Availability;
use surgeline::ids::{AgentId, AskId, ContactId, QueueId, RequestId};
use surgeline::journal::sqlite::SqliteJournal;
use surgeline::journal::{Batch, Journal, Mark, Tip};
use surgeline::time::{EngineTime, Place, Span, WallTime};

use naive::{Naive, Wrong};
use shadow::{Decided, Shadow};

const AGENTS: u32 = 24;
const QUEUES: u16 = 6;
const SKILLS: u16 = 5;
const GATEWAYS: u16 = 3;
/// Entries in one batch of the journal.
const BATCH: usize = 1_000;

/// The first gateway says texts, has few ports and makes few calls, the second says texts and has
/// few sessions, the third does not and says nothing of what it can carry.
fn limits(gateway: u16) -> GatewayLimits {
    let (ivr_ports, calls_per_second) = if gateway == 0 { (2, 1) } else { (0, 0) };
    let sessions = if gateway == 1 { 12 } else { 0 };
    let says = gateway < 2;
    GatewayLimits { sessions, ivr_ports, calls_per_second, says, offers: says }
}

pub(super) struct World {
    seed: u64,
    rng: StdRng,
    owner: Engine,
    replica: Engine,
    at: EngineTime,
    sequence: u64,
    keys: u64,
    /// Questions to the reader of words, the newest last.
    asked: Vec<(ContactId, AskId)>,
    /// Places of contacts in self-service, as they were when they entered it.
    diverted: BTreeMap<ContactId, Place>,
    /// Contacts that came back from self-service once.
    returned: BTreeSet<ContactId>,
    /// Contacts that were offered a call.
    offered: BTreeSet<ContactId>,
    /// Queues that contacts came to or left by overflow.
    overflowed: BTreeMap<ContactId, Vec<QueueId>>,
    /// Customers are told things by their queues.
    speaks: bool,
    refused: u64,
    tally: BTreeMap<&'static str, u64>,
    folder: tempfile::TempDir,
    journal: SqliteJournal,
    tip: Tip,
    unwritten: Vec<Entry>,
    naive: Naive,
    patience: care::Patience,
    owing: callback::Owing,
    /// The first choice that a naive matcher with a wrong rule would not have made.
    difference: Option<String>,
    /// An engine from a snapshot.
    shadow: Option<Shadow>,
    /// How many there were that followed, and that decided.
    shadows: [u64; 2],
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self::beside(Naive::default(), seed)
    }

    /// One beside which this naive matcher chooses.
    fn beside(naive: Naive, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let speaks = life::speaks(&mut rng);
        let routing = Arc::new(center::routing(&mut rng, speaks));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (mut journal, _) =
            SqliteJournal::open(folder.path(), Tip::default(), &mut |_, _| {}).expect("a journal");
        let tip = journal.acquire().expect("an epoch");
        let mut world = Self {
            seed,
            rng,
            owner: Engine::default(),
            replica: Engine::default(),
            at: EngineTime::ZERO,
            sequence: 0,
            keys: 0,
            asked: Vec::new(),
            diverted: BTreeMap::new(),
            returned: BTreeSet::new(),
            offered: BTreeSet::new(),
            overflowed: BTreeMap::new(),
            speaks,
            refused: 0,
            tally: Default::default(),
            folder,
            journal,
            tip,
            unwritten: Vec::new(),
            naive,
            patience: care::Patience::default(),
            owing: callback::Owing::default(),
            difference: None,
            shadow: None,
            shadows: [0; 2],
        };
        world.step(&Command::Configure(routing));
        for g in 0..GATEWAYS {
            let name = Arc::from(format!("gateway-{g}"));
            world.step(&Command::ConnectGateway { name, limits: limits(g) });
        }
        for a in 0..AGENTS {
            world.step(&Command::ConnectAgent(AgentId(a)));
            let act = Act::Become(Availability::Ready);
            world.step(&Command::Agent { agent: AgentId(a), session: None, act });
        }
        world
    }

    /// One command with everything checked after it.
    fn step(&mut self, command: &Command) -> Option<Reply> {
        let before = self.owner.state_hash();
        let waited_on: Vec<Contact> = self.owner.contacts().cloned().collect();
        let mut events = Vec::new();
        // What the router does by itself nobody asks for twice.
        let asked = !matches!(command, Command::Tick) && self.rng.random_bool(0.3);
        let request = asked.then(|| RequestId { id: self.rng.random(), content: 1 });
        let reply = self.owner.handle(self.at, request, command, &mut events);
        let context = format!("seed {} entry {} {command:?}", self.seed, self.sequence);
        let decided = events.len();
        if let Some(shadow) = &mut self.shadow {
            let (at, reply, events) = (self.at, &reply, &events);
            shadow.decide(&Decided { at, request, command, reply, events }, &context);
        }
        if reply.is_err() {
            self.refused += 1;
            assert!(events.is_empty(), "{context}: refused with events {events:?}");
            assert_eq!(before, self.owner.state_hash(), "{context}: a refusal changed state");
        }
        if let Err(violation) = self.owner.check() {
            panic!("{context}: {violation}\nevents: {events:#?}");
        }
        self.check_places(&events, &waited_on, &context);
        self.check_lives(&events, &waited_on, &context);
        self.check_filing(&context);
        self.check_callbacks(&events, &waited_on, &context);
        self.owing.follow(command, &events, &context);
        self.check_patience(&events, &waited_on, &context);
        self.count(&events);
        if !events.is_empty() {
            if let (Some(request), Ok(first)) = (request, &reply) {
                let mut again = Vec::new();
                let second = self.owner.handle(self.at, Some(request), command, &mut again);
                if !matches!(first, Reply::Unknown(_)) {
                    assert_eq!(second.as_ref(), Ok(first), "{context}: another reply to a repeat");
                    assert!(again.is_empty(), "{context}: a repeat did something");
                } else {
                    assert!(again.is_empty() || matches!(command, Command::Gateway { .. }));
                    events.extend(again);
                }
            }
            self.compare(&events, &context);
            self.sequence += 1;
            let entry = Entry {
                sequence: self.sequence,
                at: self.at,
                actor: Actor { role: Role::Router, name: Arc::from("simulation") },
                request,
                events,
                sealed: None,
            };
            self.replica.replay(&entry);
            if let Some(shadow) = &mut self.shadow {
                shadow.follow(&entry, decided);
            }
            let (owner, replica) = (self.owner.state_hash(), self.replica.state_hash());
            assert_eq!(owner, replica, "{context}: the replica differs");
            self.unwritten.push(entry);
            if self.unwritten.len() >= BATCH {
                self.write();
            }
        }
        reply.ok()
    }

    /// Each choice is the one that looking at everyone would have made.
    fn compare(&mut self, events: &[Event], context: &str) {
        if let Err(difference) = self.naive.follow(self.at, events) {
            let difference = format!("{context}: {difference}\nevents: {events:#?}");
            assert!(self.naive.is_planted(), "{difference}");
            self.difference.get_or_insert(difference);
        }
    }

    fn count(&mut self, events: &[Event]) {
        for event in events {
            let debug = format!("{event:?}");
            let end = debug.find(|c: char| !c.is_alphanumeric()).unwrap_or(debug.len());
            let name: &'static str = NAMES
                .iter()
                .find(|n| **n == &debug[..end])
                .unwrap_or_else(|| panic!("{} is not in the list of events", &debug[..end]));
            *self.tally.entry(name).or_default() += 1;
            if let Some(detail) = people::details(event) {
                *self.tally.entry(detail).or_default() += 1;
            }
            if let Event::Reserved(r) = event {
                *self.tally.entry(r.why.rule.name()).or_default() += 1;
            }
            if let Some(crossed) = callback::crossed(event) {
                *self.tally.entry(crossed).or_default() += 1;
            }
            if let Some(way) = life::ways(event) {
                *self.tally.entry(way).or_default() += 1;
            }
        }
    }

    fn write(&mut self) {
        let mark = Mark::of(&self.owner, self.sequence);
        let entries = std::mem::take(&mut self.unwritten);
        let batch = Batch { entries, mark: Some(mark), wall: WallTime(self.at.0 / 1000) };
        let Tip { epoch, sequence, .. } = self.tip;
        self.tip = self.journal.append(epoch, sequence, &batch).expect("the disk takes it");
    }

    /// What the journal gives back makes the same state, mark by mark.
    fn replay_from_journal(mut self) {
        if !self.unwritten.is_empty() {
            self.write();
        }
        drop(self.journal);
        let mut engine = Engine::default();
        let mut replayed = 0;
        let (_journal, found) =
            SqliteJournal::open(self.folder.path(), Tip::default(), &mut |batch, _| {
                for entry in &batch.entries {
                    engine.replay(entry);
                    replayed += 1;
                }
                let mark = batch.mark.expect("every batch has one");
                assert!(!mark.differs(&engine), "seed {} after {}", self.seed, mark.sequence);
            })
            .expect("what was written can be read");
        assert_eq!((found.entries, replayed), (self.sequence, self.sequence), "seed {}", self.seed);
        assert_eq!(engine.state_hash(), self.owner.state_hash(), "seed {}", self.seed);
        assert_eq!(engine.check(), Ok(()), "seed {}", self.seed);
    }

    /// The folder of its journal, which holds everything from now on.
    pub(super) fn into_journal(mut self) -> (tempfile::TempDir, Engine) {
        if !self.unwritten.is_empty() {
            self.write();
        }
        (self.folder, self.owner)
    }

    pub(super) fn run(&mut self, steps: u64) {
        for _ in 0..steps {
            self.at = self.at + Span::millis(self.rng.random_range(0..400));
            self.shadow_sometimes();
            let command = self.random_command();
            self.step(&command);
            // As the shard does: what is due comes before what is asked next, mostly.
            while self.owner.next_tick().is_some_and(|due| due <= self.at)
                && self.rng.random_bool(0.9)
            {
                self.step(&Command::Tick);
            }
        }
    }
}

/// Every event there is. A new one has to be reached by the simulation too.
const NAMES: &[&str] = &[
    "Restarted",
    "Configured",
    "Ordered",
    "GatewayRegistered",
    "GatewayConnected",
    "GatewayLost",
    "GatewayResynced",
    "Detached",
    "Reattached",
    "Arrived",
    "Queued",
    "OpenedToAll",
    "PassOverEnded",
    "Renewed",
    "Unchanged",
    "Reprioritised",
    "Reserved",
    "NotTaken",
    "Accepted",
    "EffectAsked",
    "EffectSettled",
    "LegReported",
    "Bridged",
    "ConnectFailed",
    "Pended",
    "InputReceived",
    "AttributesSet",
    "HoldChanged",
    "RecordingNoted",
    "Coded",
    "ConsultStarted",
    "HandedOver",
    "Closed",
    "WrapUpEnded",
    "AgentConnected",
    "AgentLost",
    "AvailabilityChanged",
    "NextSet",
    "PhoneUnreachable",
    "ReservationsPaused",
    "RecallStarted",
    "LevelChanged",
    "LevelFreed",
    "LevelPressed",
    "RecallEnded",
    "PartnersSet",
    "BreakerSet",
    "Triaged",
    "Diverted",
    "Stepped",
    "Returned",
    "WordsAsked",
    "WordsRead",
    "KeysPressed",
    "FollowUpOpened",
    "StepTaken",
    "Refiled",
    "HoursChanged",
    "WaitAnnounced",
    "NumberConfirmed",
    "CallbackPromised",
    "CallbackStepped",
    "Dialled",
    "CallLost",
    "PromiseMade",
    "PromiseSet",
    "PromiseOpened",
    "RecoveryOpened",
    "RecoverySet",
    "ReplyCame",
    "PlaceKept",
    "Advanced",
    "Linked",
    "HeldBack",
    "HoldEnded",
    "FellSilent",
    "PresenceAsked",
    "PresenceAssumed",
    "WentSilent",
    "FeedbackGiven",
    "ReasonOverstayed",
    "SignOut",
    "WrapUpExtended",
    "OutsideCall",
    "Participant",
    "Bulk",
    "Shared",
    "Safety",
    "Alarm",
    "Amended",
    "Rechecked",
];

#[test]
fn random_histories_hold_every_promise() {
    let seeds: Vec<u64> = match std::env::var("SURGELINE_SEED") {
        Ok(seed) => vec![seed.parse().expect("SURGELINE_SEED is a number")],
        // `tests/run --long` sets it.
        Err(_) if std::env::var_os("SURGELINE_LONG").is_some() => (1..=200).collect(),
        Err(_) => (1..=20).collect(),
    };
    let (mut commands, mut refused, mut closed) = (0, 0, 0);
    let mut reached = BTreeSet::new();
    let mut shadows = [0; 2];
    let mut compared: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in &seeds {
        let mut world = World::new(*seed);
        world.run(11_000);
        commands += 11_000;
        refused += world.refused;
        shadows = [shadows[0] + world.shadows[0], shadows[1] + world.shadows[1]];
        closed += world.owner.in_state(StateKind::Closed);
        reached.extend(world.tally.keys().copied());
        for (trigger, n) in &world.naive.compared {
            *compared.entry(*trigger).or_default() += n;
        }
        println!("seed {seed}: {:?}", world.tally);
        world.replay_from_journal();
    }
    println!(
        "{commands} commands, {refused} refused, {closed} contacts closed, {shadows:?} snapshots"
    );
    println!("choices that looking at everyone made too: {compared:?}");
    if seeds.len() > 1 {
        let missing: Vec<_> = NAMES.iter().filter(|n| !reached.contains(**n)).collect();
        assert!(missing.is_empty(), "never reached: {missing:?}");
        let missing: Vec<_> = life::WAYS.iter().filter(|w| !reached.contains(**w)).collect();
        assert!(missing.is_empty(), "ways out of a queue never taken: {missing:?}");
        let steps: Vec<_> = people::STEPS.iter().filter(|n| !reached.contains(**n)).collect();
        assert!(steps.is_empty(), "never reached: {steps:?}");
        let crossed: Vec<_> = callback::CROSSED.iter().filter(|n| !reached.contains(**n)).collect();
        assert!(crossed.is_empty(), "never reached: {crossed:?}");
        let few = compared.values().filter(|n| **n < 100).count();
        assert!(compared.len() == 4 && few == 0, "hardly compared: {compared:?}");
        let rules: Vec<_> = Rule::ALL.iter().filter(|r| !reached.contains(r.name())).collect();
        assert!(rules.is_empty(), "rules that never decided: {rules:?}");
        assert!(shadows.iter().all(|n| *n > 20), "hardly any engine from a snapshot: {shadows:?}");
        assert!(closed > commands / 20, "hardly any contact lived its whole life");
    }
}

/// The naive matcher sees what it is for: with any one of its rules wrong it differs.
#[test]
fn a_wrong_rule_in_the_naive_matcher_is_found() {
    for wrong in Wrong::ALL {
        let found = (1..=20).find_map(|seed| {
            let mut world = World::beside(Naive::planted(wrong), seed);
            (0..110).find_map(|_| {
                world.run(100);
                world.difference.take()
            })
        });
        let found = found.unwrap_or_else(|| panic!("{wrong:?} is not seen"));
        println!("{wrong:?}: {}", found.lines().next().unwrap_or_default());
    }
}
