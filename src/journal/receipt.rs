//! Receipts: what a client was told is durable, signed, so that it can say so later.
//!
//! Every answer carries one. A client that reconnects shows the newest that it has; a
//! genuine one from beyond the journal's end means that this journal is an older copy. The
//! key lies outside the data directory, which is what gets copied back. The shard signs,
//! the edges read; what follows from one is not decided here.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Tip;
use crate::time::WallTime;

/// Bytes of a receipt.
pub const RECEIPT: usize = 48;
/// Bytes of it that say what was durable: epoch, sequence, and the beginning of the hash.
const SAYS: usize = 32;
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
                Ok(Self {
                    key: key
                        .map_err(|_| ReceiptError::NotAKey { path: path.to_path_buf(), found })?,
                })
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
        Ok(Self { key })
    }

    /// Moves the key in this file aside, so that receipts given out until now prove nothing
    /// any more. Tells where it is now; nothing if there was none.
    ///
    /// # Errors
    /// [`ReceiptError::Io`].
    pub fn set_aside(path: &Path, now: WallTime) -> Result<Option<PathBuf>, ReceiptError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".until-{}", now.0));
        let aside = path.with_file_name(name);
        match fs::rename(path, &aside) {
            Ok(()) => Ok(Some(aside)),
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
        Ok(made)
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
        Some(Seen { epoch: number(0)?, sequence: number(8)? })
    }
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
        assert_eq!(again.read(&receipt), Some(Seen { epoch: 3, sequence: 70_000 }));
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
