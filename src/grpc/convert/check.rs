//! Whether a field holds what it may hold.

use std::sync::Arc;

use super::super::status::Fault;
use crate::engine::command::Target;
use crate::engine::words::{Attributes, Availability, Need, Needs};
use crate::ids::{AgentId, ContactId, DispositionId, EffectId, QueueId, ReservationId};
use crate::pb::v1;
use crate::shard::handle::Directory;
use crate::time::Span;

/// A day in milliseconds: the most head start and the most waiting that count.
pub(crate) const DAY_MS: u64 = 86_400_000;
/// Most attributes of a contact.
const MOST_ATTRIBUTES: usize = 16;
/// Most needs of an arrival beyond its queue's.
const MOST_NEEDS: usize = 8;
/// How much of an unknown name is said back: enough to find the mistake.
const ECHOED: usize = 64;

/// A request id: 1 to 64 bytes.
pub(crate) fn request_id(text: &str) -> Result<(), Fault> {
    bytes("request_id", text, 1, 64, "1 to 64 bytes")
}

/// A text of `least` to `most` bytes.
pub(crate) fn bytes(
    field: &'static str,
    text: &str,
    least: usize,
    most: usize,
    expected: &'static str,
) -> Result<(), Fault> {
    match text.len() {
        0 if least > 0 => Err(Fault::Missing { field }),
        n if n < least || n > most => Err(Fault::Invalid { field, expected }),
        _ => Ok(()),
    }
}

/// A name as the configuration's names are, for those that it does not hold.
pub(crate) fn name(field: &'static str, text: &str) -> Result<(), Fault> {
    const EXPECTED: &str = "1 to 64 bytes of a-z 0-9 _ - . @, beginning with a letter or a digit";
    bytes(field, text, 1, 64, EXPECTED)?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let good = text.bytes().enumerate().all(|(i, b)| plain(b) || (i > 0 && b"_-.@".contains(&b)));
    if good { Ok(()) } else { Err(Fault::Invalid { field, expected: EXPECTED }) }
}

/// A gateway's key for a contact.
pub(crate) fn key(field: &'static str, text: &str) -> Result<Arc<str>, Fault> {
    const EXPECTED: &str = "1 to 64 printable ASCII bytes";
    bytes(field, text, 1, 64, EXPECTED)?;
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        Ok(Arc::from(text))
    } else {
        Err(Fault::Invalid { field, expected: EXPECTED })
    }
}

/// A contact's id.
pub(crate) fn contact(id: u64) -> Result<ContactId, Fault> {
    some("contact_id", id).map(ContactId)
}

/// A reservation's id.
pub(crate) fn reservation(id: u64) -> Result<ReservationId, Fault> {
    some("reservation_id", id).map(ReservationId)
}

/// What somebody is called who is not of the configuration.
pub(crate) fn label(field: &'static str, text: &str) -> Result<Arc<str>, Fault> {
    const EXPECTED: &str = "1 to 64 printable bytes";
    bytes(field, text, 1, 64, EXPECTED)?;
    if text.chars().any(char::is_control) {
        return Err(Fault::Invalid { field, expected: EXPECTED });
    }
    Ok(Arc::from(text))
}

/// The number of somebody on a contact.
pub(crate) fn participant(id: u32) -> Result<u16, Fault> {
    let known = u16::try_from(id).ok().filter(|id| *id > 0);
    known.ok_or(Fault::Invalid { field: "participant", expected: "1 to 65535" })
}

/// An effect's id.
pub(crate) fn effect(id: u64) -> Result<EffectId, Fault> {
    some("effect_id", id).map(EffectId)
}

fn some(field: &'static str, id: u64) -> Result<u64, Fault> {
    if id == 0 { Err(Fault::Missing { field }) } else { Ok(id) }
}

/// A length of time in milliseconds.
pub(crate) fn span(
    field: &'static str,
    ms: u64,
    range: std::ops::RangeInclusive<u64>,
    expected: &'static str,
) -> Result<Span, Fault> {
    if range.contains(&ms) { Ok(Span::millis(ms)) } else { Err(Fault::Invalid { field, expected }) }
}

/// A length of at most a day.
pub(crate) fn within_a_day(field: &'static str, ms: u32) -> Result<Span, Fault> {
    span(field, ms.into(), 0..=DAY_MS, "0 to 86400000 ms")
}

/// A code of the gateway's own.
pub(crate) fn code(code: u32) -> Result<u16, Fault> {
    u16::try_from(code).map_err(|_| Fault::Invalid { field: "code", expected: "0 to 65535" })
}

