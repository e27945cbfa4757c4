//! Contacts of one demand class, waiting in order of place.
//!
//! Arrivals come in order of place, so most of a line is a plain queue: an entry knows
//! its position and leaves in constant time. Those who come back, or whose head start
//! puts them before others, stand in a small tree beside it. The front is the older of
//! the two. Contacts that pass some agent over stand aside, so that they block nobody.

mod blocks;
mod foremost;

use std::collections::{BTreeSet, VecDeque};

use blocks::{BLOCK, Blocks};

use super::contact::Contact;
use crate::ids::{AgentId, ContactId};
use crate::time::{Place, Span};

/// Gaps in a row that are not worth tidying: 32 KiB.
const GAPS_ALLOWED: usize = 1024;

/// Those out of order who are counted for somebody among them.
const COUNTED: usize = 1024;

/// Who waits, and since when: ordered by place, then by who came first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Spot {
    pub(crate) place: Place,
    pub(crate) contact: ContactId,
    /// When their wait began, with their gateway if it did there; no head start is in it.
    pub(crate) began: Place,
}

impl Spot {
    pub(crate) fn of(c: &Contact) -> Self {
        let began = Place::new(c.arrived, c.waited_before);
        Self { place: c.place, contact: c.id, began }
    }
}

/// Where in a line a contact stands, for leaving it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// In the plain queue, at this position counted from the line's beginning.
    Row(u64),
    /// In the tree of those out of order.
    Tree,
    /// Aside, passing some agent over.
    Aside,
}

/// The waiting contacts of one class.
#[derive(Debug, Default)]
pub(crate) struct Line {
    row: VecDeque<Option<Spot>>,
    row_begins: u64,
    blocks: Blocks,
    gaps: usize,
    tree: BTreeSet<Spot>,
    aside: BTreeSet<Spot>,
    len: usize,
}

impl Line {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn join(&mut self, spot: Spot) -> Standing {
        self.len += 1;
        // Only a live last entry can tell the order; the row never ends in a gap.
        let in_order = self.row.back().copied().flatten().is_none_or(|last| last < spot);
        if in_order {
            let position = self.row_begins + self.row.len() as u64;
            self.row.push_back(Some(spot));
            self.blocks.add(position);
            Standing::Row(position)
        } else {
            self.tree.insert(spot);
            Standing::Tree
        }
    }

    pub(crate) fn join_aside(&mut self, spot: Spot) -> Standing {
        self.len += 1;
        self.aside.insert(spot);
        Standing::Aside
    }

    /// Takes a contact out. Returns another one that now stands in the tree: when most of
    /// the row is gaps behind one who waits long, that one moves over and the gaps go.
    pub(crate) fn leave(&mut self, standing: Standing, spot: Spot) -> Option<ContactId> {
        self.len -= 1;
        match standing {
            Standing::Tree => {
                self.tree.remove(&spot);
            }
            Standing::Aside => {
                self.aside.remove(&spot);
            }
            Standing::Row(position) => {
                let offset = usize::try_from(position - self.row_begins).unwrap_or(usize::MAX);
                if let Some(entry) = self.row.get_mut(offset) {
                    *entry = None;
                    self.blocks.remove(position);
                    self.gaps += 1;
                }
                self.trim();
                if self.gaps > GAPS_ALLOWED && self.gaps * 2 > self.row.len() {
                    let moved = self.row.pop_front().flatten();
                    self.blocks.remove(self.row_begins);
                    self.row_begins += 1;
                    self.tree.extend(moved);
                    self.trim();
                    return moved.map(|m| m.contact);
                }
            }
        }
        None
    }

    fn trim(&mut self) {
        while let Some(None) = self.row.front() {
            self.row.pop_front();
            self.row_begins += 1;
            self.gaps -= 1;
        }
        self.blocks.begin(self.row_begins);
        while let Some(None) = self.row.back() {
            self.row.pop_back();
            self.gaps -= 1;
        }
    }

