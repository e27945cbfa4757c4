//! A snapshot as parts: each a message of its own, so that neither writing nor reading
//! needs all of it at once.
//!
//! Reading refuses what it does not understand, like the rest of the codec. Checksums and
//! the order in a file are [`crate::journal::snapshot`]'s.

use prost::Message as _;

use super::{put_rest, take_rest};
use crate::engine::image::Image;
use crate::engine::recall::Recall;
use crate::journal::Tip;
use crate::journal::codec::field::{Field, Record};
use crate::journal::codec::{CodecError, pb};
use crate::journal::snapshot::seen::{RecallStatistics, Seen};
use crate::journal::snapshot::{Passed, Snapshot};
use crate::time::{EngineTime, WallTime};
use pb::snapshot_part::Kind;

/// The format of snapshots that this build writes.
const FORMAT: u32 = 1;
/// The oldest format whose readers understand everything that this build writes.
const OLDEST_READER: u32 = 1;
/// Values in one part, at most: some 64 KiB.
const IN_A_PART: usize = 256;
/// Parts whose field number is this or up to the next hold what the replica has seen.
const FIRST_SEEN: u8 = 7;
/// The last of them.
const LAST_SEEN: u8 = 11;

/// Where a snapshot was taken, as its first part says.
struct Head {
    tip: Tip,
    wall: WallTime,
    at: EngineTime,
    passed: Vec<Passed>,
}

/// Parts of a snapshot that were read so far.
#[derive(Default)]
pub(in crate::journal) struct Parts {
    head: Option<Head>,
    rest: Option<Image>,
    image: Image,
    seen: Seen,
}

