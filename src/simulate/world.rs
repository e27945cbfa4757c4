//! One run: the real engine under a virtual clock, and the people around it.
//!
//! The world owns the engine, the agenda of what is to happen, and everyone who came. It
//! tells the engine what gateways, agents and on-call staff would, and does at once what the
//! events ask of them. Who gets whom is the engine's alone: nothing of it is here. One thread,
//! no IO; the same seed gives the same run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;
use rand::{RngExt, SeedableRng};
use rustc_hash::FxBuildHasher;

use super::arrivals::Moments;
use super::chance::Dice;
use super::error::SimulateError;
use super::people::{Hands, Person, Redialer};
use super::scenario::{Scenario, Stream, to_span};
use super::tally::{POINTS, Tally};
use crate::engine::Engine;
use crate::engine::callback::DialOutcome;
use crate::engine::command::{Act, Arrival, Command, GatewayLimits, Reply, Report};
use crate::engine::contact::StateKind;
use crate::engine::event::Event;
use crate::engine::recall::Found;
use crate::engine::refusal::Refusal;
use crate::engine::wait_estimate::WaitEstimate;
use crate::engine::words::Availability;
use crate::ids::{
    AgentId, AskId, ContactId, EffectId, GatewayId, QueueId, RecallId, ReservationId, SessionId,
};
use crate::time::{EngineTime, Span};

/// What is to happen at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Happening {
    /// The next of a stream comes.
    Comes(u16),
    /// One who gave up comes again.
    Redials(u32),
    /// A customer's patience ends, if they still wait as they did then.
    GivesUp(ContactId, u32),
    /// An agent answers a reservation.
    Answers(AgentId, ReservationId),
    /// An agent is done with a contact.
    Done(AgentId, ContactId),
    /// A customer in self-service has heard enough.
    Decides(ContactId, u32),
    /// An agent comes to work, or goes.
    Shift(AgentId, bool),
    /// One who did not answer is back.
    Back(AgentId),
    /// On-call staff do the next thing.
    Order(usize),
    /// A number outside has rung for long enough.
    RangOutside(ContactId, EffectId),
    /// Who directs looks again.
    Directs,
}

/// What is to be done at once because of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Todo {
    Accept(AgentId, ReservationId),
    Bridge(ReservationId),
    Say(EffectId),
    /// A customer is called, and answers.
    Call(EffectId, ReservationId),
    Read(ContactId, AskId, Found),
    /// A customer answers whether they want to be called back.
    Answer(ContactId, EffectId, bool),
}

/// What becomes of one run.
pub(super) struct World<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) engine: Engine,
    pub(super) now: EngineTime,
    pub(super) tally: Tally,
    pub(super) people: HashMap<ContactId, Person, FxBuildHasher>,
    pub(super) todos: VecDeque<Todo>,
    /// By stream: for who comes. Apart, so that what agents do changes nothing of it.
    pub(super) dice_of: Vec<Dice>,
    /// For everything else.
    pub(super) dice: Dice,
    pub(super) recalls: BTreeMap<usize, RecallId>,
    /// By agent: contacts in hand, and since when they are, and are there.
    pub(super) hands: Vec<Hands>,
    /// Agents whose hands have just become emptier.
    pub(super) freed: Vec<AgentId>,
    /// By queue: those who gave up, by when they came, until their turn would have come, with
    /// their stream and what they were told.
    pub(super) gave_up: Vec<BTreeMap<(EngineTime, ContactId), (u16, WaitEstimate)>>,
    agenda: BinaryHeap<Reverse<(EngineTime, u64, Happening)>>,
    sequence: u64,
    events: Vec<Event>,
    moments: Vec<Moments<'a>>,
    redialers: Vec<Redialer>,
    /// Places of `redialers` that are free.
    free: Vec<u32>,
    gateway: (GatewayId, Option<SessionId>),
    /// Contacts that the engine has open.
    open: u64,
    next_point: usize,
    /// A level changed that was not looked at yet.
    pub(super) levels: bool,
    /// Told what each command came to, once everybody has heeded it.
    pub(super) watch: Option<Watch<'a>>,
    /// Has people do more than the scenario says.
    director: Option<Director<'a>>,
}

/// Somebody who looks on: at what time, the engine after a command, and the command's events.
pub(super) type Watch<'a> = Box<dyn FnMut(EngineTime, &Engine, &[Event]) + 'a>;