    /// The oldest place that this agent may take. `passes_over` tells whether a contact
    /// that stands aside passes the agent over.
    pub(crate) fn front(
        &self,
        agent: AgentId,
        passes_over: impl Fn(ContactId, AgentId) -> bool,
    ) -> Option<Spot> {
        let row = self.row.front().copied().flatten();
        if self.tree.is_empty() && self.aside.is_empty() {
            return row;
        }
        let tree = self.tree.first().copied();
        // Whoever is skipped here passes this very agent over, so that there are no more of
        // them than offers that the agent did not take within the pass-over time.
        let aside = self.aside.iter().find(|s| !passes_over(s.contact, agent)).copied();
        [row, tree, aside].into_iter().flatten().min()
    }

    /// Whoever has the oldest place of those who pass nobody over, and all who do.
    pub(crate) fn fronts(&self) -> impl Iterator<Item = (Spot, Standing)> {
        let row = self.row.front().copied().flatten().map(|s| (s, Standing::Row(self.row_begins)));
        let tree = self.tree.first().map(|s| (*s, Standing::Tree));
        let first = row.into_iter().chain(tree).min_by_key(|(spot, _)| *spot);
        first.into_iter().chain(self.aside.iter().map(|s| (*s, Standing::Aside)))
    }

    /// Whoever has the oldest place, whether some agent is passed over or not.
    pub(crate) fn oldest(&self) -> Option<Spot> {
        let row = self.row.front().copied().flatten();
        [row, self.tree.first().copied(), self.aside.first().copied()].into_iter().flatten().min()
    }

    /// About how many stand before one who stands here, never fewer than do in the row; of
    /// those who are out of order at most [`COUNTED`] are counted. For decisions, unlike
    /// [`Self::before`].
    pub(crate) fn about_before(&self, standing: Standing, key: Spot) -> usize {
        let row = match standing {
            Standing::Row(at) => usize::try_from(at - self.row_begins).unwrap_or(usize::MAX),
            Standing::Tree | Standing::Aside => self.row_offset(key),
        };
        let side = |set: &BTreeSet<Spot>| match (set.first(), set.last()) {
            (Some(_), Some(last)) if *last < key => set.len(),
            (Some(first), _) if *first < key => set.range(..key).take(COUNTED).count(),
            _ => 0,
        };
        self.left_before(row) + side(&self.tree) + side(&self.aside)
    }

    /// About how many stand before a place that somebody of another line has. Of those out of
    /// order it takes the part that they would be if their places were spread evenly: they
    /// need not be counted for somebody who only shares agents with them.
    pub(crate) fn about_ahead(&self, key: Spot) -> f64 {
        let place = key.place;
        let side = |set: &BTreeSet<Spot>| {
            let (Some(first), Some(last)) = (set.first(), set.last()) else { return 0.0 };
            let (first, last) = (first.place.0, last.place.0);
            let part = match () {
                () if place.0 <= first => 0.0,
                () if place.0 > last => 1.0,
                () => {
                    Span(place.0.abs_diff(first)).as_secs_f64()
                        / Span(last.abs_diff(first)).as_secs_f64()
                }
            };
            float(set.len()) * part
        };
        float(self.left_before(self.row_offset(key))) + side(&self.tree) + side(&self.aside)
    }

    /// How many are left in the row before an offset.
    fn left_before(&self, offset: usize) -> usize {
        let offset = offset.min(self.row.len());
        let position = self.row_begins + offset as u64;
        let in_block = usize::try_from(position % BLOCK).unwrap_or(offset).min(offset);
        let near = self.row.range(offset - in_block..offset).flatten().count();
        self.blocks.before_block(position) + near
    }

