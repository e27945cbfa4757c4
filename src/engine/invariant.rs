//! What must hold between any two commands, checked the slow and obvious way.
//!
//! For tests and simulation: everything is counted again from contacts and agents, and
//! the matching is done by looking at everyone.

mod care;
mod matching;
mod owed;
mod tiers;

use std::collections::{BTreeMap, BTreeSet};

use super::agent::{Hold, WHOLE};
use super::away::Away;
use super::contact::{Contact, State, StateKind};
use super::decide::may_answer;
use super::event::{Announce, EffectKind};
use super::floor::{IdleKeys, Staff, Stand};
use super::participant::{Participant, Who};
use super::sharing::InHand;
use super::store::hash_of;
use super::timer::{of_agent, of_contact, of_promise, of_recall, of_recovery};
use super::words::WaitsFor;
use super::{Engine, Hashes};
use crate::ids::{AgentId, ContactId, EffectId, OrderId, PromiseId, RecallId, ReservationId};
use thiserror::Error;

/// What does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Violation {
    /// Accepted contacts are not the sum over states.
    #[error("conservation: {accepted} accepted, {found} found")]
    Conservation {
        /// Contacts accepted.
        accepted: u64,
        /// Contacts in all states.
        found: u64,
    },
    /// A count by state is wrong.
    #[error("{counted} counted as {state:?}, {found} found")]
    Count {
        /// The state.
        state: StateKind,
        /// By the counter.
        counted: u64,
        /// By looking.
        found: u64,
    },
    /// A contact was left without a state.
    #[error("contact {0} was accepted and placed nowhere")]
    Unplaced(ContactId),
    /// What an agent holds and what a contact says are not the same.
    #[error("contact {contact} and agent {agent} disagree about who has what")]
    Ownership {
        /// The contact.
        contact: ContactId,
        /// The agent.
        agent: AgentId,
    },
    /// An agent was offered more than they can take.
    #[error("agent {agent} has {load} of {WHOLE}")]
    OverCapacity {
        /// The agent.
        agent: AgentId,
        /// What they have.
        load: u32,
    },
    /// An agent is offered more of what another contact in their hands interrupts.
    #[error("agent {agent} is offered contact {contact} while another interrupts its channel")]
    Interrupted {
        /// The agent.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
    },
    /// A waiting contact is not in line, or one that does not wait is.
    #[error("contact {0} stands in the wrong line")]
    Standing(ContactId),
    /// Lines have more in them than waits.
    #[error("{0} entries in lines too many")]
    Lines(usize),
    /// Timers are not those that state stands for.
    #[error("timers differ from what state stands for")]
    Timers,
    /// An index does not say what state says.
    #[error("the index of {0} differs from state")]
    Index(&'static str),
    /// An effect is pending that the contact's state does not ask for.
    #[error("contact {0} has an effect pending that its state does not ask for")]
    Effect(ContactId),
    /// Somebody is on a contact who cannot be.
    #[error("contact {0} has somebody on it who cannot be")]
    Participant(ContactId),
    /// What was to come after the last contact in hand has not come.
    #[error("agent {0} has empty hands, and what was to come next has not come")]
    Next(AgentId),
    /// An order about many contacts has lost count.
    #[error("order {0} has lost count")]
    Bulk(OrderId),
    /// Self-service has one that it must not have.
    #[error("contact {0} must not be in self-service")]
    SelfService(ContactId),
    /// A tier's counts do not add up to what is found.
    #[error("the counts of the tiers of recall {0} do not add up")]
    Tiers(RecallId),
    /// More customers are being called than agents are kept free for them.
    #[error("{dialling} customers are being called for {agents} agents who are free for them")]
    Dialling {
        /// Customers who are being called.
        dialling: usize,
        /// Agents who have nothing else in that part of their hands.
        agents: usize,
    },
    /// A contact waits for our call and has no callback, or has one and is elsewhere.
    #[error("contact {0} and its callback disagree")]
    Callback(ContactId),
    /// Promises made are not those kept, open and broken.
    #[error("promises: {made} {kind} made, {found} found")]
    Promises {
        /// Of which kind.
        kind: &'static str,
        /// As many were made.
        made: u64,
        /// As many are kept, open and broken.
        found: u64,
    },
    /// A promise is to be kept by a contact that knows nothing of it.
    #[error("promise {0} is kept by no contact")]
    Owed(PromiseId),
    /// The state hash is not the hash of the state.
    #[error("the state hash is not the hash of the state")]
    Hash,
    /// A contact is held back, linked or asked without a reason, or not although there is one.
    #[error("contact {0} is held back or asked without reason, or not although there is one")]
    Care(ContactId),
    /// A contact is open to partners who have not joined, or is with one who is none.
    #[error("contact {0} is with partners, or open to them, who have not joined for it")]
    Partner(ContactId),
    /// Somebody waits whom an idle agent could take.
    #[error("contact {contact} waits while agent {agent} could take it")]
    Idle {
        /// The contact.
        contact: ContactId,
        /// The agent.
        agent: AgentId,
    },
}

