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

/// How much may wait.
#[derive(Clone, Copy, Debug)]
struct Most {
    batches: usize,
    /// Estimated.
    bytes: usize,
}

/// While the router serves: sixteen seconds of the heaviest load of small batches.
const SERVING: Most = Most { batches: 8_192, bytes: 256 << 20 };
/// While the journal is read, which is much faster than it was written: enough that neither
/// side waits for the other's every batch, and little memory.
const RECOVERING: Most = Most { batches: 128, bytes: 64 << 20 };

#[derive(Debug, Default)]
struct Waiting {
    batches: usize,
    bytes: usize,
    /// The sender waits for room.
    held: bool,
    /// Nobody receives any more.
    gone: bool,
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
    most: Most,
}

/// The replica's end. When it goes, who waits for room goes on.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) from: Receiver<ToReplica>,
    room: Arc<Room>,
}

/// Both ends, for a router that recovers.
pub(crate) fn backlog() -> (Feed, Inbox) {
    // Bounded by the room.
    let (to, from) = unbounded();
    let room = Arc::new(Room::default());
    (Feed { to, room: room.clone(), most: RECOVERING }, Inbox { from, room })
}

impl Feed {
    /// Sends what is no batch; whether the replica is there.
    pub(crate) fn send(&self, what: ToReplica) -> bool {
        self.to.send(what).is_ok()
    }

    /// The journal is read: from now on more may wait.
    pub(crate) fn serves(&mut self) {
        self.most = SERVING;
    }

    /// Sends a batch once there is room for it; whether the replica is there.
    pub(crate) fn batch(&self, batch: Arc<Batch>, tip: Tip) -> bool {
        let bytes = batch.entries.iter().map(weight).sum();
        let mut waiting = self.room.waiting();
        // One alone has room however large it is.
        while !waiting.gone
            && (waiting.batches >= self.most.batches
                || waiting.batches > 0 && waiting.bytes + bytes > self.most.bytes)
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

impl Inbox {
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
    fn holds(most: impl FnOnce(&mut Feed), size: usize) -> usize {
        let (mut feed, inbox) = backlog();
        most(&mut feed);
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
        assert_eq!(holds(Feed::serves, 10), SERVING.batches);
        assert_eq!(holds(|_| {}, 10), RECOVERING.batches);
        let mebibytes = holds(Feed::serves, 4 << 20);
        assert_eq!(mebibytes, 63, "64 are 256 MiB without what an entry takes beside");
        assert_eq!(holds(|_| {}, RECOVERING.bytes + 1), 1, "one alone is let through");
    }

    #[test]
    fn who_waits_is_let_go_when_the_replica_is_gone() {
        let (feed, inbox) = backlog();
        drop(inbox);
        assert!(!feed.batch(batch(10), Tip::default()));
    }
}
