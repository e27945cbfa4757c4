//! Who is on a contact beside its owner: supervisors who listen, conferences, people outside.

use std::sync::Arc;

use super::{ANNE, BOB, CLEO, Center, PLAIN};
use crate::engine::command::{Act, Command, Order, Report, Target};
use crate::engine::day::Hands;
use crate::engine::directive::{Recipient, Tell};
use crate::engine::event::{EffectKind, Event, ParticipantNews};
use crate::engine::participant::{OffBecause, Part, ParticipantStep, Who};
use crate::engine::refusal::Refusal;
use crate::engine::words::{Channel, EndReason};
use crate::ids::{ContactId, EffectId, GatewayId};
use crate::time::Span;

const GATE: Recipient = Recipient::Gateway(GatewayId(0));

impl Center {
    fn call_with_anne(&mut self) -> ContactId {
        self.ready(ANNE);
        let call = self.arrives(Channel::Voice, PLAIN);
        self.answer(call);
        call
    }

    fn listen(&mut self, contact: ContactId, part: Part) -> Result<(), Refusal> {
        let listener = Arc::from("sue");
        self.supervise(Order::Listen { contact, listener, part }).map(drop)
    }

    /// What the gateway is asked to do about participants of a contact.
    fn joins(&self, contact: ContactId) -> Vec<(EffectId, u16, Part)> {
        let all = self.engine.contact(contact).expect("open").effects.iter();
        all.filter_map(|(effect, kind)| match kind {
            EffectKind::Join { participant, part } => Some((*effect, *participant, *part)),
            _ => None,
        })
        .collect()
    }

    fn join(&mut self, contact: ContactId) {
        for (effect, ..) in self.joins(contact) {
            self.report(Report::EffectDone(effect)).expect("done");
        }
    }

    fn on(&self, contact: ContactId) -> Vec<(u16, Part, bool)> {
        let all = &self.engine.contact(contact).expect("open").participants.all;
        all.iter().map(|p| (p.id, p.part, p.on.is_some())).collect()
    }

    fn off(&self, why: OffBecause) -> bool {
        let step = ParticipantStep::Off(why);
        self.events
            .iter()
            .any(|e| matches!(e, Event::Participant(ParticipantNews { step: s, .. }) if *s == step))
    }

    /// Anne has a call and Bob is on it with her.
    fn conference(&mut self) -> (ContactId, ContactId) {
        let call = self.call_with_anne();
        self.ready(BOB);
        let child = self.consult(ANNE, call, Target::Agent(BOB));
        assert_eq!(self.act(ANNE, Act::Conference(call)), Err(Refusal::NoConsult(call)));
        self.answer(child);
        self.act(ANNE, Act::Conference(call)).expect("merged");
        let who = Who::Colleague { consult: child, agent: BOB };
        assert!(
            self.told(GATE).iter().any(|t| matches!(t, Tell::Join { who: w, .. } if *w == who))
        );
        self.join(call);
        (call, child)
    }
}

#[test]
fn a_supervisor_listens_whispers_comes_in_and_goes_and_the_owner_stays() {
    let mut c = Center::new();
    let call = c.call_with_anne();
    c.listen(call, Part::Listens).expect("asked");
    assert!(matches!(c.events[0], Event::Ordered { .. }), "it is audited");
    let told = c.told(GATE);
    assert!(matches!(&told[..], [Tell::Join { participant: 1, part: Part::Listens, .. }]));
    assert_eq!(c.on(call), [(1, Part::Listens, false)]);
    c.join(call);
    assert_eq!(c.on(call), [(1, Part::Listens, true)]);
    c.listen(call, Part::Listens).expect("the same again");
    assert!(c.events.is_empty());
    c.listen(call, Part::Talks).expect("in place");
    assert_eq!(c.on(call), [(1, Part::Listens, true)], "not before the gateway did it");
    c.join(call);
    assert_eq!(c.on(call), [(1, Part::Talks, true)]);
    assert_eq!(c.held_for(call), Some(ANNE));
    let order = Order::StopListening { contact: call, listener: Arc::from("sue") };
    c.supervise(order.clone()).expect("gone");
    assert!(c.off(OffBecause::Asked));
    assert_eq!(c.told(GATE), [Tell::Participants { contact: call, all: vec![] }]);
    assert!(matches!(c.supervise(order), Err(Refusal::NotListening { .. })));
}

