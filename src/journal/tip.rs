//! The tip file: how far the journal was acknowledged, kept apart from the journal.
//!
//! `SQLite` drops a damaged end of its log without a word; this file is what tells that
//! something acknowledged went with it. Owned by the writer, which syncs it after every
//! batch and before anything is acknowledged. It does not hold entries, and it does not
//! decide what to do about a difference: [`super::recovery`] does.
//!
//! Two slots are written in turn, so that a write cut off half way leaves the older one.
//! They lie a page apart, because a disk may write no less than 4 KiB at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::Tip;
use super::error::JournalError;
use super::files::{failed, parent, sync_folder};

/// Bytes of a slot.
const SLOT: usize = 512;
/// Bytes from one slot's beginning to the other's.
const APART: usize = 4096;
const MAGIC: &[u8; 8] = b"SRGTIP\x00\x01";

/// The open tip file of a writer.
#[derive(Debug)]
pub(super) struct TipFile {
    file: File,
    path: PathBuf,
    /// The slot that the next write goes to: the one that does not hold the newest.
    next: u64,
}

/// What a tip file says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Acknowledged {
    /// There is no file.
    Missing,
    /// Neither slot is whole.
    Damaged,
    /// The newest whole slot, 0 or 1, and what it holds.
    Upto(Tip, u64),
}

/// Reads a tip file without changing it.
pub(super) fn read(path: &Path) -> Result<Acknowledged, JournalError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Acknowledged::Missing),
        Err(e) => return Err(failed("read", path)(e)),
    };
    let slot = |n: usize| decode(bytes.get(n..n + SLOT)?);
    let first = slot(0).map(|tip| (tip, 0));
    let second = slot(APART).map(|tip| (tip, 1));
    let newest = first.into_iter().chain(second).max_by_key(|(tip, _)| (tip.epoch, tip.sequence));
    Ok(newest.map_or(Acknowledged::Damaged, |(tip, slot)| Acknowledged::Upto(tip, slot)))
}

impl TipFile {
    /// Makes a tip file durably, with both slots holding `tip`.
    pub(super) fn create(path: &Path, tip: Tip) -> Result<Self, JournalError> {
        // Under another name first: a crash in here must leave no file, rather than one
        // that reads as damaged and has to be explained to someone.
        let draft = path.with_extension("new");
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)?;
            let mut page = vec![0; APART];
            page[..SLOT].copy_from_slice(&encode(tip));
            file.write_all(&page)?;
            file.write_all(&page)?;
            file.sync_all()?;
            fs::rename(&draft, path)
        };
        write().map_err(failed("create", path))?;
        sync_folder(parent(path))?;
        Self::open(path, 0)
    }

    /// Opens a tip file whose newest tip is in slot `newest`.
    pub(super) fn open(path: &Path, newest: u64) -> Result<Self, JournalError> {
        let file = OpenOptions::new().write(true).open(path).map_err(failed("open", path))?;
        Ok(Self { file, path: path.to_path_buf(), next: 1 - newest.min(1) })
    }

    /// Makes a newer tip durable.
    pub(super) fn write(&mut self, tip: Tip) -> Result<(), JournalError> {
        self.file
            .write_all_at(&encode(tip), self.next * APART as u64)
            .and_then(|()| self.file.sync_data())
            .map_err(failed("write", &self.path))?;
        self.next = 1 - self.next;
        Ok(())
    }
}

fn encode(tip: Tip) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[..8].copy_from_slice(MAGIC);
    slot[8..16].copy_from_slice(&tip.epoch.to_le_bytes());
    slot[16..24].copy_from_slice(&tip.sequence.to_le_bytes());
    slot[24..56].copy_from_slice(&tip.hash);
    let crc = crc32fast::hash(&slot[..SLOT - 4]);
    slot[SLOT - 4..].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn decode(slot: &[u8]) -> Option<Tip> {
    let (body, crc) = slot.split_last_chunk::<4>()?;
    if !body.starts_with(MAGIC) || crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return None;
    }
    Some(Tip {
        epoch: u64::from_le_bytes(*body.get(8..)?.first_chunk()?),
        sequence: u64::from_le_bytes(*body.get(16..)?.first_chunk()?),
        hash: *body.get(24..)?.first_chunk()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tip(epoch: u64, sequence: u64) -> Tip {
        Tip { epoch, sequence, hash: [u8::try_from(sequence).unwrap(); 32] }
    }

    #[test]
    fn a_write_cut_off_at_any_byte_leaves_the_older_slot() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tip");
        let mut file = TipFile::create(&path, tip(1, 0)).unwrap();
        file.write(tip(1, 1)).unwrap();
        file.write(tip(1, 2)).unwrap();
        let before = fs::read(&path).unwrap();
        file.write(tip(1, 3)).unwrap();
        let after = fs::read(&path).unwrap();
        let place = APART;
        assert_ne!(before[place..place + SLOT], after[place..place + SLOT]);
        for cut in 0..SLOT {
            let mut torn = before.clone();
            torn[place..place + cut].copy_from_slice(&after[place..place + cut]);
            if torn == after {
                // The last bytes were the same before and after: nothing is missing.
                continue;
            }
            fs::write(&path, &torn).unwrap();
            assert_eq!(read(&path).unwrap(), Acknowledged::Upto(tip(1, 2), 0), "cut at {cut}");
        }
    }

    #[test]
    fn a_reopened_file_overwrites_the_older_slot() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tip");
        TipFile::create(&path, tip(1, 0)).unwrap().write(tip(1, 7)).unwrap();
        let Acknowledged::Upto(found, slot) = read(&path).unwrap() else { panic!("unreadable") };
        assert_eq!((found, slot), (tip(1, 7), 1));
        TipFile::open(&path, slot).unwrap().write(tip(2, 7)).unwrap();
        assert_eq!(read(&path).unwrap(), Acknowledged::Upto(tip(2, 7), 0));
    }

    #[test]
    fn both_slots_damaged_is_damaged_and_no_file_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tip");
        assert_eq!(read(&path).unwrap(), Acknowledged::Missing);
        drop(TipFile::create(&path, tip(1, 0)).unwrap());
        let mut bytes = fs::read(&path).unwrap();
        bytes[20] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read(&path).unwrap(), Acknowledged::Upto(tip(1, 0), 1));
        bytes[APART + 30] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read(&path).unwrap(), Acknowledged::Damaged);
    }
}
