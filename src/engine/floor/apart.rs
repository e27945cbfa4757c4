//! Those who need the same and wait for more than an agent: calls that are to be made, contacts
//! that partners may have. Each kind has a class of its own; who counts how many stand before
//! whom counts them as one line.

use super::{Floor, Stand};
use crate::engine::line::{Line, Spot};
use crate::engine::rank::Apart;
use crate::engine::words::ServiceClass;
use crate::ids::ContactId;

impl Floor {
    /// Whether somebody waits whom a gateway is to call.
    pub(crate) fn any_dialled(&self) -> bool {
        self.apart.iter().any(|id| self.classes[usize::from(*id)].key.apart.dialled.is_some())
    }

    /// Lines of other classes whose contacts need the same as those of one.
    pub(super) fn lines_beside(&self, class: u16) -> impl Iterator<Item = &Line> {
        let ids = (!self.apart.is_empty()).then(|| self.beside(class));
        ids.into_iter().flatten().map(|id| &self.classes[usize::from(id)].line)
    }

    /// Whether contacts of another class are of the same line to whoever counts.
    pub(super) fn is_beside(&self, class: u16, other: usize) -> bool {
        let (one, other) = (&self.classes[usize::from(class)].key, &self.classes[other].key);
        one.apart != other.apart && one.is_beside(other)
    }

    fn beside(&self, class: u16) -> impl Iterator<Item = u16> {
        let key = &self.classes[usize::from(class)].key;
        let plain = super::Asked { apart: Apart::NONE, ..key.asked() };
        let plain = self.class_ids.get(&plain).copied();
        let others = self.apart.iter().copied();
        let others = plain.into_iter().chain(others).filter(move |id| *id != class);
        others.filter(move |id| self.is_beside(class, usize::from(*id)))
    }

    /// Of every class that stands apart so, those of whom one stands for all who would get an
    /// agent now: the first, and whoever passes agents over, in the order of service and place.
    pub(crate) fn fronts(&self, of: impl Fn(Apart) -> bool) -> Vec<(ContactId, Stand)> {
        let mut found: Vec<(ServiceClass, Spot, Stand)> = Vec::new();
        for id in &self.apart {
            let class = &self.classes[usize::from(*id)];
            if of(class.key.apart) {
                let service = class.key.service;
                let fronts = class.line.fronts();
                found.extend(fronts.map(|(spot, s)| (service, spot, Stand::Line(*id, s))));
            }
        }
        found.sort_unstable_by_key(|(service, spot, _)| (*service, *spot));
        found.into_iter().map(|(_, spot, stand)| (spot.contact, stand)).collect()
    }
}