#[test]
fn a_change_that_fails_leaves_a_listener_as_they_were_and_one_who_never_came_is_off() {
    let mut c = Center::new();
    let call = c.call_with_anne();
    c.listen(call, Part::Listens).expect("asked");
    let (effect, ..) = c.joins(call)[0];
    c.report(Report::EffectFailed { effect, code: 486 }).expect("told");
    assert!(c.off(OffBecause::Failed(486)) && c.on(call).is_empty());
    c.listen(call, Part::Whispers).expect("asked again");
    c.join(call);
    c.listen(call, Part::Talks).expect("asked");
    c.listen(call, Part::Listens).expect("changed her mind");
    let asked = c.joins(call);
    assert_eq!(asked.len(), 1, "the one before is withdrawn: {asked:?}");
    c.report(Report::EffectFailed { effect: asked[0].0, code: 500 }).expect("told");
    assert_eq!(c.on(call), [(2, Part::Whispers, true)]);
    c.report(Report::ParticipantLeft { contact: call, participant: 2 }).expect("hung up");
    assert!(c.off(OffBecause::Left));
    c.report(Report::ParticipantLeft { contact: call, participant: 2 }).expect("said twice");
    let no = c.report(Report::ParticipantLeft { contact: call, participant: 3 }).unwrap_err();
    assert!(matches!(no, Refusal::NoSuchParticipant { .. }));
}

#[test]
fn an_agent_is_told_who_listens_as_configured_and_always_who_is_heard() {
    for told in [true, false] {
        let mut c = Center::new();
        let mut routing = crate::engine::routing::Routing::clone(c.engine.routing());
        routing.settings.tell_listening = told;
        // Something has to change, or nothing is configured anew.
        routing.settings.most_contacts -= 1;
        c.ok(&Command::Configure(Arc::new(routing)));
        let call = c.call_with_anne();
        let sees = |c: &Center| {
            let all = c.told(Recipient::Agent(ANNE));
            all.iter().any(|t| matches!(t, Tell::Participants { all, .. } if !all.is_empty()))
        };
        c.listen(call, Part::Listens).expect("asked");
        assert_eq!(sees(&c), told);
        let bob = Arc::from("bob");
        c.supervise(Order::Listen { contact: call, listener: bob, part: Part::Whispers })
            .expect("asked");
        assert!(sees(&c), "a whisper is heard");
    }
}

#[test]
fn who_listened_first_in_secret_is_told_of_when_they_are_heard() {
    let mut c = Center::new();
    let mut routing = crate::engine::routing::Routing::clone(c.engine.routing());
    routing.settings.tell_listening = false;
    c.ok(&Command::Configure(Arc::new(routing)));
    let call = c.call_with_anne();
    c.listen(call, Part::Listens).expect("asked");
    c.join(call);
    assert!(!c.engine.contact(call).unwrap().participants.all[0].told);
    c.listen(call, Part::Talks).expect("asked");
    c.join(call);
    assert!(c.engine.contact(call).unwrap().participants.all[0].told);
}

#[test]
fn listening_ends_with_the_contact_and_with_its_agent() {
    let mut c = Center::new();
    let call = c.call_with_anne();
    c.listen(call, Part::Talks).expect("asked");
    c.join(call);
    c.act(ANNE, Act::Requeue(call)).expect("sent back");
    assert!(c.off(OffBecause::ContactOver) && c.on(call).is_empty());
    let no = c.listen(call, Part::Listens).unwrap_err();
    assert!(matches!(no, Refusal::WrongState { expected: "assigned", .. }));
    let mail = c.arrives(Channel::Email, PLAIN);
    c.answer(mail);
    assert!(matches!(c.listen(mail, Part::Listens), Err(Refusal::WrongState { .. })));
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    c.listen(chat, Part::Talks).expect("a chat too");
    c.join(chat);
    c.complete(chat);
    assert!(c.off(OffBecause::ContactOver), "a supervisor does not keep a contact open");
}

