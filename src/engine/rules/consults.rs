//! A second agent is asked: who answers for them, and who has the contact then.

use super::*;

#[test]
fn a_colleague_asked_by_name_has_no_stand_in() {
    enum How {
        Declines,
        Leaves,
        LegFails,
    }
    for how in [How::Declines, How::Leaves, How::LegFails] {
        let mut c = Center::new();
        c.ready(ANNE);
        let call = c.arrives(Channel::Voice, PLAIN);
        c.answer(call);
        c.ready(BOB);
        c.ready(CLEO);
        let child = c.consult(ANNE, call, Target::Agent(BOB));
        let reservation = c.reservation(child);
        match how {
            How::Declines => c.act(BOB, Act::Decline(reservation)).map(drop).expect("declined"),
            How::Leaves => {
                let session = SessionId(3);
                c.ok(&Command::DisconnectAgent { agent: BOB, session });
            }
            How::LegFails => {
                c.accept(child);
                let (party, outcome) = (Party::Agent, LegOutcome::Busy);
                c.report(Report::Leg { reservation, party, outcome, code: 0 }).expect("taken");
            }
        }
        assert!(c.engine.contact(child).is_none(), "the consult is over");
        let over = Tell::ConsultOver { contact: call, consult: child };
        assert!(c.told(Recipient::Agent(ANNE)).contains(&over));
        assert_eq!(c.held_for(call), Some(ANNE));
    }
}

#[test]
fn a_consult_is_told_joined_and_hands_over() {
    let mut c = Center::new();
    c.ready(ANNE);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    c.ready(BOB);
    let child = c.consult(ANNE, chat, Target::Agent(BOB));
    assert_eq!(c.act(ANNE, Act::CompleteConsult(chat)), Err(Refusal::NoConsult(chat)));
    c.accept(child);
    let joined = Tell::ConsultJoined { contact: chat, consult: child, agent: BOB };
    assert_eq!(c.told(Recipient::Agent(ANNE)), [joined]);
    c.act(ANNE, Act::CompleteConsult(chat)).expect("handed over");
    assert_eq!(c.held_for(chat), Some(BOB));
}

#[test]
fn a_transfer_ends_what_the_gateway_was_asked_to_do_for_the_one_before() {
    let mut c = Center::new();
    c.ready(ANNE);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.answer(call);
    c.ready(BOB);
    let child = c.consult(ANNE, call, Target::Agent(BOB));
    c.answer(child);
    c.act(ANNE, Act::CompleteConsult(call)).expect("handed over");
    assert_eq!(c.engine.contact(call).unwrap().effects.len(), 1);
    c.act(BOB, Act::Transfer { contact: call, to: Target::Queue(SKILLED) }).expect("sent on");
    assert!(c.engine.contact(call).unwrap().effects.is_empty());
}