/// Whether an effect is still asked for, as its contact is.
fn is_due(kind: &EffectKind, c: &Contact) -> bool {
    match (kind, c.state) {
        (EffectKind::Dial { .. }, _) if c.callback.is_none() => false,
        (EffectKind::Connect { reservation, .. } | EffectKind::Dial { reservation, .. }, state) => {
            state.kind() == StateKind::Connecting && state.reservation() == Some(*reservation)
        }
        (EffectKind::HandOver { to }, State::Assigned { agent, .. }) => *to == agent,
        (EffectKind::HandOver { .. }, _) => false,
        (EffectKind::Forward { .. } | EffectKind::Outside(_), State::Pending { on, .. }) => {
            on == WaitsFor::External
        }
        (EffectKind::Announce(Announce { ends: Some(_), .. }), State::Pending { on, .. }) => {
            on == WaitsFor::Farewell
        }
        (
            EffectKind::Forward { .. }
            | EffectKind::Outside(_)
            | EffectKind::Announce(Announce { ends: Some(_), .. }),
            _,
        ) => false,
        (EffectKind::Join { participant, .. }, state) => {
            state.kind() == StateKind::Assigned && c.participants.get(*participant).is_some()
        }
        (EffectKind::OfferCallback(_), _) => c.parent.is_none() && may_answer(c),
        // What is said on the way to a person may be said until they are there.
        (EffectKind::Say(_) | EffectKind::Announce(_) | EffectKind::AskPresence(_), _) => {
            c.parent.is_none()
        }
    }
}

impl Engine {
    /// Checks everything. Takes time in proportion to contacts times agents.
    ///
    /// # Errors
    /// The first [`Violation`] found.
    pub fn check(&self) -> Result<(), Violation> {
        self.check_counts()?;
        self.check_ownership()?;
        self.check_lines()?;
        self.check_derived()?;
        self.check_self_service()?;
        self.check_callbacks()?;
        self.check_owed()?;
        self.check_care()?;
        self.check_people()?;
        if self.agenda.is_empty() { self.check_matching() } else { Ok(()) }
    }

    fn check_counts(&self) -> Result<(), Violation> {
        let mut found = [0u64; 8];
        for c in self.contacts() {
            if c.state == State::New {
                return Err(Violation::Unplaced(c.id));
            }
            found[c.state.kind().index()] += 1;
        }
        found[StateKind::Closed.index()] = self.in_state(StateKind::Closed);
        for state in StateKind::ALL {
            let (counted, found) = (self.in_state(state), found[state.index()]);
            if counted != found {
                return Err(Violation::Count { state, counted, found });
            }
        }
        let (accepted, found) = (self.accepted(), found.iter().sum());
        if accepted == found { Ok(()) } else { Err(Violation::Conservation { accepted, found }) }
    }

