//! The ivr tier.

use super::*;

#[test]
fn the_menu_asks_for_injury_first_and_zero_is_a_person_anywhere() {
    let mut c = Center::new();
    c.start(Level::Surge);
    let call = c.comes(Channel::Voice, HOTLINE);
    assert_eq!(c.says(call), [Text::Greeting, Text::Injury]);
    c.report(keys(call, "1", None)).expect("pressed");
    assert_eq!(c.returned(), [ReturnedBecause::Safety]);
    let hurt = c.open(call);
    assert_eq!((hurt.service, hurt.queue), (ServiceClass::Safety, SAFETY));
    assert_eq!(c.says(call), [Text::Person], "what happens next is said");

    for before in [&[][..], &["2"], &["2", "1"], &["2", "3"]] {
        let call = c.comes(Channel::Voice, HOTLINE);
        for key in before {
            c.report(keys(call, key, None)).expect("pressed");
        }
        c.report(keys(call, "0", None)).expect("pressed");
        assert_eq!(c.returned(), [ReturnedBecause::Asked], "after {before:?}");
    }
}

#[test]
fn the_lot_check_informs_and_in_doubt_a_person_looks() {
    let mut c = Center::new();
    c.start(Level::Surge);
    let call = c.comes(Channel::Voice, HOTLINE);
    let place = c.open(call).place;
    c.report(keys(call, "2", None)).expect("pressed");
    let options = [b'1', b'2', b'3'].map(Text::Option);
    assert_eq!(c.says(call), [&[Text::Message], &options[..]].concat());
    c.report(keys(call, "1", None)).expect("pressed");
    assert_eq!(c.says(call), [Text::Lot], "what was being said is over");
    c.report(keys(call, "4711#", Some(LotVerdict::Affected))).expect("pressed");
    assert_eq!(c.says(call)[0], Text::Affected);
    assert!(!c.served(call).checked, "they have not heard it yet");
    c.all_said(call);
    assert!(c.served(call).checked);
    assert!(c.open(call).place < place, "ahead of others, should they want a person");
    c.report(Report::CustomerLeft(call)).expect("left");
    assert_eq!(c.ended(), [(call, EndReason::Informed)], "not solved, and not abandoned");

    let call = c.comes(Channel::Voice, HOTLINE);
    c.report(keys(call, "99", Some(LotVerdict::Affected))).expect("pressed");
    let lots = c.events.iter().filter(|e| matches!(e, Event::KeysPressed { lot: Some(_), .. }));
    assert_eq!(lots.count(), 0, "nobody asked for a lot");
    c.report(Report::CustomerLeft(call)).expect("left");
    assert_eq!(c.ended(), [(call, EndReason::Abandoned)], "nothing was checked");

    let call = c.comes(Channel::Voice, HOTLINE);
    for pressed in ["2", "1"] {
        c.report(keys(call, pressed, None)).expect("pressed");
    }
    c.report(keys(call, "47#", Some(LotVerdict::CannotTell))).expect("pressed");
    assert_eq!(c.returned(), [ReturnedBecause::CannotTell]);
    assert_eq!(c.says(call), [Text::CannotTell, Text::Person]);
}

#[test]
fn who_presses_nothing_is_asked_again_and_then_gets_a_person_or_a_goodbye() {
    let mut c = Center::new();
    c.start(Level::Surge);
    let call = c.comes(Channel::Voice, HOTLINE);
    c.passes(60);
    let asked = |repeats, until| Step::Asked { question: Question::Injury, repeats, until };
    assert_eq!(c.served(call).step, asked(0, None), "the question is still being put");
    c.all_said(call);
    assert_eq!(c.served(call).step, asked(0, Some(c.at() + Span::seconds(5))));
    c.passes(5);
    assert_eq!((c.served(call).step, c.says(call)), (asked(1, None), vec![Text::Injury]));
    c.all_said(call);
    c.passes(5);
    assert_eq!(c.state(call), State::Queued, "a person, not a dead line");

    let call = c.comes(Channel::Voice, HOTLINE);
    for pressed in ["2", "2"] {
        c.report(keys(call, pressed, None)).expect("pressed");
    }
    c.all_said(call);
    for pressed in ["9", "9"] {
        c.report(keys(call, pressed, None)).expect("pressed");
    }
    assert_eq!(c.says(call), [Text::Goodbye], "they have heard an answer");
    c.all_said(call);
    c.passes(5);
    assert_eq!(c.engine.contact(call), None);
    assert_eq!(c.tier(Tier::Ivr).informed, 1);
}

#[test]
fn a_gateway_with_few_ports_gets_few_calls_for_its_menu() {
    let mut c = Center::new();
    let limits = GatewayLimits { ivr_ports: 1, ..SAYS };
    c.ok(&Command::ConnectGateway { name: Arc::from("gate"), limits });
    c.passes(0);
    c.start(Level::Surge);
    let first = c.comes(Channel::Voice, HOTLINE);
    let second = c.comes(Channel::Voice, HOTLINE);
    assert_eq!(c.state(first).kind(), StateKind::SelfService);
    assert_eq!(c.state(second), State::Queued);
}

#[test]
fn a_yes_to_the_injury_question_counts_when_it_crosses_with_the_way_back() {
    let mut c = Center::new();
    c.start(Level::Surge);
    let call = c.comes(Channel::Voice, HOTLINE);
    for _ in 0..2 {
        c.all_said(call);
        c.passes(5);
    }
    assert_eq!(c.state(call), State::Queued, "no key, so a person");
    c.report(keys(call, "1", None)).expect("pressed");
    assert_eq!((c.open(call).queue, c.open(call).service), (SAFETY, ServiceClass::Safety));
}

#[test]
fn secret_keys_work_and_are_not_kept() {
    let mut c = Center::new();
    c.start(Level::Surge);
    let call = c.comes(Channel::Voice, HOTLINE);
    let heard = Heard { keys: Some(Arc::from("1")), secret: true, ..Heard::default() };
    c.report(Report::Input { contact: call, heard }).expect("pressed");
    assert_eq!(c.open(call).service, ServiceClass::Safety, "somebody is hurt, secret or not");
    assert!(!c.events.iter().any(|e| matches!(e, Event::KeysPressed { .. })));
    c.report(keys(call, "4111111111111111", None)).expect("pressed");
    assert!(!c.events.iter().any(|e| matches!(e, Event::KeysPressed { .. })), "not to a person");
}
