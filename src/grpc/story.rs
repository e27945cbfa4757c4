//! What happened to a contact, for people: each event as a word and a sentence.
//!
//! The words are stable and for programs; the sentences are not.

mod care;
mod owed;
mod people;
mod recall;

use super::convert::words;
use crate::engine::agent::AgentState;
use crate::engine::event::{
    Announce, EffectKind, Event, PresenceAsked, Queued, RecordingNoted, Reserved, Settled,
    StepTaken, WaitAnnounced, WrapUpExtended,
};
use crate::engine::routing::Routing;
use crate::engine::stage::Announced;
use crate::engine::words::{
    ConnectFault, Consent, EndReason, LegOutcome, NotTaken, Party, QueuedBecause, ReleasedBecause,
    WaitsFor,
};
use crate::ids::{AgentId, QueueId, RecallId, ReservationId};
use crate::pb::v1;
use crate::time::Span;

pub(super) use recall::{Texts, asked, tier};

/// Where a contact was before something happened to it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    /// Its queue.
    pub(super) queue: Option<QueueId>,
    /// The recall by whose playbook its words were to be read.
    pub(super) recall: Option<RecallId>,
}

/// One event, told.
#[derive(Debug)]
pub(super) struct Told {
    /// One word.
    pub(super) word: &'static str,
    /// A sentence.
    pub(super) text: String,
    /// The agent that it concerns.
    pub(super) agent: Option<AgentId>,
    /// The reservation that it concerns.
    pub(super) reservation: Option<ReservationId>,
}

/// Tells one event of a contact.
pub(super) fn tell(names: &Routing, texts: &Texts, event: &Event, before: Before) -> Told {
    let (agent, reservation) = concerns(event);
    let (word, text) = contact_event(names, event, before.queue)
        .or_else(|| connection_event(names, texts, event))
        .or_else(|| people::event(names, event))
        .or_else(|| recall::event(texts, event, before.recall))
        .or_else(|| owed::event(names, event))
        .or_else(|| care::event(names, event))
        .unwrap_or_else(|| ("other", "something about the router itself".to_owned()));
    Told { word, text, agent, reservation }
}

const fn concerns(event: &Event) -> (Option<AgentId>, Option<ReservationId>) {
    match event {
        Event::Reserved(Reserved { agent, reservation, .. })
        | Event::NotTaken { agent, reservation, .. }
        | Event::Accepted { agent, reservation, .. }
        | Event::Bridged { agent, reservation, .. }
        | Event::ConnectFailed { agent, reservation, .. } => (Some(*agent), Some(*reservation)),
        Event::LegReported { reservation, .. } => (None, Some(*reservation)),
        Event::PassOverEnded { agent, .. }
        | Event::Coded { agent, .. }
        | Event::ConsultStarted { agent, .. }
        | Event::HandedOver { to: agent, .. }
        | Event::WrapUpEnded { agent, .. }
        | Event::WrapUpExtended(WrapUpExtended { agent, .. }) => (Some(*agent), None),
        Event::Closed { agent, .. } | Event::Pended { agent, .. } => (*agent, None),
        Event::PresenceAsked(PresenceAsked { agent, .. }) => (Some(*agent), None),
        _ => (None, None),
    }
}