    /// Where in the row somebody would stand.
    fn row_offset(&self, key: Spot) -> usize {
        let (mut low, mut high) = (0, self.row.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            // The row neither begins nor ends in a gap.
            match self.row.range(middle..high).flatten().next() {
                Some(entry) if *entry < key => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// How many stand before one.
    pub(crate) fn before(&self, spot: Spot) -> usize {
        let row = self.row.iter().flatten().take_while(|e| **e < spot).count();
        row + self.tree.range(..spot).count() + self.aside.range(..spot).count()
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(n: u64) -> ContactId {
        ContactId(n)
    }

    fn spot(place: i64, contact: u64) -> Spot {
        Spot { place: Place(place), contact: c(contact), began: Place(place) }
    }

    #[test]
    fn order_is_by_place_whatever_the_way_in() {
        let mut line = Line::default();
        assert_eq!(line.join(spot(10, 1)), Standing::Row(0));
        assert_eq!(line.join(spot(20, 2)), Standing::Row(1));
        assert_eq!(line.join(spot(15, 3)), Standing::Tree);
        assert_eq!(line.join_aside(spot(5, 4)), Standing::Aside);
        let nobody = |_, _| false;
        let all = |_, _| true;
        assert_eq!(line.front(AgentId(0), nobody), Some(spot(5, 4)));
        assert_eq!(line.front(AgentId(0), all), Some(spot(10, 1)));
        line.leave(Standing::Row(0), spot(10, 1));
        assert_eq!(line.front(AgentId(0), all), Some(spot(15, 3)));
        assert_eq!(line.before(spot(20, 2)), 2);
        assert_eq!(line.front(AgentId(0), |_, _| false), Some(spot(5, 4)));
        line.leave(Standing::Tree, spot(15, 3));
        line.leave(Standing::Aside, spot(5, 4));
        line.leave(Standing::Row(1), spot(20, 2));
        assert!(line.is_empty());
        assert_eq!(line.join(spot(1, 5)), Standing::Row(2), "the front's position only ever grows");
    }

    #[test]
    fn gaps_in_the_middle_are_skipped() {
        let mut line = Line::default();
        let standing: Vec<_> = (0..4u32).map(|n| line.join(spot(n.into(), n.into()))).collect();
        line.leave(standing[1], spot(1, 1));
        line.leave(standing[3], spot(3, 3));
        line.leave(standing[0], spot(0, 0));
        assert_eq!(line.front(AgentId(0), |_, _| false), Some(spot(2, 2)));
        assert_eq!(line.len(), 1);
    }

    #[test]
    fn one_who_waits_long_does_not_pin_the_gaps_behind() {
        let mut line = Line::default();
        let n = 10_000u32;
        let mut standing: Vec<_> = (0..n).map(|n| line.join(spot(n.into(), n.into()))).collect();
        for i in 1..n - 1 {
            let left = line.leave(standing[i as usize], spot(i.into(), i.into()));
            if let Some(moved) = left {
                standing[moved.index()] = Standing::Tree;
            }
        }
        assert_eq!(standing[0], Standing::Tree);
        assert!(line.row.len() <= GAPS_ALLOWED * 2 + 1, "{} left in the row", line.row.len());
        assert_eq!(line.front(AgentId(0), |_, _| false), Some(spot(0, 0)));
        assert_eq!(line.len(), 2);
    }

    #[test]
    fn those_who_left_are_not_counted_before_anybody() {
        let mut line = Line::default();
        let n = 20_000u64;
        let at_place = |n: u64| spot(i64::try_from(n).unwrap(), n);
        let mut standing: Vec<_> = (0..n).map(|i| Some(line.join(at_place(i)))).collect();
        // Who leaves comes from no order that the blocks could have by chance.
        let mut at = 1u64;
        for left in 0..n - 50 {
            at = at * 48_271 % 2_147_483_647;
            let i = (0..n).map(|k| (at + k) % n).find(|i| standing[*i as usize].is_some()).unwrap();
            let stood = standing[i as usize].take().unwrap();
            if let Some(moved) = line.leave(stood, at_place(i)) {
                standing[moved.index()] = Some(Standing::Tree);
            }
            if left % 500 == 0 || left > n - 150 {
                let someone = (0..n).filter(|i| standing[*i as usize].is_some()).nth(40).unwrap();
                for i in [someone, at % n] {
                    let before = line.before(at_place(i));
                    let off = (line.about_ahead(at_place(i)) - before as f64).abs();
                    assert!(off <= line.tree.len() as f64, "{off} of {before}");
                    if let Some(stood) = standing[i as usize] {
                        assert_eq!(line.about_before(stood, at_place(i)), before);
                    }
                }
            }
        }
    }
}
