//! What was answered to which request, so that a repeat gets the first reply again.
//!
//! Bounded: the oldest is forgotten first. A client repeats within minutes or not at all.

use std::collections::VecDeque;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::bulk::BulkStep;
use super::command::Reply;
use super::event::{BulkNews, Event};
use super::image::Remembered;
use crate::ids::RequestId;

/// Replies remembered: a minute at a thousand commands a second, in about 8 MiB.
pub const REMEMBERED: usize = 65_536;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    replies: HashMap<u128, (u64, Reply), FxBuildHasher>,
    order: VecDeque<u128>,
}

impl Memory {
    /// The first reply to this request, with the content that it came with.
    pub(crate) fn recall(&self, request: RequestId) -> Option<&(u64, Reply)> {
        self.replies.get(&request.id)
    }

    pub(crate) fn remember(&mut self, request: RequestId, events: &[Event]) {
        if let Some(reply) = reply_of(events) {
            self.put(request, reply);
        }
    }

    /// All that is remembered, the oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = Remembered> {
        self.order.iter().filter_map(|id| {
            let (content, reply) = self.replies.get(id)?;
            let request = RequestId { id: *id, content: *content };
            Some(Remembered { request, reply: reply.clone() })
        })
    }

    pub(crate) fn put(&mut self, request: RequestId, reply: Reply) {
        if self.replies.insert(request.id, (request.content, reply)).is_none() {
            self.order.push_back(request.id);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.replies.remove(&oldest);
        }
    }
}

/// The reply that a command with these events got. Made from the events alone, so that
/// replay remembers the same; none where a repeat is harmless and has more to tell.
pub(crate) fn reply_of(events: &[Event]) -> Option<Reply> {
    let first = events.first()?;
    Some(match first {
        Event::Reattached { .. } | Event::GatewayResynced { .. } => return None,
        Event::GatewayRegistered { gateway, .. } => match events.get(1) {
            Some(Event::GatewayConnected { session, .. }) => {
                Reply::Gateway { gateway: *gateway, session: Some(*session) }
            }
            _ => Reply::Gateway { gateway: *gateway, session: None },
        },
        Event::GatewayConnected { gateway, session, .. } => {
            Reply::Gateway { gateway: *gateway, session: Some(*session) }
        }
        Event::AgentConnected { session, .. } => Reply::Agent(*session),
        Event::Unchanged { contact: Some(contact) } => Reply::Contact(*contact),
        Event::Arrived(a) => Reply::Contact(a.contact),
        Event::ReplyCame(contact) => Reply::Contact(*contact),
        Event::Ordered { .. } => match events.get(1) {
            Some(Event::RecallStarted { recall, .. }) => Reply::Recall(*recall),
            Some(Event::Bulk(BulkNews { order, step: BulkStep::Began { .. } })) => {
                Reply::Order(*order)
            }
            Some(event) => owed(event),
            None => Reply::Done,
        },
        Event::ConsultStarted { child, .. } => Reply::Contact(*child),
        // A call that was offered and is promised now: the offer is over first.
        Event::EffectSettled { .. } => events.get(1).map_or(Reply::Done, owed),
        event => owed(event),
    })
}

/// What is answered to one who promised something, or opened a recovery.
fn owed(event: &Event) -> Reply {
    match event {
        Event::PromiseMade(p) => Reply::Promised { promise: p.id, due: p.due },
        Event::RecoveryOpened(r) => Reply::Recovery(r.id),
        _ => Reply::Done,
    }
}

/// The event by which a reply is remembered although nothing changed: the same request must
/// not do tomorrow what it did not do today. None for what may be asked again and again.
pub(crate) fn unchanged(reply: &Reply) -> Option<Event> {
    match reply {
        Reply::Done => Some(Event::Unchanged { contact: None }),
        Reply::Contact(contact) => Some(Event::Unchanged { contact: Some(*contact) }),
        // These come with an event, always.
        Reply::Gateway { .. }
        | Reply::Agent(_)
        | Reply::Recall(_)
        | Reply::Order(_)
        | Reply::Promised { .. }
        | Reply::Recovery(_)
        | Reply::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ContactId;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut memory = Memory::default();
        let request = |n: usize| RequestId { id: n as u128, content: 7 };
        for n in 0..=REMEMBERED {
            memory.remember(request(n), &[Event::InputReceived(ContactId(1))]);
        }
        assert_eq!(memory.recall(request(0)), None);
        assert_eq!(memory.recall(request(1)), Some(&(7, Reply::Done)));
        assert_eq!(memory.replies.len(), REMEMBERED);
    }
}
