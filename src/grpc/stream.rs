//! What the two ends of a conversation share, and the end that speaks.
//!
//! A stream's reader submits commands without waiting; answers and directives come out of
//! one outbox in the order in which they were decided, and [`Outward`] turns them into the
//! stream's messages as the connection asks for them, with no task in between. Who is
//! connected is the shard's to know; this only sees to it that a session whose stream ends,
//! whichever end goes first, is given back.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio_stream::Stream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;

use super::status;
use crate::engine::command::Command;
use crate::engine::entry::{Actor, Sealed};
use crate::ids::RequestId;
use crate::shard::ask::{AnswerTo, Ask, Outbox, OutboxReceiver, Outgoing, outbox};
use crate::shard::handle::ShardHandle;

/// Most commands of a stream that wait for their answers; beyond it nothing more is read,
/// so that a client which does not wait is slowed down and not sent away.
const MOST_UNANSWERED: u32 = 1_024;
/// After what time a router that was told to stop is worth asking again, milliseconds.
pub(super) const BACK_AFTER_MS: u32 = 2_000;

/// Room for one unanswered command.
pub(super) struct Room<'a>(SemaphorePermit<'a>);

/// How a stream's outgoing things are said.
pub(super) trait Speaker: Send + Sync + 'static {
    /// The stream's message.
    type Message: Send + 'static;
    /// Notes what it means for the session, and puts it into the stream's words.
    fn say(&self, outgoing: Outgoing) -> Said<Self::Message>;
    /// That the router is about to stop.
    fn draining(&self) -> Self::Message;
}

/// What is to be said.
pub(super) enum Said<M> {
    /// This.
    Message(M),
    /// Nothing that this client has words for.
    Nothing,
    /// The end.
    End(Status),
}

/// What the reader and the speaker of a stream share.
pub(super) struct Line<M> {
    pub(super) handle: ShardHandle,
    pub(super) outbox: Outbox,
    /// The router goes down.
    pub(super) stopping: CancellationToken,
    room: Semaphore,
    refusals: mpsc::UnboundedSender<M>,
    /// The client reads no more.
    hung_up: CancellationToken,
    /// No answer can come out any more.
    deaf: CancellationToken,
    /// Nothing more will be said.
    over: CancellationToken,
    verdict: OnceLock<Status>,
}

/// A command that a stream's client sent.
pub(super) struct Sent<'a> {
    pub(super) actor: &'a Actor,
    pub(super) request: Option<RequestId>,
    pub(super) command: Command,
    pub(super) sealed: Option<Sealed>,
    /// It begins a session on this stream.
    pub(super) attach: bool,
    /// Comes back with the answer.
    pub(super) tag: Box<str>,
}

impl<M: Send + 'static> Line<M> {
    /// A new line, and the end that speaks on it.
    pub(super) fn open<S: Speaker<Message = M>>(
        handle: ShardHandle,
        stopping: CancellationToken,
        speaker: Arc<S>,
    ) -> (Arc<Self>, Outward<S>) {
        let (outbox, inbox) = outbox();
        let (refusals, refused) = mpsc::unbounded_channel();
        let line = Arc::new(Self {
            handle,
            outbox,
            stopping,
            room: Semaphore::new(MOST_UNANSWERED as usize),
            refusals,
            hung_up: CancellationToken::new(),
            deaf: CancellationToken::new(),
            over: CancellationToken::new(),
            verdict: OnceLock::new(),
        });
        let over = Box::pin(line.over.clone().cancelled_owned());
        let draining = Some(Box::pin(line.handle.health().draining()));
        let inbox = Some(inbox);
        (line.clone(), Outward { inbox, refused, speaker, line, draining, over, ended: false })
    }

    /// Waits for room for one more unanswered command, then for what `next` brings. None
    /// when nothing more should be read: the client is gone or the router goes down.
    pub(super) async fn read<T>(&self, next: impl Future<Output = T>) -> Option<(Room<'_>, T)> {
        let reading = async {
            let room = self.room.acquire().await.ok()?;
            Some((Room(room), next.await))
        };
        tokio::select! {
            biased;
            () = self.left() => None,
            read = reading => read,
        }
    }

    /// Hands a command to the owner; its answer comes out of the stream.
    pub(super) fn submit(&self, room: Room<'_>, sent: Sent<'_>) {
        room.0.forget();
        self.handle.submit(Ask {
            actor: sent.actor.clone(),
            request: sent.request,
            command: sent.command,
            sealed: sent.sealed,
            attach: sent.attach.then(|| self.outbox.clone()),
            answer_to: AnswerTo::Stream(self.outbox.clone(), sent.tag),
        });
    }

    /// Hands over a command whose answer nobody needs.
    pub(super) fn tell(&self, actor: &Actor, command: Command) {
        self.handle.submit(Ask {
            actor: actor.clone(),
            request: None,
            command,
            sealed: None,
            attach: None,
            answer_to: AnswerTo::Nobody,
        });
    }

    /// Says no to a command that never reaches the owner.
    pub(super) fn refuse(&self, room: Room<'_>, message: M) {
        // A client that is gone needs no refusal, and its room is free again.
        if self.refusals.send(message).is_ok() {
            room.0.forget();
        }
    }

    /// How the stream ends once everything is said; the first that is given counts.
    pub(super) fn end_with(&self, status: Status) {
        // A later one would only be a consequence of the first.
        let _ = self.verdict.set(status);
    }

    /// Waits until every command that was read is answered, or cannot be any more.
    pub(super) async fn all_answered(&self) {
        tokio::select! {
            () = self.deaf.cancelled() => {}
            all = self.room.acquire_many(MOST_UNANSWERED) => drop(all),
        }
    }

    /// No answer can come out any more.
    pub(super) async fn deaf(&self) {
        self.deaf.cancelled().await;
    }

    /// The client reads no more, or the router goes down.
    pub(super) async fn left(&self) {
        tokio::select! {
            () = self.hung_up.cancelled() => {}
            () = self.stopping.cancelled() => self.end_with(status::stopping()),
        }
    }

    /// Nothing more will be said; the stream ends when it has been.
    pub(super) fn close(&self) {
        self.over.cancel();
    }
}

