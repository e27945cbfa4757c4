//! The watch over the disk that the journal lies on.
//!
//! Owned by the app, on a thread of its own. A router that fills its disk loses its journal,
//! so it stops long before: when space is low nobody new is let in, and what no start and no
//! reader needs of the journal goes, however young it is; when it is critical no reservation
//! is made either, snapshots and the archive wait (they look at the shard's health), and the
//! ballast, a file kept for this day, is given up, so that who is here can still be brought to
//! an end. Space that comes back is noticed. It decides nothing about contacts.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use tokio::sync::oneshot;

use crate::config::journal::Space as Config;
use crate::engine::command::Command;
use crate::engine::entry::{Actor, Role};
use crate::journal::snapshot::trim::Trimming;
use crate::metrics::Metrics;
use crate::shard::ask::{AnswerTo, Ask};
use crate::shard::handle::ShardHandle;
use crate::shard::health::Space;
use crate::shard::observe::Observer as _;

/// How often the disk is looked at: at 100 MB a second half of that is written meanwhile.
const EVERY: Duration = Duration::from_millis(500);
/// How long to wait before a ballast is laid out again after a failure, the first time and at
/// most: each try may write hundreds of megabytes for nothing.
const LAY_AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3_600));
/// A level is left when there is an eighth more space than it asks for, so that it does not
/// come and go with every file.
const MARGIN: u64 = 8;

/// The level with this much free, coming from another one.
fn level(free: u64, config: &Config, from: Space) -> Space {
    let below = |least: u64, level: Space| {
        let least = if from >= level { least + least / MARGIN } else { least };
        free < least
    };
    if below(config.critical, Space::Critical) {
        Space::Critical
    } else if below(config.low, Space::Low) {
        Space::Low
    } else {
        Space::Enough
    }
}

/// A running watch. It ends when this is dropped.
#[derive(Debug)]
pub struct SpaceWatch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SpaceWatch {
    /// Looks once, and then goes on looking.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        config: Config,
        data: &Path,
        handle: ShardHandle,
        trimming: Arc<Trimming>,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let (stop, stopped) = bounded(0);
        let mut watch = Watch {
            ballast: Ballast::new(data.join("ballast"), config.ballast),
            data: data.to_path_buf(),
            config,
            level: Space::Enough,
            told: None,
            handle,
            trimming,
            metrics,
        };
        // Before anybody is served.
        watch.look();
        let thread = Builder::new().name("space".into()).spawn(move || watch.run(&stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for SpaceWatch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the watch over the disk had panicked");
        }
    }
}

struct Watch {
    config: Config,
    data: PathBuf,
    ballast: Ballast,
    level: Space,
    /// Whether reservations are paused, as the owner was told last.
    told: Option<bool>,
    handle: ShardHandle,
    trimming: Arc<Trimming>,
    metrics: Arc<Metrics>,
}

impl Watch {
    fn run(mut self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            self.look();
        }
    }

    fn look(&mut self) {
        let free = match statvfs(&self.data) {
            Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
            Err(error) => {
                // Not knowing is no reason to turn people away; the journal itself will say.
                tracing::warn!(%error, data = %self.data.display(), "cannot tell how full the disk is");
                return;
            }
        };
        // What giving the ballast up has freed is not for anybody new.
        let missing = self.config.ballast.saturating_sub(self.ballast.there());
        let level = level(free.saturating_sub(missing), &self.config, self.level);
        if level != self.level {
            let mib = free >> 20;
            match level {
                Space::Enough => tracing::info!(mib, "the disk has space again"),
                Space::Low => tracing::warn!(
                    mib,
                    "the disk is nearly full: nobody new is let in, and the journal is cut short"
                ),
                Space::Critical => {
                    tracing::error!(
                        mib,
                        "the disk is full but for the last: no reservations, no snapshots, no archive"
                    );
                }
            }
        }
        self.level = level;
        self.handle.health().set_space(level);
        self.ballast.keep(level, Instant::now());
        if level >= Space::Low {
            self.trim();
        }
        self.tell(level == Space::Critical);
        self.metrics.disk(free, level as u8);
    }

    /// At every look: what the archive and the next snapshot have passed may go as well.
    fn trim(&self) {
        if catch_unwind(AssertUnwindSafe(|| self.trimming.all())).is_err() {
            self.metrics.not_trimmed();
            tracing::error!("trimming the journal panicked");
        }
    }

    /// Tells the owner to pause reservations or to go on; again at the next look if it could
    /// not be told.
    fn tell(&mut self, paused: bool) {
        if self.told == Some(paused) {
            return;
        }
        let (answer, waiting) = oneshot::channel();
        self.handle.submit(Ask {
            actor: Actor { role: Role::Router, name: "router".into() },
            request: None,
            command: Command::PauseReservations(paused),
            sealed: None,
            attach: None,
            answer_to: AnswerTo::Call(answer),
        });
        if matches!(waiting.blocking_recv(), Ok(Ok(_))) {
            self.told = Some(paused);
        }
    }
}

