//! The owner: one thread that owns the engine and decides everything, one command at a time.
//!
//! It drains a bounded number of commands into an open batch, hands the batch to the
//! writer, and decides the next while that one is written. It never waits for a client
//! and never touches the journal; what it decides leaves through the writer alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Select, Sender, TryRecvError};

use super::ask::{AnswerTo, Ask, Outbox, Rejection, WordsAsked};
use super::batch::{
    BATCH_COMMANDS, Open, ROUND_COMMANDS, Release, Settled, UNDURABLE_BATCHES, UNDURABLE_BYTES,
    Work,
};
use super::clock::{Clock, wall_now};
use super::health::Health;
use super::observe::Observer;
use super::people::PeopleChange;
use super::recalls::RecallChange;
use super::writer::reply;
use crate::engine::Engine;
use crate::engine::command::{Command, Reply};
use crate::engine::directive::{Directive, Recipient, Tell};
use crate::engine::entry::{Actor, Entry, Role, Sealed};
use crate::engine::event::Event;
use crate::ids::RequestId;
use crate::journal::Mark;
use crate::time::{EngineTime, Span};

/// Entries between two marks: often enough to find a divergence within a second of load,
/// rarely enough to cost nothing.
const MARK_EVERY: u64 = 1_024;
/// Part of every round that arrivals may have however much else there is.
const ARRIVALS_SHARE: usize = 8;
/// Events that a command has; each beyond them counts as a command more, so that a batch with
/// slices of work on many in it is no longer than another.
const EVENTS_A_COMMAND: usize = 8;
/// One in so many decisions is timed; a power of two.
const TIMED: u64 = 16;
/// How long a tick that did nothing is believed, should more seem to be due at once.
const IDLE_TICK: Span = Span::millis(1);

/// Nothing is ever sent on the channel of this; that it closes says: stop.
#[derive(Debug)]
pub(crate) enum Never {}

/// The owner's ends of its channels.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) farewells: Receiver<Ask>,
    pub(crate) arrivals: Receiver<Ask>,
    pub(crate) others: Receiver<Ask>,
    pub(crate) settled: Receiver<Settled>,
    pub(crate) work: Sender<Work>,
    pub(crate) stop: Receiver<Never>,
}

/// The engine with what it takes to turn commands into entries.
#[derive(Debug)]
pub(crate) struct Decider {
    engine: Engine,
    clock: Clock,
    /// Time of the last command: no entry may be earlier than the one before it.
    at: EngineTime,
    sequence: u64,
    marked: u64,
    handled: u64,
    open: Open,
    directives: Vec<Directive>,
    router: Actor,
    observer: Arc<dyn Observer>,
}