/// Somebody who has people do what no scenario says: asked every so often what the next is.
pub(super) type Director<'a> = Box<dyn FnMut(EngineTime, &Engine) -> Option<Command> + 'a>;

/// How often they are asked, seconds.
const DIRECTED: f64 = 5.0;

impl<'a> World<'a> {
    /// The world before anybody has come. `run` counts from 0.
    pub(super) fn new(scenario: &'a Scenario, run: u32) -> Result<Self, SimulateError> {
        let routing = &scenario.routing;
        // Streams, and the people in them, are drawn apart: a change of one moves no other.
        let seed = scenario.run.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(run);
        let mut seeds = Dice::seed_from_u64(seed);
        let mut dice = || Dice::seed_from_u64(seeds.random());
        let moments = scenario.streams.iter().map(|s| Moments::new(&s.arrivals, dice())).collect();
        let dice_of = scenario.streams.iter().map(|_| dice()).collect();
        let mut world = Self {
            scenario,
            engine: Engine::default(),
            now: EngineTime::ZERO,
            tally: Tally::new(routing.queues.len(), routing.agents.len())?,
            people: HashMap::default(),
            todos: VecDeque::new(),
            dice_of,
            dice: seeds,
            recalls: BTreeMap::new(),
            hands: vec![Hands::default(); routing.agents.len()],
            freed: Vec::new(),
            gave_up: vec![BTreeMap::new(); routing.queues.len()],
            agenda: BinaryHeap::new(),
            sequence: 0,
            events: Vec::new(),
            moments,
            redialers: Vec::new(),
            free: Vec::new(),
            gateway: (GatewayId(0), None),
            open: 0,
            next_point: 0,
            levels: false,
            watch: None,
            director: None,
        };
        world.open_doors()?;
        Ok(world)
    }

    fn open_doors(&mut self) -> Result<(), SimulateError> {
        let must =
            |what: &'static str| move |source: Refusal| SimulateError::Refused { what, source };
        let configure = Command::Configure(Arc::clone(&self.scenario.routing));
        self.tell(&configure).map_err(must("take the scenario's routing"))?;
        let limits = GatewayLimits { says: true, offers: true, ..GatewayLimits::default() };
        let hello = Command::ConnectGateway { name: Arc::from("simulation"), limits };
        if let Reply::Gateway { gateway, session } =
            self.tell(&hello).map_err(must("let the gateway in"))?
        {
            self.gateway = (gateway, session);
        }
        for (index, staffing) in self.scenario.staff.iter().enumerate() {
            let agent = AgentId(u32::try_from(index).unwrap_or(u32::MAX));
            for (from, until) in &staffing.shifts {
                self.at(EngineTime::ZERO + *from, Happening::Shift(agent, true));
                if let Some(until) = until {
                    self.at(EngineTime::ZERO + *until, Happening::Shift(agent, false));
                }
            }
        }
        for (index, (at, _)) in self.scenario.orders.iter().enumerate() {
            self.at(EngineTime::ZERO + *at, Happening::Order(index));
        }
        for stream in 0..self.scenario.streams.len() {
            self.await_next(stream);
        }
        Ok(())
    }

