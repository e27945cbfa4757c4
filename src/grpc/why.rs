//! A contact's story with its reasons: when it came, its place, what it waited for, why this
//! agent and why then, who did not take it. Made from its events alone, for people.
//!
//! It decides nothing. What events do not say it does not claim: how many were signed in at a
//! moment is not recorded, but that nobody with room waited is, because a contact that begins
//! to wait is offered at once to whoever has room for it.

mod offer;

use std::sync::Arc;

use super::convert::words;
use super::explain::Demand;
use super::inspect::began;
use super::story::{self, Before, Texts, length};
use crate::engine::event::{Event, Queued, SafetyNews, StepTaken, WaitAnnounced};
use crate::engine::routing::Routing;
use crate::engine::stage::Filing;
use crate::engine::words::{Channel, EndReason, Needs, NotTaken, QueuedBecause};
use crate::ids::{AgentId, ContactId};
use crate::pb::v1;
use crate::shard::view::TimelineItem;
use crate::time::{EngineTime, Span};

/// What a story is of, and what it is told by.
pub(super) struct Of<'a> {
    pub(super) routing: &'a Routing,
    pub(super) texts: &'a Texts,
    /// Agents kept for safety lanes.
    pub(super) kept: &'a Arc<[AgentId]>,
    pub(super) contact: ContactId,
}

/// Tells a contact's events with their reasons, oldest first. `before` is where it was before
/// each.
pub(super) fn told(of: &Of<'_>, items: &[TimelineItem], before: &[Before]) -> Vec<v1::Reason> {
    let arrived = items.first().map_or(EngineTime::ZERO, |item| item.at);
    let mut walk = Walk { of, arrived, channel: None, kept: None, offer: None, demand: None };
    let mut reasons = Vec::new();
    for (at, (item, before)) in items.iter().zip(before).enumerate() {
        let Some(text) = walk.tell(item, &items[..at], &items[at + 1..]) else {
            let told = story::tell(of.routing, of.texts, &item.event, *before);
            if is_of_note(&item.event) {
                reasons.push(walk.reason(item, told.word, sentence(&told.text)));
            }
            continue;
        };
        let word = story::tell(of.routing, of.texts, &item.event, *before).word;
        reasons.push(walk.reason(item, word, text));
    }
    reasons
}

/// What is told as the timeline has it; all else that has no reason of its own is left out.
const fn is_of_note(event: &Event) -> bool {
    matches!(
        event,
        Event::Ordered { .. }
            | Event::Triaged { .. }
            | Event::Diverted { .. }
            | Event::Stepped { .. }
            | Event::Returned { .. }
            | Event::KeysPressed { .. }
            | Event::WordsRead { .. }
            | Event::FollowUpOpened(_)
            | Event::PromiseOpened(_)
            | Event::PromiseMade(_)
            | Event::CallbackPromised(_)
            | Event::CallbackStepped(_)
            | Event::Dialled(_)
            | Event::CallLost(_)
            | Event::Detached(_)
            | Event::Reattached { .. }
            | Event::Renewed { .. }
            | Event::Reprioritised { .. }
            | Event::ConsultStarted { .. }
            | Event::HandedOver { .. }
            | Event::ReplyCame(_)
            | Event::PlaceKept(_)
            | Event::Advanced(_)
            | Event::Linked(_)
            | Event::HeldBack(_)
            | Event::HoldEnded(_)
            | Event::FellSilent(_)
            | Event::PresenceAsked(_)
            | Event::PresenceAssumed(_)
            | Event::WentSilent(_)
            | Event::FeedbackGiven(_)
            | Event::Participant(_)
            | Event::Bulk(_)
            | Event::Safety(_)
    )
}

/// A story's text as a sentence.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", rest.as_str())
}

/// What is known of the contact at each event.
struct Walk<'a> {
    of: &'a Of<'a>,
    arrived: EngineTime,
    channel: Option<Channel>,
    /// For whom it is kept.
    kept: Option<AgentId>,
    /// When its open offer was made.
    offer: Option<EngineTime>,
    /// What it asked for when it last began to wait.
    demand: Option<Demand>,
}

