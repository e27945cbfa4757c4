//! Who comes in: names, words and reasons to call. Invented, all of it.

use super::scenario::{Dice, Way, chance};
use crate::pb::v1::{Arrival, Attribute, Channel, Customer, Person};

const FIRST: [&str; 16] = [
    "Aylin", "Bartosz", "Camille", "Dariush", "Esther", "Femi", "Giulia", "Hamza", "Ingrid",
    "Jiro", "Katarina", "Luis", "Mireille", "Ngozi", "Oskar", "Priya",
];
const LAST: [&str; 14] = [
    "Abreu",
    "Bauer",
    "Castellanos",
    "Demir",
    "Eriksen",
    "Fontaine",
    "Gupta",
    "Horvat",
    "Ito",
    "Jansen",
    "Kowalska",
    "Lindgren",
    "Moreau",
    "Novak",
];
const PRODUCTS: [&str; 5] = ["kettle-k2", "pump-p7", "cereal-oat", "heater-h1", "toy-t4"];
const LANGUAGES: [&str; 4] = ["en", "en-GB", "de", "fr"];
const QUESTIONS: [&str; 5] = [
    "It stopped working after two days.",
    "Is mine one of those in the news?",
    "Where is my replacement?",
    "I would like my money back, please.",
    "How do I find the lot number?",
];
const INJURIES: [&str; 3] = [
    "My son burned his hand on the base of the kettle.",
    "There were flames under it and my wife breathed the smoke, she is in hospital.",
    "I am not badly hurt but I got an electric shock from it.",
];
const WRITES: [&str; 4] =
    ["Yes, I tried that.", "The number is on the bottom.", "One moment.", "Thank you!"];

/// Someone new at one of a gateway's ways in; `number` is the how-manieth there.
pub(super) fn arrival(
    gateway: &str,
    channel: Channel,
    way: &Way,
    number: u64,
    recalled: bool,
    d: &mut Dice,
) -> (Arrival, bool) {
    let identity = format!("{gateway}-account-{number}");
    let product = d.one_of(&PRODUCTS).copied().unwrap_or_default();
    let lot = format!("L{:04}", (d.part() * 10_000.0) as u32);
    let mut person = person(channel, number, d);
    // A caller can say so only when asked.
    let injured = recalled && channel != Channel::Voice && d.happens(chance::INJURED);
    if injured {
        person.words = d.one_of(&INJURIES).copied().unwrap_or_default().to_owned();
        person.subject = person.words.clone();
    }
    let arrival = Arrival {
        key: format!("{gateway}/{number}"),
        channel: channel.into(),
        entry_point: way.entry_point.to_owned(),
        safety: way.safety,
        customer: Some(Customer { identity }),
        attributes: vec![attribute("product", product), attribute("lot", &lot)],
        person: Some(person),
        ..Arrival::default()
    };
    (arrival, injured)
}

/// A lot on the keypad: affected mostly, sometimes another, sometimes too little to tell.
pub(super) fn lot_keys(d: &mut Dice) -> String {
    let lot = if d.happens(0.1) {
        77
    } else if d.happens(0.6) {
        2_000 + (d.part() * 3_000.0) as u32
    } else {
        5_000 + (d.part() * 5_000.0) as u32
    };
    format!("{lot}#")
}

/// Something that customers ask.
pub(super) fn question(d: &mut Dice) -> &'static str {
    d.one_of(&QUESTIONS).copied().unwrap_or_default()
}

/// These words.
pub(super) fn saying(words: &str) -> Person {
    Person { words: words.to_owned(), ..Person::default() }
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned() }
}

fn person(channel: Channel, number: u64, d: &mut Dice) -> Person {
    let pick = |d: &mut Dice, of: &[&'static str]| d.one_of(of).copied().unwrap_or_default();
    let (first, last) = (pick(d, &FIRST), pick(d, &LAST));
    let address = match channel {
        Channel::Voice | Channel::Message => format!("+1 555 {:07}", number % 10_000_000),
        _ => format!("{}.{number}@mail.example", first.to_lowercase()),
    };
    let question = pick(d, &QUESTIONS);
    // A caller has said nothing yet.
    let words = if channel == Channel::Voice { "" } else { question };
    Person {
        name: format!("{first} {last}"),
        address,
        subject: question.to_owned(),
        words: words.to_owned(),
        language: pick(d, &LANGUAGES).to_owned(),
    }
}

/// What a customer writes in the middle of a conversation.
pub(super) fn words(d: &mut Dice) -> Person {
    let words = d.one_of(&WRITES).copied().unwrap_or_default().to_owned();
    Person { words, ..Person::default() }
}