/// The events of a contact's way to an agent and to its end.
fn contact_event(
    names: &Routing,
    event: &Event,
    was_in: Option<QueueId>,
) -> Option<(&'static str, String)> {
    let who = |id: AgentId| names.agent_name(id);
    Some(match event {
        Event::Arrived(a) => {
            let mut text = format!("arrived by {} as {:?}", a.channel, &*a.key);
            if let Some(entry) = a.entry_point.and_then(|id| names.entry_point(id)) {
                text.push_str(&format!(" at {}", entry.name));
            }
            if a.waited > Span::ZERO {
                text.push_str(&format!(", after {} with the gateway", length(a.waited)));
            }
            ("arrived", text)
        }
        Event::Queued(q) => ("queued", queued(names, q, was_in)),
        Event::OpenedToAll(_) => ("opened_to_all", "no longer kept for one agent".to_owned()),
        Event::PassOverEnded { agent, .. } => {
            ("pass_over_ended", format!("{} may have it again", who(*agent)))
        }
        Event::Reprioritised { head_start, .. } => (
            "reprioritised",
            format!("got a head start of {} beyond its queue's", length(*head_start)),
        ),
        Event::Reserved(r) => ("reserved", reserved(names, r)),
        Event::NotTaken { agent, how, .. } => {
            ("not_taken", format!("not taken by {}: {}", who(*agent), not_taken(*how)))
        }
        Event::Accepted { agent, connect_by, .. } => {
            let next = if connect_by.is_some() { ", the legs are being joined" } else { "" };
            ("accepted", format!("accepted by {}{next}", who(*agent)))
        }
        Event::LegReported { party, outcome, code, .. } => {
            let code = if *code == 0 { String::new() } else { format!(" ({code})") };
            (
                "leg_reported",
                format!("the {}'s leg: {}{code}", party_name(*party), leg_name(*outcome)),
            )
        }
        Event::Bridged { agent, .. } => ("bridged", format!("joined with {}", who(*agent))),
        Event::ConnectFailed { agent, fault, .. } => (
            "connect_failed",
            format!(
                "could not be joined with {}: {}; back at its place",
                who(*agent),
                fault_name(*fault)
            ),
        ),
        Event::Pended { agent: Some(agent), on, .. } => {
            ("pended", format!("{} lets it wait for {}", who(*agent), waits_for(*on)))
        }
        Event::Pended { agent: None, on, .. } => {
            ("pended", format!("waits for {}", waits_for(*on)))
        }
        Event::StepTaken(StepTaken { step, filing }) => (
            "step_taken",
            format!("step {step} of its queue, after {}", length(filing.stage.stepped)),
        ),
        Event::Refiled(f) if f.stage.turned_away => {
            ("refiled", "its queue calls it back once its number is known".into())
        }
        Event::Refiled(_) => ("refiled", "its queue was edited, and it asks for that now".into()),
        Event::WaitAnnounced(WaitAnnounced { told, .. }) => ("wait_announced", announced(*told)),
        Event::ConsultStarted { child, agent, .. } => {
            ("consult_started", format!("{} seeks a second agent as contact {child}", who(*agent)))
        }
        Event::HandedOver { from, to, .. } => {
            ("handed_over", format!("{} handed it over to {}", who(*from), who(*to)))
        }
        Event::Closed { reason, .. } => ("closed", format!("closed: {}", end(*reason))),
        _ => return None,
    })
}

/// The events of a contact's conversation and its gateway.
fn connection_event(
    names: &Routing,
    texts: &Texts,
    event: &Event,
) -> Option<(&'static str, String)> {
    let who = |id: AgentId| names.agent_name(id);
    Some(match event {
        Event::Detached(_) => {
            ("detached", "its gateway is gone: keeps its place, offered to nobody".to_owned())
        }
        Event::Reattached { .. } => ("reattached", "its gateway is back and holds it".to_owned()),
        Event::EffectAsked { effect, kind, .. } => {
            let what = match kind {
                EffectKind::Connect { agent, .. } => format!("call {} and join", who(*agent)),
                EffectKind::HandOver { to } => format!("join the customer with {}", who(*to)),
                EffectKind::Say(say) => texts.named(say),
                EffectKind::Announce(announce) => announcement(names, announce),
                EffectKind::Forward { to } => format!("send it to {}", names.external_name(*to)),
                EffectKind::Outside(_) => "send it to the number outside for safety".to_owned(),
                EffectKind::Dial { agent, .. } => {
                    format!("call the customer and join them with {}", who(*agent))
                }
                EffectKind::OfferCallback(offer) => {
                    format!("offer a call, for recall {}", offer.recall)
                }
                EffectKind::AskPresence(_) => "ask if the customer is still there".to_owned(),
                EffectKind::Join { participant, part } => people::join(*participant, *part),
            };
            ("effect_asked", format!("asked the gateway to {what} (effect {effect})"))
        }
        Event::EffectSettled { effect, how, .. } => {
            let how = match how {
                Settled::Done => "done".to_owned(),
                Settled::Failed(code) => format!("failed ({code})"),
                Settled::Withdrawn => "withdrawn".to_owned(),
            };
            ("effect_settled", format!("effect {effect}: {how}"))
        }
        Event::InputReceived(_) => ("input_received", "the customer said something".to_owned()),
        Event::AttributesSet { attributes, .. } => {
            ("attributes_set", format!("{} routing facts", attributes.len()))
        }
        Event::HoldChanged { on, .. } => {
            let text = if *on { "put on hold" } else { "taken back from hold" };
            ("hold_changed", text.to_owned())
        }
        Event::RecordingNoted(RecordingNoted { reference, consent, .. }) => {
            let consent = match consent {
                Consent::Given => "with consent",
                Consent::Refused => "consent refused",
                Consent::NotAsked => "consent not asked",
            };
            ("recording_noted", format!("recorded as {:?}, {consent}", &**reference))
        }
        Event::Coded { agent, disposition, .. } => {
            let what = names.disposition_name(*disposition);
            ("coded", format!("{} says it is about {what}", who(*agent)))
        }
        Event::WrapUpEnded { agent, .. } => {
            ("wrap_up_ended", format!("{} is done with the work after it", who(*agent)))
        }
        Event::Renewed { .. } => {
            ("renewed", "what it waits for has its whole time again".to_owned())
        }
        Event::Unchanged { .. } => ("unchanged", "reported again: nothing changed".to_owned()),
        Event::Ordered { why } => ("ordered", format!("ordered: {}", &**why)),
        _ => return None,
    })
}

