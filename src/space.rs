//! The watch over the disk that the journal lies on.
//!
//! Owned by the app, on a thread of its own. A router that fills its disk loses its journal,
//! so it stops long before: when space is low nobody new is let in; when it is critical no
//! reservation is made either, and the ballast, a file kept for this day, is given up, so
//! that who is here can still be brought to an end. Space that comes back is noticed. It
//! deletes nothing else and decides nothing about contacts.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use tokio::sync::oneshot;

use crate::config::journal::Space as Config;
use crate::engine::command::Command;
use crate::engine::entry::{Actor, Role};
use crate::metrics::Metrics;
use crate::shard::ask::{AnswerTo, Ask};
use crate::shard::handle::ShardHandle;

/// How often the disk is looked at: at 100 MB a second half of that is written meanwhile.
const EVERY: Duration = Duration::from_millis(500);
/// A level is left when there is an eighth more space than it asks for, so that it does not
/// come and go with every file.
const MARGIN: u64 = 8;

/// How much space there is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Enough.
    Enough,
    /// Nobody new is let in.
    Low,
    /// Nor is any reservation made.
    Critical,
}

impl Level {
    /// The level with this much free, coming from another one.
    fn of(free: u64, config: &Config, from: Self) -> Self {
        let below = |least: u64, level: Self| {
            let least = if from >= level { least + least / MARGIN } else { least };
            free < least
        };
        if below(config.critical, Self::Critical) {
            Self::Critical
        } else if below(config.low, Self::Low) {
            Self::Low
        } else {
            Self::Enough
        }
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
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let (stop, stopped) = bounded(0);
        let mut watch = Watch {
            ballast: data.join("ballast"),
            data: data.to_path_buf(),
            config,
            level: Level::Enough,
            told: None,
            handle,
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
    ballast: PathBuf,
    level: Level,
    /// Whether reservations are paused, as the owner was told last.
    told: Option<bool>,
    handle: ShardHandle,
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
        let missing = self.config.ballast.saturating_sub(size(&self.ballast));
        let level = Level::of(free.saturating_sub(missing), &self.config, self.level);
        if level != self.level {
            let mib = free >> 20;
            match level {
                Level::Enough => tracing::info!(mib, "the disk has space again"),
                Level::Low => tracing::warn!(mib, "the disk is nearly full: nobody new is let in"),
                Level::Critical => {
                    tracing::error!(mib, "the disk is full but for the last: no reservations");
                }
            }
        }
        self.level = level;
        self.handle.health().set_low_space(level >= Level::Low);
        self.keep_ballast();
        self.tell(level == Level::Critical);
        self.metrics.disk(free, level as u8);
    }

    /// Puts the ballast there while there is space, and gives it up when there is not.
    fn keep_ballast(&self) {
        let there = size(&self.ballast) >= self.config.ballast;
        let done = match self.level {
            Level::Critical => match fs::remove_file(&self.ballast) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
            Level::Enough if !there => self.lay_ballast(),
            Level::Enough | Level::Low => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(%error, ballast = %self.ballast.display(), "the ballast is not as it should be");
        }
    }

    fn lay_ballast(&self) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let file =
            options.write(true).create(true).truncate(false).mode(0o600).open(&self.ballast)?;
        Ok(fallocate(&file, FallocateFlags::empty(), 0, self.config.ballast)?)
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

/// How large a file is; nothing if it is not there.
fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |m| m.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_entered_at_its_limit_and_left_with_a_margin() {
        use Level::{Critical, Enough, Low};
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
            assert_eq!(Level::of(free, &config, from), to, "{free} from {from:?}");
        }
    }
}