    fn check_ownership(&self) -> Result<(), Violation> {
        let mut owners: BTreeMap<ContactId, AgentId> = BTreeMap::new();
        for a in self.agents() {
            let Some(profile) = self.routing.agent(a.id) else { continue };
            let load = a.most_load(profile);
            // Whom a reload left with more than it allows keeps it, until they are offered more.
            let offered = self.standings.get(a.id.index()).map(|s| s.offered);
            if load > WHOLE && offered.is_some_and(|offered| offered > self.reloaded) {
                return Err(Violation::OverCapacity { agent: a.id, load });
            }
            for (i, w) in a.work.iter().enumerate() {
                let (contact, agent) = (w.contact, a.id);
                // In the order in which they came; what was there before the call stays.
                let before =
                    a.work[..i].iter().map(|b| profile.workload.interrupts[b.channel.index()]);
                let state = self.contact(contact).map(|c| c.state);
                let now = state.and_then(|s| s.reservation()).is_some_and(|r| r > self.reloaded);
                let over = now && before.into_iter().any(|of| of.has(w.channel));
                if w.hold == Hold::Reserved && over {
                    return Err(Violation::Interrupted { agent, contact });
                }
                let agrees = match (w.hold, state) {
                    (Hold::Reserved, Some(State::Reserved { agent: of, .. }))
                    | (Hold::Connecting, Some(State::Connecting { agent: of, .. }))
                    | (Hold::Assigned, Some(State::Assigned { agent: of, .. })) => of == agent,
                    // Its owner may be somebody else by now, or nobody.
                    (Hold::WrapUp { .. }, _) => continue,
                    _ => false,
                };
                if !agrees || owners.insert(contact, agent).is_some() {
                    return Err(Violation::Ownership { contact, agent });
                }
            }
        }
        for c in self.contacts() {
            if let Some(agent) = c.state.agent()
                && owners.get(&c.id) != Some(&agent)
            {
                return Err(Violation::Ownership { contact: c.id, agent });
            }
        }
        Ok(())
    }

    fn check_lines(&self) -> Result<(), Violation> {
        let mut waiting = 0;
        for c in self.contacts() {
            let right = match (self.stand_of(c.id), c.is_in_line(), c.named) {
                (Stand::Off, false, _) => true,
                (Stand::Named(agent), true, Some(named)) => agent == named.agent,
                (Stand::Line(..), true, None) => self.position(c.id).is_some(),
                _ => false,
            };
            if !right {
                return Err(Violation::Standing(c.id));
            }
            waiting += usize::from(c.is_in_line());
        }
        if !self.floor.is_sound() {
            return Err(Violation::Index("the floor"));
        }
        match self.floor.waiting_len() - waiting {
            0 => Ok(()),
            more => Err(Violation::Lines(more)),
        }
    }

