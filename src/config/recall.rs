//! `[recall]`: where playbooks lie.
//!
//! Stays at the edge: what a recall is decided by enters the journal when it starts, not
//! the folder. Owned by one reading of one file.

use std::path::PathBuf;

use super::reader::Value;
use super::server::path;

const OF: &str = "playbooks";
/// The folder of playbooks of a file that names none: beside it.
pub(super) const PLAYBOOKS: &str = "playbooks";

/// Reads the section: the folder of playbooks as written.
pub(super) fn read(value: &Value<'_>) -> Option<PathBuf> {
    value.table("recall", OF, |table| table.field(PLAYBOOKS).and_then(|v| path(&v))).flatten()
}
