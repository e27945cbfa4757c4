//! What is looked at before anything is decided: values in their ranges, names that keep
//! their ids.

use super::super::command::Arrival;
use super::super::contact::OURS;
use super::super::recall::MOST_KEYS_PRESSED;
use super::super::refusal::Refusal;
use super::super::routing::Routing;
use super::super::words::{Attributes, Need};
use super::A_DAY;

/// What an arrival may ask of agents.
const NEEDS: &str = "sorted, each skill once, at least 1 to 5, at most 16";

pub(super) fn check_arrival(a: &Arrival) -> Result<(), Refusal> {
    let checks = [
        ("key", "1 to 64 printable bytes, no ~ first", is_key(&a.key)),
        ("head_start", "at most 24 hours", a.head_start <= A_DAY),
        ("waited", "at most 24 hours", a.waited <= A_DAY),
        ("needs", NEEDS, are_needs(&a.needs)),
        ("preferred", NEEDS, are_needs(&a.preferred)),
    ];
    for (field, expected, ok) in checks {
        if !ok {
            return Err(Refusal::OutOfRange { field, expected });
        }
    }
    a.attributes.as_ref().map_or(Ok(()), check_attributes)
}

pub(super) fn are_keys(keys: &str) -> bool {
    (1..=MOST_KEYS_PRESSED).contains(&keys.len())
        && keys.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#')
}

pub(super) fn is_key(key: &str) -> bool {
    (1..=64).contains(&key.len())
        && key.bytes().all(|b| (b' '..=b'~').contains(&b))
        && !key.starts_with(OURS)
}

fn are_needs(needs: &[Need]) -> bool {
    needs.len() <= 16
        && needs.iter().all(|n| (1..=5).contains(&n.at_least))
        && needs.windows(2).all(|w| w[0].skill < w[1].skill)
}

pub(super) fn check_attributes(attributes: &Attributes) -> Result<(), Refusal> {
    let ok = attributes.len() <= 16
        && attributes.iter().all(|(n, v)| (1..=64).contains(&n.len()) && v.len() <= 256);
    let expected = "at most 16, names of 1 to 64 and values of at most 256 bytes";
    ok.then_some(()).ok_or(Refusal::OutOfRange { field: "attributes", expected })
}

/// Whether the names in force keep their ids in a new configuration.
pub(super) fn agree(old: &Routing, new: &Routing) -> Result<(), Refusal> {
    fn kept<T>(old: &[T], new: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
        old.len() <= new.len() && old.iter().zip(new).all(|(o, n)| same(o, n))
    }
    let checks = [
        ("skills", kept(&old.skills, &new.skills, |o, n| o.name == n.name)),
        ("pools", kept(&old.pools, &new.pools, |o, n| o.name == n.name)),
        ("queues", kept(&old.queues, &new.queues, |o, n| o.name == n.name)),
        ("agents", kept(&old.agents, &new.agents, |o, n| o.name == n.name)),
        ("entry_points", kept(&old.entry_points, &new.entry_points, |o, n| o.name == n.name)),
        (
            "not_ready_reasons",
            new.not_ready_reasons.len() >= 2
                && kept(&old.not_ready_reasons, &new.not_ready_reasons, |o, n| o.name == n.name),
        ),
        ("dispositions", kept(&old.dispositions, &new.dispositions, |o, n| o.name == n.name)),
        ("calendars", kept(&old.calendars, &new.calendars, |o, n| o.name == n.name)),
        ("externals", kept(&old.externals, &new.externals, |o, n| o.name == n.name)),
        ("sharings", kept(&old.sharings, &new.sharings, |o, n| o.name == n.name)),
        ("notices", kept(&old.notices, &new.notices, |o, n| o.name == n.name)),
    ];
    match checks.into_iter().find(|(_, ok)| !ok) {
        Some((table, _)) => Err(Refusal::BadConfiguration(table)),
        None => Ok(()),
    }
}
