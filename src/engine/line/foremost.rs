//! Who stands first in a line, whoever may take them.

use super::{Line, Spot};

impl Line {
    /// The oldest place, those aside included.
    pub(crate) fn foremost(&self) -> Option<Spot> {
        let row = self.row.front().copied().flatten();
        let (tree, aside) = (self.tree.first().copied(), self.aside.first().copied());
        [row, tree, aside].into_iter().flatten().min()
    }
}
