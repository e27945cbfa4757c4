//! Threads: letters and messages that go on from an earlier contact.
//!
//! One that goes on from a contact which is still open is that contact's next word, and wakes
//! it if it was pending. One that goes on from a closed one is a contact of its own, which goes
//! to the last agent first for as long as its queue says.

use super::super::command::{Arrival, Heard, Reply};
use super::super::contact::Contact;
use super::super::event::Event;
use super::super::refusal::Refusal;
use super::super::routing::Queue;
use super::super::words::Channel;
use super::Turn;
use crate::ids::{AgentId, ContactId, GatewayId};
use crate::time::Span;

const fn is_letter(channel: Channel) -> bool {
    matches!(channel, Channel::Email | Channel::Message)
}

impl Turn<'_> {
    /// The open contact whose next word an arrival is. One of another gateway, or of somebody
    /// else as far as both are known, is a contact of its own.
    pub(super) fn goes_on_in(&self, gateway: GatewayId, a: &Arrival) -> Option<ContactId> {
        let c = self.engine.contact(a.continues?)?;
        let others = a.customer.zip(c.customer).is_some_and(|(a, b)| a != b);
        let goes_on = is_letter(a.channel)
            && is_letter(c.channel)
            && c.gateway == gateway
            && c.parent.is_none()
            && !others;
        goes_on.then_some(c.id)
    }

    /// The next word of an open contact came as an arrival. Its key means nothing from now on.
    pub(super) fn reply_came(
        &mut self,
        gateway: GatewayId,
        contact: ContactId,
        a: &Arrival,
    ) -> Result<Reply, Refusal> {
        self.emit(Event::ReplyCame(contact));
        let heard = Heard { words: true, heed: a.heed, ..Heard::default() };
        self.input(gateway, contact, &heard)?;
        Ok(Reply::Contact(contact))
    }

    /// Who had the contact last that this one goes on from.
    pub(super) fn of_thread(&self, c: &Contact, queue: &Queue) -> Option<AgentId> {
        let row = self.engine.threads.get(self.at, &c.continues?)?;
        let free = self.engine.has_room(row.agent, c.channel);
        (queue.care.thread > Span::ZERO && free).then_some(row.agent)
    }
}