#[test]
fn a_conference_has_one_owner_and_is_handed_over_or_left() {
    let mut c = Center::new();
    let (call, child) = c.conference();
    assert_eq!((c.held_for(call), c.held_for(child)), (Some(ANNE), Some(BOB)));
    let end = Act::Complete { contact: call, disposition: None };
    assert_eq!(c.act(ANNE, end), Err(Refusal::OthersThere(call)), "Bob would be cut off");
    c.act(ANNE, Act::CompleteConsult(call)).expect("his now");
    assert!(c.off(OffBecause::Owner));
    assert_eq!(c.held_for(call), Some(BOB));
    assert!(c.engine.contact(child).is_none() && c.on(call).is_empty());
    c.complete(call);

    let mut c = Center::new();
    let (call, child) = c.conference();
    c.act(BOB, Act::Complete { contact: child, disposition: None }).expect("he leaves");
    assert!(c.off(OffBecause::Left));
    assert_eq!(c.held_for(call), Some(ANNE));
    c.complete(call);
}

#[test]
fn whose_owner_falls_off_the_line_a_conference_goes_to_the_colleague_who_is_on_it() {
    let mut c = Center::new();
    let (call, _) = c.conference();
    c.report(Report::AgentLegLost(call)).expect("told");
    assert_eq!(c.held_for(call), Some(BOB), "the customer goes on talking");
    assert!(c.told(GATE).iter().any(|t| matches!(t, Tell::HandOver { to: BOB, .. })));

    let mut c = Center::new();
    let (call, _) = c.conference();
    let order = Order::SignOut { agent: ANNE, after: Some(Span::ZERO), hands: Hands::Requeue };
    c.supervise(order).expect("signed out");
    assert_eq!(c.held_for(call), Some(BOB));
}

#[test]
fn somebody_outside_is_brought_on_dropped_and_never_cut_off_by_the_owner() {
    let mut c = Center::new();
    let call = c.call_with_anne();
    c.ready(CLEO);
    let add = || Act::AddParticipant { contact: call, name: Arc::from("interpreter") };
    assert_eq!(c.act(CLEO, add()), Err(Refusal::NotYourContact(call)));
    c.act(ANNE, add()).expect("asked");
    c.join(call);
    let end = || Act::Complete { contact: call, disposition: None };
    assert_eq!(c.act(ANNE, end()), Err(Refusal::OthersThere(call)));
    let drop = |participant| Act::DropParticipant { contact: call, participant };
    assert!(matches!(c.act(ANNE, drop(7)), Err(Refusal::NoSuchParticipant { .. })));
    c.listen(call, Part::Talks).expect("a supervisor too");
    assert_eq!(c.act(ANNE, drop(2)), Err(Refusal::NotYourContact(call)), "not hers to send off");
    c.act(ANNE, drop(1)).expect("off");
    c.act(ANNE, end()).expect("over");
    assert!(
        c.events.iter().any(|e| matches!(e, Event::Closed { reason: EndReason::Completed, .. }))
    );
}

#[test]
fn what_is_on_a_contact_is_told_again_to_a_gateway_and_an_agent_who_come_back() {
    let mut c = Center::new();
    let call = c.call_with_anne();
    c.act(ANNE, Act::AddParticipant { contact: call, name: Arc::from("clinic") }).expect("asked");
    c.join(call);
    let on = |tells: Vec<Tell>| {
        tells.iter().any(|t| matches!(t, Tell::Participants { all, .. } if all.len() == 1))
    };
    c.ok(&Command::ConnectAgent(ANNE));
    assert!(on(c.told(Recipient::Agent(ANNE))));
    c.ok(&Command::ConnectGateway { name: Arc::from("gate"), limits: super::SAYS });
    let keys = vec![Arc::from("k1")];
    c.report(Report::Holding { keys, last: true }).expect("it is back");
    assert!(on(c.told(GATE)));
}
