//! Answers and directives, as clients are told them: with names for ids, and personal data
//! in clear for the agent who is to take the contact.

use super::super::owed::{promise_row, recovery_row};
use super::super::status::Fault;
use super::owed::When;
use super::say::{self, Unsayable};
use super::{announce, participants, person, words};
use crate::engine::callback::DialMode;
use crate::engine::command::Reply;
use crate::engine::directive::{LinkedContact, Offer, Tell};
use crate::engine::entry::Sealed;
use crate::engine::recall::Collect;
use crate::engine::routing::Routing;
use crate::engine::words::Attributes;
use crate::ids::ContactId;
use crate::pb::v1::{
    self, agent_directive as agent, agent_directive::Directive as ToAgent, answer::Result as Came,
    gateway_directive as gateway, gateway_directive::Directive as ToGateway,
};
use crate::shard::handle::ShardHandle;
use crate::time::Span;

/// An answer. `name` is whose session a reply that begins one is about.
pub(crate) fn answer(
    when: When,
    request_id: &str,
    name: &str,
    reply: Reply,
    receipt: &[u8],
) -> v1::Answer {
    let session = |id: u64| Came::Session(v1::Session { session_id: id, name: name.to_owned() });
    let result = match reply {
        Reply::Contact(contact) => Came::ContactId(contact.0),
        Reply::Gateway { session: Some(id), .. } => session(id.0),
        Reply::Agent(id) => session(id.0),
        Reply::Unknown(keys) => {
            let keys = keys.iter().map(|key| String::from(&**key)).collect();
            Came::UnknownKeys(v1::UnknownKeys { keys })
        }
        Reply::Promised { promise, due } => {
            let due_unix_ms = when.wall(due);
            Came::Promised(v1::Promised { promise_id: promise.0, due_unix_ms })
        }
        Reply::Recovery(recovery) => Came::RecoveryId(recovery.0),
        Reply::Done | Reply::Recall(_) | Reply::Order(_) | Reply::Gateway { session: None, .. } => {
            Came::Done(v1::Done {})
        }
    };
    v1::Answer {
        request_id: request_id.to_owned(),
        result: Some(result),
        receipt: receipt.to_vec(),
    }
}

/// The contact in a reply that names one.
pub(crate) fn contact(reply: &Reply) -> Result<ContactId, Fault> {
    match reply {
        Reply::Contact(contact) => Ok(*contact),
        // The same request id was used for something else, with the same content hash: it
        // cannot be by accident.
        _ => Err(Fault::from(crate::engine::refusal::Refusal::RequestConflict)),
    }
}

/// A directive to a gateway; none for one that is only ever an agent's. `sealed` is the
/// personal data that came with what it tells of.
///
/// # Errors
/// [`Unsayable`] for a text or a number that is not here.
pub(crate) fn to_gateway(
    handle: &ShardHandle,
    routing: &Routing,
    tell: &Tell,
    sealed: Option<&Sealed>,
) -> Result<Option<v1::GatewayDirective>, Unsayable> {
    let agent = |id| routing.agent_name(id).to_owned();
    let (contact, directive) = match *tell {
        Tell::Connect { .. }
        | Tell::HandOver { .. }
        | Tell::Say { .. }
        | Tell::Announce { .. }
        | Tell::Forward { .. }
        | Tell::Outside { .. }
        | Tell::AskPresence { .. }
        | Tell::OfferCallback { .. }
        | Tell::Join { .. } => return effect(handle, routing, tell, sealed),
        Tell::Waiting { contact, queue } => {
            let queue = routing.queue_name(queue).to_owned();
            (contact, ToGateway::Waiting(gateway::Waiting { queue }))
        }
        Tell::ReservedFor { contact, agent: id } => {
            (contact, ToGateway::ReservedFor(gateway::ReservedFor { agent: agent(id) }))
        }
        Tell::EffectWithdrawn { effect, contact } => {
            let withdrawn = gateway::EffectWithdrawn { effect_id: effect.0 };
            (contact, ToGateway::EffectWithdrawn(withdrawn))
        }
        Tell::AssignedTo { contact, agent: id } => {
            (contact, ToGateway::AssignedTo(gateway::AssignedTo { agent: agent(id) }))
        }
        Tell::Pending { contact, on } => {
            let pending = gateway::Pending { waits_for: words::waits_for(on) };
            (contact, ToGateway::Pending(pending))
        }
        Tell::Ended { contact, reason } => {
            (contact, ToGateway::Ended(gateway::Ended { reason: words::end_reason(reason) }))
        }
        Tell::InSelfService { contact, tier } => {
            (contact, ToGateway::SelfService(gateway::SelfService { tier: words::tier(tier) }))
        }
        Tell::Outlook { contact, ahead, wait, longer } => {
            let wait_ms = wait.map(Span::as_millis);
            (contact, ToGateway::Outlook(gateway::Outlook { ahead, wait_ms, longer }))
        }
        Tell::GoesOnAs { contact, follow_up } => {
            let on = gateway::GoesOnAs { follow_up_contact_id: follow_up.0 };
            (contact, ToGateway::GoesOnAs(on))
        }
        Tell::CallbackDue { contact, within } => {
            let within_ms = within.map_or(0, |w| w.as_millis());
            (contact, ToGateway::CallbackDue(gateway::CallbackDue { within_ms }))
        }
        Tell::Dial { .. } | Tell::Opened { .. } => return Ok(owed(routing, tell)),
        Tell::Participants { contact, ref all } => {
            (contact, ToGateway::Participants(participants::all(routing, contact, all)))
        }
        Tell::Offer(_)
        | Tell::OfferOver { .. }
        | Tell::Connecting(_)
        | Tell::ConnectFailed { .. }
        | Tell::Assigned(_)
        | Tell::Released { .. }
        | Tell::CustomerInput(_)
        | Tell::ConsultJoined { .. }
        | Tell::ConsultOver { .. }
        | Tell::WrapUp { .. }
        | Tell::WrapUpEnded(_)
        | Tell::Recovery(_)
        | Tell::RecoveryOver { .. }
        | Tell::Availability { .. } => return Ok(None),
    };
    Ok(Some(v1::GatewayDirective { contact_id: contact.0, directive: Some(directive) }))
}