/// A name that the configuration must hold.
pub(crate) fn known<T>(
    field: &'static str,
    what: &'static str,
    name: &str,
    find: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Fault> {
    if name.is_empty() {
        return Err(Fault::Missing { field });
    }
    find(name).ok_or_else(|| {
        let name = name.chars().take(ECHOED).collect();
        Fault::Unknown { field, what, name }
    })
}

/// A queue by name.
pub(crate) fn queue(names: &Directory, field: &'static str, n: &str) -> Result<QueueId, Fault> {
    known(field, "queue", n, |n| names.queue(n))
}

/// An agent by name.
pub(crate) fn agent(names: &Directory, field: &'static str, n: &str) -> Result<AgentId, Fault> {
    known(field, "agent", n, |n| names.agent(n))
}

/// A disposition by name.
pub(crate) fn disposition(names: &Directory, name: &str) -> Result<DispositionId, Fault> {
    known("disposition", "disposition", name, |n| names.disposition(n))
}

/// Where a contact is sent.
pub(crate) fn target(names: &Directory, target: Option<v1::Target>) -> Result<Target, Fault> {
    match target.and_then(|t| t.to) {
        Some(v1::target::To::Queue(name)) => queue(names, "to.queue", &name).map(Target::Queue),
        Some(v1::target::To::Agent(name)) => agent(names, "to.agent", &name).map(Target::Agent),
        None => Err(Fault::Missing { field: "to" }),
    }
}

/// What an agent is to be available for.
pub(crate) fn availability(
    names: &Directory,
    asked: &v1::Availability,
) -> Result<Availability, Fault> {
    use v1::AvailabilityKind as Kind;
    let kind = Kind::try_from(asked.kind).unwrap_or(Kind::Unspecified);
    if kind == Kind::NotReady {
        return known("availability.reason", "reason", &asked.reason, |n| names.reason(n))
            .map(Availability::NotReady);
    }
    if !asked.reason.is_empty() {
        let expected = "empty unless the kind is NOT_READY";
        return Err(Fault::Invalid { field: "availability.reason", expected });
    }
    match kind {
        Kind::Ready => Ok(Availability::Ready),
        Kind::SignedOut => Ok(Availability::SignedOut),
        Kind::NotReady | Kind::Unspecified => Err(Fault::Invalid {
            field: "availability.kind",
            expected: "READY, NOT_READY or SIGNED_OUT",
        }),
    }
}

/// Skills that a contact needs, sorted, each once.
pub(crate) fn needs(names: &Directory, asked: &[v1::Need]) -> Result<Needs, Fault> {
    skills(names, asked, ["needs", "needs.skill", "needs.at_least"])
}

/// Skills that a contact prefers, sorted, each once.
pub(crate) fn preferred(names: &Directory, asked: &[v1::Need]) -> Result<Needs, Fault> {
    skills(names, asked, ["preferred", "preferred.skill", "preferred.at_least"])
}

/// Skills with proficiency; the names are those of the field and of its fields.
fn skills(
    names: &Directory,
    asked: &[v1::Need],
    [field, of_skill, of_level]: [&'static str; 3],
) -> Result<Needs, Fault> {
    if asked.len() > MOST_NEEDS {
        return Err(Fault::Invalid { field, expected: "at most 8" });
    }
    let mut needs = Needs::new();
    for need in asked {
        let skill = known(of_skill, "skill", &need.skill, |n| names.skill(n))?;
        let at_least = match need.at_least {
            0 => 1,
            n => u8::try_from(n)
                .ok()
                .filter(|n| *n <= 5)
                .ok_or(Fault::Invalid { field: of_level, expected: "1 to 5, or 0 for 1" })?,
        };
        needs.push(Need { skill, at_least });
    }
    needs.sort_unstable();
    if needs.windows(2).any(|pair| pair[0].skill == pair[1].skill) {
        return Err(Fault::Invalid { field: of_skill, expected: "named once each" });
    }
    Ok(needs)
}

/// Routing facts, in the order given. Card numbers in their values are masked.
pub(crate) fn attributes(asked: &[v1::Attribute]) -> Result<Attributes, Fault> {
    if asked.len() > MOST_ATTRIBUTES {
        return Err(Fault::Invalid { field: "attributes", expected: "at most 16" });
    }
    for (i, attribute) in asked.iter().enumerate() {
        bytes("attributes.name", &attribute.name, 1, 64, "1 to 64 bytes")?;
        bytes("attributes.value", &attribute.value, 0, 256, "at most 256 bytes")?;
        if asked[..i].iter().any(|earlier| earlier.name == attribute.name) {
            return Err(Fault::Invalid { field: "attributes.name", expected: "given once each" });
        }
    }
    let pair = |a: &v1::Attribute| {
        (Box::from(&*a.name), super::person::masked(&a.value).into_owned().into_boxed_str())
    };
    Ok(asked.iter().map(pair).collect())
}
