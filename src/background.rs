//! Work that can wait: threads that do it give way to those who decide and serve.
//!
//! Owned by whoever starts one. On a busy machine such a thread may stand still for long, so
//! that a stop waits for it only so long: nothing that was acknowledged depends on it, and
//! whatever it was doing is done again after the next start. It knows nothing of what is done.

use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, bounded};
use rustix::process::setpriority_process;

/// The nice value of such a thread: on a busy machine it gets a seventieth of what another
/// gets (10 would be a tenth, which was measured as a quarter less for everybody else), on an
/// idle one all.
const NICE: i32 = 19;

/// How long an orderly stop waits for all of them together. With the 5 s that streams have
/// before it, less than the 10 s after which container hosts kill.
pub(crate) const PATIENCE: Duration = Duration::from_secs(4);

enum Never {}

/// A thread that gives way.
#[derive(Debug)]
pub(crate) struct Background {
    name: &'static str,
    thread: JoinHandle<()>,
    ended: Receiver<Never>,
}

/// Starts one. Its name has at most 15 bytes, as Linux wants.
pub(crate) fn spawn(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<Background> {
    let (ends, ended) = bounded(0);
    let thread = Builder::new().name(name.into()).spawn(move || {
        // Goes however the thread ends.
        let _ends = ends;
        give_way();
        run();
    })?;
    Ok(Background { name, thread, ended })
}

impl Background {
    /// Waits until it has ended, but not beyond this moment; whether it has. One that has not
    /// goes on by itself and dies with the process.
    pub(crate) fn wait(self, until: Instant) -> bool {
        if matches!(self.ended.recv_deadline(until), Err(RecvTimeoutError::Timeout)) {
            tracing::warn!(
                thread = self.name,
                "not waited for any longer: the next start goes on from what is durable"
            );
            return false;
        }
        if self.thread.join().is_err() {
            tracing::error!(thread = self.name, "a thread for the background had panicked");
        }
        true
    }
}

/// Lets the calling thread give way from now on. On Linux a nice value is of one thread.
pub fn give_way() {
    if let Err(error) = setpriority_process(None, NICE) {
        tracing::debug!(%error, "a thread for the background has the priority of all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_stands_still_is_waited_for_only_so_long() {
        let (go, told) = bounded::<()>(1);
        let (done, finished) = bounded(1);
        let stands = spawn("stands", move || {
            let _ = told.recv();
            let _ = done.send(());
        });
        let began = Instant::now();
        assert!(!stands.unwrap().wait(began + Duration::from_millis(20)));
        assert!(began.elapsed() < Duration::from_secs(5));
        go.send(()).unwrap();
        finished.recv().expect("it goes on by itself");
    }

    #[test]
    fn one_that_ends_or_panics_is_waited_for_no_longer_than_that() {
        let far = || Instant::now() + Duration::from_secs(60);
        assert!(spawn("ends", || {}).unwrap().wait(far()));
        assert!(spawn("panics", || panic!("as the test wants")).unwrap().wait(far()));
    }
}
