//! The people of a run: customers who come, wait, give up and come again, agents who answer,
//! work and go home, on-call staff who follow the scenario.
//!
//! Each event of the engine is heeded here: what it asks of somebody goes on the world's list
//! or agenda, what it means for the figures into the tally.

use std::sync::Arc;

use rand::RngExt;

use super::effects::Hurt;
use super::plans::Order;
use super::scenario::to_span;
use super::world::{Happening, Todo, World, agent_does};
use crate::engine::agent::Work;
use crate::engine::command::{Act, Command, RecallOrder, Reply, Report};
use crate::engine::contact::State;
use crate::engine::event::Event;
use crate::engine::recall::{Answer, Found, Want};
use crate::engine::wait_estimate::WaitEstimate;
use crate::engine::words::{Availability, AvailabilityBecause, EndReason};
use crate::ids::{AgentId, ContactId, CustomerId, ReservationId};
use crate::time::{EngineTime, Place, Span};

/// How long an agent who did not answer stays away, seconds.
const BACK_AFTER: f64 = 60.0;

/// How an agent stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hands {
    pub(super) busy: u32,
    pub(super) busy_since: EngineTime,
    /// Their shift is on: who did not answer comes back.
    pub(super) on_shift: bool,
    pub(super) ready: bool,
    /// Since when they are ready or have something in hand.
    pub(super) present_since: Option<EngineTime>,
}

/// One who came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub(super) stream: u16,
    /// Earlier times that they came.
    pub(super) attempt: u32,
    /// What becomes of them is in the figures.
    pub(super) counted: bool,
    /// They came for the first time while it counted: whether they are lost does too, however
    /// late that turns out.
    first_counted: bool,
    pub(super) customer: Option<CustomerId>,
    pub(super) came: EngineTime,
    /// Goes up when they enter and leave self-service: what was to happen before does not.
    pub(super) turn: u32,
    /// Seconds of work that they are, and that they wait.
    handle: f64,
    pub(super) patience: Option<f64>,
    pub(super) answered: bool,
    /// Something was said to them: what happens next, how long it takes, or an offer.
    pub(super) told: bool,
    /// They are, as far as anybody knows.
    pub(super) hurt: Option<Hurt>,
    /// In self-service they will say that they are.
    pub(super) says_hurt: bool,
    /// A tier will do for them.
    pub(super) contained: bool,
    /// They said that it did.
    pub(super) word: bool,
    /// By when they were promised a call.
    pub(super) due: Option<EngineTime>,
    /// The tiers that they were in or that made them an offer, a bit each.
    pub(super) tiers: u8,
    /// Where they stood when that was last looked at.
    pub(super) place: Option<Place>,
    /// What the engine said of their wait when it began.
    pub(super) estimate: Option<WaitEstimate>,
}

/// One who will come again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Redialer {
    stream: u16,
    attempt: u32,
    customer: Option<CustomerId>,
    first_counted: bool,
}

