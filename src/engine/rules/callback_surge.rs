//! Callbacks at 25 times the normal volume: of those who were promised a time at most one in a
//! hundred is called late, never are more called than agents are free, nobody is called by
//! their place while somebody who came before them is on the line, and of those who stay on the
//! line half as great a part is answered as without callbacks, at least.
//!
//! A center of 40 agents under a clock of its own, with customers who give up, machines, busy
//! lines and agents who do not answer. Seeded by counting: the same run every time.

use std::collections::{BTreeMap, BTreeSet};

use super::callbacks::center;
use super::*;
use crate::engine::callback::{CallbackPolicy, DialMode, DialOutcome, Phase, Wanted, Window};
use crate::engine::contact::Contact;
use crate::engine::event::EffectKind;
use crate::engine::promise::PromiseKind;
use crate::engine::room::FARTHEST;
use crate::ids::PromiseId;

const STAFF: u32 = 40;
/// A call takes five minutes on average, 480 are served in an hour; 80 % of that is normal.
const HANDLE: u64 = 300;
const NORMAL_PER_HOUR: u64 = 384;

/// What happens next outside the router.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Next {
    Arrives,
    Answers(ContactId),
    Bridges(ContactId),
    Hangs(ContactId),
    Ends(ContactId),
    GivesUp(ContactId),
}

struct Surge {
    c: Center,
    clock: EngineTime,
    agenda: BTreeMap<(EngineTime, u64), Next>,
    drawn: u64,
    asked: u64,
    granted: u64,
    most_dialling: usize,
    /// Promises that say by when.
    dues: BTreeSet<PromiseId>,
    /// Those who stayed on the line, during the surge and after it.
    live: [Live; 2],
}

/// What became of those who were never promised a call.
#[derive(Clone, Copy, Default, Debug)]
struct Live {
    answered: u64,
    left: u64,
    /// What the first waited, in all.
    waited: Span,
}

impl Live {
    /// The part that was answered.
    fn part(self) -> f64 {
        self.answered as f64 / (self.answered + self.left) as f64
    }
}

impl Surge {
    /// Without a mode nobody is called back.
    fn new(mode: Option<DialMode>) -> Self {
        let policy = CallbackPolicy {
            mode: mode.unwrap_or(DialMode::AgentFirst),
            ..CallbackPolicy::default()
        };
        let mut c = center(&policy);
        let mut routing = Routing::clone(c.engine.routing());
        if mode.is_none() {
            routing.queues[PLAIN.index()].callback = None;
        }
        // As a center has it that says nothing else.
        routing.settings.async_share = Settings::default().async_share;
        routing.agents.extend((3..STAFF).map(|n| agent(&format!("a{n}"), None, [1, 0, 0, 0])));
        c.ok(&Command::Configure(Arc::new(routing)));
        (0..STAFF).for_each(|a| c.ready(AgentId(a)));
        let (clock, agenda) = (EngineTime::ZERO, BTreeMap::new());
        let (drawn, asked, granted, most_dialling) = (0, 0, 0, 0);
        let (dues, live) = (BTreeSet::new(), Default::default());
        Self { c, clock, agenda, drawn, asked, granted, most_dialling, dues, live }
    }

    /// Those of now: who comes before the surge is in neither.
    fn live(&mut self) -> Option<&mut Live> {
        match self.clock.0 / 3_600_000_000 {
            0 | 1 => None,
            2 => Some(&mut self.live[0]),
            _ => Some(&mut self.live[1]),
        }
    }

    /// Agents who have nothing in their hands.
    fn free(&self) -> BTreeSet<AgentId> {
        let free = |a: &&crate::engine::agent::Agent| {
            a.work.is_empty() && a.availability == Availability::Ready
        };
        self.c.engine.agents().filter(free).map(|a| a.id).collect()
    }

