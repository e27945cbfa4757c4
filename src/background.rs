//! Work that can wait: threads that do it give way to those who decide and serve.

use rustix::process::setpriority_process;

/// The nice value of such a thread: on a busy machine it gets a seventieth of what another
/// gets (10 would be a tenth, which was measured as a quarter less for everybody else), on an
/// idle one all.
const NICE: i32 = 19;

/// Lets the calling thread give way from now on. On Linux a nice value is of one thread.
pub(crate) fn give_way() {
    if let Err(error) = setpriority_process(None, NICE) {
        tracing::debug!(%error, "a thread for the background has the priority of all");
    }
}
