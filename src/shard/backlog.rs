//! The way to the replica: what is durable and not applied yet, bounded in batches and bytes.
//!
//! The writer's end waits for room, the replica's end says what was applied. It holds enough
//! for the replica to stand still while it copies a large state for a snapshot: the writer,
//! and the owner behind it, must not feel that. It never drops a batch.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::batch::weight;
use super::replica::ToReplica;
use crate::journal::{Batch, Tip};

/// Batches that may wait: sixteen seconds of the heaviest load of small ones. At a start the
/// owner may have read the journal by so much before the replica has, and serves: of a longer
/// tail it waits for the replica to come so near.
const MOST_BATCHES: usize = 8_192;
/// Estimated bytes in them: what entries hold beside what [`weight`] counts comes on top.
const MOST_BYTES: usize = 256 << 20;

#[derive(Debug, Default)]
struct Waiting {
    batches: usize,
    bytes: usize,
    /// The sender waits for room.
    held: bool,
    /// Nobody receives any more.
    gone: bool,
    /// The start was over: what is sent is for a shard that serves.
    live: bool,
    /// The start failed: what waits is for nobody.
    given_up: bool,
}

#[derive(Debug, Default)]
struct Room {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Room {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // What is inside is whole at every point where a holder could panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sender's end.
#[derive(Debug)]
pub(crate) struct Feed {
    to: Sender<ToReplica>,
    room: Arc<Room>,
}

/// The replica's end. When it goes, who waits for room goes on.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) from: Receiver<ToReplica>,
    room: Arc<Room>,
}

/// Both ends.
pub(crate) fn backlog() -> (Feed, Inbox) {
    // Bounded by the room.
    let (to, from) = unbounded();
    let room = Arc::new(Room::default());
    (Feed { to, room: room.clone() }, Inbox { from, room })
}

impl Feed {
    /// Sends what is no batch; whether the replica is there.
    pub(crate) fn send(&self, what: ToReplica) -> bool {
        if matches!(what, ToReplica::Live(_)) {
            self.room.waiting().live = true;
        }
        self.to.send(what).is_ok()
    }

    /// Sends a batch once there is room for it; whether the replica is there.
    pub(crate) fn batch(&self, batch: Arc<Batch>, tip: Tip) -> bool {
        let bytes = batch.entries.iter().map(weight).sum();
        let mut waiting = self.room.waiting();
        // One alone has room however large it is.
        while !waiting.gone
            && (waiting.batches >= MOST_BATCHES
                || waiting.batches > 0 && waiting.bytes + bytes > MOST_BYTES)
        {
            waiting.held = true;
            waiting = self.room.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.held = false;
        if waiting.gone {
            return false;
        }
        waiting.batches += 1;
        waiting.bytes += bytes;
        drop(waiting);
        self.send(ToReplica::Batch(batch, tip, bytes))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut waiting = self.room.waiting();
        waiting.given_up = !waiting.live;
    }
}

impl Inbox {
    /// Whether the start that this was for has failed.
    pub(crate) fn given_up(&self) -> bool {
        self.room.waiting().given_up
    }

    /// A batch of this size waits no longer.
    pub(crate) fn applied(&self, bytes: usize) {
        let mut waiting = self.room.waiting();
        waiting.batches -= 1;
        waiting.bytes -= bytes;
        let held = waiting.held;
        drop(waiting);
        if held {
            self.room.changed.notify_one();
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.room.waiting().gone = true;
        self.room.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::engine::entry::{Actor, Entry, Role, Sealed};
    use crate::shard::clock::Clock;
    use crate::time::{EngineTime, WallTime};

    fn batch(bytes: usize) -> Arc<Batch> {
        let sealed = Sealed { customer: None, key: 1_u8.into(), bytes: vec![0; bytes].into() };
        let entry = Entry {
            sequence: 1,
            at: EngineTime::ZERO,
            actor: Actor { role: Role::Router, name: "test".into() },
            request: None,
            sealed: Some(sealed),
            events: Vec::new(),
        };
        Arc::new(Batch { entries: vec![entry], mark: None, wall: WallTime(1) })
    }

    fn bytes_of(inbox: &Inbox) -> usize {
        match inbox.from.recv() {
            Ok(ToReplica::Batch(_, _, bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }

    /// How many of this size go in before one has to wait, which goes on when there is room.
    fn holds(size: usize) -> usize {
        let (feed, inbox) = backlog();
        let batch = batch(size);
        let sender = thread::spawn(move || while feed.batch(batch.clone(), Tip::default()) {});
        let held = || inbox.room.waiting().held;
        while !held() {
            thread::yield_now();
        }
        let many = inbox.from.len();
        inbox.applied(bytes_of(&inbox));
        while inbox.from.len() < many || !held() {
            thread::yield_now();
        }
        assert_eq!(inbox.from.len(), many, "one more, for one that was applied");
        drop(inbox);
        sender.join().unwrap();
        many
    }

    #[test]
    fn as_many_wait_as_there_is_room_for_and_who_waits_goes_on() {
        assert_eq!(holds(10), MOST_BATCHES);
        let mebibytes = holds(4 << 20);
        assert_eq!(mebibytes, 63, "64 are 256 MiB without what an entry takes beside");
        assert_eq!(holds(MOST_BYTES + 1), 1, "one alone is let through");
    }

    #[test]
    fn what_a_failed_start_sent_is_for_nobody() {
        let sent = |live: bool| {
            let (feed, inbox) = backlog();
            assert!(feed.batch(batch(10), Tip::default()));
            if live {
                feed.send(ToReplica::Live(Clock::starting_at(EngineTime::ZERO)));
            }
            assert!(!inbox.given_up(), "it goes on");
            drop(feed);
            inbox.given_up()
        };
        assert!(sent(false));
        assert!(!sent(true), "what is durable is followed to its end");
    }

    #[test]
    fn who_waits_is_let_go_when_the_replica_is_gone() {
        let (feed, inbox) = backlog();
        drop(inbox);
        assert!(!feed.batch(batch(10), Tip::default()));
    }
}