impl Walk<'_> {
    fn reason(&self, item: &TimelineItem, event: &str, text: String) -> v1::Reason {
        v1::Reason {
            sequence: item.sequence,
            at_unix_ms: item.wall.0,
            after_ms: item.at.since(self.arrived).as_millis(),
            event: event.to_owned(),
            text,
        }
    }

    fn who(&self, agent: AgentId) -> &str {
        self.of.routing.agent_name(agent)
    }

    /// What the safety lane does shows in whom the next offer could go to.
    fn watched(&mut self, news: &SafetyNews) -> Option<String> {
        if let Some(demand) = &mut self.demand {
            demand.watched(&news.lane);
        }
        None
    }

    /// Tells an event that has a reason of its own.
    fn tell(
        &mut self,
        item: &TimelineItem,
        before: &[TimelineItem],
        after: &[TimelineItem],
    ) -> Option<String> {
        if let Some(came) = began(&item.event, self.of.contact) {
            self.channel = Some(came.channel);
        }
        Some(match &*item.event {
            Event::Arrived(_) => self.came(item),
            Event::Queued(q) => {
                self.demand = Some(Demand::new(q, self.channel, self.of.kept));
                self.kept = q.named.map(|named| named.agent);
                self.waits(item, q, after)
            }
            Event::OpenedToAll(_) => {
                let whom = self.kept.take().map_or("one agent", |agent| self.who(agent)).to_owned();
                format!("It is no longer kept for {whom}: anyone able may have it.")
            }
            Event::PassOverEnded { agent, .. } => {
                format!("{} may have it again.", self.who(*agent))
            }
            Event::Reserved(r) => {
                self.offer = Some(item.at);
                offer::told(self.of.routing, item, r, before, self.demand.as_mut())
            }
            Event::NotTaken { agent, how, pass_over, .. } => {
                self.kept = None;
                self.not_taken(item, *agent, *how, *pass_over)
            }
            Event::Accepted { agent, connect_by, .. } => {
                let took = length(self.offer.map_or(Span::ZERO, |at| item.at.since(at)));
                let legs = connect_by.map_or_else(String::new, |by| {
                    let within = length(by.since(item.at));
                    format!(" The legs had {within} to be joined.")
                });
                format!("{} accepted it within {took}.{legs}", self.who(*agent))
            }
            Event::Bridged { agent, .. } => {
                let after = length(item.at.since(self.arrived));
                format!("It was joined with {}, {after} after it came.", self.who(*agent))
            }
            Event::ConnectFailed { agent, fault, pass_over, .. } => {
                let fault = story::fault_name(*fault);
                let passed = self.passed(item, *agent, *pass_over);
                format!("It could not be joined with {}: {fault}.{passed}", self.who(*agent))
            }
            Event::Pended { agent, on, until, .. } => {
                let (on, most) = (story::waits_for(*on), length(until.since(item.at)));
                match agent {
                    Some(agent) => {
                        format!("{} let it wait for {on}, for {most} at most.", self.who(*agent))
                    }
                    None => format!("It waits for {on}, for {most} at most."),
                }
            }
            Event::StepTaken(StepTaken { step, filing }) => {
                self.refiled(filing);
                let (after, asks) = (length(filing.stage.stepped), self.asks(filing));
                format!("It had been in its queue for {after}: step {step}. {asks}")
            }
            Event::Safety(news) => return self.watched(news),
            Event::Refiled(filing) => {
                self.refiled(filing);
                format!("Its queue was edited. {}", self.asks(filing))
            }
            Event::WaitAnnounced(WaitAnnounced { told, .. }) => {
                format!("Its customer was {}.", story::announced(*told))
            }
            Event::Closed { reason, agent, .. } => self.ended(item, *reason, *agent),
            _ => return None,
        })
    }

    fn came(&self, item: &TimelineItem) -> String {
        let Some(a) = began(&item.event, self.of.contact) else { return String::new() };
        let mut text = format!("It came by {}", a.channel);
        if let Some(entry) = a.entry_point.and_then(|id| self.of.routing.entry_point(id)) {
            text.push_str(&format!(" at {}", entry.name));
        }
        text.push('.');
        if a.waited > Span::ZERO {
            let waited = length(a.waited);
            text.push_str(&format!(" It had waited {waited} with its gateway, which counts."));
        }
        if let Some(of) = a.continues {
            text.push_str(&format!(" It goes on from contact {of}."));
        }
        text
    }

    /// Why it waits there, with which place, and whether anybody had room.
    fn waits(&self, item: &TimelineItem, q: &Queued, after: &[TimelineItem]) -> String {
        let because = match q.because {
            QueuedBecause::Arrived => "",
            QueuedBecause::Requeued => " again: it was sent back",
            QueuedBecause::Transferred => ": it was sent on",
            QueuedBecause::Moved => ": a supervisor moved it",
            QueuedBecause::Woken => " again: what it waited for came, or its time was up",
            QueuedBecause::Consult => ": a second agent is sought",
            QueuedBecause::AgentGone => " again: the agent who had it is gone",
            QueuedBecause::FollowUp => ": it goes on from one that fell silent",
            QueuedBecause::Safety => ": it is about safety",
            QueuedBecause::Overflowed => ": it overflowed from its queue",
            QueuedBecause::NotForwarded => " again: the number outside did not take it",
            QueuedBecause::Promised => ": it was promised",
        };
        let (queue, service) = (self.of.routing.queue_name(q.queue), q.service.name());
        let mut text = format!("It waits in {queue}{because}. Its class of service is {service}");
        text.push_str(&match needed(self.of.routing, &q.needs) {
            needs if needs.is_empty() => "; it needs no skill.".to_owned(),
            needs => format!("; it needs {needs}."),
        });
        if !q.preferred.is_empty() {
            let preferred = needed(self.of.routing, &q.preferred);
            text.push_str(&format!(" Who has {preferred} comes first."));
        }
        let arrival = i64::try_from(self.arrived.0).unwrap_or(i64::MAX);
        let ahead = u64::try_from(arrival.saturating_sub(q.place.0)).unwrap_or_default();
        text.push_str(&match ahead {
            0 => " Its place is that of its arrival.".to_owned(),
            n => format!(
                " Its place is as if it had come {} earlier: its head start.",
                length(Span(n))
            ),
        });
        if let Some(named) = q.named {
            let (who, most) = (self.who(named.agent), length(named.until.since(item.at)));
            text.push_str(&format!(" It is kept for {who} for {most}, then open to all."));
        }
        if let Some(passed) = q.pass_over {
            let (who, most) = (self.who(passed.agent), length(passed.until.since(item.at)));
            text.push_str(&format!(" {who} is passed over for it for {most}."));
        }
        // What follows in the same entry was decided at once.
        let at_once = after.iter().take_while(|next| next.sequence == item.sequence);
        let moved = |next: &TimelineItem| {
            matches!(
                *next.event,
                Event::Reserved(_) | Event::Diverted { .. } | Event::Closed { .. }
            )
        };
        if !at_once.into_iter().any(moved) {
            let nobody = match q.named {
                Some(named) => format!(" {} had no room at that moment.", self.who(named.agent)),
                None => " Nobody who may take it had room at that moment.".to_owned(),
            };
            text.push_str(&nobody);
        }
        text
    }

    /// After a step or an edit it may be for other agents than before.
    fn refiled(&mut self, filing: &Filing) {
        if let Some(demand) = &mut self.demand {
            demand.refiled(filing);
        }
    }

    /// What it asks for after a step or an edit.
    fn asks(&self, filing: &Filing) -> String {
        let routing = self.of.routing;
        let needs = match needed(routing, &filing.needs) {
            needs if needs.is_empty() => "no skill".to_owned(),
            needs => needs,
        };
        let mut text = format!("It needs {needs}");
        if !filing.preferred.is_empty() {
            text.push_str(&format!(", and {} comes first", needed(routing, &filing.preferred)));
        }
        let pools = filing.stage.pools.iter().filter_map(|p| routing.pools.get(p.index()));
        let pools: Vec<&str> = pools.map(|p| &*p.name).collect();
        if !pools.is_empty() {
            text.push_str(&format!("; {} may take it too", pools.join(" and ")));
        }
        if filing.stage.raised > Span::ZERO {
            let raised = length(filing.stage.raised);
            text.push_str(&format!("; steps have put it {raised} ahead"));
        }
        text.push('.');
        text
    }

    fn not_taken(
        &mut self,
        item: &TimelineItem,
        agent: AgentId,
        how: NotTaken,
        pass_over: Option<EngineTime>,
    ) -> String {
        let took = length(self.offer.take().map_or(Span::ZERO, |at| item.at.since(at)));
        let passed = self.passed(item, agent, pass_over);
        let who = self.who(agent);
        let what = match how {
            NotTaken::Declined => format!("{who} declined it after {took}."),
            NotTaken::TimedOut => format!("{who} did not answer within {took}."),
            NotTaken::AgentGone => format!("{who} was gone after {took}, without an answer."),
            NotTaken::Withdrawn => {
                return format!("It was taken back from {who} after {took}, before an answer.");
            }
        };
        format!("{what}{passed}")
    }

    fn passed(&self, item: &TimelineItem, agent: AgentId, until: Option<EngineTime>) -> String {
        let passed = until.map_or_else(String::new, |until| {
            let most = length(until.since(item.at));
            format!(" {} is passed over for it for {most}.", self.who(agent))
        });
        format!(" It kept its place.{passed}")
    }

    fn ended(&self, item: &TimelineItem, reason: EndReason, agent: Option<AgentId>) -> String {
        let reason = v1::EndReason::try_from(words::end_reason(reason)).unwrap_or_default();
        let with = agent.map_or_else(String::new, |agent| format!(", with {}", self.who(agent)));
        let after = length(item.at.since(self.arrived));
        format!("It was closed {after} after it came{with}: {}.", story::wire_end(reason))
    }
}

/// Needs as people say them: spanish 3 or better.
fn needed(routing: &Routing, needs: &Needs) -> String {
    let name = |need: &crate::engine::words::Need| {
        let skill = routing.skills.get(need.skill.index()).map_or("?", |s| &s.name);
        format!("{skill} {} or better", need.at_least)
    };
    needs.iter().map(name).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