    /// Every call that is being made is for an agent of its own, who was free before it was
    /// theirs and has nothing else in hand.
    fn dials(&mut self, mut free: BTreeSet<AgentId>) {
        for event in &self.c.events {
            match event {
                Event::Closed { agent: Some(agent), .. }
                | Event::NotTaken { agent, .. }
                | Event::ConnectFailed { agent, .. }
                | Event::AvailabilityChanged { agent, to: Availability::Ready, .. } => {
                    free.insert(*agent);
                }
                Event::Reserved(r) => {
                    assert!(free.remove(&r.agent), "{r:?}: not free before");
                    self.by_place(r.contact, r.agent);
                }
                _ => {}
            }
        }
        let dialled = |c: &&Contact| {
            c.effects.iter().any(|(_, kind)| matches!(kind, EffectKind::Dial { .. }))
        };
        let for_whom: Vec<AgentId> = (self.c.engine.contacts().filter(dialled))
            .map(|c| c.state.agent().expect("a call is made for an agent"))
            .collect();
        for agent in &for_whom {
            let work = &self.c.engine.agent(*agent).expect("known").work;
            assert_eq!(work.len(), 1, "a customer is called for {agent}, who has {work:?}");
        }
        self.most_dialling = self.most_dialling.max(for_whom.len());
    }

    /// Whoever is called by their place came before everybody on the line.
    fn by_place(&self, contact: ContactId, agent: AgentId) {
        let engine = &self.c.engine;
        let called = engine
            .contact(contact)
            .filter(|c| c.silent().is_some_and(|cb| matches!(cb.phase, Phase::Pressing { .. })));
        let Some(called) = called else { return };
        let waits = |c: &&Contact| {
            let over = c.passed_over.iter().any(|p| p.agent == agent);
            c.state == State::Queued && c.callback.is_none() && !over
        };
        if let Some(first) = engine.contacts().filter(waits).min_by_key(|c| c.place) {
            assert!(called.place <= first.place, "{contact} was called before {}", first.id);
        }
    }

    /// A number below `n`, spread well and the same in every run.
    fn draw(&mut self, n: u64) -> u64 {
        self.drawn += 1;
        let x = self.drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (x ^ (x >> 27)) % n
    }

    /// An exponential time of this mean: by minus the logarithm of a uniform number.
    fn span(&mut self, mean: u64) -> Span {
        let u = (self.draw(1_000_000) + 1) as f64 / 1e6;
        Span((-u.ln() * mean as f64 * 1e6) as u64)
    }

    fn later(&mut self, after: Span, next: Next) {
        let key = (self.clock + after, self.agenda.len() as u64 + (self.drawn << 20));
        self.agenda.insert(key, next);
    }

    fn run(&mut self, command: &Command) -> Result<Reply, Refusal> {
        self.c.events.clear();
        let free = self.free();
        let Center { engine, events, .. } = &mut self.c;
        let reply = engine.handle(self.clock, None, command, events);
        // Whom nobody calls need not be looked at.
        if self.c.events.iter().any(|e| matches!(e, Event::Reserved(_) | Event::EffectAsked { .. }))
        {
            self.dials(free);
        }
        self.react();
        reply
    }

    fn report(&mut self, report: Report) -> Result<Reply, Refusal> {
        self.run(&Command::Gateway { gateway: GATE, session: None, report })
    }

