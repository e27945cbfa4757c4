//! The way out to one stream: a bounded queue that is cut off when its reader is too slow.
//!
//! Whoever serves a stream makes the pair and reads; the journal's writer thread, which
//! alone releases what is durable, puts in. A reader that falls behind is not waited for
//! and not remembered for: it gets one last word and has to resync. What a message means
//! in protobuf is not known here.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::ask::{OUTBOX_LIMIT, Outgoing, SessionOver};

/// The way out to one stream. Clones share it, so that one stream can carry many agents.
#[derive(Clone, Debug)]
pub struct Outbox {
    sender: mpsc::Sender<Outgoing>,
    cut: CancellationToken,
}

/// The stream's end of an [`Outbox`].
pub struct OutboxReceiver {
    receiver: mpsc::Receiver<Outgoing>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    over: bool,
}

impl fmt::Debug for OutboxReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxReceiver").field("over", &self.over).finish_non_exhaustive()
    }
}

/// A new way out, of [`OUTBOX_LIMIT`] messages.
#[must_use]
pub fn outbox() -> (Outbox, OutboxReceiver) {
    sized(OUTBOX_LIMIT)
}

pub(crate) fn sized(limit: usize) -> (Outbox, OutboxReceiver) {
    let (sender, receiver) = mpsc::channel(limit);
    let cut = CancellationToken::new();
    let waits = Box::pin(cut.clone().cancelled_owned());
    (Outbox { sender, cut }, OutboxReceiver { receiver, cut: waits, over: false })
}

impl Outbox {
    /// Puts a message in, or cuts the whole stream off: nobody here waits for a reader.
    pub(crate) fn put(&self, message: Outgoing) -> Put {
        if self.cut.is_cancelled() {
            return Put::Gone;
        }
        match self.sender.try_send(message) {
            Ok(()) => Put::In,
            Err(TrySendError::Closed(_)) => Put::Gone,
            Err(TrySendError::Full(_)) => {
                self.cut.cancel();
                Put::CutOff
            }
        }
    }

    /// Nothing that is put in will be read any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.cut.is_cancelled() || self.sender.is_closed()
    }

    /// Whether both lead to the same stream.
    #[must_use]
    pub fn same_stream(&self, other: &Self) -> bool {
        self.sender.same_channel(&other.sender)
    }
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Put {
    /// It will be read.
    In,
    /// There was no room: the stream has just been cut off.
    CutOff,
    /// The stream was over already.
    Gone,
}

impl OutboxReceiver {
    /// The next message; none when every sender is gone. After a cut the last one is
    /// [`Outgoing::Over`] to the whole stream, and what was waiting is dropped. Nothing is
    /// lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Outgoing> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`Self::recv`] as a poll.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Outgoing>> {
        if self.over {
            return Poll::Ready(None);
        }
        if self.cut.as_mut().poll(cx).is_ready() {
            self.over = true;
            self.receiver.close();
            while self.receiver.try_recv().is_ok() {}
            return Poll::Ready(Some(Outgoing::Over { to: None, why: SessionOver::TooSlow }));
        }
        self.receiver.poll_recv(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::command::Reply;

    fn answer(id: &str) -> Outgoing {
        Outgoing::Answer { request_id: id.into(), answer: Ok(Reply::Done), receipt: [0; 48] }
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_once_and_then_it_is_over() {
        let (outbox, mut receiver) = sized(2);
        assert_eq!(outbox.put(answer("a")), Put::In);
        assert_eq!(outbox.put(answer("b")), Put::In);
        assert_eq!(outbox.put(answer("c")), Put::CutOff);
        assert_eq!(outbox.put(answer("d")), Put::Gone, "counted once");
        assert!(outbox.is_closed());
        assert!(matches!(
            receiver.recv().await,
            Some(Outgoing::Over { to: None, why: SessionOver::TooSlow })
        ));
        assert!(receiver.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_reader_that_waits_wakes_for_a_message_and_for_the_end() {
        let (outbox, mut receiver) = sized(2);
        let reader = tokio::spawn(async move {
            let first = receiver.recv().await;
            (first, receiver.recv().await)
        });
        tokio::task::yield_now().await;
        assert_eq!(outbox.put(answer("a")), Put::In);
        drop(outbox);
        let (first, second) = reader.await.expect("the reader ends");
        assert!(matches!(first, Some(Outgoing::Answer { .. })));
        assert!(second.is_none());
    }
}
