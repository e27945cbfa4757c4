//! What one durable write costs here: the floor under everything that is acknowledged.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use hdrhistogram::Histogram;

use crate::book::{histogram, record};
use crate::error::LoadError;
use crate::schedule::micros;

/// Syncs a block of 4 KiB in place so many times; microseconds each. `folder` should be
/// on the disk of the router's journal.
///
/// # Errors
/// [`LoadError::Io`] when the disk does not take it.
pub fn syncs(folder: &Path, times: u32) -> Result<Histogram<u64>, LoadError> {
    let mut took = histogram(3)?;
    let mut measure = || {
        let path = folder.join("sync");
        let file = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
        let block = [7u8; 4096];
        file.write_all_at(&block, 0)?;
        file.sync_all()?;
        for _ in 0..times {
            let begin = Instant::now();
            file.write_all_at(&block, 0)?;
            file.sync_data()?;
            record(&mut took, micros(begin.elapsed()));
        }
        Ok(())
    };
    measure().map_err(|source| LoadError::Io { what: "measure the disk", source })?;
    Ok(took)
}
