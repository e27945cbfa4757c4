//! Letting connections in: at most so many, from one address at most so many, and only
//! those that begin to speak.
//!
//! tonic takes whoever comes and waits for their first words without end. It knows nothing
//! of what is said.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Bytes with which every HTTP/2 connection begins; an HTTP/1 request is longer.
const PREFACE: usize = 24;
/// How long to rest after an error that the next connection would meet as well.
const BREATHER: Duration = Duration::from_millis(100);
/// How often such an error is told of at most.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// What may be said of one connection alone; the one behind it need not wait.
const OF_ONE: [Errno; 9] = [
    Errno::CONNABORTED,
    Errno::CONNRESET,
    Errno::PROTO,
    Errno::INTR,
    Errno::NETDOWN,
    Errno::NETUNREACH,
    Errno::HOSTUNREACH,
    Errno::HOSTDOWN,
    Errno::NOPROTOOPT,
];

/// Who is let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doors {
    /// Most connections at once.
    pub(super) most: usize,
    /// Most of them from one address.
    pub(super) most_of_one: usize,
    /// How long one may take to begin to speak.
    pub(super) patience: Duration,
}

impl Doors {
    /// Those through which so many go at once.
    pub(super) const fn of(most: usize) -> Self {
        // A site of 10,000 agents behind a proxy comes from one address, on streams that
        // carry many each; a browser has a connection of its own.
        Self { most, most_of_one: most / 2, patience: Duration::from_secs(5) }
    }
}

/// Accepts connections for as long as somebody takes them.
pub(super) fn incoming(
    listener: TcpListener,
    doors: Doors,
) -> ReceiverStream<io::Result<Connection>> {
    // Accepted and not yet taken: a few, so that the kernel's own queue fills first.
    let (taken, stream) = mpsc::channel(16);
    let inside = Arc::new(Inside::default());
    tokio::spawn(async move {
        let mut failures = Failures::default();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = taken.closed() => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if deserves_rest(&error) => {
                    if let Some(times) = failures.worth_telling(Instant::now()) {
                        tracing::warn!(%error, times, "connections could not be accepted");
                    }
                    sleep(BREATHER).await;
                    continue;
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection was gone before it was accepted");
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            let Some(place) = Inside::enter(&inside, peer, doors) else {
                tracing::debug!(%peer, "too many connections: closed");
                continue;
            };
            let nodelay = stream.set_nodelay(true);
            let waiting = Some(Box::pin(sleep(doors.patience)));
            let connection = Connection { stream, waiting, heard: 0, _place: place };
            if taken.send(nodelay.map(|()| connection)).await.is_err() {
                return;
            }
        }
    });
    ReceiverStream::new(stream)
}

/// Whether the next one might fail in the same way. What nobody thought of as well: a loop
/// that does not rest is a processor lost, without a word.
fn deserves_rest(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_none_or(|errno| !OF_ONE.contains(&errno))
}

/// Failures that were not told of yet.
#[derive(Debug, Default)]
struct Failures {
    times: u64,
    told: Option<Instant>,
}

impl Failures {
    /// One more; how many there were since the last that was told of, if it is time to tell.
    fn worth_telling(&mut self, now: Instant) -> Option<u64> {
        self.times += 1;
        if self.told.is_some_and(|told| now.duration_since(told) < TELL_EVERY) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.times))
    }
}

/// Who is inside.
#[derive(Debug, Default)]
struct Inside {
    all: AtomicUsize,
    by_address: DashMap<IpAddr, usize>,
}

impl Inside {
    fn enter(inside: &Arc<Self>, peer: SocketAddr, doors: Doors) -> Option<Place> {
        let address = peer.ip().to_canonical();
        if inside.all.load(Ordering::Acquire) >= doors.most {
            return None;
        }
        let mut of_one = inside.by_address.entry(address).or_default();
        if *of_one >= doors.most_of_one {
            return None;
        }
        *of_one += 1;
        inside.all.fetch_add(1, Ordering::AcqRel);
        Some(Place { inside: Arc::clone(inside), address })
    }
}

