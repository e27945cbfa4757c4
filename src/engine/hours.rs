//! What a calendar says now. It is worked out at the edge, where there is a clock on the
//! wall, and enters by a command; the engine only keeps it.

use crate::time::WallTime;

/// Whether a calendar is open, and when that changes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Hours {
    /// It is open.
    pub open: bool,
    /// When it next opens or closes; none if that is years away or not known. For people: the
    /// change itself enters as another command.
    pub changes: Option<WallTime>,
}

impl Default for Hours {
    /// Of which nothing is known yet, nobody is sent away.
    fn default() -> Self {
        Self { open: true, changes: None }
    }
}
