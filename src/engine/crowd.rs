//! The idle agents of one profile, counted so that any of them can be drawn by lot.
//!
//! A Fenwick tree over the profile's members: the n-th of those who are idle is found in
//! logarithmic time, and what it holds depends on who is idle alone, not on how that came
//! about. Kept only where some queue draws lots. Owned by [`super::floor`].

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crowd {
    /// Sums over ranges that end at a position and are as long as its lowest bit.
    tree: Vec<u32>,
    idle: u32,
}

impl Crowd {
    /// Room for so many members, none of them idle.
    pub(crate) fn of(members: usize) -> Self {
        Self { tree: vec![0; members + 1], idle: 0 }
    }

    pub(crate) fn enter(&mut self, seat: usize) {
        self.idle += 1;
        self.change(seat, |sum| sum + 1);
    }

    pub(crate) fn leave(&mut self, seat: usize) {
        self.idle -= 1;
        self.change(seat, |sum| sum - 1);
    }

    fn change(&mut self, seat: usize, change: impl Fn(u32) -> u32) {
        let mut at = seat + 1;
        while let Some(sum) = self.tree.get_mut(at) {
            *sum = change(*sum);
            at += at & at.wrapping_neg();
        }
    }

    /// How many are idle.
    pub(crate) fn idle(&self) -> u32 {
        self.idle
    }

    /// The seat of the n-th who is idle, counted from 0.
    pub(crate) fn nth(&self, n: u32) -> Option<usize> {
        if n >= self.idle {
            return None;
        }
        let (mut at, mut left) = (0, n);
        let mut step = self.tree.len().next_power_of_two();
        while step > 0 {
            if let Some(sum) = self.tree.get(at + step).filter(|sum| **sum <= left) {
                left -= sum;
                at += step;
            }
            step /= 2;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_is_the_nth_by_seat_for_every_size() {
        for members in 1..40usize {
            let mut crowd = Crowd::of(members);
            let mut idle: Vec<usize> = (0..members).filter(|s| s % 3 != 1).collect();
            idle.iter().rev().for_each(|s| crowd.enter(*s));
            let found = |crowd: &Crowd| -> Vec<usize> {
                (0..crowd.idle()).filter_map(|n| crowd.nth(n)).collect()
            };
            assert_eq!(found(&crowd), idle, "of {members}");
            assert_eq!(crowd.nth(crowd.idle()), None);
            let gone = idle.remove(idle.len() / 2);
            crowd.leave(gone);
            assert_eq!(found(&crowd), idle, "of {members} without {gone}");
        }
    }
}
