//! Receipts: what a client was told is durable, signed, so that it can say so later.
//!
//! Every answer carries one. A client that reconnects shows the newest that it has; a
//! genuine one from beyond the journal's end, or for a batch that is another one here, means
//! that this journal is an older copy, or went on from one (`history` looks that up). The
//! key lies outside the data directory, which is what gets copied back. The shard signs,
//! the edges show; what follows from one is not decided here.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Tip;
use super::files::{parent, sync_folder};
use super::history::History;
pub use super::history::{Proof, Unproven};
use crate::time::WallTime;

/// Bytes of a receipt.
pub const RECEIPT: usize = 48;
/// Bytes of the beginning of a batch's hash.
pub(super) const PREFIX: usize = 16;
/// Bytes of it that say what was durable: epoch, sequence, and the beginning of the hash.
const SAYS: usize = 16 + PREFIX;
/// Bytes of a key.
const KEY: usize = 32;

/// A signed tip.
pub type Receipt = [u8; RECEIPT];

/// What a genuine receipt says was durable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Seen {
    /// In which process's turn at writing.
    pub epoch: u64,
    /// Up to which entry.
    pub sequence: u64,
    /// The beginning of the hash of the batch that ends with it.
    pub hash: [u8; PREFIX],
}

/// Why the key of receipts cannot be used.
#[derive(Debug, Error)]
pub enum ReceiptError {
    /// The file could not be read or made.
    #[error("cannot {doing} the key of receipts {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "the key of receipts {} has {found} bytes, expected 32: restore it, or move it away and a new one is made (receipts given out before then prove nothing)",
        path.display()
    )]
    NotAKey {
        /// Which file.
        path: PathBuf,
        /// Its length.
        found: usize,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[from] getrandom::Error),
}

/// Signs receipts, and tells genuine ones.
pub struct Receipts {
    key: [u8; KEY],
    history: History,
}

impl std::fmt::Debug for Receipts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receipts([redacted])")
    }
}

impl Receipts {
    /// With the key in this file, which is made if it is not there (0600).
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn open(path: &Path) -> Result<Self, ReceiptError> {
        match fs::read(path) {
            Ok(bytes) => {
                let found = bytes.len();
                let key = bytes.try_into();
                let wrong = |_| ReceiptError::NotAKey { path: path.to_path_buf(), found };
                Ok(Self { key: key.map_err(wrong)?, history: History::default() })
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(e) => Err(failed("read", path)(e)),
        }
    }

    /// With a key of its own that nobody keeps.
    ///
    /// # Errors
    /// [`ReceiptError::Random`].
    pub fn ephemeral() -> Result<Self, ReceiptError> {
        let mut key = [0; KEY];
        getrandom::fill(&mut key)?;
        Ok(Self { key, history: History::default() })
    }

    /// The same key, for what the journal in this data directory holds.
    #[must_use]
    pub fn of_journal(self, data: &Path) -> Self {
        Self { history: History::of(data), ..self }
    }

    /// Moves the key in this file aside, so that receipts given out until now prove nothing
    /// any more. Tells where it is now; nothing if there was none.
    ///
    /// # Errors
    /// [`ReceiptError::Io`]; it may have been moved all the same.
    pub fn set_aside(path: &Path, now: WallTime) -> Result<Option<PathBuf>, ReceiptError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".until-{}", now.0));
        let aside = path.with_file_name(name);
        match fs::rename(path, &aside) {
            Ok(()) => {
                // Back after a power cut, it would stop the router that was told to go on.
                synced(path)?;
                Ok(Some(aside))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("move", path)(e)),
        }
    }

    fn create(path: &Path) -> Result<Self, ReceiptError> {
        let made = Self::ephemeral()?;
        // Under another name first: half a key must never be found.
        let draft = path.with_extension("new");
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(&made.key)?;
            file.sync_all()?;
            fs::rename(&draft, path)
        };
        write().map_err(failed("make", path))?;
        // A key that a power cut takes away proves nothing of what it signed.
        synced(path)?;
        Ok(made)
    }

    /// A receipt for everything up to where the journal stands now, which is remembered.
    pub(crate) fn issue(&self, tip: Tip) -> Receipt {
        self.history.remember(tip);
        self.sign(tip)
    }

    /// Notes where the journal stood at an earlier time.
    pub(crate) fn remember(&self, tip: Tip) {
        self.history.remember(tip);
    }

    /// Whether the batch that a receipt names is known to be here without looking it up.
    pub(crate) fn remembers(&self, seen: &Seen) -> bool {
        self.history.remembers(seen)
    }

    /// What a receipt comes to; `due` says that its number is one that should be here. May read
    /// files: not for a task that must not block.
    #[must_use]
    pub fn prove(&self, seen: &Seen, due: bool) -> Proof {
        self.history.prove(seen, due)
    }

    /// A receipt for everything up to a tip.
    #[must_use]
    pub fn sign(&self, tip: Tip) -> Receipt {
        let mut receipt = [0; RECEIPT];
        receipt[..8].copy_from_slice(&tip.epoch.to_le_bytes());
        receipt[8..16].copy_from_slice(&tip.sequence.to_le_bytes());
        receipt[16..SAYS].copy_from_slice(&tip.hash[..SAYS - 16]);
        let mac = blake3::keyed_hash(&self.key, &receipt[..SAYS]);
        receipt[SAYS..].copy_from_slice(&mac.as_bytes()[..RECEIPT - SAYS]);
        receipt
    }

    /// What a receipt says; none if it was not signed with this key.
    #[must_use]
    pub fn read(&self, receipt: &[u8]) -> Option<Seen> {
        let receipt: &Receipt = receipt.try_into().ok()?;
        let mac = blake3::keyed_hash(&self.key, &receipt[..SAYS]);
        // In constant time: by comparing whole hashes of both.
        let given = blake3::keyed_hash(&self.key, &receipt[SAYS..]);
        if given != blake3::keyed_hash(&self.key, &mac.as_bytes()[..RECEIPT - SAYS]) {
            return None;
        }
        let number = |at: usize| Some(u64::from_le_bytes(*receipt.get(at..)?.first_chunk()?));
        let hash = *receipt.get(16..)?.first_chunk()?;
        Some(Seen { epoch: number(0)?, sequence: number(8)?, hash })
    }
}

