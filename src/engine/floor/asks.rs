//! Customers who are asked whether they are still there: on whose account, and who is next.
//!
//! Chats whose customers fell silent stand in classes of their own, so that nobody who is
//! there waits behind them. Only counts and looks; `decide` asks.

use super::{Floor, Stand};
use crate::engine::care::MOST_ASKED;
use crate::engine::contact::Contact;
use crate::engine::line::Spot;
use crate::engine::rank::{Asked, ClassKey};
use crate::ids::{AgentId, ContactId};

impl Floor {
    /// A customer begins or ceases to be asked on an agent's account.
    pub(crate) fn asks_changed(&mut self, before: Option<AgentId>, after: Option<AgentId>) {
        if before == after {
            return;
        }
        if let Some(agent) = before {
            let asked = self.asks.get(&agent).copied().unwrap_or_default();
            match asked.checked_sub(1).filter(|left| *left > 0) {
                Some(left) => self.asks.insert(agent, left),
                None => self.asks.remove(&agent),
            };
        }
        if let Some(agent) = after {
            *self.asks.entry(agent).or_default() += 1;
        }
    }

    /// Whether any customer is being asked.
    pub(crate) fn asks_any(&self) -> bool {
        !self.asks.is_empty()
    }

    /// Whether as many customers are asked on an agent's account as may be.
    pub(crate) fn asks_enough(&self, agent: AgentId) -> bool {
        self.asks.get(&agent).is_some_and(|asked| *asked >= MOST_ASKED)
    }

    /// The silent one who would be served next, of those who need the same as one that stands
    /// or stood here.
    pub(crate) fn next_silent(&self, stand: Stand) -> Option<ContactId> {
        let Stand::Line(class, _) = stand else { return None };
        let key = &self.classes[usize::from(class)].key;
        let front = |silent| {
            let id = self.class_ids.get(&Asked { silent, ..key.asked() })?;
            self.classes[usize::from(*id)].line.foremost()
        };
        let silent = front(true)?;
        front(false).is_none_or(|there| silent < there).then_some(silent.contact)
    }

    /// How many of those who need the same as a contact stand before it in other lines: they are
    /// silent where it is not, or wait for more than an agent. For people who look.
    pub(crate) fn before_beside(&self, contact: &Contact, stand: Stand) -> usize {
        let Stand::Line(class, _) = stand else { return 0 };
        let key = &self.classes[usize::from(class)].key;
        let same = |other: &ClassKey| {
            let asked = Asked { silent: key.silent, apart: key.apart, ..other.asked() };
            other.queue == key.queue && other != key && asked == key.asked()
        };
        let lines = self.classes.iter().filter(|c| !c.line.is_empty() && same(&c.key));
        lines.map(|c| c.line.before(Spot::of(contact))).sum()
    }

    /// How many agents have asked how often, for checking.
    pub(crate) fn asks(&self) -> impl Iterator<Item = (AgentId, u8)> {
        self.asks.iter().map(|(agent, asked)| (*agent, *asked))
    }
}
