//! An archive that followed another journal than the one that is there: set aside whole, and
//! a new one begun.
//!
//! It happens when either was put back from an older copy without the other, or when another
//! history was accepted. Such a file can never go on, and as long as it stood in the way the
//! journal could not be trimmed. Nothing in it is lost: it stays beside the new one under
//! another name, for queries. Forgetting a customer and the end of keeping reach it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::error::{ArchiveError, sqlite};
use super::{retain, schema};
use crate::ids::CustomerId;
use crate::journal::error::{Damage, JournalError};
use crate::journal::loss::Accepted;
use crate::time::WallTime;

const BEGINS: &str = "other-";
const ENDS: &str = ".sqlite";

/// Whether reading on from where an archive stands failed because that place is not in this
/// journal. Anything else may be over when it is tried again.
pub(super) fn is_elsewhere(error: &JournalError) -> bool {
    matches!(
        error,
        JournalError::Trimmed { .. }
            | JournalError::Damaged { damage: Damage::Chain | Damage::Sequence { .. }, .. }
    )
}

/// The newest acceptance of another history that this epoch does not know of yet: since when
/// what it has is of the wrong one, nobody can tell.
pub(super) fn other_history(losses: &[Accepted], epoch: u64) -> Option<u64> {
    losses.iter().filter(|loss| loss.other && loss.epoch > epoch).map(|loss| loss.epoch).max()
}

/// Renames the archive's file, which nobody may have open, so that a new one can be begun.
pub(super) fn set_aside(path: &Path, now: WallTime) -> Result<PathBuf, ArchiveError> {
    let aside = path.with_file_name(format!("{BEGINS}{}{ENDS}", now.0));
    // The log first: alone it is nothing, and without it the file is what was synced.
    for end in ["-wal", "-shm", ""] {
        let (from, to) = (with_end(path, end), with_end(&aside, end));
        if from.exists() {
            std::fs::rename(&from, &to).map_err(schema::io("rename", &from))?;
        }
    }
    schema::sync_folder(path)?;
    tracing::error!(
        aside = %aside.display(),
        "the archive followed another journal than this one: it is set aside, can be queried there, and a new one begins with what this journal has"
    );
    Ok(aside)
}

/// Takes what is sealed of a customer out of every archive that was set aside.
pub(super) fn forget(
    archive: &Path,
    customer: CustomerId,
    now: WallTime,
) -> Result<usize, ArchiveError> {
    let mut rows = 0;
    for (_, path) in all(archive)? {
        let forget = || {
            let mut aside = Connection::open(&path)?;
            aside.pragma_update(None, "secure_delete", "ON")?;
            let transaction = aside.transaction()?;
            let rows = retain::forget(&transaction, customer, now)?;
            transaction.commit()?;
            Ok(rows)
        };
        rows += forget().map_err(sqlite(&path))?;
    }
    Ok(rows)
}

/// Lets go of those that were set aside before this time.
pub(super) fn shorten(archive: &Path, before: WallTime) -> Result<(), ArchiveError> {
    for (since, path) in all(archive)? {
        if since < before {
            for end in ["-wal", "-shm", ""] {
                let path = with_end(&path, end);
                if path.exists() {
                    std::fs::remove_file(&path).map_err(schema::io("remove", &path))?;
                }
            }
        }
    }
    Ok(())
}

/// Those that were set aside, and when.
fn all(archive: &Path) -> Result<Vec<(WallTime, PathBuf)>, ArchiveError> {
    let Some(folder) = archive.parent() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(schema::io("list", folder))? {
        let path = entry.map_err(schema::io("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let since = name
            .and_then(|name| name.strip_prefix(BEGINS)?.strip_suffix(ENDS)?.parse().ok())
            .map(WallTime);
        found.extend(since.map(|since| (since, path)));
    }
    found.sort();
    Ok(found)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