/// Makes the name of a key durable.
fn synced(path: &Path) -> Result<(), ReceiptError> {
    let folder = parent(path);
    sync_folder(folder).map_err(|error| failed("sync the folder of", path)(io::Error::other(error)))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ReceiptError + use<> {
    let path = path.to_path_buf();
    move |source| ReceiptError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIP: Tip = Tip { epoch: 3, sequence: 70_000, hash: [9; 32] };

    #[test]
    fn a_receipt_is_known_again_by_its_key_alone_and_a_changed_one_never() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let receipt = Receipts::open(&path).unwrap().sign(TIP);
        let again = Receipts::open(&path).unwrap();
        assert_eq!(
            again.read(&receipt),
            Some(Seen { epoch: 3, sequence: 70_000, hash: [9; PREFIX] })
        );
        for at in 0..RECEIPT {
            let mut forged = receipt;
            forged[at] ^= 1;
            assert_eq!(again.read(&forged), None, "byte {at}");
        }
        assert_eq!(again.read(&receipt[..47]), None);
        assert_eq!(again.read(b""), None);
        assert_eq!(Receipts::ephemeral().unwrap().read(&receipt), None);
    }

    #[test]
    fn a_key_that_was_set_aside_is_kept_and_signs_nothing_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(Receipts::set_aside(&path, WallTime(7)).unwrap().is_none());
        let receipt = Receipts::open(&path).unwrap().sign(TIP);
        let aside = Receipts::set_aside(&path, WallTime(7)).unwrap().unwrap();
        assert_eq!(aside, folder.path().join("key.until-7"));
        assert_eq!(Receipts::open(&path).unwrap().read(&receipt), None);
        assert!(Receipts::open(&aside).unwrap().read(&receipt).is_some());
    }

    #[test]
    fn a_file_that_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "short").unwrap();
        let refused = Receipts::open(&path).unwrap_err().to_string();
        assert!(refused.contains("has 5 bytes, expected 32"), "{refused}");
    }
}