    fn check_derived(&self) -> Result<(), Violation> {
        let mut timers = BTreeSet::new();
        let mut enter = |t| {
            timers.insert(t);
        };
        let mut hashes = Hashes { routing: self.hashes.routing, ..Hashes::default() };
        let mut reservations: BTreeMap<ReservationId, ContactId> = BTreeMap::new();
        let mut effects: BTreeMap<EffectId, ContactId> = BTreeMap::new();
        let mut keys = 0;
        for c in self.contacts() {
            of_contact(c, &mut enter);
            hashes.contacts ^= hash_of(c);
            if let State::Reserved { reservation, .. } | State::Connecting { reservation, .. } =
                c.state
            {
                reservations.insert(reservation, c.id);
            }
            if !c.effects.iter().all(|(_, kind)| is_due(kind, c)) {
                return Err(Violation::Effect(c.id));
            }
            effects.extend(c.effects.iter().map(|(e, _)| (*e, c.id)));
            if !c.key.is_empty() {
                keys += 1;
                if self.keys.get(&(c.gateway, c.key.clone())) != Some(&c.id) {
                    return Err(Violation::Index("keys"));
                }
            }
        }
        for recall in &self.recalls {
            of_recall(recall, &mut enter);
        }
        for a in self.agents() {
            of_agent(a, &mut enter);
            hashes.agents ^= hash_of(a);
            let standing = self.standings.get(a.id.index()).map(|s| (s.idle, s.staff));
            let right = |profile| (IdleKeys::of(a, profile), Staff::of(a, profile));
            if standing != self.routing.agent(a.id).map(right) {
                return Err(Violation::Index("agents who have room"));
            }
        }
        timers.extend(self.promises().filter_map(of_promise));
        timers.extend(self.recoveries().filter_map(of_recovery));
        let same = |index: &BTreeMap<_, _>| {
            index.len() == self.reservations.len()
                && index.iter().all(|(r, c)| self.reservations.get(r) == Some(c))
        };
        let checks = [
            (self.sticky.is_sound(), "last agents"),
            (self.owed.is_hashed() && self.owed.is_found(), "promises"),
            (self.kept.is_sound() && self.threads.is_sound(), "places kept and threads"),
            (self.known.is_sound(self.contacts()), "contacts by customer"),
            (self.away == Away::of(&self.agents, &self.routing), "who is not ready"),
            (self.finds_outside(), "calls outside the router"),
            (same(&reservations), "reservations"),
            (keys == self.keys.len(), "keys"),
            (self.measures_those_inside(), "those who are measured"),
            (self.floor.counts_staff(&self.agents, &self.routing), "agents at work"),
            (self.in_hand == InHand::counted(&self.agents, &self.routing), "work in hand"),
            (
                effects.len() == self.effects.len()
                    && effects.iter().all(|(e, c)| self.effects.get(e) == Some(c)),
                "effects",
            ),
        ];
        if let Some((_, index)) = checks.into_iter().find(|(ok, _)| !ok) {
            return Err(Violation::Index(index));
        }
        if timers != *self.timers.all() {
            return Err(Violation::Timers);
        }
        if hashes == self.hashes { Ok(()) } else { Err(Violation::Hash) }
    }

    /// Who is on contacts beside their owners is there by right, nobody waits for what comes
    /// next, and orders about many contacts add up.
    fn check_people(&self) -> Result<(), Violation> {
        for c in self.contacts() {
            let held = matches!(c.state, State::Assigned { .. });
            let ids: BTreeSet<u16> = c.participants.all.iter().map(|p| p.id).collect();
            let right = |p: &Participant| match p.who {
                Who::Supervisor(_) | Who::Outside(_) => true,
                Who::Colleague { consult, agent } => {
                    let child = self.contact(consult).map(|child| child.state);
                    c.consult == Some(consult)
                        && matches!(child, Some(State::Assigned { agent: of, .. }) if of == agent)
                }
            };
            let all = &c.participants.all;
            let sound =
                ids.len() == all.len() && ids.last().is_none_or(|l| *l <= c.participants.last);
            if !(sound && (held || all.is_empty()) && all.iter().all(right)) {
                return Err(Violation::Participant(c.id));
            }
        }
        let waits =
            |a: &&super::agent::Agent| a.is_empty_handed() && (a.next.is_some() || a.is_leaving());
        if let Some(a) = self.agents().find(waits) {
            return Err(Violation::Next(a.id));
        }
        for b in self.bulks() {
            let listed = if b.over.is_some() { 0 } else { b.count as usize };
            if b.done > b.next || b.next > b.count || b.contacts.len() != listed {
                return Err(Violation::Bulk(b.id));
            }
        }
        Ok(())
    }

    fn finds_outside(&self) -> bool {
        let calls = self.agents().flat_map(|a| a.outside.iter().map(move |call| (call, a.id)));
        let mut found = 0;
        let all = calls.into_iter().all(|(call, agent)| {
            found += 1;
            self.outside.get(&(call.gateway, call.key.clone())) == Some(&agent)
        });
        all && found == self.outside.len()
    }
}
