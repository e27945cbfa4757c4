//! Letting HTTP connections in: at most so many, each for one short request.
//!
//! Owned by [`super`]. Without it whoever opens connections and says nothing takes the process
//! the descriptors that its journal needs, or takes the place of the probe that asks whether it
//! lives. It knows nothing of what is said.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// Connections at once. Prometheus, probes and people who look are fewer than ten; and it must
/// stay far below the descriptors that `descriptors` keeps for all files and for this.
pub(super) const MOST: usize = 64;
/// How long one may take from its first byte to its last. Longer than the replica may take to
/// answer (3 s), so that a slow network has the rest; less than a stop waits for a server.
pub(super) const LASTING: Duration = Duration::from_secs(6);

/// A listener that lets in only so many.
pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    lasting: Duration,
}

impl Door {
    pub(super) fn new(listener: TcpListener, most: usize, lasting: Duration) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(most)), lasting }
    }
}

impl Listener for Door {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        loop {
            // It rests after errors that the next connection would meet as well.
            let (stream, peer) = Listener::accept(&mut self.listener).await;
            match Arc::clone(&self.places).try_acquire_owned() {
                Ok(place) => {
                    let over = Box::pin(sleep(self.lasting));
                    return (Guest { stream, over, _place: place }, peer);
                }
                // Closed rather than kept waiting: a probe that hangs tells nothing.
                Err(_) => tracing::debug!(%peer, "too many HTTP connections: closed"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that was let in.
pub(super) struct Guest {
    stream: TcpStream,
    over: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Guest {
    /// The stream, while there is time.
    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        match self.over.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(Pin::new(&mut self.stream)),
        }
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_time(cx)?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.in_time(cx)?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?.poll_shutdown(cx)
    }
}
