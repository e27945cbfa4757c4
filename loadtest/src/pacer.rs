//! Sends on a schedule that does not wait for answers.
//!
//! A thread of its own, because the runtime's timers are a millisecond coarse and are late
//! when the runtime is busy: the very time at which latency matters. What is sent late is
//! still measured from when it was due, and how late is a figure of its own.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::book::{histogram, record};
use crate::error::LoadError;
use crate::schedule::micros;

/// Calls `send` with each position at its time, microseconds after `epoch`, until it
/// returns false. Returns how late it was called, of those due from `counts_from_us` on.
///
/// # Errors
/// [`LoadError::Histogram`].
pub(crate) fn pace(
    epoch: Instant,
    dues: impl Iterator<Item = u64>,
    counts_from_us: u64,
    mut send: impl FnMut(usize) -> bool,
) -> Result<Histogram<u64>, LoadError> {
    let mut late = histogram(3)?;
    for (number, due_us) in dues.enumerate() {
        let due = epoch + Duration::from_micros(due_us);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if !send(number) {
            break;
        }
        if due_us >= counts_from_us {
            record(&mut late, micros(due.elapsed()));
        }
    }
    Ok(late)
}