impl World<'_> {
    /// Somebody of a stream.
    pub(super) fn somebody(&mut self, stream: u16) -> Person {
        let dice = &mut self.dice_of[usize::from(stream)];
        let known = self.scenario.streams[usize::from(stream)].customers;
        let customer = (known > 0).then(|| {
            CustomerId((u128::from(stream) << 64) | u128::from(dice.random_range(0..known)))
        });
        let first_counted = self.counts(self.now);
        self.again(Redialer { stream, attempt: 0, customer, first_counted })
    }

    /// One who comes again, with as much to say and as much patience as anybody.
    pub(super) fn again(&mut self, again: Redialer) -> Person {
        let Redialer { stream, attempt, customer, first_counted } = again;
        let of = &self.scenario.streams[usize::from(stream)];
        let counted = self.counts(self.now);
        // Whether somebody comes again hangs on what agents did: it must not change who comes
        // for the first time.
        let dice = match attempt {
            0 => &mut self.dice_of[usize::from(stream)],
            _ => &mut self.dice,
        };
        Person {
            stream,
            attempt,
            counted,
            first_counted,
            customer,
            came: self.now,
            turn: 0,
            handle: of.handle.draw(dice),
            patience: of.patience.as_ref().map(|p| p.draw(dice)),
            answered: false,
            told: false,
            hurt: None,
            says_hurt: false,
            contained: false,
            word: false,
            due: None,
            tiers: 0,
            place: None,
            estimate: None,
        }
    }

    /// Nobody let them in.
    pub(super) fn blocked(&mut self, person: Person) {
        if person.counted {
            self.queue_of(&person).blocked += 1;
        }
        self.gone(person);
    }

    /// Nobody served them: they come again, or are lost.
    fn gone(&mut self, person: Person) {
        let redial = self.scenario.streams[usize::from(person.stream)].redial.as_ref();
        let redial = redial.filter(|r| person.attempt < r.most && self.dice.random_bool(r.share));
        match redial {
            Some(redial) => {
                let after = redial.after.draw(&mut self.dice);
                let Person { stream, customer, first_counted, .. } = person;
                let attempt = person.attempt + 1;
                self.comes_again(Redialer { stream, attempt, customer, first_counted }, after);
            }
            None if person.first_counted => self.queue_of(&person).lost += 1,
            None => {}
        }
    }

    pub(super) fn queue_of(&mut self, person: &Person) -> &mut super::tally::Queue {
        let queue = self.scenario.streams[usize::from(person.stream)].queue;
        &mut self.tally.queues[queue.index()]
    }

    fn target_of(&self, person: &Person) -> Span {
        let queue = self.scenario.streams[usize::from(person.stream)].queue;
        self.scenario.routing.queue(queue).map_or(Span::ZERO, |q| q.target)
    }

    /// One was let in: they found somebody at once, or begin to wait.
    pub(super) fn waits_or_not(&mut self, contact: ContactId) {
        self.is_hurt_or_not(contact);
        let Some(person) = self.people.get(&contact).copied() else { return };
        let state = self.engine.contact(contact).map(|c| c.state);
        if let Some(State::Reserved { agent, .. }) = state {
            // While it rings they wait like anybody: it may ring in vain.
            if self.scenario.staff[agent.index()].answers_after.is_some() {
                self.has_patience(contact, person);
            }
            return;
        }
        if person.counted {
            self.queue_of(&person).delayed += 1;
            self.estimated(contact);
        }
        // A tier took them over as they came: their patience is tried when they come back.
        if !matches!(state, Some(State::SelfService(_))) {
            self.has_patience(contact, person);
        }
    }

    pub(super) fn has_patience(&mut self, contact: ContactId, person: Person) {
        if let Some(patience) = person.patience {
            self.after(patience, Happening::GivesUp(contact, person.turn));
        }
    }

    /// A customer's patience ends.
    pub(super) fn gives_up(&mut self, contact: ContactId, turn: u32) {
        let waits = |p: &Person| !p.answered && p.turn == turn;
        if self.people.get(&contact).is_some_and(waits) {
            let left = self.report(Report::CustomerLeft(contact));
            self.act(&left);
        }
    }

    /// What an event asks of people, and what it means for the figures.
    pub(super) fn heed(&mut self, event: &Event) {
        match event {
            Event::Reserved(r) => {
                self.takes(r.agent);
                self.stands(r.contact);
                self.had_their_turn(r.contact, r.agent);
                let staffing = &self.scenario.staff[r.agent.index()];
                match staffing.answers_after.clone() {
                    None => self.todos.push_back(Todo::Accept(r.agent, r.reservation)),
                    Some(law) => {
                        let after = law.draw(&mut self.dice);
                        self.after(after, Happening::Answers(r.agent, r.reservation));
                    }
                }
            }
            Event::NotTaken { agent, .. }
            | Event::ConnectFailed { agent, .. }
            | Event::WrapUpEnded { agent, .. } => self.lets_go(*agent),
            Event::Accepted { contact, agent, connect_by: None, .. }
            | Event::Bridged { contact, agent, .. } => self.answered(*contact, *agent),
            Event::EffectAsked { contact, effect, kind } => self.asked(*contact, *effect, *kind),
            Event::WaitAnnounced(announced) => self.told(announced.contact),
            Event::Triaged { contact, heed } => self.triaged(*contact, *heed),
            Event::Closed { contact, reason, agent, wrap_up, .. } => {
                if let (Some(agent), None) = (agent, wrap_up) {
                    self.lets_go(*agent);
                }
                self.ended(*contact, *reason);
            }
            Event::AvailabilityChanged { agent, to, because } => {
                self.is_ready(*agent, *to == Availability::Ready);
                if *because == AvailabilityBecause::RingNoAnswer {
                    self.after(BACK_AFTER, Happening::Back(*agent));
                }
            }
            Event::CallbackPromised(promised) => self.promised(promised),
            Event::Diverted { contact, now } => {
                self.stands(*contact);
                self.enters(*contact, now.tier);
                self.diverted(*contact);
            }
            Event::Returned { contact, .. } => {
                self.stands(*contact);
                self.returned(*contact);
            }
            Event::WordsAsked { contact, ask, want, .. } => {
                let answer = match want {
                    Want::Answer => Answer::Entry { entry: 0, score: 1_000 },
                    Want::Triage => Answer::NoWords,
                };
                let found = Found { heed: None, answer };
                self.todos.push_back(Todo::Read(*contact, *ask, found));
            }
            Event::FollowUpOpened(arrived) => self.goes_on(arrived),
            Event::RecallStarted { .. }
            | Event::LevelChanged { .. }
            | Event::RecallEnded { .. } => {
                self.tally.switches += 1;
                self.levels = true;
            }
            _ => {}
        }
    }

    fn answered(&mut self, contact: ContactId, agent: AgentId) {
        let Some(person) = self.people.get_mut(&contact).filter(|p| !p.answered) else { return };
        person.answered = true;
        let due = person.due;
        let person = *person;
        let waited = self.now.since(person.came);
        let target = self.target_of(&person);
        self.hurt_until_now(&person, true);
        if person.counted {
            let late = due.is_some_and(|due| self.now > due);
            let queue = self.queue_of(&person);
            if due.is_some() {
                queue.called_back += 1;
                queue.called_late += u64::from(late);
            } else {
                queue.answer(waited, target);
            }
            if let Some(estimate) = person.estimate {
                queue.estimates.known(waited, estimate);
            }
        }
        let point = self.point();
        self.tally.course.answered[point] += 1.0;
        let speed = self.speed_of(agent, contact);
        self.after(person.handle / speed, Happening::Done(agent, contact));
    }

    /// How fast an agent is at a contact.
    fn speed_of(&self, agent: AgentId, contact: ContactId) -> f64 {
        let staffing = &self.scenario.staff[agent.index()];
        let queue = self.engine.contact(contact).map(|c| c.queue);
        let of = staffing.speeds.iter().find(|(of, _)| Some(*of) == queue);
        of.map_or(staffing.speed, |(_, speed)| *speed)
    }

    fn ended(&mut self, contact: ContactId, reason: EndReason) {
        let Some(person) = self.people.remove(&contact) else { return };
        let waited = self.now.since(person.came);
        let target = self.target_of(&person);
        self.tally.tiers.unasked += u64::from(reason == EndReason::Solved && !person.word);
        if person.counted && person.due.is_some() && !person.answered {
            self.queue_of(&person).called_late += 1;
        }
        if !person.answered && reason != EndReason::FollowedUp {
            self.hurt_until_now(&person, reason == EndReason::Overflowed);
        }
        match reason {
            EndReason::Abandoned => {
                if person.counted {
                    let queue = self.queue_of(&person);
                    queue.abandon(waited, target);
                    queue.abandoned_untold += u64::from(!person.told);
                    self.would_wait(contact, &person);
                }
                let point = self.point();
                self.tally.course.abandoned[point] += 1.0;
                self.gone(person);
            }
            EndReason::Solved | EndReason::Informed if person.counted => {
                self.queue_of(&person).contained += 1;
            }
            EndReason::Overflowed if person.counted && !person.answered => {
                self.queue_of(&person).outside += 1;
            }
            // Who fell silent goes on as another contact.
            EndReason::FollowedUp => {}
            _ if person.counted && !person.answered => self.queue_of(&person).otherwise += 1,
            _ => {}
        }
    }

    /// An agent comes to work, or goes as soon as their hands are empty.
    pub(super) fn shift(&mut self, agent: AgentId, comes: bool) {
        self.hands[agent.index()].on_shift = comes;
        if comes {
            self.act(&Command::ConnectAgent(agent));
            self.act(&agent_does(agent, Act::Become(Availability::Ready)));
        } else if self.hands[agent.index()].busy == 0 {
            self.act(&agent_does(agent, Act::Become(Availability::SignedOut)));
        } else {
            self.act(&agent_does(agent, Act::Next(Some(Availability::SignedOut))));
        }
    }

    /// On-call staff do the next thing.
    pub(super) fn order(&mut self, index: usize) {
        let scenario = self.scenario;
        let Some((_, order)) = scenario.orders.get(index) else { return };
        let (number, order) = match order {
            Order::Start { recall, plan, level, free, lasting } => {
                let start = RecallOrder::Start {
                    plan: Arc::clone(plan),
                    level: *level,
                    lasting: *lasting,
                    accept_empty_safety_lane: true,
                    free: *free,
                };
                (*recall, start)
            }
            Order::Level { recall, level } => {
                let Some(id) = self.recalls.get(recall) else { return };
                (*recall, RecallOrder::SetLevel { recall: *id, level: *level })
            }
            Order::End { recall } => {
                let Some(id) = self.recalls.get(recall) else { return };
                (*recall, RecallOrder::End(*id))
            }
        };
        let command = Command::Recall { order, why: Arc::from("the scenario says so") };
        if let Ok(Reply::Recall(id)) = self.tell(&command) {
            self.recalls.insert(number, id);
        }
        self.settle();
    }

    fn takes(&mut self, agent: AgentId) {
        let hands = &mut self.hands[agent.index()];
        if hands.busy == 0 {
            hands.busy_since = self.now;
        }
        hands.busy += 1;
        self.there_or_not(agent);
    }

    /// Whether it still rings for an agent.
    pub(super) fn rings(&self, agent: AgentId, reservation: ReservationId) -> bool {
        let state = |w: &Work| self.engine.contact(w.contact).map(|c| c.state);
        let held =
            |s: State| matches!(s, State::Reserved { reservation: r, .. } if r == reservation);
        self.engine.agent(agent).is_some_and(|a| a.work.iter().filter_map(state).any(held))
    }

    fn lets_go(&mut self, agent: AgentId) {
        let counted = |from| self.overlap(from, self.now);
        let hands = self.hands[agent.index()];
        if hands.busy == 1 {
            self.tally.agents[agent.index()].busy += counted(hands.busy_since);
        }
        self.freed.push(agent);
        self.hands[agent.index()].busy = hands.busy.saturating_sub(1);
        self.there_or_not(agent);
    }

    fn is_ready(&mut self, agent: AgentId, ready: bool) {
        self.hands[agent.index()].ready = ready;
        self.there_or_not(agent);
    }

    /// Somebody who is not ready and ends what they have is at work until then.
    fn there_or_not(&mut self, agent: AgentId) {
        let hands = self.hands[agent.index()];
        let (there, since) = (hands.ready || hands.busy > 0, hands.present_since);
        if let (Some(since), false) = (since, there) {
            self.tally.agents[agent.index()].present += self.overlap(since, self.now);
        }
        self.hands[agent.index()].present_since = there.then(|| since.unwrap_or(self.now));
    }

    /// What agents are at the end of what counts goes into the figures.
    pub(super) fn count_hands(&mut self, end: EngineTime) {
        for index in 0..self.hands.len() {
            let hands = self.hands[index];
            if hands.busy > 0 {
                self.tally.agents[index].busy += self.overlap(hands.busy_since, end);
                self.hands[index].busy_since = end;
            }
            if let Some(since) = hands.present_since {
                self.tally.agents[index].present += self.overlap(since, end);
                self.hands[index].present_since = Some(end);
            }
        }
    }

    /// Microseconds between two that are in the figures.
    fn overlap(&self, from: EngineTime, to: EngineTime) -> u64 {
        let first = EngineTime::ZERO + to_span(self.scenario.run.warm_up);
        let last = EngineTime::ZERO + to_span(self.scenario.run.duration);
        to.min(last).since(from.max(first)).0
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Scenario;
    use super::super::tests::centre;
    use super::*;

    #[test]
    fn who_comes_again_changes_nobody_who_comes_for_the_first_time() {
        let text = centre(
            1,
            "duration = \"1h\"",
            "queue = \"calls\"\nper_hour = 9\nhandle = { law = \"exponential\", mean = \"1m\" }\n\
             patience = { law = \"exponential\", mean = \"1m\" }\ncustomers = 50",
        );
        let scenario = Scenario::parse("test", &text, Path::new("")).unwrap();
        let drawn = |again: bool| -> Vec<_> {
            let mut world = World::new(&scenario, 0).unwrap();
            let mut one = || {
                let person = world.somebody(0);
                let redialer =
                    Redialer { stream: 0, attempt: 1, customer: None, first_counted: true };
                if again {
                    world.again(redialer);
                }
                (person.handle.to_bits(), person.patience.map(f64::to_bits), person.customer)
            };
            (0..5).map(|_| one()).collect()
        };
        assert_eq!(drawn(true), drawn(false));
    }
}
