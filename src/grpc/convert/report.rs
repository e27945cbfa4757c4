//! What a gateway reports, as the engine takes it.

use std::borrow::Cow;
use std::sync::Arc;

use prost::Message as _;

use super::super::status::Fault;
use super::owed::When;
use super::{check, feedback, intake, person, words};
use crate::archive::Ended;
use crate::engine::command::{Arrival, GatewayLimits, Report};
use crate::engine::day::{Direction, OutsideReport};
use crate::engine::entry::Sealed;
use crate::engine::words::Key;
use crate::ids::{ContactId, CustomerId, RecallId};
use crate::journal::seal::KeyStore;
use crate::pb::v1::{self, gateway_report::Report as Wire};
use crate::shard::handle::{Directory, ShardHandle};
use crate::shard::recalls::Recalls;

/// Most keys in one report of what a gateway holds.
const MOST_KEYS: usize = 1_000;

/// What reading a report needs to know.
pub(crate) struct Reading<'a> {
    /// Names to ids.
    pub(crate) names: &'a Directory,
    /// To seal with.
    pub(crate) keys: &'a KeyStore,
    /// Whose a contact's personal data is.
    pub(crate) owner: &'a dyn Fn(ContactId) -> Option<CustomerId>,
    /// By whose words texts are classed.
    pub(crate) recalls: &'a Recalls,
    /// What was looked up of a closed contact that a report is about.
    pub(crate) ended: Option<&'a Ended>,
    /// The recall in whose self-service a contact is.
    pub(crate) recall_of: &'a dyn Fn(ContactId) -> Option<RecallId>,
    /// Wall time and engine time.
    pub(crate) when: When,
}

/// Whose key the words of a contact's customer are sealed with: that of the identity that
/// it arrived with, so that forgetting the customer takes them all. An arrival may have an
/// identity and nothing else that is personal.
pub(crate) fn owner(handle: &ShardHandle, contact: ContactId) -> Option<CustomerId> {
    handle.customer(contact)
}

/// Reads a report, and seals the personal data in it.
pub(crate) fn read(
    from: &Reading<'_>,
    report: v1::GatewayReport,
) -> Result<(Report, Option<Sealed>), Fault> {
    let report = match report.report.ok_or(Fault::Missing { field: "report" })? {
        Wire::Arrived(arrival) => {
            let (arrival, sealed) = arrived(from, arrival)?;
            return Ok((Report::Arrived(arrival), sealed));
        }
        Wire::Input(input) => {
            let contact = check::contact(input.contact_id)?;
            let heard = intake::heard(from, contact, &input)?;
            let customer = (from.owner)(contact);
            let sealed = person::seal(from.keys, customer, input.person, input.sensitive)?;
            return Ok((Report::Input { contact, heard }, sealed));
        }
        Wire::Holding(holding) => holds(&holding)?,
        Wire::Attributes(facts) => Report::Attributes {
            contact: check::contact(facts.contact_id)?,
            attributes: check::attributes(&facts.attributes)?,
        },
        Wire::Leg(leg) => Report::Leg {
            reservation: check::reservation(leg.reservation_id)?,
            party: words::read_party(leg.party)?,
            outcome: words::read_outcome(leg.outcome)?,
            code: check::code(leg.code)?,
        },
        Wire::Bridged(bridged) => Report::Bridged(check::reservation(bridged.reservation_id)?),
        Wire::Hold(hold) => Report::Hold { contact: check::contact(hold.contact_id)?, on: hold.on },
        Wire::Recording(recording) => {
            let reference = &*recording.reference;
            check::bytes("reference", reference, 1, 256, "1 to 256 bytes")?;
            Report::Recording {
                contact: check::contact(recording.contact_id)?,
                reference: Arc::from(reference),
                consent: words::read_consent(recording.consent)?,
            }
        }
        Wire::EffectDone(done) => Report::EffectDone(check::effect(done.effect_id)?),
        Wire::EffectFailed(failed) => Report::EffectFailed {
            effect: check::effect(failed.effect_id)?,
            code: check::code(failed.code)?,
        },
        Wire::AgentLegLost(lost) => Report::AgentLegLost(check::contact(lost.contact_id)?),
        Wire::CustomerLeft(left) => Report::CustomerLeft(check::contact(left.contact_id)?),
        Wire::CallbackCancelled(c) => Report::CallbackCancelled(check::contact(c.contact_id)?),
        Wire::CallLost(lost) => Report::CallLost(check::contact(lost.contact_id)?),
        Wire::DialResult(result) => Report::Dialled {
            effect: check::effect(result.effect_id)?,
            outcome: words::read_dialled(result.outcome)?,
            code: check::code(result.code)?,
        },
        Wire::OfferResult(result) => return offer_result(from, result),
        Wire::NumberConfirmed(number) => {
            let contact = check::contact(number.contact_id)?;
            let sealed = person::seal(from.keys, (from.owner)(contact), number.person, false)?;
            return Ok((Report::NumberConfirmed { contact, confirmed: number.confirmed }, sealed));
        }
        Wire::CallbackWanted(asked) => {
            let contact = check::contact(asked.contact_id)?;
            let wanted = from.when.wanted(asked.window, asked.hours)?;
            let confirmed = asked.number_confirmed;
            let sealed = person::seal(from.keys, (from.owner)(contact), asked.person, false)?;
            return Ok((Report::CallbackWanted { contact, confirmed, wanted }, sealed));
        }
        Wire::Feedback(given) => return feedback::read(from, given),
        Wire::OutsideCall(call) => outside(from, &call)?,
        Wire::ParticipantLeft(left) => Report::ParticipantLeft {
            contact: check::contact(left.contact_id)?,
            participant: check::participant(left.participant)?,
        },
    };
    Ok((report, None))
}