impl Decider {
    /// One that goes on after `sequence`. Its first batch carries a mark, so that a
    /// recovery that went wrong shows at once.
    pub(crate) fn new(
        engine: Engine,
        clock: Clock,
        sequence: u64,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            engine,
            clock,
            at: clock.now(),
            sequence,
            marked: sequence.saturating_sub(MARK_EVERY),
            handled: 0,
            open: Open::default(),
            directives: Vec::new(),
            router: Actor { role: Role::Router, name: "router".into() },
            observer,
        }
    }

    /// The shard's own command, whose answer only the shard wants.
    pub(crate) fn own(&mut self, command: Command) -> Result<Reply, Rejection> {
        let router = self.router.clone();
        let (answer, _) = self.decide(router, None, &command, None, None);
        answer
    }

    fn take(&mut self, ask: Ask) {
        let Ask { actor, request, command, sealed, attach, answer_to } = ask;
        // The answer goes before the entry's directives: who asks learns the id of a
        // contact before anything is said about it.
        let slot = self.open.releases.len();
        let (answer, before) = self.decide(actor, request, &command, sealed, attach);
        if !matches!(answer_to, AnswerTo::Nobody) {
            self.open.releases.insert(slot + before, Release::Answer(answer_to, answer));
        }
    }

    /// Decides one command into the open batch. Also tells how many of the releases that
    /// it added come before the answer.
    fn decide(
        &mut self,
        actor: Actor,
        request: Option<RequestId>,
        command: &Command,
        sealed: Option<Sealed>,
        attach: Option<Outbox>,
    ) -> (Result<Reply, Rejection>, usize) {
        self.at = self.at.max(self.clock.now());
        let at = self.at;
        let mut events = Vec::new();
        let timed = self.handled.is_multiple_of(TIMED).then(Instant::now);
        let outcome = self.engine.handle(at, request, command, &mut events);
        if let Some(began) = timed {
            self.observer.decided(began.elapsed());
        }
        self.handled += 1;
        // A slice of work on many weighs as much as the commands that it keeps waiting.
        self.open.commands += 1 + events.len().saturating_sub(EVENTS_A_COMMAND);
        let slot = self.open.releases.len();
        let outcome = outcome.map_err(|refusal| {
            self.observer.refused(refusal.kind());
            Rejection::Refused(refusal)
        });
        for event in &events {
            self.follow(event, sealed.as_ref());
        }
        if let (Some(outbox), Ok(reply)) = (attach, &outcome)
            && let Some((to, session)) = begins(command, reply)
        {
            self.open.releases.push(Release::Attach(to, session, outbox));
        }
        let before = self.open.releases.len() - slot;
        if events.is_empty() {
            return (outcome, before);
        }
        self.engine.directives(at, &events, &mut self.directives);
        for directive in self.directives.drain(..) {
            let with = match directive.tell {
                // Words for the agent; how somebody outside is reached, for the gateway.
                Tell::CustomerInput(_) | Tell::Join { .. } => sealed.clone(),
                _ => None,
            };
            self.open.releases.push(Release::Directive(directive, with));
        }
        self.sequence += 1;
        self.open.push(Entry { sequence: self.sequence, at, actor, request, events, sealed });
        (outcome, before)
    }

    /// What the registries must know of an event, at its own point among the releases.
    fn follow(&mut self, event: &Event, sealed: Option<&Sealed>) {
        let people = PeopleChange::of(event, sealed).map(Release::People);
        self.open.releases.extend(people);
        let release = match event {
            Event::Configured(routing) => Release::Directory(routing.clone()),
            Event::GatewayLost { gateway } => Release::Detach(Recipient::Gateway(*gateway)),
            Event::AgentLost { agent, .. } => Release::Detach(Recipient::Agent(*agent)),
            Event::WordsAsked { contact, ask, recall, want } => {
                let (contact, ask, recall, want) = (*contact, *ask, *recall, *want);
                Release::Words(WordsAsked { contact, ask, recall, want })
            }
            Event::RecallStarted { .. } | Event::Amended(_) | Event::RecallEnded { .. } => {
                let Some(change) = RecallChange::of(event) else { return };
                Release::Recall(change)
            }
            _ => return,
        };
        self.open.releases.push(release);
    }

    /// Closes the open batch.
    pub(crate) fn close(&mut self) -> Work {
        let due = self.sequence.saturating_sub(self.marked) >= MARK_EVERY || self.marked == 0;
        let mark = (due && !self.open.entries.is_empty()).then(|| {
            self.marked = self.sequence;
            Mark::of(&self.engine, self.sequence)
        });
        self.observer.handled(self.open.commands as u64);
        self.open.close(mark, wall_now())
    }

    /// How long until the engine wants a tick; none if it wants none.
    fn tick_in(&self) -> Option<Duration> {
        self.engine.next_tick().map(|at| self.clock.until(at))
    }
}

/// Whose session a command begins.
fn begins(command: &Command, reply: &Reply) -> Option<(Recipient, crate::ids::SessionId)> {
    match (command, reply) {
        (_, Reply::Gateway { gateway, session: Some(session) }) => {
            Some((Recipient::Gateway(*gateway), *session))
        }
        (Command::ConnectAgent(agent), Reply::Agent(session)) => {
            Some((Recipient::Agent(*agent), *session))
        }
        _ => None,
    }
}

/// The owner thread's own.
#[derive(Debug)]
pub(crate) struct Owner {
    decider: Decider,
    ends: Ends,
    health: Arc<Health>,
    /// Batches with the writer, and their estimated size.
    sent: usize,
    sent_bytes: usize,
    stopping: bool,
    /// No tick before then.
    rested: Option<EngineTime>,
}

/// What a round of the owner came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Round {
    /// It did something; there may be more.
    Worked,
    /// There is nothing to do.
    Idle,
    /// Nothing can be done before a batch is durable.
    Held,
    /// It is over.
    Over,
}

impl Owner {
    pub(crate) fn new(decider: Decider, ends: Ends, health: Arc<Health>) -> Self {
        Self { decider, ends, health, sent: 0, sent_bytes: 0, stopping: false, rested: None }
    }

    /// Runs until it is told to stop and everything is durable, or the writer is gone.
    pub(crate) fn run(mut self) {
        while self.step() {}
        // Nobody may submit from here on; what slipped in was not decided.
        self.health.set_stopping();
        for ask in self.ends.others.try_iter().chain(self.ends.arrivals.try_iter()) {
            reply(ask.answer_to, Err(Rejection::Stopping));
        }
    }

