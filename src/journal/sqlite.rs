//! The journal on a local disk: `SQLite` files, a row and a transaction for each batch.
//!
//! Owned by the shard's thread; nobody else writes. It makes batches durable and says so
//! only when both the batch and the tip are synced. It does not retry: after an error
//! nobody knows what the disk holds, so the writer is poisoned and recovery decides.
//!
//! In the data directory:
//!
//! | file | what it holds |
//! |---|---|
//! | `journal/lock` | nothing; held by the process that writes |
//! | `journal/segment-<first entry>.sqlite` | batches; only the last one is written |
//! | `journal/next.sqlite` | an empty segment, prepared ahead |
//! | `journal/tip` | how far was acknowledged, in two slots written in turn |
//!
//! What is committed lies in `SQLite`'s log until the segment is full. Moving it takes long
//! syncs, so this thread never does: a full segment goes to [`super::keeper`].

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use super::error::JournalError;
use super::files::{self, Folder, Lock};
use super::keeper::{self, Keeper, Shared};
use super::reader::JournalReader;
use super::recovery::{Progress, Recovered, Scan, following, hash};
use super::segment::{self, Paths, Raw, Segment};
use super::tip::{self, Acknowledged, TipFile};
use super::trim::{Trimmed, Trimmer};
use super::{Batch, EachBatch, Journal, Tip, codec};

/// Bytes of a segment at which the next one begins.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// What a frame of `SQLite`'s log has beside the page, and what the log begins with.
const FRAME_HEAD: u64 = 24;
const LOG_HEAD: u64 = 32;

/// How a journal is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Bytes of a segment, about, at which the next one begins.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: SEGMENT_BYTES }
    }
}

/// The segment that is being written.
#[derive(Debug)]
struct Live {
    segment: Segment,
    connection: Connection,
    log: PathBuf,
    /// Bytes of the file itself; the log is not moved into it while it is written.
    file_bytes: u64,
    bytes: u64,
    /// The names of the file and of its log are known to be durable.
    named: bool,
}

impl Live {
    fn open(segment: Segment) -> Result<Self, JournalError> {
        let connection = segment::connect(&segment.path).map_err(segment::sqlite(&segment.path))?;
        Self::of(segment, connection)
    }

    fn of(segment: Segment, connection: Connection) -> Result<Self, JournalError> {
        let log = segment::log_of(&segment.path);
        let file_bytes = segment::length(&segment.path)?;
        let bytes = file_bytes + segment::length(&log)?;
        Ok(Self { segment, connection, log, file_bytes, bytes, named: false })
    }
}

/// A journal that this process writes.
#[derive(Debug)]
pub struct SqliteJournal {
    live: Live,
    keeper: Keeper,
    paths: Paths,
    folder: Folder,
    options: Options,
    tip_file: Option<TipFile>,
    /// Where it ends, and the last epoch that was acquired here or before.
    tip: Tip,
    /// The epoch that may write.
    holder: Option<u64>,
    poisoned: bool,
    // Last, so that it is let go only after the files are closed.
    _lock: Lock,
}

impl SqliteJournal {
    /// Opens the journal of a data directory, or begins one, and hands every batch after
    /// `after` to `each` in order: all of them for [`Tip::default`], else those that follow
    /// what a snapshot holds. `each` has seen batches that are whole even when this fails
    /// later. Nothing can be written before [`Journal::acquire`].
    ///
    /// # Errors
    /// Another process has it; a file cannot be used; a row is damaged; or what is there
    /// is less or other than what was acknowledged. No entry is changed then, nor the tip.
    pub fn open(
        data: &Path,
        after: Tip,
        each: &mut EachBatch<'_>,
    ) -> Result<(Self, Recovered), JournalError> {
        Self::open_with(data, after, Options::default(), each)
    }