fn offer_result(
    from: &Reading<'_>,
    result: v1::gateway_report::OfferResult,
) -> Result<(Report, Option<Sealed>), Fault> {
    let contact = check::contact(result.contact_id)?;
    let effect = check::effect(result.effect_id)?;
    let (accepted, confirmed) = (result.accepted, result.number_confirmed);
    let sealed = person::seal(from.keys, (from.owner)(contact), result.person, false)?;
    Ok((Report::OfferAnswered { contact, effect, accepted, confirmed }, sealed))
}

fn outside(from: &Reading<'_>, call: &v1::gateway_report::OutsideCall) -> Result<Report, Fault> {
    Ok(Report::OutsideCall {
        agent: check::agent(from.names, "agent", &call.agent)?,
        key: check::key("key", &call.key)?,
        now: match (call.on, call.outbound) {
            (false, _) => OutsideReport::Ended,
            (true, false) => OutsideReport::Began(Direction::Inbound),
            (true, true) => OutsideReport::Began(Direction::Outbound),
        },
    })
}

/// Reads an arrival, and seals the personal data in it.
pub(crate) fn arrived(
    from: &Reading<'_>,
    asked: v1::Arrival,
) -> Result<(Arrival, Option<Sealed>), Fault> {
    let content = content(from.keys, &asked);
    let entry_point = match &*asked.entry_point {
        "" => None,
        name => {
            Some(check::known("entry_point", "entry point", name, |n| from.names.entry_point(n))?)
        }
    };
    let led_to = entry_point.and_then(|id| from.names.routing.entry_point(id)).map(|e| e.queue);
    let queue = match (led_to, &*asked.queue) {
        (Some(queue), "") => queue,
        (_, name) => check::queue(from.names, "queue", name)?,
    };
    let customer = match asked.customer {
        None => None,
        Some(customer) => {
            check::bytes("customer.identity", &customer.identity, 1, 256, "1 to 256 bytes")?;
            Some(from.keys.customer(&customer.identity))
        }
    };
    let attributes = match &*asked.attributes {
        [] => None,
        some => Some(check::attributes(some)?),
    };
    let arrival = Arrival {
        key: check::key("key", &asked.key)?,
        channel: words::read_channel(asked.channel)?,
        queue,
        entry_point,
        needs: check::needs(from.names, &asked.needs)?,
        preferred: check::preferred(from.names, &asked.preferred)?,
        head_start: check::within_a_day("head_start_ms", asked.head_start_ms)?,
        safety: asked.safety,
        customer,
        continues: match asked.continues_contact_id {
            0 => None,
            id => Some(ContactId(id)),
        },
        waited: check::within_a_day("waited_ms", asked.waited_ms)?,
        attributes,
        number_confirmed: asked.number_confirmed,
        language: intake::language(asked.person.as_ref()),
        heed: intake::heed_of_arrival(
            from.recalls,
            entry_point,
            asked.person.as_ref(),
            asked.sensitive,
        )?,
        content,
    };
    // Last, so that nothing is sealed for an arrival that is refused.
    let sealed = person::seal(from.keys, customer, asked.person, asked.sensitive)?;
    Ok((arrival, sealed))
}

