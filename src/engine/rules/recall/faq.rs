//! The faq tier.

use super::*;

#[test]
fn a_chat_that_finds_nobody_is_acknowledged_and_one_that_finds_an_agent_is_not() {
    let mut c = Center::new();
    c.start(Level::Elevated);
    c.ready(ANNE);
    let lucky = c.comes(Channel::Chat, HOTLINE);
    c.comes(Channel::Chat, HOTLINE);
    assert_eq!(c.held_for(lucky), Some(ANNE), "agents, always");
    let chat = c.comes(Channel::Chat, HOTLINE);
    let said = [Text::Acknowledgement, Text::Message];
    assert_eq!(c.says(chat), said, "at once");
    let step = Step::Reading { ask: AskId(1), deadline: c.at() + READ_WITHIN };
    assert_eq!(c.served(chat).step, step);
    let told = c.told(Recipient::Gateway(GATE));
    assert_eq!(told[0], Tell::InSelfService { contact: chat, tier: Tier::Faq });
    let texts: Vec<_> = told[1..]
        .iter()
        .map(|t| match t {
            Tell::Say { say, channel: Channel::Chat, .. } => (say.recall, say.text),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, said.map(|text| (RECALL, text)));
}

#[test]
fn an_answer_is_paced_and_only_the_customers_word_closes() {
    let mut c = Center::new();
    c.start(Level::Elevated);
    let chat = c.comes(Channel::Chat, HOTLINE);
    c.all_said(chat);
    c.report(wishes(chat, Wish::Solved)).expect("heard");
    assert_eq!(c.served(chat).answers, 0, "nothing was answered that could have solved it");
    let mail = c.comes(Channel::Email, HOTLINE);
    c.found(chat, Answer::Entry { entry: 2, score: 800 });
    c.found(mail, Answer::Entry { entry: 1, score: 800 });
    c.all_said(mail);
    c.passes(4);
    assert_eq!(c.says(chat), [], "an instant answer is mildly insulting");
    c.passes(1);
    assert_eq!((c.says(chat), c.says(mail)), (vec![Text::Faq(2)], vec![]));
    c.passes(55);
    assert_eq!(c.says(mail), [Text::Faq(1)]);
    c.all_said(chat);
    let heard = [Text::Acknowledgement, Text::Message, Text::Faq(2)].map(|text| (RECALL, text));
    assert_eq!(c.open(chat).heard.to_vec(), heard, "what was said to the end");
    c.report(wishes(chat, Wish::Solved)).expect("heard");
    assert_eq!(c.ended(), [(chat, EndReason::Solved)]);
    assert_eq!(c.tier(Tier::Faq).solved, 1);
}

#[test]
fn whom_a_tier_answered_before_it_closed_does_not_go_there_again_when_it_opens() {
    let mut c = Center::new();
    c.start(Level::Elevated);
    let chat = c.comes(Channel::Chat, HOTLINE);
    let place = c.open(chat).place;
    c.all_said(chat);
    c.found(chat, Answer::Entry { entry: 2, score: 800 });
    c.passes(5);
    assert_eq!(c.served(chat).answers, 1);
    for (level, later) in [(Level::Normal, None), (Level::Elevated, Some(Tier::Faq))] {
        c.order(RecallOrder::SetLevel { recall: RECALL, level }).expect("set");
        c.passes(1);
        assert_eq!((c.open(chat).state, c.open(chat).place), (State::Queued, place), "{level:?}");
        let other = c.comes(Channel::Chat, HOTLINE);
        assert_eq!(c.open(other).self_service().map(|s| s.tier), later, "{level:?}");
    }
}

#[test]
fn who_asks_for_a_person_stands_where_they_stood_and_never_goes_back() {
    let mut c = Center::new();
    c.start(Level::Elevated);
    let first = c.comes(Channel::Chat, HOTLINE);
    c.passes(3);
    let place = c.open(first).place;
    c.order(RecallOrder::SetLevel { recall: RECALL, level: Level::Normal }).expect("set");
    let later = c.comes(Channel::Chat, HOTLINE);
    c.order(RecallOrder::SetLevel { recall: RECALL, level: Level::Critical }).expect("set");
    c.report(means(first, TriageClass::PersonWanted)).expect("heard");
    assert_eq!(c.returned(), [ReturnedBecause::Asked]);
    assert_eq!((c.state(first), c.open(first).place), (State::Queued, place));
    c.passes(60);
    assert_eq!(c.state(first), State::Queued, "one bounce at most");
    c.ready(CLEO);
    assert_eq!(c.held_for(first), Some(CLEO), "before the one who came later");
    assert_ne!(c.held_for(later), Some(CLEO));
}

/// Why a chat that is being read goes back to people after something was done.
fn because(something: fn(&mut Center, ContactId)) -> Vec<ReturnedBecause> {
    let mut c = Center::new();
    c.start(Level::Elevated);
    let chat = c.comes(Channel::Chat, HOTLINE);
    c.all_said(chat);
    something(&mut c, chat);
    assert_eq!(c.state(chat), State::Queued);
    assert_eq!(c.tier(Tier::Faq).returned, 1);
    c.returned()
}

const FOUND: Answer = Answer::Entry { entry: 0, score: 700 };

#[test]
fn whatever_a_machine_cannot_answer_goes_to_a_person() {
    assert_eq!(because(|c, chat| c.found(chat, Answer::None)), [ReturnedBecause::NoAnswer]);
    assert_eq!(
        because(|c, chat| c.found(chat, Answer::Entry { entry: 4, score: 1000 })),
        [ReturnedBecause::NoAnswer],
        "an entry that the playbook does not have"
    );
    let failing = |c: &mut Center, chat| {
        c.found(chat, FOUND);
        c.passes(5);
        let effect = c.open(chat).effects[0].0;
        c.report(Report::EffectFailed { effect, code: 550 }).expect("taken");
    };
    assert_eq!(because(failing), [ReturnedBecause::Gateway]);
    let chatty = |c: &mut Center, chat| {
        for _ in 0..3 {
            c.found(chat, FOUND);
            c.passes(5);
            c.report(said(chat)).expect("heard");
        }
    };
    assert_eq!(because(chatty), [ReturnedBecause::AnsweredEnough]);
    let secret = |c: &mut Center, contact| {
        let heard = Heard { secret: true, ..Heard::default() };
        c.report(Report::Input { contact, heard }).expect("heard");
    };
    assert_eq!(because(secret), [ReturnedBecause::Secret], "nobody may read it");
    let moved = |c: &mut Center, chat| {
        let order = Order::Requeue(chat);
        c.ok(&Command::Supervise { order, why: Arc::from("a reporter") });
    };
    assert_eq!(because(moved), [ReturnedBecause::Supervisor]);
}

#[test]
fn whoever_waits_too_long_for_a_machine_gets_a_person() {
    assert_eq!(because(|c, _| c.passes(10)), [ReturnedBecause::Late]);
    let silent = |c: &mut Center, chat| {
        c.found(chat, FOUND);
        c.passes(5);
        c.passes(120);
    };
    assert_eq!(because(silent), [ReturnedBecause::Silence]);
    let slow = |c: &mut Center, chat| {
        c.found(chat, Answer::NoWords);
        c.passes(119);
        c.report(said(chat)).expect("heard");
        c.passes(10);
    };
    assert_eq!(because(slow), [ReturnedBecause::Late], "read at last, and then not in time");
    let hesitant = |c: &mut Center, chat| {
        // They write once in a while, and never a question: 5 x 119 s, and 5 s more.
        for _ in 0..5 {
            c.found(chat, Answer::NoWords);
            c.passes(119);
            c.report(said(chat)).expect("heard");
        }
        c.found(chat, Answer::NoWords);
        c.passes(5);
    };
    assert_eq!(because(hesitant), [ReturnedBecause::TimeLimit]);
}

#[test]
fn a_letter_that_was_answered_and_stays_silent_goes_on_as_a_follow_up() {
    let mut c = Center::new();
    c.start(Level::Elevated);
    let mail = c.comes(Channel::Email, HOTLINE);
    let (key, place) = (c.open(mail).key.clone(), c.open(mail).place);
    c.found(mail, Answer::Entry { entry: 2, score: 800 });
    c.passes(60);
    c.all_said(mail);
    c.passes(120);
    assert_eq!(c.ended(), [(mail, EndReason::FollowedUp)]);
    let follow_up = ContactId(2);
    let open = c.open(follow_up);
    assert_eq!((open.continues, &open.key), (Some(mail), &key));
    assert!(open.place > place, "behind those who wait now");
    assert_eq!(open.heard.len(), 3, "an agent sees what they heard");
    let told = c.told(Recipient::Gateway(GATE));
    let goes_on = Tell::GoesOnAs { contact: mail, follow_up };
    let ended = Tell::Ended { contact: mail, reason: EndReason::FollowedUp };
    assert_eq!((&told[0], told.last()), (&goes_on, Some(&ended)));
    // The gateway's key is the follow-up's from now on.
    c.report(said(follow_up)).expect("the same conversation");
    let holding = Report::Holding { keys: vec![key], last: true };
    assert_eq!(c.report(holding), Ok(Reply::Unknown(vec![])));
    c.passes(600);
    assert_eq!(c.state(follow_up), State::Queued, "a machine had its turn");
    let session = c.engine.gateway(GATE).and_then(|g| g.session).expect("connected");
    c.ok(&Command::DisconnectGateway { gateway: GATE, session });
    c.passes(0);
    c.ok(&Command::ConnectGateway { name: Arc::from("gate"), limits: SAYS });
    let key = c.open(follow_up).key.clone();
    c.report(Report::Holding { keys: vec![key], last: true }).expect("resynced");
    let told = c.told(Recipient::Gateway(GATE));
    assert_eq!(told[0], goes_on, "it may have been lost, and the gateway knows no other id");
    c.report(wishes(follow_up, Wish::Solved)).expect("heard");
    assert_eq!(c.ended(), [(follow_up, EndReason::Solved)], "no agent need look");
}

#[test]
fn the_words_of_those_who_waited_before_are_read_by_the_new_playbook() {
    let mut c = Center::new();
    let mut small = plan(&[]);
    small.faq = None;
    let waits = c.comes(Channel::Email, HOTLINE);
    let elsewhere = c.comes(Channel::Email, SHOP);
    c.start_with(small, Level::Elevated).expect("started");
    let mut asked = Vec::new();
    while c.engine.next_tick().is_some_and(|due| due <= c.at()) {
        c.ok(&Command::Tick);
        asked.extend(c.events.iter().filter(|e| matches!(e, Event::WordsAsked { .. })).cloned());
    }
    let ask = AskId(1);
    let of_one = Event::WordsAsked { contact: waits, ask, recall: RECALL, want: Want::Triage };
    assert_eq!(asked, [of_one], "once, and nobody outside the scope");
    let heed = Some(Heed { recall: RECALL, class: TriageClass::Safety });
    let found = Found { heed, answer: Answer::NoWords };
    c.ok(&Command::WordsRead { contact: waits, ask, found });
    assert_eq!(c.open(waits).queue, SAFETY);
    assert_eq!(c.open(elsewhere).queue, PLAIN);
}

#[test]
fn who_comes_in_the_first_seconds_is_read_once_more() {
    let mut c = Center::new();
    let mut none = plan(&[]);
    none.faq = None;
    c.start_with(none, Level::Elevated).expect("started");
    let asks =
        |c: &Center| c.events.iter().filter(|e| matches!(e, Event::WordsAsked { .. })).count();
    c.comes(Channel::Chat, HOTLINE);
    assert_eq!(asks(&c), 1, "its words may have been read before the playbook was known");
    c.passes(5);
    c.comes(Channel::Chat, HOTLINE);
    assert_eq!(asks(&c), 0);
}

#[test]
fn what_is_told_of_the_wait_is_honest() {
    let mut c = Center::new();
    c.ready(BOB);
    for _ in 0..12 {
        let chat = c.comes(Channel::Chat, HOTLINE);
        c.takes(BOB, chat, 10);
    }
    let outlook = |c: &Center, contact| {
        c.open(contact).effects.iter().find_map(|(_, kind)| match kind {
            EffectKind::Say(say) if say.text == Text::Acknowledgement => Some(say.outlook),
            _ => None,
        })
    };
    c.start(Level::Elevated);
    for _ in 0..40 {
        c.comes(Channel::Chat, HOTLINE);
    }
    let last = c.comes(Channel::Chat, HOTLINE);
    let told = outlook(&c, last).expect("acknowledged");
    // Bob has two chats of 10 s at once, and 24 stay in line, for they are served within two
    // minutes: the next one's turn comes in 125 s on average, a little later in one case of five.
    let wait = told.wait.expect("known").as_secs_f64();
    assert_eq!(told.ahead, Some(24));
    assert!((140.0..155.0).contains(&wait), "{told:?}");
    let mail = c.comes(Channel::Email, HOTLINE);
    assert_eq!(outlook(&c, mail).expect("acknowledged").wait, None, "nobody has had any");
}