/// What keeps a promise: a call to a customer, a contact that the router opened.
fn owed(routing: &Routing, tell: &Tell) -> Option<v1::GatewayDirective> {
    let (contact, directive) = match *tell {
        Tell::Dial { effect, contact, reservation, agent, mode, ring, continues } => {
            let dial = gateway::Dial {
                effect_id: effect.0,
                reservation_id: reservation.0,
                agent: routing.agent_name(agent).to_owned(),
                customer_first: mode == DialMode::CustomerFirst,
                ring_ms: ring.as_millis(),
                number_of_contact_id: id_or_none(continues),
            };
            (contact, ToGateway::Dial(dial))
        }
        Tell::Opened { contact, ref key, channel, queue, continues } => {
            let opened = gateway::Opened {
                key: key.to_string(),
                channel: words::channel(channel),
                queue: routing.queue_name(queue).to_owned(),
                continues_contact_id: continues.0,
            };
            (contact, ToGateway::Opened(opened))
        }
        _ => return None,
    };
    Some(v1::GatewayDirective { contact_id: contact.0, directive: Some(directive) })
}

/// What a gateway is asked to do, and to report on.
fn effect(
    handle: &ShardHandle,
    routing: &Routing,
    tell: &Tell,
    sealed: Option<&Sealed>,
) -> Result<Option<v1::GatewayDirective>, Unsayable> {
    let agent = |id| routing.agent_name(id).to_owned();
    let (contact, directive) = match *tell {
        Tell::Connect { effect, contact, reservation, agent: id, consult_of } => {
            let legs = gateway::ConnectLegs {
                effect_id: effect.0,
                reservation_id: reservation.0,
                agent: agent(id),
                consult_of_contact_id: id_or_none(consult_of),
            };
            (contact, ToGateway::ConnectLegs(legs))
        }
        Tell::HandOver { effect, contact, to } => {
            let over = gateway::HandOver { effect_id: effect.0, agent: agent(to) };
            (contact, ToGateway::HandOver(over))
        }
        Tell::Say { effect, contact, channel, say } => {
            let told = say::to_customer(handle, contact, channel, &say).ok_or(Unsayable(effect))?;
            let collect = words::collect(say.collect);
            let say = gateway::Say { effect_id: effect.0, text: Some(told), collect };
            (contact, ToGateway::Say(say))
        }
        Tell::Announce { effect, contact, announce, .. } => {
            let told = announce::to_customer(routing, &announce).ok_or(Unsayable(effect))?;
            let collect = words::collect(Collect::None);
            let say = gateway::Say { effect_id: effect.0, text: Some(told), collect };
            (contact, ToGateway::Say(say))
        }
        Tell::Forward { effect, contact, channel, to } => {
            let external = routing.external(to).ok_or(Unsayable(effect))?;
            let number = external.numbers[channel.index()].as_deref().ok_or(Unsayable(effect))?;
            let forward = gateway::Forward {
                effect_id: effect.0,
                external: external.name.to_string(),
                number: number.to_owned(),
            };
            (contact, ToGateway::Forward(forward))
        }
        Tell::Outside { effect, contact, ref name, ref number } => {
            let forward = gateway::Forward {
                effect_id: effect.0,
                external: name.to_string(),
                number: number.to_string(),
            };
            (contact, ToGateway::Forward(forward))
        }
        Tell::AskPresence { effect, contact, language } => {
            let text = Some(say::still_there(routing, language));
            let collect = words::collect(Collect::None);
            (contact, ToGateway::Say(gateway::Say { effect_id: effect.0, text, collect }))
        }
        Tell::OfferCallback { effect, contact, within, answer_within, language } => {
            let offer = gateway::OfferCallback {
                effect_id: effect.0,
                within_ms: within.as_millis(),
                answer_within_ms: answer_within.as_millis(),
                language: language.map(|l| l.as_str().to_owned()).unwrap_or_default(),
            };
            (contact, ToGateway::OfferCallback(offer))
        }
        Tell::Join { effect, contact, participant, ref who, part } => {
            let told = participants::join(routing, participant, who, part);
            let address = sealed.and_then(|s| person::unseal(handle.keys(), s));
            let address = address.map(|p| p.address).unwrap_or_default();
            let join = gateway::Join { effect_id: effect.0, participant: Some(told), address };
            (contact, ToGateway::Join(join))
        }
        _ => return Ok(None),
    };
    Ok(Some(v1::GatewayDirective { contact_id: contact.0, directive: Some(directive) }))
}

