//! Personal data: checked, card numbers masked, sealed on the way in, unsealed on the way out.
//!
//! Nothing past this module sees it in clear, on either side. Keys are the key store's.

use std::borrow::Cow;

use prost::Message;

use super::super::status::Fault;
use super::check;
use crate::engine::entry::Sealed;
use crate::ids::CustomerId;
use crate::journal::seal::KeyStore;
use crate::pb::v1;

/// Fewest and most digits of a payment card's number.
const CARD: std::ops::RangeInclusive<usize> = 13..=19;
/// Most digits of a telephone number (E.164).
const PHONE: usize = 15;

/// Checks, masks and seals what a gateway said about a customer. None if it said nothing,
/// or said that it is secret.
///
/// `customer` is whose key it is sealed with.
pub(crate) fn seal(
    keys: &KeyStore,
    customer: Option<CustomerId>,
    person: Option<v1::Person>,
    sensitive: bool,
) -> Result<Option<Sealed>, Fault> {
    let Some(person) = person else { return Ok(None) };
    let person = cleaned(person)?;
    if sensitive || person == v1::Person::default() {
        return Ok(None);
    }
    Ok(Some(keys.seal(customer, &person.encode_to_vec())))
}

/// What was sealed; none if the key was deleted or the bytes are not what they were.
pub(crate) fn unseal(keys: &KeyStore, sealed: &Sealed) -> Option<v1::Person> {
    v1::Person::decode(&*keys.unseal(sealed)?).ok()
}

/// Whether the fields are as long as they may be.
pub(crate) fn check(person: &v1::Person) -> Result<(), Fault> {
    check::bytes("person.name", &person.name, 0, 256, "at most 256 bytes")?;
    check::bytes("person.address", &person.address, 0, 256, "at most 256 bytes")?;
    check::bytes("person.subject", &person.subject, 0, 512, "at most 512 bytes")?;
    check::bytes("person.words", &person.words, 0, 16_384, "at most 16384 bytes")?;
    check::bytes("person.language", &person.language, 0, 35, "at most 35 bytes")
}

/// Checks the fields and masks card numbers in them.
fn cleaned(mut person: v1::Person) -> Result<v1::Person, Fault> {
    check(&person)?;
    // A bare number of a telephone's length is where this customer can be reached, and one
    // in ten of those would pass for a card.
    let phone = person.address.len() <= PHONE && person.address.bytes().all(|b| b.is_ascii_digit());
    if !phone {
        mask(&mut person.address);
    }
    mask(&mut person.name);
    mask(&mut person.subject);
    mask(&mut person.words);
    Ok(person)
}

fn mask(text: &mut String) {
    if let Cow::Owned(masked) = masked(text) {
        *text = masked;
    }
}

/// A text with every run of 13 to 19 digits that passes the Luhn check masked to its last
/// 4. Digits may stand in groups, parted by one space, hyphen or dot each. What follows a
/// plus sign or begins with 0 is a telephone number, not a card.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    let mut out: Vec<char> = text.chars().collect();
    let mut changed = false;
    let mut at = 0;
    while at < out.len() {
        if digit(out[at]).is_none() {
            at += 1;
            continue;
        }
        let groups = run(&out, at);
        let end = groups.last().map_or(at + 1, |g| g.end);
        if at == 0 || out[at - 1] != '+' {
            changed |= mask_run(&mut out, &groups);
        }
        at = end;
    }
    if changed { Cow::Owned(out.into_iter().collect()) } else { Cow::Borrowed(text) }
}

/// The groups of digits of the run that begins here.
fn run(text: &[char], start: usize) -> Vec<std::ops::Range<usize>> {
    let mut groups = Vec::new();
    let mut at = start;
    loop {
        let length = text[at..].iter().take_while(|c| digit(**c).is_some()).count();
        groups.push(at..at + length);
        let end = at + length;
        let joined = text.get(end).is_some_and(|c| separates(*c))
            && text.get(end + 1).is_some_and(|c| digit(*c).is_some());
        if !joined {
            return groups;
        }
        at = end + 1;
    }
}

