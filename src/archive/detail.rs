//! An event as an analyst reads it: one word, and a JSON object with names instead of ids.
//!
//! The words are stable; fields are only ever added. Everything that is not in here is in
//! the event's own bytes beside it.

mod lane;
mod level;
mod owed;
mod people;

use std::collections::BTreeMap;

use crate::config::diff;
use crate::engine::callback::DialMode;
use crate::engine::event::{
    Announce, Arrived, BreakerSet, EffectKind, Event, HoursChanged, PartnersSet, Queued,
    RecordingNoted, Reserved, StepTaken, WaitAnnounced,
};
use crate::engine::recall::{Answer, Say, SelfService};
use crate::engine::routing::{Name, Routing};
use crate::engine::stage::Filing;
use crate::engine::words::{
    Attributes, Availability, Consent, EndReason, LegOutcome, Party, QueuedBecause,
    ReleasedBecause, WaitsFor,
};
use crate::shard::observe::{HowSaid, TextKind};

/// Most names of a kind that the audit of a change of the configuration has.
const MOST_NAMES: usize = 100;

/// A JSON object, written field by field: one is made for every event.
#[derive(Debug)]
pub(super) struct Fields(String);

impl Fields {
    pub(super) fn new() -> Self {
        Self(String::with_capacity(96))
    }

    fn key(&mut self, key: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    pub(super) fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        quoted(&mut self.0, value);
        self
    }

    pub(super) fn number(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.key(key);
        self.0.push_str(&value.to_string());
        self
    }