    /// [`Self::open`] with options.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(
        data: &Path,
        after: Tip,
        options: Options,
        each: &mut EachBatch<'_>,
    ) -> Result<(Self, Recovered), JournalError> {
        let each = &mut |batch, tip| {
            each(batch, tip);
            ControlFlow::Continue(())
        };
        Opening::read(data, after, options, each, &mut |_| {})?.finish()
    }

    /// How far everything is durable.
    #[must_use]
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// Drops old segments, from any thread.
    #[must_use]
    pub fn trimmer(&self) -> Trimmer {
        Trimmer::new(self.paths.folder.clone(), self.keeper.shared.clone())
    }

    /// Does what may fail for good: poisoned until proven otherwise, so that a panic on the
    /// way poisons as well.
    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        if std::mem::replace(&mut self.poisoned, true) {
            return Err(JournalError::Poisoned);
        }
        let done = work(self)?;
        self.poisoned = false;
        Ok(done)
    }

    fn set_tip(&mut self, tip: Tip) -> Result<(), JournalError> {
        match &mut self.tip_file {
            Some(file) => file.write(tip)?,
            None => self.tip_file = Some(TipFile::create(&self.paths.tip, tip)?),
        }
        self.tip = tip;
        Ok(())
    }

    fn write(&mut self, batch: &Batch) -> Result<Tip, JournalError> {
        if let Some(error) = self.keeper.failure() {
            return Err(error);
        }
        let first = self.tip.sequence.saturating_add(1);
        let last = codec::check(batch, first).map_err(JournalError::Refused)?;
        self.roll()?;
        let previous = self.tip.hash;
        let payload = codec::encode(batch, previous);
        let tip = Tip { sequence: last, hash: hash(&previous, &payload), ..self.tip };
        let failed = segment::sqlite(&self.live.segment.path);
        let row = Raw {
            first: sqlite_integer(first).map_err(&failed)?,
            last: sqlite_integer(last).map_err(&failed)?,
            epoch: sqlite_integer(tip.epoch).map_err(&failed)?,
            crc: i64::from(crc32fast::hash(&payload)),
            previous: previous.to_vec(),
            hash: tip.hash.to_vec(),
            payload,
        };
        fail::fail_point!("journal-before-write", |_| crate::fault::die());
        row.insert(&self.live.connection).map_err(failed)?;
        if !self.live.named {
            // SQLite syncs the folder when it first syncs a log, and passes over a failure.
            self.folder.sync()?;
            self.live.named = true;
        }
        fail::fail_point!("journal-after-write", |_| crate::fault::die());
        self.set_tip(tip)?;
        fail::fail_point!("journal-after-sync", |_| crate::fault::die());
        self.live.bytes = self.live.file_bytes + segment::length(&self.live.log)?;
        Ok(tip)
    }

    /// Goes on in the next segment when this one is full. Waits for it only when the disk is
    /// so slow that this one has become twice as long as it should.
    fn roll(&mut self) -> Result<(), JournalError> {
        let (bytes, limit) = (self.live.bytes, self.options.segment_bytes);
        if self.live.segment.first > self.tip.sequence || bytes < limit / 2 {
            return Ok(());
        }
        self.keeper.prepare();
        if bytes < limit || !self.keeper.prepared(bytes / 2 >= limit)? {
            return Ok(());
        }
        let first = self.tip.sequence + 1;
        // Known as open before anyone can see that the one before it is not the last.
        self.keeper.shared.opens(first);
        let full = std::mem::replace(&mut self.live, begin(&self.paths, first)?);
        self.keeper.seal(full.connection, full.segment);
        Ok(())
    }
}

/// A journal that was read. It is not judged yet, and nothing in it is changed: that waits
/// until whoever took the batches has done with them.
#[derive(Debug)]
pub struct Opening {
    paths: Paths,
    options: Options,
    acknowledged: Acknowledged,
    segments: Vec<Segment>,
    scan: Scan,
    lock: Lock,
}

impl Opening {
    /// Hands on every batch after `after`, until one is not taken; `progress` hears now and
    /// then how far it has got.
    ///
    /// # Errors
    /// As [`SqliteJournal::open`], and [`JournalError::GivenUp`].
    pub fn read(
        data: &Path,
        after: Tip,
        options: Options,
        each: &mut dyn FnMut(Arc<Batch>, Tip) -> ControlFlow<()>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, JournalError> {
        let paths = Paths::of(data);
        files::create_folder(&paths.folder)?;
        let lock = Lock::acquire(paths.lock.clone())?;
        super::loss::refuse_unfinished(&paths)?;
        let acknowledged = tip::read(&paths.tip)?;
        let segments = segment::list(&paths.folder)?;
        let mut scan = Scan::new(&paths.folder, acknowledged, after);
        let read = following(&paths.folder, &segments, after.sequence)?;
        scan.walk(read, &mut |batch, tip| each(Arc::new(batch), tip), progress)?;
        Ok(Self { paths, options, acknowledged, segments, scan, lock })
    }

    /// Judges the whole, drops what was being written when the last process died, and has
    /// the journal ready for [`Journal::acquire`].
    ///
    /// # Errors
    /// As [`SqliteJournal::open`].
    pub fn finish(self) -> Result<(SqliteJournal, Recovered), JournalError> {
        let Self { paths, options, acknowledged, segments, scan, lock } = self;
        let epoch = scan.judge(&paths.tip)?;
        let mut found = scan.found;
        found.tip.epoch = epoch;

        let folder = Folder::open(&paths.folder)?;
        let shared = Arc::new(Shared::default());
        let keeper = Keeper::start(paths.clone(), shared)?;
        let live = match segments.split_last() {
            Some((last, earlier)) => {
                settle_earlier(&keeper, earlier)?;
                let (live, dropped) = settle(last.clone(), &options)?;
                found.dropped = dropped;
                live
            }
            None => {
                keeper::prepare(&paths)?;
                begin(&paths, found.tip.sequence + 1)?
            }
        };
        keeper.shared.opens(live.segment.first);
        let tip_file = match acknowledged {
            Acknowledged::Upto(_, slot) => Some(TipFile::open(&paths.tip, slot)?),
            Acknowledged::Missing | Acknowledged::Damaged => None,
        };
        let journal = SqliteJournal {
            live,
            keeper,
            paths,
            folder,
            options,
            tip_file,
            tip: found.tip,
            holder: None,
            poisoned: false,
            _lock: lock,
        };
        Ok((journal, found))
    }
}

impl Journal for SqliteJournal {
    fn acquire(&mut self) -> Result<Tip, JournalError> {
        self.guarded(|journal| {
            let tip = Tip { epoch: journal.tip.epoch + 1, ..journal.tip };
            journal.set_tip(tip)?;
            journal.holder = Some(tip.epoch);
            Ok(tip)
        })
    }