fn queued(names: &Routing, q: &Queued, was_in: Option<QueueId>) -> String {
    let because = match q.because {
        QueuedBecause::Arrived => "on arrival",
        QueuedBecause::Requeued => "sent back by an agent",
        QueuedBecause::Transferred => "sent on by an agent",
        // Both are one thing to the engine.
        QueuedBecause::Moved if was_in == Some(q.queue) => "sent back to its queue by a supervisor",
        QueuedBecause::Moved => "moved by a supervisor",
        QueuedBecause::Woken => "what it waited for came, or its time was up",
        QueuedBecause::Consult => "seeks a second agent",
        QueuedBecause::AgentGone => "the agent who had it is gone",
        QueuedBecause::FollowUp => "goes on from one that fell silent in self-service",
        QueuedBecause::Safety => "about safety: first in line",
        QueuedBecause::Overflowed => "overflowed from another queue",
        QueuedBecause::NotForwarded => "the number outside did not take it",
        QueuedBecause::Promised => "as it was promised",
    };
    let mut text = format!("waits in {} ({because})", names.queue_name(q.queue));
    if let Some(named) = q.named {
        text.push_str(&format!(", kept for {} first", names.agent_name(named.agent)));
    }
    if let Some(released) = q.released {
        let agent = names.agent_name(released.agent);
        let why = match released.because {
            ReleasedBecause::Transferred => "who sent it on",
            ReleasedBecause::Requeued => "who sent it back",
            ReleasedBecause::Pended => "who let it wait",
            ReleasedBecause::HandedOver => "who handed it over",
            ReleasedBecause::Moved => "from whom it was taken",
            ReleasedBecause::AgentGone => "who is gone",
            ReleasedBecause::CalledBack => "who lets it be called back",
        };
        text.push_str(&format!("; before with {agent}, {why}"));
    }
    text
}

/// What a customer was told of the wait.
pub(super) fn announced(told: Announced) -> String {
    let wait = told.wait.map_or_else(|| "a wait that is not known".to_owned(), length);
    let longer = if told.longer { ", longer than it was told before" } else { "" };
    format!("told {} before it and {wait}{longer}", told.ahead)
}

fn announcement(names: &Routing, announce: &Announce) -> String {
    let (name, version) = (names.notice_name(announce.notice), announce.notice.0 + 1);
    let last = if announce.ends.is_some() { ", after which it ends" } else { "" };
    format!("say the announcement {name}, version {version}{last}")
}

fn reserved(names: &Routing, r: &Reserved) -> String {
    format!("held for {} after {}", names.agent_name(r.agent), length(r.waited))
}

/// A length for people: 3.2 s, 4 min 05 s.
pub(super) fn length(span: Span) -> String {
    let ms = span.as_millis();
    if ms < 60_000 {
        return format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
    }
    let (minutes, seconds) = (ms / 60_000, ms % 60_000 / 1_000);
    if minutes < 60 {
        format!("{minutes} min {seconds:02} s")
    } else {
        format!("{} h {:02} min", minutes / 60, minutes % 60)
    }
}

const fn not_taken(how: NotTaken) -> &'static str {
    match how {
        NotTaken::Declined => "declined",
        NotTaken::TimedOut => "not answered in time",
        NotTaken::AgentGone => "signed out or the connection is gone",
        NotTaken::Withdrawn => "taken back before an answer",
    }
}

/// Whom a pending contact waits for.
pub(super) const fn waits_for(on: WaitsFor) -> &'static str {
    match on {
        WaitsFor::Customer => "the customer",
        WaitsFor::ThirdParty => "somebody else",
        WaitsFor::External => "a number outside to take it",
        WaitsFor::Farewell => "the end of what it is told",
    }
}

pub(super) const fn fault_name(fault: ConnectFault) -> &'static str {
    match fault {
        ConnectFault::AgentLeg => "the agent's phone was not reached",
        ConnectFault::CustomerLeg => "the customer was not reached",
        ConnectFault::Gateway => "the gateway could not do it",
        ConnectFault::TimedOut => "the gateway did not report in time",
        ConnectFault::Withdrawn => "it was taken back meanwhile",
    }
}

