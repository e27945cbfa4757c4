//! What an agent does, as the engine takes it.

use super::super::status::Fault;
use super::owed::{self, When};
use super::{check, person, words};
use crate::engine::care::MOST_LINKED;
use crate::engine::command::Act;
use crate::engine::entry::Sealed;
use crate::pb::v1::{self, agent_act::Act as Wire};
use crate::shard::handle::{Directory, ShardHandle};

/// Thirty days in milliseconds: the longest that a contact may wait for somebody.
const MONTH_MS: u64 = 2_592_000_000;

/// Seals what is personal in an act: how somebody who is no agent is reached, the words and
/// the note of work to make good.
pub(crate) fn sealed(handle: &ShardHandle, act: &v1::AgentAct) -> Result<Option<Sealed>, Fault> {
    let (contact, person) = match &act.act {
        Some(Wire::AddParticipant(a)) => {
            check::bytes("address", &a.address, 1, 64, "1 to 64 bytes")?;
            let person = v1::Person { address: a.address.clone(), ..v1::Person::default() };
            (a.contact_id, Some(person))
        }
        Some(Wire::OpenRecovery(remedy)) => (remedy.contact_id, remedy.words.clone()),
        _ => return Ok(None),
    };
    let customer = handle.customer(check::contact(contact)?);
    person::seal(handle.keys(), customer, person, false)
}

/// Reads an act.
pub(crate) fn read(names: &Directory, when: When, act: v1::AgentAct) -> Result<Act, Fault> {
    Ok(match act.act.ok_or(Fault::Missing { field: "act" })? {
        Wire::Become(a) => {
            let asked = a.availability.ok_or(Fault::Missing { field: "availability" })?;
            Act::Become(check::availability(names, &asked)?)
        }
        Wire::Next(a) => {
            let asked = a.availability.as_ref();
            Act::Next(asked.map(|asked| check::availability(names, asked)).transpose()?)
        }
        Wire::Accept(a) => Act::Accept(check::reservation(a.reservation_id)?),
        Wire::Decline(a) => Act::Decline(check::reservation(a.reservation_id)?),
        Wire::Complete(a) => completed(names, &a)?,
        Wire::Code(a) => Act::Code {
            contact: check::contact(a.contact_id)?,
            disposition: check::disposition(names, &a.disposition)?,
        },
        Wire::EndWrapUp(a) => Act::EndWrapUp(check::contact(a.contact_id)?),
        Wire::Requeue(a) => Act::Requeue(check::contact(a.contact_id)?),
        Wire::Transfer(a) => Act::Transfer {
            contact: check::contact(a.contact_id)?,
            to: check::target(names, a.to)?,
        },
        Wire::Consult(a) => {
            Act::Consult { contact: check::contact(a.contact_id)?, to: check::target(names, a.to)? }
        }
        Wire::CompleteConsult(a) => Act::CompleteConsult(check::contact(a.contact_id)?),
        Wire::CancelConsult(a) => Act::CancelConsult(check::contact(a.contact_id)?),
        Wire::ExtendWrapUp(a) => Act::ExtendWrapUp {
            contact: check::contact(a.contact_id)?,
            by: check::within_a_day("by_ms", a.by_ms)?,
        },
        Wire::Conference(a) => Act::Conference(check::contact(a.contact_id)?),
        Wire::AddParticipant(a) => Act::AddParticipant {
            contact: check::contact(a.contact_id)?,
            name: check::label("name", &a.name)?,
        },
        Wire::DropParticipant(a) => Act::DropParticipant {
            contact: check::contact(a.contact_id)?,
            participant: check::participant(a.participant)?,
        },
        Wire::Pend(a) => Act::Pend {
            contact: check::contact(a.contact_id)?,
            on: words::read_waits_for(a.waits_for)?,
            lasting: check::span(
                "lasting_ms",
                a.lasting_ms,
                1_000..=MONTH_MS,
                "1000 to 2592000000 ms",
            )?,
        },
        Wire::CallBack(a) => Act::CallBack {
            contact: check::contact(a.contact_id)?,
            wanted: when.wanted(a.window, a.hours)?,
        },
        Wire::Promise(a) => Act::Promise(when.pledge(names, a)?),
        Wire::KeepPromise(a) => Act::KeepPromise(owed::promise(a.promise_id)?),
        Wire::OpenRecovery(a) => Act::OpenRecovery(when.remedy(names, &a)?),
        Wire::RecoveryDone(a) => Act::RecoveryDone(owed::recovery(a.recovery_id)?),
    })
}

fn completed(names: &Directory, a: &v1::agent_act::Complete) -> Result<Act, Fault> {
    let contact = check::contact(a.contact_id)?;
    let disposition = match &*a.disposition {
        "" => None,
        name => Some(check::disposition(names, name)?),
    };
    if a.linked_contact_ids.is_empty() {
        return Ok(Act::Complete { contact, disposition });
    }
    if a.linked_contact_ids.len() > MOST_LINKED {
        return Err(Fault::Invalid { field: "linked_contact_ids", expected: "at most 8" });
    }
    let others = a.linked_contact_ids.iter().map(|id| check::contact(*id));
    let others = others.collect::<Result<_, _>>()?;
    Ok(Act::CompleteTogether { contact, others, disposition })
}
