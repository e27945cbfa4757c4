//! Reading the journal at a start: one thread reads, checks and decodes, another replays what
//! was read before.
//!
//! Owned by [`super::open`]. It replays nothing itself, and changes nothing in the journal
//! before all of it was replayed: what a start that fails would have mended or said is there
//! for the next one.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crossbeam::channel::bounded;

use super::AppError;
use crate::journal::error::JournalError;
use crate::journal::recovery::{Progress, Recovered};
use crate::journal::sqlite::{Opening, Options, SqliteJournal};
use crate::journal::{Batch, Tip};
use crate::shard::recovery::StartError;

/// Batches that are decoded and wait to be replayed: enough that neither side waits for the
/// other's every batch. One is as large as the shard closes them, about 4 MiB, or as its one
/// entry, if that is a large configuration.
const READ_AHEAD: usize = 16;

/// Hands what follows `after` to `replay`, and opens the journal when that is done.
///
/// # Errors
/// What is wrong with the journal, also where a replay panicked: it says how to go on.
///
/// # Panics
/// As the replay did.
pub(super) fn read(
    data: &Path,
    after: Tip,
    mut replay: impl FnMut(Arc<Batch>, Tip) + Send,
    progress: &mut dyn FnMut(Progress),
) -> Result<(SqliteJournal, Recovered), AppError> {
    let opening = thread::scope(|scope| {
        let (to_replay, decoded) = bounded(READ_AHEAD);
        let replaying = move || {
            for (batch, tip) in decoded {
                replay(batch, tip);
            }
        };
        let replaying = thread::Builder::new().name("replay".into()).spawn_scoped(scope, replaying);
        let replaying = replaying.map_err(StartError::from)?;
        // Nobody receives any more only after a panic: what follows would be read in vain.
        let each = &mut |batch, tip| match to_replay.send((batch, tip)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let opening = Opening::read(data, after, Options::default(), each, progress);
        drop(to_replay);
        match (opening, replaying.join()) {
            (Ok(_) | Err(JournalError::GivenUp), Err(panic)) => resume_unwind(panic),
            (opening, _) => Ok::<_, AppError>(opening?),
        }
    })?;
    Ok(opening.finish()?)
}