    fn step(&mut self) -> bool {
        match self.round() {
            Round::Worked => true,
            Round::Idle => {
                self.wait();
                true
            }
            Round::Held => match self.ends.settled.recv() {
                Ok(settled) => {
                    self.settle(settled);
                    true
                }
                Err(_) => false,
            },
            Round::Over => false,
        }
    }

    /// Does what can be done now, at most a round's worth of it. Waits for nothing.
    pub(crate) fn round(&mut self) -> Round {
        loop {
            match self.ends.settled.try_recv() {
                Ok(settled) => self.settle(settled),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Round::Over,
            }
        }
        // A batch stays open while another is written and grows with what comes meanwhile:
        // it could not be written earlier anyway, and fewer batches are fewer syncs.
        let full = self.decider.open.is_full();
        if !self.decider.open.is_empty()
            && (self.sent == 0 || full && self.sent < UNDURABLE_BATCHES)
            && !self.send()
        {
            return Round::Over;
        }
        if self.must_wait() {
            return Round::Held;
        }
        if self.tick() | self.drain() {
            return Round::Worked;
        }
        if self.stopping && self.sent == 0 && self.decider.open.is_empty() {
            return Round::Over;
        }
        Round::Idle
    }

    fn must_wait(&self) -> bool {
        self.sent >= UNDURABLE_BATCHES
            || self.decider.open.is_full()
            || self.sent_bytes + self.decider.open.bytes >= UNDURABLE_BYTES
    }

    fn settle(&mut self, settled: Settled) {
        self.sent -= 1;
        self.sent_bytes -= settled.bytes;
        self.decider.observer.undurable(self.sent);
    }

    fn send(&mut self) -> bool {
        let work = self.decider.close();
        if work.batch.is_none() && work.releases.is_empty() {
            return true;
        }
        self.sent += 1;
        self.sent_bytes += work.bytes;
        self.decider.observer.undurable(self.sent);
        self.ends.work.send(work).is_ok()
    }

    /// Lets the engine do what is due. Once a round, so that long work done in slices has
    /// commands between its slices.
    fn tick(&mut self) -> bool {
        let now = self.decider.clock.now();
        if self.stopping
            || self.decider.tick_in().is_none_or(|wait| !wait.is_zero())
            || self.rested.is_some_and(|until| now < until)
        {
            return false;
        }
        let entries = self.decider.open.entries.len();
        if let Err(why) = self.decider.own(Command::Tick) {
            tracing::warn!(%why, "a tick was refused");
        }
        let worked = self.decider.open.entries.len() > entries;
        self.rested = (!worked).then(|| now + IDLE_TICK);
        true
    }

    /// Takes a round of commands: what finishes with those who are here first, but never
    /// all of a round, so that arrivals are never starved.
    fn drain(&mut self) -> bool {
        let room = BATCH_COMMANDS.saturating_sub(self.decider.open.commands).min(ROUND_COMMANDS);
        let others = room - room / ARRIVALS_SHARE;
        let mut taken = Self::fill(&mut self.decider, &self.ends.farewells, others);
        taken += Self::fill(&mut self.decider, &self.ends.others, others - taken);
        taken += Self::fill(&mut self.decider, &self.ends.arrivals, room - taken);
        taken += Self::fill(&mut self.decider, &self.ends.others, room - taken);
        taken > 0
    }

    fn fill(decider: &mut Decider, lane: &Receiver<Ask>, most: usize) -> usize {
        let mut taken = 0;
        while taken < most && !decider.open.is_full() {
            let Ok(ask) = lane.try_recv() else { break };
            decider.take(ask);
            taken += 1;
        }
        taken
    }

    fn wait(&mut self) {
        let mut select = Select::new();
        let stop = (!self.stopping).then(|| select.recv(&self.ends.stop));
        select.recv(&self.ends.farewells);
        select.recv(&self.ends.others);
        select.recv(&self.ends.arrivals);
        select.recv(&self.ends.settled);
        let rest = self.rested.map(|until| self.decider.clock.until(until));
        let wait = self.decider.tick_in().map(|wait| wait.max(rest.unwrap_or_default()));
        let ready = match wait.filter(|_| !self.stopping) {
            Some(wait) => select.ready_timeout(wait).ok(),
            None => Some(select.ready()),
        };
        if stop.is_some() && ready == stop {
            self.stopping = true;
            self.health.set_stopping();
        }
    }
}