    /// Plays the run to its end.
    ///
    /// # Errors
    /// [`SimulateError::Stuck`] if it does not end.
    pub(super) fn play(mut self) -> Result<Tally, SimulateError> {
        let end = EngineTime::ZERO + to_span(self.scenario.run.duration);
        let last = end + to_span(self.scenario.run.drain);
        let mut open_agents = true;
        loop {
            let next = self.agenda.peek().map(|Reverse((at, _, _))| *at);
            let due = self.engine.next_tick().map(|at| at.max(self.now));
            let Some(at) = next.into_iter().chain(due).min() else { break };
            if at > end {
                if open_agents {
                    self.pass(end);
                    self.count_hands(end);
                    open_agents = false;
                }
                if self.open == 0 {
                    break;
                }
                if at > last {
                    let hours = (self.scenario.run.drain / 3600.0).round();
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "hours"
                    )]
                    return Err(SimulateError::Stuck { left: self.open, hours: hours as u64 });
                }
            }
            self.pass(at);
            if due.is_some_and(|due| next.is_none_or(|next| due <= next)) {
                self.act(&Command::Tick);
            } else if let Some(Reverse((_, _, happening))) = self.agenda.pop() {
                self.happen(happening);
            }
        }
        if open_agents {
            self.pass(end);
            self.count_hands(end);
        }
        self.tally.tiers.end(self.now);
        if self.open > 0 {
            return Err(SimulateError::Forever { left: self.open });
        }
        Ok(self.tally)
    }

    /// Time goes on.
    fn pass(&mut self, to: EngineTime) {
        while self.next_point < POINTS {
            #[expect(clippy::cast_precision_loss, reason = "a point of a picture")]
            let share = (self.next_point + 1) as f64 / POINTS as f64;
            if to < EngineTime::ZERO + to_span(self.scenario.run.duration * share) {
                break;
            }
            #[expect(clippy::cast_precision_loss, reason = "contacts there at once")]
            let count = |kind| self.engine.in_state(kind) as f64;
            let course = &mut self.tally.course;
            course.waiting[self.next_point] = count(StateKind::Queued);
            course.with_agents[self.next_point] = count(StateKind::Reserved)
                + count(StateKind::Connecting)
                + count(StateKind::Assigned);
            course.self_service[self.next_point] = count(StateKind::SelfService);
            self.next_point += 1;
        }
        self.stood_until(to);
        self.now = self.now.max(to);
    }

    /// Nothing changed until now: so many stood in each line.
    fn stood_until(&mut self, to: EngineTime) {
        if !self.counts(self.now) || to <= self.now {
            return;
        }
        let seconds = to.since(self.now).as_secs_f64();
        for (id, queue) in (0..).zip(&mut self.tally.queues) {
            queue.stood(self.engine.in_line(QueueId(id)), seconds);
        }
        if self.engine.shared().next().is_some() {
            self.tally.shared_s += seconds;
        }
    }

    /// The point of the course that this moment is before.
    pub(super) fn point(&self) -> usize {
        self.next_point.min(POINTS - 1)
    }

    pub(super) fn at(&mut self, at: EngineTime, happening: Happening) {
        self.sequence += 1;
        self.agenda.push(Reverse((at, self.sequence, happening)));
    }

    pub(super) fn after(&mut self, seconds: f64, happening: Happening) {
        self.at(self.now + to_span(seconds), happening);
    }

    /// Whether what happens to one who came at this time is in the figures.
    pub(super) fn counts(&self, arrived: EngineTime) -> bool {
        arrived >= EngineTime::ZERO + to_span(self.scenario.run.warm_up)
            && arrived < EngineTime::ZERO + to_span(self.scenario.run.duration)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Comes(stream) => {
                self.await_next(usize::from(stream));
                let person = self.somebody(stream);
                self.comes(person);
            }
            Happening::Redials(slot) => {
                let again = self.redialers[slot as usize];
                self.free.push(slot);
                let person = self.again(again);
                self.comes(person);
            }
            Happening::GivesUp(contact, turn) => self.gives_up(contact, turn),
            Happening::Answers(agent, reservation) => {
                // Who took too long finds that it rings no more.
                if self.rings(agent, reservation) {
                    self.act(&agent_does(agent, Act::Accept(reservation)));
                }
            }
            Happening::Done(agent, contact) => {
                let done = Act::Complete { contact, disposition: None };
                self.act(&agent_does(agent, done));
            }
            Happening::Decides(contact, turn) => self.decides(contact, turn),
            Happening::Shift(agent, comes) => self.shift(agent, comes),
            Happening::Back(agent) => {
                if self.hands[agent.index()].on_shift {
                    self.act(&agent_does(agent, Act::Become(Availability::Ready)));
                }
            }
            Happening::Order(index) => self.order(index),
            Happening::RangOutside(contact, effect) => self.rang_outside(contact, effect),
            Happening::Directs => self.directs(),
        }
    }

    /// Somebody directs from now on.
    pub(super) fn directed_by(&mut self, director: Director<'a>) {
        self.director = Some(director);
        self.after(DIRECTED, Happening::Directs);
    }

    fn directs(&mut self) {
        let Some(mut director) = self.director.take() else { return };
        if let Some(command) = director(self.now, &self.engine) {
            self.act(&command);
        }
        // For as long as anything goes on.
        if self.open > 0 || !self.agenda.is_empty() {
            self.directed_by(director);
        }
    }

    /// The next of a stream, if it comes before the run's end.
    fn await_next(&mut self, stream: usize) {
        let next = self.moments[stream].next().filter(|at| *at < self.scenario.run.duration);
        if let (Some(at), Ok(stream)) = (next, u16::try_from(stream)) {
            self.at(EngineTime::ZERO + to_span(at), Happening::Comes(stream));
        }
    }

    /// Somebody comes to the door.
    fn comes(&mut self, person: Person) {
        let stream = &self.scenario.streams[usize::from(person.stream)];
        self.tally.came += 1;
        let point = self.point();
        self.tally.course.came[point] += 1.0;
        if person.counted {
            let queue = &mut self.tally.queues[stream.queue.index()];
            queue.came += 1;
            queue.first += u64::from(person.attempt == 0);
        }
        if self.scenario.run.trunks.is_some_and(|trunks| self.open >= trunks) {
            return self.blocked(person);
        }
        let report = Report::Arrived(self.arrival(stream, &person));
        // Whose contact it is must be known before its events are read: ids are counted out.
        let expected = ContactId(self.engine.accepted() + 1);
        let command = self.report(report);
        self.people.insert(expected, person);
        if self.tell(&command).is_err() {
            self.people.remove(&expected);
            return self.blocked(person);
        }
        if person.counted {
            self.tally.queues[stream.queue.index()].offered += 1;
        }
        self.waits_or_not(expected);
        self.settle();
    }

    fn arrival(&self, stream: &Stream, person: &Person) -> Arrival {
        Arrival {
            key: Arc::from(self.tally.came.to_string()),
            channel: stream.channel,
            queue: stream.queue,
            entry_point: stream.entry_point,
            needs: stream.needs.clone(),
            preferred: stream.preferred.clone(),
            head_start: stream.head_start,
            safety: stream.safety,
            customer: person.customer,
            continues: None,
            waited: Span::ZERO,
            attributes: None,
            number_confirmed: false,
            language: stream.language,
            heed: None,
            content: self.tally.came,
        }
    }

    pub(super) fn report(&self, report: Report) -> Command {
        Command::Gateway { gateway: self.gateway.0, session: self.gateway.1, report }
    }

    /// Who gave up or was blocked comes again later, at this place of the list.
    pub(super) fn comes_again(&mut self, redialer: Redialer, after: f64) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.redialers[slot as usize] = redialer;
                slot
            }
            None => {
                self.redialers.push(redialer);
                u32::try_from(self.redialers.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.after(after, Happening::Redials(slot));
    }

    /// Tells the engine, and does all that follows at once.
    pub(super) fn act(&mut self, command: &Command) {
        let _ = self.tell(command);
        self.settle();
    }

    /// Tells the engine; what follows is on the list.
    pub(super) fn tell(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let mut events = std::mem::take(&mut self.events);
        let reply = self.engine.handle(self.now, None, command, &mut events);
        if let Err(refusal) = &reply {
            self.tally.refused += 1;
            self.tally.first_refusal.get_or_insert_with(|| refusal.to_string().into());
        }
        for event in &events {
            match event {
                Event::Arrived(_)
                | Event::FollowUpOpened(_)
                | Event::PromiseOpened(_)
                | Event::ConsultStarted { .. } => {
                    self.open += 1;
                }
                Event::Closed { .. } => self.open -= 1,
                Event::Shared(_) if self.counts(self.now) => self.tally.shared_switches += 1,
                _ => {}
            }
            self.heed(event);
        }
        if let Some(watch) = &mut self.watch {
            watch(self.now, &self.engine, &events);
        }
        events.clear();
        self.events = events;
        if self.levels {
            let recalls = self.engine.recalls();
            self.tally.tiers.stand(self.now, self.scenario.wave, recalls);
            self.levels = false;
        }
        self.anyone_turn();
        reply
    }

    /// Does what the events so far ask for, and what follows from that.
    pub(super) fn settle(&mut self) {
        while let Some(todo) = self.todos.pop_front() {
            let command = match todo {
                Todo::Accept(agent, reservation) => agent_does(agent, Act::Accept(reservation)),
                Todo::Bridge(reservation) => self.report(Report::Bridged(reservation)),
                Todo::Say(effect) => self.report(Report::EffectDone(effect)),
                Todo::Call(effect, reservation) => {
                    self.todos.push_front(Todo::Bridge(reservation));
                    let outcome = DialOutcome::Answered;
                    self.report(Report::Dialled { effect, outcome, code: 0 })
                }
                Todo::Answer(contact, effect, accepted) => self.report(Report::OfferAnswered {
                    contact,
                    effect,
                    accepted,
                    confirmed: true,
                }),
                Todo::Read(contact, ask, found) => Command::WordsRead { contact, ask, found },
            };
            let _ = self.tell(&command);
        }
    }
}

pub(super) fn agent_does(agent: AgentId, act: Act) -> Command {
    Command::Agent { agent, session: None, act }
}