/// A keyed hash of what was reported, by which a repeat is told from other content. How long
/// they have waited grows between the two, and their number may be confirmed meanwhile; of what is
/// sensitive not even a hash is kept.
fn content(keys: &KeyStore, asked: &v1::Arrival) -> u64 {
    let person = asked.person.clone().filter(|_| !asked.sensitive);
    let same = v1::Arrival { waited_ms: 0, number_confirmed: false, person, ..asked.clone() };
    keys.fingerprint(&same.encode_to_vec())
}

/// A report without what is secret in it. What a client calls its request is remembered with
/// a hash of what it asked, which would give a PIN away to whoever tries them all.
pub(crate) fn without_secrets(report: &v1::GatewayReport) -> Cow<'_, v1::GatewayReport> {
    let secret = match &report.report {
        Some(Wire::Arrived(arrival)) => arrival.sensitive,
        Some(Wire::Input(input)) => input.sensitive,
        Some(Wire::Feedback(given)) => given.sensitive,
        _ => false,
    };
    if !secret {
        return Cow::Borrowed(report);
    }
    let mut report = report.clone();
    match &mut report.report {
        Some(Wire::Arrived(arrival)) => arrival.person = None,
        Some(Wire::Input(input)) => {
            input.person = None;
            input.keys.clear();
        }
        Some(Wire::Feedback(given)) => given.person = None,
        _ => {}
    }
    Cow::Owned(report)
}

fn holds(asked: &v1::gateway_report::Holding) -> Result<Report, Fault> {
    if asked.keys.len() > MOST_KEYS {
        return Err(Fault::Invalid { field: "keys", expected: "at most 1000 in one report" });
    }
    let keys: Result<Vec<Key>, Fault> = asked.keys.iter().map(|k| check::key("keys", k)).collect();
    Ok(Report::Holding { keys: keys?, last: asked.last })
}

/// What a gateway can carry.
pub(crate) fn limits(hello: &v1::Hello) -> GatewayLimits {
    let limits = hello.limits.unwrap_or_default();
    GatewayLimits {
        sessions: limits.most_sessions,
        ivr_ports: limits.most_ivr_ports,
        calls_per_second: limits.most_calls_per_second,
        says: hello.can_say,
        offers: hello.can_offer_callback,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_told_from_other_content_and_waiting_longer_is_a_repeat() {
        let (keys, others) = (KeyStore::ephemeral(), KeyStore::ephemeral());
        let named = |name: &str| {
            let person = v1::Person { name: name.into(), ..Default::default() };
            v1::Arrival { key: "k".into(), person: Some(person), ..Default::default() }
        };
        let anne = content(&keys, &named("Anne"));
        assert_eq!(anne, content(&keys, &named("Anne")));
        assert_eq!(anne, content(&keys, &v1::Arrival { waited_ms: 9, ..named("Anne") }));
        let confirmed = v1::Arrival { number_confirmed: true, ..named("Anne") };
        assert_eq!(anne, content(&keys, &confirmed));
        assert_ne!(anne, content(&keys, &named("Ann")));
        assert_ne!(anne, content(&keys, &v1::Arrival { key: "l".into(), ..named("Anne") }));
        assert_ne!(anne, content(&others, &named("Anne")), "it is keyed");
        let secret = |name| content(&keys, &v1::Arrival { sensitive: true, ..named(name) });
        assert_eq!(secret("Anne"), secret("Ann"), "of what is secret nothing is kept");
    }

    #[test]
    fn a_secret_is_in_no_hash_of_a_request() {
        use v1::gateway_report::Input;
        let pressed = |keys: &str, sensitive| {
            let person = Some(v1::Person { words: keys.into(), ..Default::default() });
            let keys = keys.to_owned();
            let input = Input { contact_id: 1, keys, person, sensitive, ..Default::default() };
            v1::GatewayReport { report: Some(Wire::Input(input)) }
        };
        let hashed = |report| without_secrets(&report).into_owned();
        assert_eq!(hashed(pressed("1234", true)), hashed(pressed("9999", true)));
        assert_ne!(hashed(pressed("1234", false)), hashed(pressed("9999", false)));
        let arrived = |name: &str, sensitive| {
            let person = Some(v1::Person { name: name.into(), ..Default::default() });
            let arrival = v1::Arrival { person, sensitive, ..Default::default() };
            v1::GatewayReport { report: Some(Wire::Arrived(arrival)) }
        };
        assert_eq!(hashed(arrived("Anne", true)), hashed(arrived("Ben", true)));
        assert_ne!(hashed(arrived("Anne", false)), hashed(arrived("Ben", false)));
    }
}