/// Hands every part of a snapshot on, in order, until one is not taken.
pub(in crate::journal) fn put<E>(
    snapshot: &Snapshot,
    each: &mut dyn FnMut(Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let (image, seen) = (&snapshot.engine, &snapshot.seen);
    let mut part = |kind| each(pb::SnapshotPart { kind: Some(kind) }.encode_to_vec());
    part(Kind::Head(head(snapshot)))?;
    part(Kind::Engine(put_rest(image)))?;
    for recall in &image.recalls {
        part(Kind::Recall(Record::put(recall)))?;
    }
    for some in image.contacts.chunks(IN_A_PART) {
        part(Kind::Contacts(pb::OpenContacts { contacts: all(some) }))?;
    }
    for some in image.remembered.chunks(IN_A_PART) {
        part(Kind::Remembered(pb::RememberedReplies { replies: all(some) }))?;
    }
    let none = pb::LastAgents::default;
    for some in image.last_agents.chunks(IN_A_PART) {
        part(Kind::LastAgents(pb::LastAgents { last: all(some), ..none() }))?;
    }
    for some in image.kept_places.chunks(IN_A_PART) {
        part(Kind::LastAgents(pb::LastAgents { kept_places: all(some), ..none() }))?;
    }
    for some in image.threads.chunks(IN_A_PART) {
        part(Kind::LastAgents(pb::LastAgents { threads: all(some), ..none() }))?;
    }
    for some in image.promises.chunks(IN_A_PART) {
        part(Kind::Promises(pb::OpenPromises { promises: all(some) }))?;
    }
    for some in image.recoveries.chunks(IN_A_PART) {
        part(Kind::Recoveries(pb::OpenRecoveries { recoveries: all(some) }))?;
    }
    for some in seen.tallies.chunks(IN_A_PART) {
        part(Kind::Tallies(pb::Tallies { tallies: all(some) }))?;
    }
    for recall in &seen.recalls {
        part(Kind::RecallTally(Record::put(recall)))?;
    }
    for some in seen.tracks.chunks(IN_A_PART) {
        part(Kind::Tracks(pb::Tracks { tracks: all(some) }))?;
    }
    for some in seen.people.chunks(IN_A_PART) {
        part(Kind::People(pb::People { people: all(some) }))?;
    }
    for some in seen.timelines.chunks(IN_A_PART) {
        part(Kind::Timelines(pb::Timelines { timelines: all(some) }))?;
    }
    Ok(())
}

fn all<R: Record>(some: &[R]) -> Vec<R::Pb> {
    some.iter().map(Record::put).collect()
}

fn head(snapshot: &Snapshot) -> pb::SnapshotHead {
    let passed = |p: &Passed| pb::Passed { sequence: p.sequence, at_us: p.at.0 };
    pb::SnapshotHead {
        format: FORMAT,
        oldest_reader: OLDEST_READER,
        epoch: snapshot.tip.epoch,
        sequence: snapshot.tip.sequence,
        hash: snapshot.tip.hash.to_vec(),
        wall_ms: snapshot.wall.0,
        at_us: snapshot.at.0,
        passed: snapshot.passed.iter().map(passed).collect(),
    }
}

/// Whether a part is about what the replica has seen, by its first byte; none other has
/// to be told by it.
pub(in crate::journal) fn is_seen(part: &[u8]) -> bool {
    part.first().is_some_and(|tag| (FIRST_SEEN..=LAST_SEEN).contains(&(tag >> 3)))
}

/// Where the journal stood, as a snapshot's first part says.
pub(in crate::journal) fn tip(first: &[u8]) -> Result<Tip, CodecError> {
    let mut taken = Parts::default();
    taken.take(first)?;
    let head = taken.head.ok_or(CodecError::Missing { field: "SnapshotPart.head" })?;
    Ok(head.tip)
}

impl Parts {
    /// Takes the next part.
    pub(in crate::journal) fn take(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        const PART: &str = "SnapshotPart.kind";
        let kind = pb::SnapshotPart::decode(bytes)?.kind;
        match kind.ok_or(CodecError::Missing { field: PART })? {
            Kind::Head(head) => self.head = Some(Self::head(head)?),
            Kind::Engine(rest) => self.rest = Some(take_rest(rest)?),
            Kind::Recall(recall) => self.image.recalls.push(<Recall as Record>::take(recall)?),
            Kind::Contacts(some) => extend(&mut self.image.contacts, some.contacts)?,
            Kind::Remembered(some) => extend(&mut self.image.remembered, some.replies)?,
            Kind::LastAgents(some) => {
                extend(&mut self.image.last_agents, some.last)?;
                extend(&mut self.image.kept_places, some.kept_places)?;
                extend(&mut self.image.threads, some.threads)?;
            }
            Kind::Promises(some) => extend(&mut self.image.promises, some.promises)?,
            Kind::Recoveries(some) => extend(&mut self.image.recoveries, some.recoveries)?,
            Kind::Tallies(some) => extend(&mut self.seen.tallies, some.tallies)?,
            Kind::RecallTally(recall) => {
                self.seen.recalls.push(<RecallStatistics as Record>::take(recall)?);
            }
            Kind::Tracks(some) => extend(&mut self.seen.tracks, some.tracks)?,
            Kind::People(some) => extend(&mut self.seen.people, some.people)?,
            Kind::Timelines(some) => extend(&mut self.seen.timelines, some.timelines)?,
        }
        Ok(())
    }

    fn head(head: pb::SnapshotHead) -> Result<Head, CodecError> {
        if head.oldest_reader > FORMAT {
            return Err(CodecError::TooNew { needs: head.oldest_reader, have: FORMAT });
        }
        // Zero is what absence reads as: no format ever had that number.
        if head.format == 0 {
            return Err(CodecError::Missing { field: "SnapshotHead.format" });
        }
        let hash = Field::take(head.hash, "SnapshotHead.hash")?;
        let passed = |p: pb::Passed| Passed { sequence: p.sequence, at: EngineTime(p.at_us) };
        Ok(Head {
            tip: Tip { epoch: head.epoch, sequence: head.sequence, hash },
            wall: WallTime(head.wall_ms),
            at: EngineTime(head.at_us),
            passed: head.passed.into_iter().map(passed).collect(),
        })
    }

    /// The whole, with what the replica has seen in parts that were taken elsewhere.
    pub(in crate::journal) fn whole(self, seen: Self) -> Result<Snapshot, CodecError> {
        let head = self.head.ok_or(CodecError::Missing { field: "SnapshotPart.head" })?;
        let rest = self.rest.ok_or(CodecError::Missing { field: "SnapshotPart.engine" })?;
        let Image {
            recalls,
            contacts,
            remembered,
            last_agents,
            kept_places,
            threads,
            promises,
            recoveries,
            ..
        } = self.image;
        Ok(Snapshot {
            tip: head.tip,
            wall: head.wall,
            at: head.at,
            passed: head.passed,
            engine: Image {
                recalls,
                contacts,
                remembered,
                last_agents,
                promises,
                recoveries,
                kept_places,
                threads,
                ..rest
            },
            seen: seen.seen,
        })
    }
}

fn extend<R: Record>(all: &mut Vec<R>, some: Vec<R::Pb>) -> Result<(), CodecError> {
    all.reserve(some.len());
    for one in some {
        all.push(R::take(one)?);
    }
    Ok(())
}