/// A directive to an agent; none for one that is only ever a gateway's. `sealed` is the
/// personal data that came with what it tells of.
pub(crate) fn to_agent(
    handle: &ShardHandle,
    routing: &Routing,
    tell: Tell,
    sealed: Option<&Sealed>,
) -> Option<v1::AgentDirective> {
    let offered = |o: &Offer| offer(handle, routing, o, sealed);
    let directive = match tell {
        Tell::Offer(o) => ToAgent::Offer(offered(&o)),
        Tell::Connecting(o) => ToAgent::Connecting(offered(&o)),
        Tell::Assigned(o) => ToAgent::Assigned(offered(&o)),
        Tell::CustomerInput(contact) => ToAgent::CustomerInput(agent::CustomerInput {
            contact_id: contact.0,
            person: sealed.and_then(|s| person::unseal(handle.keys(), s)),
        }),
        Tell::Recovery(r) => ToAgent::Recovery(recovery_row(routing, When::now(handle), &r)),
        Tell::RecoveryOver { recovery, contact, done } => {
            let (recovery_id, contact_id) = (recovery.0, contact.0);
            ToAgent::RecoveryOver(agent::RecoveryOver { recovery_id, contact_id, done })
        }
        other => without_person(routing, &other)?,
    };
    Some(v1::AgentDirective { directive: Some(directive) })
}

