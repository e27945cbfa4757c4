//! What customers say, read at intake: urgency, wishes, keys. What of it is for the engine.
//!
//! Everything in here is read in memory and forgotten: words that are sensitive are neither
//! stored nor passed on, but whether somebody is hurt is asked of them all the same. What
//! becomes of a contact is the engine's to say.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::status::Fault;
use super::report::Reading;
use super::{check, person, words};
use crate::engine::command::Heard;
use crate::engine::recall::{Heed, LotVerdict, MOST_KEYS_PRESSED, TriageClass, Wish};
use crate::engine::words::{Keys, Language};
use crate::ids::{ContactId, EntryPointId};
use crate::pb::v1::{self, gateway_report::Input};
use crate::recall::{self, Prepared, wish_in_words};
use crate::shard::recalls::{KnownRecall, Recalls};

/// The language that somebody is known to use, which is no secret.
pub(crate) fn language(person: Option<&v1::Person>) -> Option<Language> {
    person.and_then(|p| Language::of_tag(&p.language))
}

/// What the words of an arrival mean, by the recall where they came in before all others.
///
/// Secret words are for a person: no machine may answer what it may not read again.
pub(crate) fn heed_of_arrival(
    recalls: &Recalls,
    entry_point: Option<EntryPointId>,
    person: Option<&v1::Person>,
    sensitive: bool,
) -> Result<Option<Heed>, Fault> {
    let Some(person) = person else { return Ok(None) };
    person::check(person)?;
    let covers = |known: &KnownRecall| {
        entry_point.is_some_and(|e| known.plan.scope.binary_search(&e).is_ok())
    };
    let found = heed(recalls, covers, person);
    let all = recalls.all();
    let recall = all.iter().find(|known| !known.over && covers(known)).map(|known| known.recall);
    let secret = sensitive && says_something(person);
    let class = TriageClass::PersonWanted;
    Ok(found.or(recall.filter(|_| secret).map(|recall| Heed { recall, class })))
}

/// What of an input is for the engine.
pub(crate) fn heard(from: &Reading<'_>, contact: ContactId, input: &Input) -> Result<Heard, Fault> {
    let keys = keys(&input.keys)?;
    let mut heard = Heard { wish: words::read_wish(input.wish)?, ..Heard::default() };
    let of = (from.recall_of)(contact);
    if let Some(person) = &input.person {
        person::check(person)?;
        heard.heed = heed(from.recalls, |known| of == Some(known.recall), person);
        heard.wish = heard.wish.or_else(|| wish_in_words(&person.words));
        heard.words = !input.sensitive && says_something(person);
    }
    let words = input.person.as_ref().is_some_and(says_something);
    heard.secret = input.sensitive && (words || keys.is_some());
    if let Some(keys) = keys {
        // A card's number is a secret also where nobody says so.
        heard.secret |= matches!(person::masked(&keys), Cow::Owned(_));
        // Secret keys are not kept, and mean what they mean: most of all that somebody is hurt.
        let known = of.and_then(|recall| from.recalls.get(recall));
        heard.lot = known.as_ref().and_then(|known| lot(known, &keys));
        heard.lot_by = known.map(|known| known.prepared.version.0);
        heard.keys = Some(keys);
    }
    Ok(heard)
}

fn says_something(person: &v1::Person) -> bool {
    [&person.words, &person.subject].iter().any(|text| !text.trim().is_empty())
}

/// The most urgent that any recall in force finds in somebody's words: who is hurt is first
/// in line wherever they come in. Of equals the recall that `first` names decides.
fn heed(
    recalls: &Recalls,
    first: impl Fn(&KnownRecall) -> bool,
    person: &v1::Person,
) -> Option<Heed> {
    if !says_something(person) {
        return None;
    }
    let all = recalls.all();
    let mut in_force: Vec<_> = all.iter().filter(|known| !known.over).collect();
    in_force.sort_by_key(|known| !first(known));
    let found = in_force.into_iter().filter_map(|known| {
        let class = class(&known.prepared, &[person])?;
        Some(Heed { recall: known.recall, class })
    });
    found.min_by_key(|heed| heed.class)
}

/// What everything that somebody said means, by one playbook's words; the wish for a person
/// in a word of its own, which a playbook need not have.
pub(crate) fn class(prepared: &Prepared, said: &[&v1::Person]) -> Option<TriageClass> {
    let language = spoken(said);
    let texts: Vec<&str> = said.iter().flat_map(|p| [&*p.subject, &*p.words]).collect();
    let class = words::triage(prepared.triage.triage(&texts.join("\n"), language).class);
    let asks = || texts.iter().any(|text| wish_in_words(text) == Some(Wish::Person));
    class.or_else(|| asks().then_some(TriageClass::PersonWanted))
}

/// The language that somebody said they use last.
pub(crate) fn spoken(said: &[&v1::Person]) -> Option<recall::Language> {
    said.iter().rev().find_map(|p| recall::Language::from_tag(&p.language))
}

/// Keys that were pressed, if any.
fn keys(pressed: &str) -> Result<Option<Keys>, Fault> {
    const EXPECTED: &str = "1 to 64 of 0-9, * and #";
    if pressed.is_empty() {
        return Ok(None);
    }
    check::bytes("keys", pressed, 1, MOST_KEYS_PRESSED, EXPECTED)?;
    if pressed.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#') {
        Ok(Some(Arc::from(pressed)))
    } else {
        Err(Fault::Invalid { field: "keys", expected: EXPECTED })
    }
}

/// What the check says of keys; none of a single one, which is a choice.
fn lot(known: &KnownRecall, keys: &str) -> Option<LotVerdict> {
    let code = keys.trim_end_matches('#');
    (code.len() > 1).then(|| words::lot(&known.prepared.lots.check(code)))
}
