//! Gateways that stand for other machines.
//!
//! On the day, those who carry the recalled are not on the router's machine. Here they are, and
//! playing 100,000 customers takes more of it than routing them does. Where a scenario keeps
//! the others' gateways apart, the recalled ones' run on threads that give way to all else: so
//! what the others feel is what the router lets them wait, and not who is played beside it.

use std::io;

use surgeline::background::give_way;
use tokio::runtime::{Builder, Handle, Runtime};

/// Owns those threads; they end with it, whatever they were doing.
#[derive(Debug)]
pub(crate) struct Elsewhere(Option<Runtime>);

impl Elsewhere {
    /// # Errors
    /// The system's, when it gives no threads.
    pub(crate) fn new() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.enable_all().thread_name("elsewhere").on_thread_start(give_way);
        builder.build().map(|runtime| Self(Some(runtime)))
    }

    /// Where its tasks are started.
    pub(crate) fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Elsewhere {
    // A runtime must not wait for its threads inside another one's task.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