    pub(super) fn texts(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    pub(super) fn numbers(self, key: &str, value: Option<impl std::fmt::Display>) -> Self {
        match value {
            Some(value) => self.number(key, value),
            None => self,
        }
    }

    pub(super) fn done(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

/// A JSON string.
fn quoted(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Routing facts as a JSON object.
pub(super) fn attributes(of: &Attributes) -> String {
    of.iter()
        .fold(Fields::new(), |fields, (name, value)| {
            let mut key = String::new();
            quoted(&mut key, name);
            fields.text(&key[1..key.len() - 1], value)
        })
        .done()
}

/// The word for an event, and what it says.
pub(super) fn of(event: &Event, names: &Routing) -> (&'static str, String) {
    let (kind, fields) = on_the_way(event, names)
        .or_else(|| in_conversation(event, names))
        .or_else(|| in_recall(event, names))
        .or_else(|| level::of(event))
        .or_else(|| owed::of(event, names))
        .or_else(|| super::care::event(event, names))
        .or_else(|| people::of(event, names))
        .or_else(|| lane::of(event))
        .unwrap_or_else(|| elsewhere(event, names));
    (kind, fields.done())
}

fn on_the_way(event: &Event, names: &Routing) -> Option<(&'static str, Fields)> {
    let f = Fields::new();
    let agent = |id| names.agent_name(id);
    Some(match event {
        Event::Arrived(a) => ("arrived", arrived(f, a, names)),
        Event::FollowUpOpened(a) => ("follow_up_opened", arrived(f, a, names)),
        Event::Queued(q) => ("queued", queued(f, q, names)),
        Event::OpenedToAll(_) => ("opened_to_all", f),
        Event::PassOverEnded { agent: a, .. } => ("pass_over_ended", f.text("agent", agent(*a))),
        Event::Reprioritised { head_start, .. } => {
            ("reprioritised", f.number("head_start_us", head_start.0))
        }
        Event::Reserved(r) => ("reserved", reserved(f, r, names)),
        Event::NotTaken { agent: a, reservation, how, .. } => (
            "not_taken",
            f.text("agent", agent(*a)).number("reservation", reservation).text("how", how.name()),
        ),
        Event::Accepted { agent: a, reservation, connect_by, .. } => (
            "accepted",
            f.text("agent", agent(*a))
                .number("reservation", reservation)
                .number("connecting", connect_by.is_some()),
        ),
        Event::LegReported { party, outcome, code, .. } => (
            "leg_reported",
            f.text("party", party_name(*party)).text("outcome", leg(*outcome)).number("code", code),
        ),
        Event::Bridged { agent: a, reservation, .. } => {
            ("bridged", f.text("agent", agent(*a)).number("reservation", reservation))
        }
        Event::ConnectFailed { agent: a, reservation, fault, .. } => (
            "connect_failed",
            f.text("agent", agent(*a))
                .number("reservation", reservation)
                .text("fault", fault.name()),
        ),
        Event::Pended { agent: a, on, .. } => {
            ("pended", f.texts("agent", a.map(agent)).text("on", waits_for(*on)))
        }
        Event::ConsultStarted { parent, child, agent: a } => (
            "consult_started",
            f.number("parent", parent).number("child", child).text("agent", agent(*a)),
        ),
        Event::HandedOver { from, to, .. } => {
            ("handed_over", f.text("from", agent(*from)).text("to", agent(*to)))
        }
        Event::Closed { reason, agent: a, .. } => {
            ("closed", f.text("reason", reason.name()).texts("agent", a.map(agent)))
        }
        _ => return None,
    })
}

fn arrived(f: Fields, a: &Arrived, names: &Routing) -> Fields {
    let entry_point = a.entry_point.and_then(|e| names.entry_point(e));
    f.text("channel", a.channel.name())
        .text("key", &a.key)
        .texts("entry_point", entry_point.map(|e| &*e.name))
        .number("waited_before_us", a.waited.0)
        .numbers("continues", a.continues)
        .texts("language", a.language.as_ref().map(|l| l.as_str()))
}

fn queued(f: Fields, q: &Queued, names: &Routing) -> Fields {
    f.text("queue", names.queue_name(q.queue))
        .text("because", queued_because(q.because))
        .text("service", q.service.name())
        .number("place_us", q.place.0)
        .number("head_start_us", q.head_start.0)
        .texts("for_agent", q.named.map(|n| names.agent_name(n.agent)))
        .texts("released", q.released.map(|r| names.agent_name(r.agent)))
        .texts("released_because", q.released.map(|r| released(r.because)))
}

fn reserved(f: Fields, r: &Reserved, names: &Routing) -> Fields {
    f.text("agent", names.agent_name(r.agent))
        .number("reservation", r.reservation)
        .number("waited_us", r.waited.0)
        .number("rank", r.rank)
        .number("idle_us", r.idle.0)
        .number("load", r.load)
        .text("rule", r.why.rule.name())
}

fn in_conversation(event: &Event, names: &Routing) -> Option<(&'static str, Fields)> {
    let f = Fields::new();
    Some(match event {
        Event::Detached(_) => ("detached", f),
        Event::Reattached { .. } => ("reattached", f),
        Event::Renewed { .. } => ("renewed", f),
        Event::Unchanged { .. } => ("unchanged", f),
        Event::EffectAsked { effect, kind, .. } => {
            ("effect_asked", effect_fields(f.number("effect", effect), kind, names))
        }
        Event::EffectSettled { effect, how, .. } => {
            ("effect_settled", f.number("effect", effect).text("how", HowSaid::from(*how).name()))
        }
        Event::InputReceived(_) => ("input_received", f),
        Event::AttributesSet { .. } => ("attributes_set", f),
        Event::HoldChanged { on, .. } => ("hold_changed", f.number("on", on)),
        Event::RecordingNoted(RecordingNoted { reference, consent, .. }) => (
            "recording_noted",
            f.text("reference", reference).text("consent", consent_name(*consent)),
        ),
        Event::Coded { agent, disposition, .. } => (
            "coded",
            f.text("agent", names.agent_name(*agent))
                .text("disposition", names.disposition_name(*disposition)),
        ),
        Event::WrapUpEnded { agent, .. } => {
            ("wrap_up_ended", f.text("agent", names.agent_name(*agent)))
        }
        Event::Ordered { why } => ("ordered", f.text("why", why)),
        Event::StepTaken(StepTaken { step, filing }) => {
            ("step_taken", filed(f.number("step", step), filing))
        }
        Event::Refiled(filing) => ("refiled", filed(f, filing)),
        Event::WaitAnnounced(WaitAnnounced { told, .. }) => (
            "wait_announced",
            f.number("ahead", told.ahead)
                .numbers("wait_us", told.wait.map(|w| w.0))
                .number("longer", told.longer),
        ),
        _ => return None,
    })
}

fn filed(f: Fields, filing: &Filing) -> Fields {
    f.number("place_us", filing.place.0).number("raised_us", filing.stage.raised.0)
}

fn effect_fields(f: Fields, kind: &EffectKind, names: &Routing) -> Fields {
    match kind {
        EffectKind::Connect { reservation, agent } => f
            .text("effect_kind", "connect")
            .number("reservation", reservation)
            .text("agent", names.agent_name(*agent)),
        EffectKind::HandOver { to } => {
            f.text("effect_kind", "hand_over").text("agent", names.agent_name(*to))
        }
        EffectKind::Dial { reservation, agent, mode } => f
            .text("effect_kind", "dial")
            .number("reservation", reservation)
            .text("agent", names.agent_name(*agent))
            .number("customer_first", *mode == DialMode::CustomerFirst),
        EffectKind::Join { participant, part } => f
            .text("effect_kind", "join")
            .number("participant", participant)
            .text("part", part.name()),
        EffectKind::Say(Say { recall, text, language, .. }) => f
            .text("effect_kind", "say")
            .number("recall", recall)
            .text("text", TextKind::from(*text).name())
            .texts("language", language.as_ref().map(|l| l.as_str())),
        EffectKind::Announce(Announce { notice, language, ends, .. }) => f
            .text("effect_kind", "announce")
            .text("notice", names.notice_name(*notice))
            .number("version", notice.0 + 1)
            .texts("language", language.as_ref().map(|l| l.as_str()))
            .texts("ends", ends.map(EndReason::name)),
        EffectKind::Forward { to } => {
            f.text("effect_kind", "forward").text("external", names.external_name(*to))
        }
        EffectKind::OfferCallback(offer) => {
            f.text("effect_kind", "offer_callback").number("recall", offer.recall)
        }
        EffectKind::Outside(recall) => f.text("effect_kind", "outside").number("recall", recall),
        EffectKind::AskPresence(language) => f
            .text("effect_kind", "ask_presence")
            .texts("language", language.as_ref().map(|l| l.as_str())),
    }
}

fn in_recall(event: &Event, names: &Routing) -> Option<(&'static str, Fields)> {
    let f = Fields::new();
    Some(match event {
        Event::RecallStarted { recall, plan, level, .. } => (
            "recall_started",
            f.number("recall", recall).text("title", &plan.title).text("level", level.name()),
        ),
        Event::RecallEnded { recall, expired } => {
            ("recall_ended", f.number("recall", recall).number("expired", expired))
        }
        Event::PartnersSet(PartnersSet { recall, now }) => {
            ("partners_set", f.number("recall", recall).text("now", now.name()))
        }
        Event::BreakerSet(BreakerSet { recall, tier, now }) => {
            let f = f.number("recall", recall).text("tier", tier.name());
            ("breaker_set", f.text("now", now.gate().name()))
        }
        Event::Triaged { heed, .. } => {
            ("triaged", f.number("recall", heed.recall).text("class", heed.class.name()))
        }
        Event::Diverted { now, .. } => ("diverted", stands(f, now)),
        Event::Stepped { now, .. } => ("stepped", stands(f, now)),
        Event::Returned { recall, tier, because, .. } => (
            "returned",
            f.number("recall", recall).text("tier", tier.name()).text("because", because.name()),
        ),
        Event::WordsAsked { ask, recall, .. } => {
            ("words_asked", f.number("ask", ask).number("recall", recall))
        }
        Event::WordsRead { ask, found, .. } => {
            let f = f.number("ask", ask).texts("class", found.heed.map(|h| h.class.name()));
            let entry = match found.answer {
                Answer::Entry { entry, .. } => Some(entry),
                Answer::NoWords | Answer::None => None,
            };
            ("words_read", f.numbers("entry", entry))
        }
        Event::KeysPressed { keys, lot, .. } => {
            ("keys_pressed", f.text("keys", keys).texts("lot", lot.map(|l| l.name())))
        }
        Event::AvailabilityChanged { agent, to, .. } => (
            "availability_changed",
            availability(f.text("agent", names.agent_name(*agent)), *to, names),
        ),
        Event::NextSet { agent, next } => {
            let f = f.text("agent", names.agent_name(*agent));
            ("next_set", next.map_or_else(Fields::new, |to| availability(f, to, names)))
        }
        _ => return None,
    })
}

fn stands(f: Fields, now: &SelfService) -> Fields {
    f.number("recall", now.recall).text("tier", now.tier.name()).text("step", now.step.name())
}

/// What a change of the configuration changed: names by section and by what became of them, the
/// first of them where there are many.
pub(super) fn configured(old: &Routing, new: &Routing) -> String {
    let mut said: BTreeMap<&str, BTreeMap<&str, Vec<Name>>> = BTreeMap::new();
    for change in diff::changes(old, new) {
        let section = said.entry(change.section.name()).or_default();
        let names = section.entry(change.how.name()).or_default();
        if names.len() < MOST_NAMES {
            names.push(change.name);
        }
    }
    let told = said.iter().map(|(section, hows)| {
        let hows = hows.iter().map(|(how, names)| {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            (*how, names)
        });
        (*section, hows.collect::<BTreeMap<_, _>>())
    });
    serde_json::to_string(&told.collect::<BTreeMap<_, _>>()).unwrap_or_default()
}

fn availability(f: Fields, to: Availability, names: &Routing) -> Fields {
    match to {
        Availability::Ready => f.text("to", "ready"),
        Availability::NotReady(reason) => {
            f.text("to", "not_ready").text("reason", names.reason_name(reason))
        }
        Availability::SignedOut => f.text("to", "signed_out"),
    }
}

/// What is about the router, its gateways and its agents' connections.
fn elsewhere(event: &Event, names: &Routing) -> (&'static str, Fields) {
    let f = Fields::new();
    let agent = |id| names.agent_name(id);
    match event {
        Event::Restarted { gap, missed } => {
            ("restarted", f.number("gap_us", gap.0).number("missed_us", missed.0))
        }
        Event::Configured(_) => ("configured", f),
        Event::GatewayRegistered { gateway, name } => {
            ("gateway_registered", f.number("gateway", gateway).text("name", name))
        }
        Event::GatewayConnected { gateway, .. } => {
            ("gateway_connected", f.number("gateway", gateway))
        }
        Event::GatewayLost { gateway } => ("gateway_lost", f.number("gateway", gateway)),
        Event::GatewayResynced { gateway } => ("gateway_resynced", f.number("gateway", gateway)),
        Event::AgentConnected { agent: a, .. } => ("agent_connected", f.text("agent", agent(*a))),
        Event::AgentLost { agent: a, .. } => ("agent_lost", f.text("agent", agent(*a))),
        Event::HoursChanged(HoursChanged { calendar, now }) => (
            "hours_changed",
            f.text("calendar", names.calendar_name(*calendar)).number("open", now.open),
        ),
        Event::PhoneUnreachable(a) => ("phone_unreachable", f.text("agent", agent(*a))),
        _ => ("other", f),
    }
}

const fn queued_because(because: QueuedBecause) -> &'static str {
    match because {
        QueuedBecause::Arrived => "arrived",
        QueuedBecause::Requeued => "requeued",
        QueuedBecause::Transferred => "transferred",
        QueuedBecause::Moved => "moved",
        QueuedBecause::Woken => "woken",
        QueuedBecause::Consult => "consult",
        QueuedBecause::AgentGone => "agent_gone",
        QueuedBecause::FollowUp => "follow_up",
        QueuedBecause::Safety => "safety",
        QueuedBecause::Overflowed => "overflowed",
        QueuedBecause::NotForwarded => "not_forwarded",
        QueuedBecause::Promised => "promised",
    }
}

const fn released(because: ReleasedBecause) -> &'static str {
    match because {
        ReleasedBecause::Transferred => "transferred",
        ReleasedBecause::Requeued => "requeued",
        ReleasedBecause::Pended => "pended",
        ReleasedBecause::HandedOver => "handed_over",
        ReleasedBecause::Moved => "moved",
        ReleasedBecause::AgentGone => "agent_gone",
        ReleasedBecause::CalledBack => "called_back",
    }
}

const fn leg(outcome: LegOutcome) -> &'static str {
    match outcome {
        LegOutcome::Answered => "answered",
        LegOutcome::Busy => "busy",
        LegOutcome::NoAnswer => "no_answer",
        LegOutcome::Rejected => "rejected",
        LegOutcome::Unreachable => "unreachable",
        LegOutcome::Failed => "failed",
    }
}

const fn party_name(party: Party) -> &'static str {
    match party {
        Party::Customer => "customer",
        Party::Agent => "agent",
    }
}

const fn waits_for(on: WaitsFor) -> &'static str {
    match on {
        WaitsFor::Customer => "customer",
        WaitsFor::ThirdParty => "third_party",
        WaitsFor::External => "external",
        WaitsFor::Farewell => "farewell",
    }
}

const fn consent_name(consent: Consent) -> &'static str {
    match consent {
        Consent::Given => "given",
        Consent::Refused => "refused",
        Consent::NotAsked => "not_asked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_it_an_object_stays_json() {
        let hard: Attributes = [("a\"b\\".into(), "c\n\u{1}é\"".into())].into();
        let read: serde_json::Value = serde_json::from_str(&attributes(&hard)).expect("JSON");
        assert_eq!(read["a\"b\\"], "c\n\u{1}é\"");
        let (kind, text) =
            of(&Event::Ordered { why: "she said \"no\"".into() }, &Routing::default());
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((kind, &read["why"]), ("ordered", &"she said \"no\"".into()));
        assert_eq!(Fields::new().done(), "{}");
    }
}