/// The end that speaks: what goes out on a stream.
pub(super) struct Outward<S: Speaker> {
    inbox: Option<OutboxReceiver>,
    refused: mpsc::UnboundedReceiver<S::Message>,
    speaker: Arc<S>,
    line: Arc<Line<S::Message>>,
    /// None once it has been told that the router is about to stop.
    draining: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    over: Pin<Box<WaitForCancellationFutureOwned>>,
    ended: bool,
}

impl<S: Speaker> Outward<S> {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<S::Message, Status>>> {
        if let Poll::Ready(Some(message)) = self.refused.poll_recv(cx) {
            self.line.room.add_permits(1);
            return Poll::Ready(Some(Ok(message)));
        }
        if self.draining.as_mut().is_some_and(|draining| draining.as_mut().poll(cx).is_ready()) {
            self.draining = None;
            return Poll::Ready(Some(Ok(self.speaker.draining())));
        }
        let Some(inbox) = &mut self.inbox else { return Poll::Ready(None) };
        loop {
            match inbox.poll_recv(cx) {
                Poll::Ready(Some(outgoing)) => match heard(&self.line, &*self.speaker, outgoing) {
                    Said::Message(message) => return Poll::Ready(Some(Ok(message))),
                    Said::Nothing => {}
                    Said::End(status) => return Poll::Ready(Some(Err(status))),
                },
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        if self.over.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(self.line.verdict.get().cloned().map(Err))
    }
}

/// Notes one outgoing thing, and says it.
fn heard<S: Speaker>(line: &Line<S::Message>, speaker: &S, outgoing: Outgoing) -> Said<S::Message> {
    if matches!(outgoing, Outgoing::Answer { .. }) {
        line.room.add_permits(1);
    }
    speaker.say(outgoing)
}

impl<S: Speaker> Stream for Outward<S> {
    type Item = Result<S::Message, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = self.poll_message(cx);
        self.ended = matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }
}

// The inbox and the timer inside are the only things that are pinned, and are boxed.
impl<S: Speaker> Unpin for Outward<S> {}

impl<S: Speaker> Drop for Outward<S> {
    /// The connection dropped the stream. Sessions that are just beginning must still be
    /// learnt of, to be given back: so somebody goes on listening until the reader is done.
    fn drop(&mut self) {
        self.line.hung_up.cancel();
        self.refused.close();
        while self.refused.try_recv().is_ok() {
            self.line.room.add_permits(1);
        }
        let (Some(mut inbox), Ok(runtime)) = (self.inbox.take(), Handle::try_current()) else {
            self.line.deaf.cancel();
            return;
        };
        let (line, speaker) = (self.line.clone(), self.speaker.clone());
        runtime.spawn(async move {
            loop {
                tokio::select! {
                    () = line.over.cancelled() => break,
                    outgoing = inbox.recv() => match outgoing {
                        Some(outgoing) => drop(heard(&line, &*speaker, outgoing)),
                        None => break,
                    },
                }
            }
            line.deaf.cancel();
        });
    }
}