    /// Agents answer after some seconds, phones ring, people talk.
    fn react(&mut self) {
        for event in std::mem::take(&mut self.c.events) {
            match event {
                Event::Reserved(r) => {
                    // One in fifty lets it ring.
                    let after = if self.draw(50) == 0 { 20 } else { 2 + self.draw(5) };
                    self.later(Span::seconds(after), Next::Answers(r.contact));
                }
                Event::EffectAsked { contact, kind: EffectKind::Connect { .. }, .. } => {
                    self.later(Span::seconds(2), Next::Bridges(contact));
                }
                Event::EffectAsked { contact, kind: EffectKind::Dial { .. }, .. } => {
                    let ring = Span::seconds(5 + self.draw(20));
                    self.later(ring, Next::Hangs(contact));
                }
                Event::PromiseMade(p) => {
                    let far = p.due.is_some_and(|due| due.since(self.clock) > FARTHEST);
                    assert!(!far, "too far away to be known: {p:?} at {:?}", self.clock);
                    self.dues.extend(p.due.map(|_| p.id));
                }
                Event::Bridged { contact, .. } => {
                    let c = self.c.engine.contact(contact).expect("they talk");
                    let waited = c.callback.is_none().then(|| self.clock.since(c.arrived));
                    if let Some((waited, live)) = waited.zip(self.live()) {
                        live.answered += 1;
                        live.waited.0 += waited.0;
                    }
                    let talk = self.span(HANDLE);
                    self.later(talk, Next::Ends(contact));
                }
                Event::AvailabilityChanged { agent, to: Availability::NotReady(_), .. } => {
                    let act = Act::Become(Availability::Ready);
                    let mut events = Vec::new();
                    let back = Command::Agent { agent, session: None, act };
                    self.c.engine.handle(self.clock, None, &back, &mut events).expect("back");
                    self.c.events = events;
                    self.react();
                }
                _ => {}
            }
        }
    }

    fn happens(&mut self, next: Next) {
        let held = |c: &Contact| Some((c.state.reservation()?, c.state.agent()?));
        match next {
            Next::Arrives => self.arrives(),
            Next::Answers(contact) => {
                let Some(c) = self.c.engine.contact(contact) else { return };
                if let State::Reserved { reservation, agent, .. } = c.state {
                    let act = Act::Accept(reservation);
                    // It may have gone to somebody else meanwhile: that is for them to take.
                    let _late = self.run(&Command::Agent { agent, session: None, act });
                }
            }
            Next::Bridges(contact) => {
                let c = self.c.engine.contact(contact);
                if let Some((reservation, _)) = c.and_then(held) {
                    let _over = self.report(Report::Bridged(reservation));
                }
            }
            Next::Hangs(contact) => self.picked_up(contact),
            Next::Ends(contact) => {
                let agent = self.c.engine.contact(contact).and_then(|c| c.state.agent());
                let agent = agent.expect("they talk");
                let act = Act::Complete { contact, disposition: None };
                self.run(&Command::Agent { agent, session: None, act }).expect("completed");
            }
            Next::GivesUp(contact) => {
                let waits = |c: &Contact| matches!(c.state, State::Queued | State::Reserved { .. });
                let live = |c: &Contact| waits(c) && c.callback.is_none();
                if self.c.engine.contact(contact).is_some_and(live) {
                    if let Some(live) = self.live() {
                        live.left += 1;
                    }
                    self.report(Report::CustomerLeft(contact)).expect("gone");
                }
            }
        }
    }

    /// Somebody comes, waits a little, and asks to be called back: half of them when it is
    /// their turn, half within the next hours.
    fn arrives(&mut self) {
        let arrival = self.c.arrival(Channel::Voice, PLAIN);
        let Ok(Reply::Contact(contact)) = self.report(Report::Arrived(arrival)) else {
            panic!("accepted")
        };
        let patience = self.span(240);
        self.later(patience, Next::GivesUp(contact));
        let waits = self.c.engine.contact(contact).is_some_and(|c| c.state == State::Queued);
        if !waits || self.draw(2) == 0 {
            return;
        }
        let from = self.clock + Span::seconds(3_600 * self.draw(6));
        let window = Window { from, until: from + Span::seconds(7_200) };
        let window = (self.draw(2) == 0).then_some(window);
        let wanted = Wanted { window, hours: None };
        self.asked += 1;
        match self.report(Report::CallbackWanted { contact, confirmed: true, wanted }) {
            Ok(_) => self.granted += 1,
            Err(Refusal::NoRoom { .. } | Refusal::NoRate(_) | Refusal::NoCallbacks(_)) => {}
            Err(no) => panic!("{no}"),
        }
    }