/// A place inside, given back when the connection goes.
#[derive(Debug)]
struct Place {
    inside: Arc<Inside>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inside.all.fetch_sub(1, Ordering::AcqRel);
        if let Some(mut of_one) = self.inside.by_address.get_mut(&self.address) {
            *of_one -= 1;
        }
        self.inside.by_address.remove_if(&self.address, |_, of_one| *of_one == 0);
    }
}

/// A connection that was let in.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    /// Until it must have begun to speak; none once it has.
    waiting: Option<Pin<Box<Sleep>>>,
    heard: usize,
    _place: Place,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.waiting.as_mut().is_some_and(|waiting| waiting.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if self.waiting.is_some() {
            self.heard += buffer.filled().len() - before;
            if self.heard >= PREFACE {
                self.waiting = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_stream::StreamExt as _;

    use super::*;

    async fn doors(
        most: usize,
        most_of_one: usize,
    ) -> (SocketAddr, ReceiverStream<io::Result<Connection>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let patience = Duration::from_millis(50);
        (address, incoming(listener, Doors { most, most_of_one, patience }))
    }

    #[test]
    fn only_what_is_said_of_one_connection_is_not_rested_after() {
        let error = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        for errno in [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOBUFS,
            Errno::NOMEM,
            Errno::PERM,
            Errno::INVAL,
            Errno::BADF,
        ] {
            assert!(deserves_rest(&error(errno)), "{errno}");
        }
        assert!(deserves_rest(&io::Error::other("not of the system")));
        for errno in OF_ONE {
            assert!(!deserves_rest(&error(errno)), "{errno}");
        }
    }

    #[test]
    fn failures_are_told_of_now_and_then_with_how_many_there_were() {
        let (mut failures, began) = (Failures::default(), Instant::now());
        assert_eq!(failures.worth_telling(began), Some(1), "the first at once");
        for n in 1..100 {
            assert_eq!(failures.worth_telling(began + n * BREATHER), None);
        }
        assert_eq!(failures.worth_telling(began + TELL_EVERY), Some(100));
        assert_eq!(failures.worth_telling(began + TELL_EVERY + BREATHER), None);
    }

    /// Whether the other side closed it.
    async fn is_closed(client: &mut TcpStream) -> bool {
        matches!(client.read(&mut [0; 1]).await, Ok(0) | Err(_))
    }

    #[tokio::test]
    async fn who_does_not_begin_to_speak_is_not_waited_for() {
        let (address, mut inside) = doors(9, 9).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        let mut silent = inside.next().await.unwrap().unwrap();
        client.write_all(&[b'P'; PREFACE - 1]).await.unwrap();
        let mut heard = [0; PREFACE];
        let error = silent.read_exact(&mut heard).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        let mut client = TcpStream::connect(address).await.unwrap();
        let mut speaks = inside.next().await.unwrap().unwrap();
        client.write_all(&[b'P'; PREFACE]).await.unwrap();
        speaks.read_exact(&mut heard).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        client.write_all(b"late").await.unwrap();
        speaks.read_exact(&mut heard[..4]).await.unwrap();
    }

    #[tokio::test]
    async fn beyond_the_most_of_one_address_or_of_all_a_connection_is_closed() {
        for (most, most_of_one) in [(2, 9), (9, 2)] {
            let (address, mut inside) = doors(most, most_of_one).await;
            let mut clients = Vec::new();
            let mut held = Vec::new();
            for _ in 0..2 {
                clients.push(TcpStream::connect(address).await.unwrap());
                held.push(inside.next().await.unwrap().unwrap());
            }
            let mut third = TcpStream::connect(address).await.unwrap();
            assert!(is_closed(&mut third).await);
            held.pop();
            let _fourth = TcpStream::connect(address).await.unwrap();
            inside.next().await.unwrap().expect("there is room again");
        }
    }
}