/// A file that is there to be given up.
struct Ballast {
    path: PathBuf,
    bytes: u64,
    lay: fn(&File, u64) -> io::Result<()>,
    /// It is not as it should be, and that was said.
    said: Option<io::ErrorKind>,
    /// When to try again after it could not be laid out, and how long that was waited for.
    again: Option<(Instant, Duration)>,
}

impl Ballast {
    fn new(path: PathBuf, bytes: u64) -> Self {
        Self { path, bytes, lay: allocate, said: None, again: None }
    }

    /// How much of it there is.
    fn there(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |m| m.len())
    }

    /// Puts it there while there is space, and gives it up when there is not.
    fn keep(&mut self, level: Space, now: Instant) {
        if level == Space::Critical {
            // What filled the disk may be what was in the way; the space that comes back is new.
            self.again = None;
        }
        let done = match level {
            Space::Critical => match fs::remove_file(&self.path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
            Space::Enough if self.there() < self.bytes => {
                if self.again.is_some_and(|(at, _)| now < at) {
                    return;
                }
                let laid = self.lay();
                self.again = laid.is_err().then(|| {
                    let (first, most) = LAY_AGAIN;
                    let wait = self.again.map_or(first, |(_, wait)| most.min(wait * 2));
                    (now + wait, wait)
                });
                laid
            }
            Space::Enough | Space::Low => Ok(()),
        };
        let failed = done.as_ref().err().map(io::Error::kind);
        if let Err(error) = done
            && self.said != failed
        {
            tracing::warn!(%error, ballast = %self.path.display(), "the ballast is not as it should be");
        }
        self.said = failed;
    }

    fn lay(&mut self) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&self.path)?;
        let laid = (self.lay)(&file, self.bytes);
        let unsupported = [Errno::OPNOTSUPP, Errno::NOSYS].map(|errno| Some(errno.raw_os_error()));
        match laid {
            Err(error) if unsupported.contains(&error.raw_os_error()) => {
                tracing::warn!(%error, "this file system lays out no space ahead: the ballast is written");
                self.lay = write;
                write(&file, self.bytes)
            }
            laid => laid,
        }
        // Half a ballast would count as space that is used and not as one that is there.
        .inspect_err(|_| drop(fs::remove_file(&self.path)))
    }
}

fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    Ok(fallocate(file, FallocateFlags::empty(), 0, bytes)?)
}