/// The directives to agents in which nobody's data is.
fn without_person(routing: &Routing, tell: &Tell) -> Option<ToAgent> {
    Some(match *tell {
        Tell::OfferOver { contact, reservation, how } => ToAgent::OfferOver(agent::OfferOver {
            contact_id: contact.0,
            reservation_id: reservation.0,
            how: words::not_taken(how),
        }),
        Tell::ConnectFailed { contact, reservation, fault } => {
            ToAgent::ConnectFailed(agent::ConnectFailed {
                contact_id: contact.0,
                reservation_id: reservation.0,
                fault: words::connect_fault(fault),
            })
        }
        Tell::Released { contact, because } => ToAgent::Released(agent::Released {
            contact_id: contact.0,
            because: words::released(because),
        }),
        Tell::Ended { contact, reason } => ToAgent::Ended(agent::Ended {
            contact_id: contact.0,
            reason: words::end_reason(reason),
        }),
        Tell::WrapUp { contact, lasting } => ToAgent::WrapUp(agent::WrapUp {
            contact_id: contact.0,
            lasting_ms: lasting.as_millis(),
        }),
        Tell::WrapUpEnded(contact) => {
            ToAgent::WrapUpEnded(agent::WrapUpEnded { contact_id: contact.0 })
        }
        Tell::Participants { contact, ref all } => {
            ToAgent::Participants(participants::all(routing, contact, all))
        }
        Tell::Availability { .. } => return availability(routing, tell),
        Tell::Waiting { .. }
        | Tell::ReservedFor { .. }
        | Tell::Connect { .. }
        | Tell::HandOver { .. }
        | Tell::EffectWithdrawn { .. }
        | Tell::AssignedTo { .. }
        | Tell::Pending { .. }
        | Tell::AskPresence { .. }
        | Tell::OfferCallback { .. }
        | Tell::InSelfService { .. }
        | Tell::Say { .. }
        | Tell::Announce { .. }
        | Tell::Forward { .. }
        | Tell::Outside { .. }
        | Tell::Outlook { .. }
        | Tell::Join { .. }
        | Tell::GoesOnAs { .. }
        | Tell::CallbackDue { .. }
        | Tell::Dial { .. }
        | Tell::Opened { .. }
        | Tell::Offer(_)
        | Tell::Connecting(_)
        | Tell::Assigned(_)
        | Tell::Recovery(_)
        | Tell::RecoveryOver { .. }
        | Tell::CustomerInput(_) => return None,
        Tell::ConsultJoined { contact, consult, agent } => {
            ToAgent::ConsultJoined(agent::ConsultJoined {
                contact_id: contact.0,
                consult_contact_id: consult.0,
                agent: routing.agent_name(agent).to_owned(),
            })
        }
        Tell::ConsultOver { contact, consult } => ToAgent::ConsultOver(agent::ConsultOver {
            contact_id: contact.0,
            consult_contact_id: consult.0,
        }),
    })
}

fn availability(routing: &Routing, tell: &Tell) -> Option<ToAgent> {
    let Tell::Availability { now, because, next, phone_unreachable, overstayed, leaves_in } = *tell
    else {
        return None;
    };
    Some(ToAgent::Availability(agent::AvailabilityNow {
        now: Some(words::availability(routing, now)),
        because: because.map_or(0, words::because),
        next: next.map(|next| words::availability(routing, next)),
        phone_unreachable,
        overstayed,
        leaves_in_ms: leaves_in.map(Span::as_millis),
    }))
}

fn offer(
    handle: &ShardHandle,
    routing: &Routing,
    offer: &Offer,
    sealed: Option<&Sealed>,
) -> v1::Offer {
    // For a consult the customer's data is the parent's.
    let known = |contact| handle.person(contact);
    let stored = match sealed {
        Some(_) => None,
        None => known(offer.contact).or_else(|| offer.consult_of.and_then(known)),
    };
    let of = offer.consult_of.unwrap_or(offer.contact);
    let (said, when) = (handle.said(of), When::now(handle));
    v1::Offer {
        recall_id: offer.recall.map_or(0, |r| r.0.into()),
        script: offer.recall.and_then(|recall| say::script(handle, recall, offer.language)),
        heard: say::heard(handle, offer),
        inputs: said.iter().filter_map(|s| person::unseal(handle.keys(), s)).collect(),
        contact_id: offer.contact.0,
        reservation_id: offer.reservation.0,
        channel: words::channel(offer.channel),
        queue: routing.queue_name(offer.queue).to_owned(),
        service: words::service(offer.service),
        answer_within_ms: offer.answer_within.as_millis(),
        waited_ms: offer.waited.as_millis(),
        continues_contact_id: id_or_none(offer.continues),
        consult_of_contact_id: id_or_none(offer.consult_of),
        attributes: attributes(offer.attributes.as_ref()),
        callback: offer.callback.is_some(),
        linked: offer.linked.iter().map(linked).collect(),
        promises: offer.promises.iter().map(|p| promise_row(routing, when, p)).collect(),
        person: sealed.or(stored.as_ref()).and_then(|s| person::unseal(handle.keys(), s)),
    }
}

fn linked(one: &LinkedContact) -> v1::LinkedContact {
    v1::LinkedContact {
        contact_id: one.contact.0,
        channel: words::channel(one.channel),
        state: words::state(one.state),
    }
}

/// Routing facts.
pub(crate) fn attributes(attributes: Option<&Attributes>) -> Vec<v1::Attribute> {
    let attribute = |(name, value): &(Box<str>, Box<str>)| v1::Attribute {
        name: String::from(&**name),
        value: String::from(&**value),
    };
    attributes.map(|all| all.iter().map(attribute).collect()).unwrap_or_default()
}

/// A contact's id as the wire has it: 0 for none.
pub(crate) fn id_or_none(contact: Option<ContactId>) -> u64 {
    contact.map_or(0, |c| c.0)
}
