//! Which losses were accepted, by whom and why: `journal/losses.jsonl`, a line each.
//!
//! Written by [`super::carry`] before a journal starts again; read by those who meet traces of
//! what is lost, a client's receipt or an archive that is ahead. It decides nothing, and a line
//! that cannot be read is no permission for anything.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::journal::Tip;
use crate::journal::error::JournalError;
use crate::journal::files::{self, failed};
use crate::journal::segment::Paths;

const FILE: &str = "losses.jsonl";

/// A loss that somebody accepted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accepted {
    /// When, milliseconds since 1970.
    pub when_ms: u64,
    /// Who decided.
    pub who: String,
    /// Why.
    pub why: String,
    /// The first entry that is lost.
    pub from: u64,
    /// The last that is known to have been there.
    pub to: u64,
    /// How many are known of.
    pub lost: u64,
    /// How many of them were acknowledged; none if the tip file could not tell.
    pub acknowledged: Option<u64>,
    /// The journal was another history than the one that was acknowledged, and is gone on with:
    /// since when they differ is not known.
    #[serde(default)]
    pub other: bool,
    /// Later than every epoch that wrote what is lost, earlier than those that go on.
    pub epoch: u64,
    /// The hash of the journal where it goes on, hexadecimal.
    pub hash: String,
    /// When the last batch that stays was closed, as far as it is known.
    pub kept_ms: Option<u64>,
    /// Engine time of the last entry that stays, as far as it is known.
    #[serde(default)]
    pub kept_us: Option<u64>,
    /// Why the journal was refused as it was.
    pub refusal: Option<String>,
    /// Where what is lost was moved to.
    pub moved_to: String,
}

impl Accepted {
    /// The last entry that stays.
    #[must_use]
    pub fn after(&self) -> u64 {
        self.from.saturating_sub(1)
    }

    /// Whether what this epoch wrote under this number, and is not there, was given up.
    #[must_use]
    pub fn covers(&self, epoch: u64, sequence: u64) -> bool {
        epoch < self.epoch && (self.other || sequence >= self.from)
    }

    /// Where the journal goes on; none if the line was not written by this version.
    #[must_use]
    pub fn tip(&self) -> Option<Tip> {
        let mut hash = [0; 32];
        if self.hash.len() != hash.len() * 2 || !self.hash.is_ascii() {
            return None;
        }
        for (byte, at) in hash.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(self.hash.get(at..at + 2)?, 16).ok()?;
        }
        Some(Tip { epoch: self.epoch, sequence: self.after(), hash })
    }
}

/// The losses that were accepted in a data directory, the oldest first.
///
/// # Errors
/// The record is there and cannot be read.
pub fn accepted(data: &Path) -> Result<Vec<Accepted>, JournalError> {
    let path = Paths::of(data).folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed("read", &path)(e)),
    };
    // A line that was cut off belongs to an acceptance that did not come to its end.
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Adds one, durably.
pub(super) fn add(paths: &Paths, accepted: &Accepted) -> Result<(), JournalError> {
    let path = paths.folder.join(FILE);
    let write = || {
        let line = serde_json::to_string(accepted).map_err(io::Error::other)?;
        let before = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        // One that was cut off must not take this one with it.
        let apart = if before.last().is_none_or(|byte| *byte == b'\n') { "" } else { "\n" };
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        file.write_all(format!("{apart}{line}\n").as_bytes())?;
        file.sync_all()
    };
    write().map_err(failed("write", &path))?;
    files::sync_folder(&paths.folder)
}

/// Bytes as hexadecimal text.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(from: u64, epoch: u64) -> Accepted {
        Accepted {
            when_ms: 1,
            who: "ada".into(),
            why: "the disk".into(),
            from,
            to: from + 3,
            lost: 4,
            acknowledged: Some(2),
            other: false,
            epoch,
            hash: hex(&[0xa5; 32]),
            kept_ms: Some(7),
            kept_us: None,
            refusal: None,
            moved_to: "there".into(),
        }
    }

    #[test]
    fn what_was_written_is_read_and_a_cut_off_line_takes_nothing_with_it() {
        let data = tempfile::tempdir().unwrap();
        let paths = Paths::of(data.path());
        assert_eq!(accepted(data.path()).unwrap(), []);
        fs::create_dir(&paths.folder).unwrap();
        add(&paths, &one(5, 3)).unwrap();
        let file = paths.folder.join(FILE);
        let whole = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{whole}{}", &whole[..40])).unwrap();
        add(&paths, &one(9, 6)).unwrap();
        let all = accepted(data.path()).unwrap();
        assert_eq!(all, [one(5, 3), one(9, 6)]);
        assert_eq!(all[0].tip(), Some(Tip { epoch: 3, sequence: 4, hash: [0xa5; 32] }));
        for torn in ["", "a5", &"é".repeat(32), &"zz".repeat(32)] {
            assert_eq!(Accepted { hash: torn.into(), ..one(5, 3) }.tip(), None, "{torn}");
        }
    }

    #[test]
    fn only_what_earlier_epochs_wrote_behind_the_cut_is_given_up() {
        let loss = one(5, 3);
        assert!(loss.covers(2, 5) && loss.covers(1, u64::MAX));
        assert!(!loss.covers(2, 4), "it stays");
        assert!(!loss.covers(3, 5) && !loss.covers(4, 900), "it came after");
        let other = Accepted { other: true, ..loss };
        assert!(other.covers(2, 1) && !other.covers(3, 1));
    }
}