/// Not zeros: a file system that compresses, and those are mostly the ones that lay out
/// nothing ahead, would keep no space for them.
fn write(mut file: &File, bytes: u64) -> io::Result<()> {
    let mut noise = blake3::Hasher::new().finalize_xof();
    let mut piece = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let length = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        noise.fill(&mut piece[..length]);
        file.write_all(&piece[..length])?;
        left -= length as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_level_is_entered_at_its_limit_and_left_with_a_margin() {
        use Space::{Critical, Enough, Low};
        let config = Config { low: 800, critical: 80, ballast: 16 };
        for (from, free, to) in [
            (Enough, 800, Enough),
            (Enough, 799, Low),
            (Low, 899, Low),
            (Low, 900, Enough),
            (Low, 80, Low),
            (Low, 79, Critical),
            (Critical, 89, Critical),
            (Critical, 90, Low),
            (Critical, 899, Low),
            (Critical, 900, Enough),
            (Enough, 0, Critical),
        ] {
            assert_eq!(level(free, &config, from), to, "{free} from {from:?}");
        }
    }

    #[test]
    fn the_ballast_is_there_while_there_is_space_and_given_up_at_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let now = Instant::now();
        let mut ballast = Ballast::new(folder.path().join("ballast"), 3 << 20);
        ballast.keep(Space::Low, now);
        assert_eq!(ballast.there(), 0, "not while space is low");
        ballast.keep(Space::Enough, now);
        assert_eq!(ballast.there(), 3 << 20);
        ballast.keep(Space::Low, now);
        assert_eq!(ballast.there(), 3 << 20);
        ballast.keep(Space::Critical, now);
        assert_eq!(ballast.there(), 0);
        ballast.keep(Space::Critical, now);
        assert_eq!(ballast.said, None);
    }

    #[test]
    fn where_space_cannot_be_laid_out_the_ballast_is_written_and_that_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = (2 << 20) + 7;
        let now = Instant::now();
        let mut ballast = Ballast::new(folder.path().join("ballast"), bytes);
        ballast.lay = |_, _| Err(Errno::OPNOTSUPP.into());
        ballast.keep(Space::Enough, now);
        let written = fs::read(&ballast.path).unwrap();
        assert_eq!(written.len() as u64, bytes);
        assert!(written.chunks(4_096).all(|piece| piece.iter().any(|byte| *byte != 0)));
        assert!(std::ptr::fn_addr_eq(ballast.lay, write as fn(&File, u64) -> io::Result<()>));
        assert_eq!(ballast.said, None);

        ballast.lay = |_, _| Err(Errno::IO.into());
        ballast.keep(Space::Critical, now);
        ballast.keep(Space::Enough, now);
        let said = ballast.said;
        assert!(said.is_some(), "what fails is said");
        assert_eq!(ballast.there(), 0, "and half of it is not left");
        ballast.keep(Space::Enough, now + LAY_AGAIN.0);
        assert_eq!(ballast.said, said, "once");
    }

    #[test]
    fn a_ballast_that_cannot_be_laid_out_is_tried_again_ever_more_rarely() {
        static TRIED: AtomicUsize = AtomicUsize::new(0);
        let folder = tempfile::tempdir().unwrap();
        let mut ballast = Ballast::new(folder.path().join("ballast"), 1 << 20);
        ballast.lay = |_, _| {
            TRIED.fetch_add(1, Ordering::SeqCst);
            Err(Errno::IO.into())
        };
        let began = Instant::now();
        let tried = |ballast: &mut Ballast, seconds: std::ops::Range<u64>| {
            TRIED.store(0, Ordering::SeqCst);
            for second in seconds {
                ballast.keep(Space::Enough, began + Duration::from_secs(second));
            }
            TRIED.load(Ordering::SeqCst)
        };
        assert_eq!(tried(&mut ballast, 0..60), 1);
        assert_eq!(tried(&mut ballast, 60..180), 1, "after a minute");
        assert_eq!(tried(&mut ballast, 180..420), 1, "after two more");
        let day = tried(&mut ballast, 420..86_400);
        assert!((23..=28).contains(&day), "once an hour at last: {day}");
        let later = began + Duration::from_secs(86_400);
        ballast.keep(Space::Critical, later);
        ballast.lay = allocate;
        ballast.keep(Space::Enough, later);
        assert_eq!(ballast.there(), 1 << 20, "at once when there is new space");
        assert_eq!((ballast.said, ballast.again), (None, None));
    }
}