    fn picked_up(&mut self, contact: ContactId) {
        let Some(c) = self.c.engine.contact(contact) else { return };
        let dial = |(e, kind): &(EffectId, EffectKind)| {
            matches!(kind, EffectKind::Dial { .. }).then_some(*e)
        };
        let Some(effect) = c.effects.iter().find_map(dial) else { return };
        let outcome = match self.draw(20) {
            0 | 1 => DialOutcome::NoAnswer,
            2 => DialOutcome::Busy,
            3 => DialOutcome::Machine,
            4 => DialOutcome::Congestion,
            _ => DialOutcome::Answered,
        };
        self.report(Report::Dialled { effect, outcome, code: 0 }).expect("taken");
        if outcome == DialOutcome::Answered {
            self.later(Span::seconds(2), Next::Bridges(contact));
        }
    }

    /// Two hours as always, one at 25 times that, and the night in which the rest is called.
    fn play(&mut self) {
        let second = Span::seconds(1);
        for s in 0..14 * 3_600u64 {
            self.clock = EngineTime::ZERO + Span::seconds(s);
            let volume = match s / 3_600 {
                2 => 25 * NORMAL_PER_HOUR,
                0 | 1 | 3..=8 => NORMAL_PER_HOUR,
                _ => 0,
            };
            for _ in 0..volume / 3_600 + u64::from(self.draw(3_600) < volume % 3_600) {
                let within = Span(self.draw(second.0));
                self.later(within, Next::Arrives);
            }
            self.second(self.clock + second);
            if s % 1_800 == 0 {
                assert_eq!(self.c.engine.check(), Ok(()), "at {s} s");
            }
        }
    }

    fn second(&mut self, end: EngineTime) {
        loop {
            let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let tick = self.c.engine.next_tick();
            match (next, tick) {
                (_, Some(due)) if due < end && next.is_none_or(|at| due <= at) => {
                    self.clock = self.clock.max(due);
                    self.run(&Command::Tick).expect("ticks");
                }
                (Some(at), _) if at < end => {
                    self.clock = self.clock.max(at);
                    let (_, next) = self.agenda.pop_first().expect("one");
                    self.happens(next);
                }
                _ => break,
            }
        }
    }
}

#[test]
fn at_25_times_the_volume_one_in_a_hundred_is_late_at_most() {
    let mut without = Surge::new(None);
    without.play();
    println!(
        "nobody called back: in the surge {:?}, after it {:?}",
        without.live[0], without.live[1]
    );
    for mode in DialMode::ALL {
        let mut surge = Surge::new(Some(mode));
        surge.play();
        let n = surge.c.counts(PromiseKind::Callback);
        let open = surge.c.engine.promises().count() as u64;
        println!(
            "{mode:?}: {} asked, {} promised, {} with a time: {} kept, {} broken, {open} open, {} \
             late; at most {} dialled at once; on the line in the surge {:?}, after it {:?}",
            surge.asked,
            n.made,
            surge.dues.len(),
            n.kept,
            n.broken,
            n.late,
            surge.most_dialling,
            surge.live[0],
            surge.live[1]
        );
        assert_eq!(n.made, n.kept + n.broken + open);
        assert!(n.made > 1_000 && surge.asked > surge.granted, "hardly anybody was promised one");
        let dues = surge.dues.len() as u64;
        assert!(dues > 1_000 && n.late * 100 <= dues, "{} of {dues} were late", n.late);
        assert!(surge.most_dialling > 5);
        // Half of what is served may be promised, and the line has the rest.
        for (with, without) in surge.live.iter().zip(without.live) {
            let (with, without) = (with.part(), without.part());
            assert!(with * 2.0 >= without, "{with} answered, without callbacks {without}");
        }
        // More are answered in all.
        let served = |live: &[Live; 2]| live.iter().map(|l| l.answered).sum::<u64>();
        let (with, without) = (n.kept + served(&surge.live), served(&without.live));
        assert!(with * 10 >= without * 13, "{with} had somebody, without callbacks {without}");
    }
}
