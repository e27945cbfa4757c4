//! How many files and connections the system lets this process have open at once.
//!
//! The app asks at its start. A router that has none left can neither begin a new segment of
//! its journal nor let anybody in, so that connections get only what the files leave over. It
//! opens nothing itself.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;

/// Descriptors without which no router starts.
const LEAST: u64 = 1_024;
/// Those that connections never get: files of the journal, the archive, snapshots and keys,
/// look-ups in them, and the HTTP side.
const KEPT: u64 = 512;
/// Most connections, however many descriptors there are.
const CONNECTIONS: u64 = 16_384;

/// Why a router does not start.
#[derive(Debug, Error)]
pub enum DescriptorsError {
    /// There are too few.
    #[error(
        "this process may have only {found} files and connections open at once (RLIMIT_NOFILE), expected at least {LEAST}: raise the limit with `ulimit -n` or LimitNOFILE= of the service"
    )]
    TooFew {
        /// The limit, raised as far as it can be.
        found: u64,
    },
}

/// Raises the limit as far as this process may. Gives what it is then.
///
/// # Errors
/// [`DescriptorsError::TooFew`].
pub fn raise() -> Result<u64, DescriptorsError> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // One that cannot be raised may be high enough.
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit of open files (RLIMIT_NOFILE) stays as it is");
    }
    enough(getrlimit(Resource::Nofile).current)
}

/// Without a limit the system gives none.
fn enough(limit: Option<u64>) -> Result<u64, DescriptorsError> {
    match limit.unwrap_or(u64::MAX) {
        found @ ..LEAST => Err(DescriptorsError::TooFew { found }),
        found => Ok(found),
    }
}

/// Most connections within such a limit.
#[must_use]
pub fn connections(limit: u64) -> usize {
    let most = limit.saturating_sub(KEPT).min(CONNECTIONS);
    usize::try_from(most).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_get_what_files_leave_over_and_too_few_are_refused() {
        for (limit, most) in [
            (Some(1_024), 512),
            (Some(4_096), 3_584),
            (Some(16_895), 16_383),
            (Some(16_896), 16_384),
            (Some(1 << 30), 16_384),
            (None, 16_384),
        ] {
            assert_eq!(enough(limit).map(connections).ok(), Some(most), "{limit:?}");
        }
        let refused = enough(Some(1_023)).map_err(|why| why.to_string());
        assert!(
            refused.is_err_and(|why| why.contains("only 1023 files") && why.contains("ulimit -n"))
        );
    }

    #[test]
    fn the_limit_is_raised_as_far_as_it_may_be() {
        assert_eq!(raise().ok(), Some(getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX)));
    }
}
