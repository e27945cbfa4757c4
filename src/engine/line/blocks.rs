//! How many are left in each part of a row, so that those before somebody are counted without
//! going through them.
//!
//! Positions are counted from the line's beginning, as [`super::Line`] does, which owns the
//! row itself. Blocks of 64 and groups of 4,096: a count before somebody adds up a group for
//! every 4,096 in the row, and at most 63 blocks.

use std::collections::VecDeque;

/// Positions in a block.
pub(super) const BLOCK: u64 = 64;
/// Positions in a group.
const GROUP: u64 = BLOCK * BLOCK;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    blocks: Counts<BLOCK>,
    groups: Counts<GROUP>,
}

/// Counts by `LENGTH` positions; those before the row's beginning are gone.
#[derive(Debug, Default)]
struct Counts<const LENGTH: u64> {
    first: u64,
    counts: VecDeque<u16>,
}

impl<const LENGTH: u64> Counts<LENGTH> {
    fn index(&self, position: u64) -> usize {
        usize::try_from((position / LENGTH).saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    fn add(&mut self, position: u64) {
        let index = self.index(position);
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
    }

    fn remove(&mut self, position: u64) {
        let index = self.index(position);
        if let Some(count) = self.counts.get_mut(index) {
            *count = count.saturating_sub(1);
        }
    }

    fn begin(&mut self, position: u64) {
        let gone = self.index(position).min(self.counts.len());
        self.counts.drain(..gone);
        self.first = position / LENGTH;
    }

    /// Those from one position to another, both beginnings of parts.
    fn between(&self, from: u64, to: u64) -> usize {
        let end = self.index(to).min(self.counts.len());
        let begin = self.index(from).min(end);
        self.counts.range(begin..end).map(|count| usize::from(*count)).sum()
    }
}

impl Blocks {
    pub(super) fn add(&mut self, position: u64) {
        self.blocks.add(position);
        self.groups.add(position);
    }

    pub(super) fn remove(&mut self, position: u64) {
        self.blocks.remove(position);
        self.groups.remove(position);
    }

    /// The row begins here now: nobody is left before.
    pub(super) fn begin(&mut self, position: u64) {
        if self.blocks.first != position / BLOCK {
            self.blocks.begin(position);
            self.groups.begin(position);
        }
    }

    /// How many are left before the block that a position is in.
    pub(super) fn before_block(&self, position: u64) -> usize {
        let group = position - position % GROUP;
        self.groups.between(0, group) + self.blocks.between(group, position - position % BLOCK)
    }
}
