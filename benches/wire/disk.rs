//! What one durable write costs here: the floor under everything acknowledged.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

pub(crate) fn syncs(folder: &Path, times: u32) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let file = OpenOptions::new().create_new(true).write(true).open(folder.join("sync"))?;
    let block = [7u8; 4096];
    file.write_all_at(&block, 0)?;
    file.sync_all()?;
    let mut took = crate::histogram();
    for _ in 0..times {
        let begin = Instant::now();
        file.write_all_at(&block, 0)?;
        file.sync_data()?;
        took.saturating_record(u64::try_from(begin.elapsed().as_micros())?);
    }
    Ok(took)
}
