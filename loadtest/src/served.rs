//! What gateways saw of a recall: a part of their books.

use hdrhistogram::Histogram;

use crate::book::{histogram, record};
use crate::error::LoadError;

/// Contacts that went one way after an order, by how long after it, microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub(crate) to_self_service: Histogram<u64>,
    pub(crate) back: Histogram<u64>,
}

/// Of contacts that the recall is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ways {
    pub(crate) entered: u64,
    /// Entered although they had come back before.
    pub(crate) bounced_twice: u64,
    pub(crate) returned: u64,
    /// Of those, answered by a person.
    pub(crate) returned_and_answered: u64,
    /// Left while in it, with nothing that they came for.
    pub(crate) left: u64,
    /// Those who said that somebody was hurt, while a recall was in force.
    pub(crate) hurt: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) ways: Ways,
    /// From when somebody said that they were hurt until a person had them.
    pub(crate) safety: Histogram<u64>,
    /// From when all others were due, in the recall, until a person had them.
    pub(crate) others: Histogram<u64>,
    /// Those who were there before an order, by order.
    pub(crate) moves: Vec<Moved>,
    /// Reservations at once: when the contact was due, and how long it took, microseconds.
    pub(crate) reservations: Vec<(u64, u64)>,
}

impl Served {
    pub(crate) fn new() -> Result<Self, LoadError> {
        Ok(Self {
            ways: Ways::default(),
            safety: histogram(3)?,
            others: histogram(3)?,
            moves: Vec::new(),
            reservations: Vec::new(),
        })
    }

    fn after(&mut self, order: usize) -> Result<&mut Moved, LoadError> {
        while self.moves.len() <= order {
            self.moves.push(Moved { to_self_service: histogram(3)?, back: histogram(3)? });
        }
        Ok(&mut self.moves[order])
    }

    pub(crate) fn went(&mut self, order: usize, us: u64) -> Result<(), LoadError> {
        record(&mut self.after(order)?.to_self_service, us);
        Ok(())
    }

    pub(crate) fn came_back(&mut self, order: usize, us: u64) -> Result<(), LoadError> {
        record(&mut self.after(order)?.back, us);
        Ok(())
    }

    pub(crate) fn add(&mut self, other: Self) -> Result<(), LoadError> {
        let (mine, theirs) = (&mut self.ways, other.ways);
        mine.entered += theirs.entered;
        mine.bounced_twice += theirs.bounced_twice;
        mine.returned += theirs.returned;
        mine.returned_and_answered += theirs.returned_and_answered;
        mine.left += theirs.left;
        mine.hurt += theirs.hurt;
        self.safety.add(&other.safety)?;
        self.others.add(&other.others)?;
        for (order, moved) in other.moves.iter().enumerate() {
            let mine = self.after(order)?;
            mine.to_self_service.add(&moved.to_self_service)?;
            mine.back.add(&moved.back)?;
        }
        self.reservations.extend(other.reservations);
        Ok(())
    }
}