    fn append(&mut self, epoch: u64, after: u64, batch: &Batch) -> Result<Tip, JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        if self.holder != Some(epoch) {
            return Err(JournalError::Superseded { epoch, current: self.tip.epoch });
        }
        if after != self.tip.sequence {
            self.holder = None;
            return Err(JournalError::Moved { after, tip: self.tip.sequence });
        }
        self.guarded(|journal| journal.write(batch))
    }

    fn read(&self, after: Tip, each: &mut EachBatch<'_>) -> Result<Tip, JournalError> {
        JournalReader::in_folder(self.paths.clone(), after).read(each)
    }

    fn trim(&mut self, upto: u64) -> Result<Trimmed, JournalError> {
        self.trimmer().trim(upto)
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        // Closing moves the log into the file and syncs again what failed to sync; the
        // second try may succeed without having written, and the log would be deleted.
        if self.poisoned
            && let Err(error) = segment::keep_log(&self.live.connection, true)
        {
            tracing::error!(%error, "the log of a failed journal could not be kept as it is");
        }
    }
}

fn sqlite_integer(number: u64) -> rusqlite::Result<i64> {
    i64::try_from(number).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

/// Gives the prepared segment its number and opens it. The folder is synced after the first
/// write into it, which is before anything in it is acknowledged.
fn begin(paths: &Paths, first: u64) -> Result<Live, JournalError> {
    let segment = paths.segment(first);
    fs::rename(&paths.next, &segment.path)
        .map_err(files::failed("rename the prepared segment to", &segment.path))?;
    Live::open(segment)
}

/// Has segments sealed that the last process did not get to.
fn settle_earlier(keeper: &Keeper, earlier: &[Segment]) -> Result<(), JournalError> {
    for segment in earlier {
        if segment::length(&segment::log_of(&segment.path))? > 0 {
            keeper.shared.opens(segment.first);
            let connection =
                segment::connect(&segment.path).map_err(segment::sqlite(&segment.path))?;
            keeper.seal(connection, segment.clone());
        }
    }
    Ok(())
}

/// Opens the last segment to go on in it. Gives how many bytes of its log do not count.
///
/// A process that died between writing and syncing left rows that can be read but might not
/// survive a power cut. They are about to be built on: they are synced first, the log by
/// itself as well, because a reader can keep it from being emptied.
fn settle(segment: Segment, options: &Options) -> Result<(Live, u64), JournalError> {
    let failed = segment::sqlite(&segment.path);
    let log = segment::log_of(&segment.path);
    let logged = segment::length(&log)?;
    sync(&log)?;
    let connection = segment::connect(&segment.path).map_err(&failed)?;
    // After a sync that failed closing would try it again, and then delete the log.
    segment::keep_log(&connection, true).map_err(&failed)?;
    let page: u64 = connection
        .pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
        .map_err(&failed)?;
    let frames = segment::checkpoint(&connection, "PASSIVE").map_err(&failed)?.frames;
    let counted = if frames == 0 { 0 } else { LOG_HEAD + frames * (page + FRAME_HEAD) };
    let dropped = logged.saturating_sub(counted);
    let emptied = !segment::checkpoint(&connection, "TRUNCATE").map_err(&failed)?.busy;
    segment::keep_log(&connection, false).map_err(&failed)?;
    let mut live = Live::of(segment, connection)?;
    if !emptied {
        // It would be written again from its beginning, over frames that a reader still
        // wants counted: rather no more is written into it.
        live.bytes = live.bytes.max(options.segment_bytes.saturating_mul(2));
    }
    Ok((live, dropped))
}

fn sync(log: &Path) -> Result<(), JournalError> {
    match File::open(log).and_then(|file| file.sync_all()) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(files::failed("sync", log)(e)),
        _ => Ok(()),
    }
}