/// Masks the longest cards made of whole groups, from the left.
fn mask_run(text: &mut [char], groups: &[std::ops::Range<usize>]) -> bool {
    let mut changed = false;
    let mut from = 0;
    while from < groups.len() {
        // Groups of one digit each still make a card of at most 19 of them.
        let most = groups.len().min(from + *CARD.end());
        let card = (from + 1..=most).rev().find(|to| is_card(text, &groups[from..*to]));
        let Some(to) = card else {
            from += 1;
            continue;
        };
        let places: Vec<usize> = groups[from..to].iter().cloned().flatten().collect();
        for place in &places[..places.len() - 4] {
            text[*place] = '*';
        }
        changed = true;
        from = to;
    }
    changed
}

fn is_card(text: &[char], groups: &[std::ops::Range<usize>]) -> bool {
    let count: usize = groups.iter().map(ExactSizeIterator::len).sum();
    if !CARD.contains(&count) {
        return false;
    }
    let digits: Vec<u32> =
        groups.iter().cloned().flatten().filter_map(|place| digit(text[place])).collect();
    let luhn: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| if i % 2 == 0 { *d } else { d * 2 - if *d > 4 { 9 } else { 0 } })
        .sum();
    digits.first() != Some(&0) && luhn.is_multiple_of(10)
}

/// A digit, also as the full-width ones of East Asian keyboards.
fn digit(c: char) -> Option<u32> {
    match c {
        '\u{ff10}'..='\u{ff19}' => Some(u32::from(c) - 0xff10),
        _ => c.to_digit(10),
    }
}

const fn separates(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '\u{a0}' | '\u{2009}' | '\u{2011}' | '\u{2013}' | '\u{202f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_masked_and_other_numbers_are_not() {
        // Numbers from the card schemes' public test sets.
        let table = [
            ("4111111111111111", "************1111"),
            ("my card is 4111 1111 1111 1111.", "my card is **** **** **** 1111."),
            ("5555-5555-5555-4444", "****-****-****-4444"),
            ("amex 3782 822463 10005 ok", "amex **** ****** *0005 ok"),
            ("4222222222222", "*********2222"),
            ("6304000000000000000 is 19 long", "***************0000 is 19 long"),
            ("lot 12 4111 1111 1111 1111 7", "lot 12 **** **** **** 1111 7"),
            ("4111111111111111,5555555555554444", "************1111,************4444"),
            ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "* * * * * * * * * * * * 1 1 1 1"),
            ("４１１１１１１１１１１１１１１１", "************１１１１"),
            ("é4111111111111111é", "é************1111é"),
            // One digit off, too short, too long: no cards.
            ("4111111111111112", "4111111111111112"),
            ("411111111111", "411111111111"),
            ("41111111111111114111", "41111111111111114111"),
            // Telephone numbers that pass the check by chance.
            ("+4111111111111111", "+4111111111111111"),
            ("0000000000000000", "0000000000000000"),
            ("4111  1111  1111  1111", "4111  1111  1111  1111"),
            ("nothing here", "nothing here"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    #[test]
    fn an_address_keeps_its_telephone_number_and_loses_a_card() {
        let with = |address: &str| v1::Person { address: address.into(), ..Default::default() };
        // 13 digits that pass the Luhn check: a number in Germany without its plus sign.
        let phone = "4915112345678";
        assert!(matches!(masked(phone), Cow::Owned(_)), "it would pass for a card");
        assert_eq!(cleaned(with(phone)).expect("valid").address, phone);
        let card = cleaned(with("4111111111111111")).expect("valid").address;
        assert_eq!(card, "************1111");
    }

    #[test]
    fn a_field_too_long_is_named() {
        let long = |n| "x".repeat(n);
        let base = v1::Person::default;
        let table = [
            ("person.name", v1::Person { name: long(257), ..base() }),
            ("person.address", v1::Person { address: long(257), ..base() }),
            ("person.subject", v1::Person { subject: long(513), ..base() }),
            ("person.words", v1::Person { words: long(16_385), ..base() }),
            ("person.language", v1::Person { language: long(36), ..base() }),
        ];
        for (field, person) in table {
            assert_eq!(cleaned(person).expect_err("too long").field(), field);
        }
    }

    #[test]
    fn a_person_prints_nothing_personal() {
        let person = v1::Person { name: "CANARY".into(), ..Default::default() };
        let arrival = v1::Arrival {
            person: Some(person),
            customer: Some(v1::Customer { identity: "CANARY".into() }),
            ..Default::default()
        };
        assert!(!format!("{arrival:?}").contains("CANARY"));
    }
}