/// Why a contact was closed, in plain words.
const fn end(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Completed => "completed by an agent",
        EndReason::CustomerLeft => "the customer left",
        EndReason::Abandoned => "the customer left before an answer",
        EndReason::CustomerUnreachable => "the customer could not be reached",
        EndReason::GatewayLost => "the gateway came back without it",
        EndReason::Supervisor => "by a supervisor",
        EndReason::ConsultCompleted => "the second agent took over",
        EndReason::ConsultCancelled => "the consult was given up",
        EndReason::Solved => "the customer said that self-service solved it",
        EndReason::Informed => "the customer left self-service informed",
        EndReason::FollowedUp => "the customer fell silent: it goes on as a follow-up",
        EndReason::Overflowed => "a number outside took it",
        EndReason::QueueClosed => "its queue was closed, and the customer was told",
        EndReason::QueueFull => "its queue was full, and the customer was told",
        EndReason::CallbackCancelled => "the customer no longer wants to be called back",
        EndReason::HandledWith => "done together with another that it was linked with",
        EndReason::GoneSilent => "the customer did not answer when asked if they are still there",
    }
}

/// The same of the wire's word.
pub(super) fn wire_end(reason: v1::EndReason) -> &'static str {
    let same = EndReason::ALL.into_iter().find(|r| words::end_reason(*r) == i32::from(reason));
    same.map_or("nobody remembers why", end)
}

/// What an agent is, in plain words.
pub(super) const fn agent_state(state: AgentState) -> &'static str {
    match state {
        AgentState::SignedOut => "signed out",
        AgentState::Lost => "gone, with a connection that was lost",
        AgentState::NotReady => "not ready",
        AgentState::Ready => "ready",
        AgentState::Reserved => "being offered another contact",
        AgentState::Busy => "busy",
        AgentState::WrapUp => "in wrap-up",
    }
}

const fn party_name(party: Party) -> &'static str {
    match party {
        Party::Customer => "customer",
        Party::Agent => "agent",
    }
}

const fn leg_name(outcome: LegOutcome) -> &'static str {
    match outcome {
        LegOutcome::Answered => "answered",
        LegOutcome::Busy => "busy",
        LegOutcome::NoAnswer => "no answer",
        LegOutcome::Rejected => "rejected",
        LegOutcome::Unreachable => "unreachable",
        LegOutcome::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::words::{Needs, ServiceClass};
    use crate::ids::ContactId;
    use crate::time::Place;

    #[test]
    fn a_supervisors_requeue_and_move_are_told_apart() {
        let names = Routing::default();
        let to = |queue| {
            Event::Queued(Queued {
                contact: ContactId(1),
                queue: QueueId(queue),
                because: QueuedBecause::Moved,
                service: ServiceClass::Live,
                needs: Needs::default(),
                preferred: Needs::default(),
                head_start: Span::ZERO,
                place: Place(0),
                stage: Default::default(),
                named: None,
                pass_over: None,
                released: None,
            })
        };
        let before = Before { queue: Some(QueueId(0)), recall: None };
        let text = |queue| tell(&names, &Texts::default(), &to(queue), before).text;
        assert!(text(0).contains("sent back to its queue by a supervisor"), "{}", text(0));
        assert!(text(1).contains("moved by a supervisor"), "{}", text(1));
    }

    #[test]
    fn no_word_for_programs_stands_in_a_sentence() {
        let ends = EndReason::ALL.map(end);
        let how = [NotTaken::Declined, NotTaken::TimedOut, NotTaken::AgentGone].map(not_taken);
        let states = AgentState::ALL.map(agent_state);
        let faults = [ConnectFault::AgentLeg, ConnectFault::TimedOut].map(fault_name);
        for text in ends.iter().chain(&how).chain(&states).chain(&faults) {
            assert!(!text.contains('_'), "{text}");
        }
        assert_eq!(wire_end(v1::EndReason::Supervisor), "by a supervisor");
    }

    #[test]
    fn lengths_read_as_people_say_them() {
        let table = [
            (0, "0.0 s"),
            (3_249, "3.2 s"),
            (59_999, "59.9 s"),
            (60_000, "1 min 00 s"),
            (245_000, "4 min 05 s"),
            (3_600_000, "1 h 00 min"),
            (90_061_000, "25 h 01 min"),
        ];
        for (ms, expected) in table {
            assert_eq!(length(Span::millis(ms)), expected);
        }
    }
}
