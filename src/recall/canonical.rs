//! A playbook's canonical form, and the version that is its hash.
//!
//! The form is JSON with fields in the order of the types and maps in the order of their
//! keys: what the journal keeps, and what two people compare. Comments, spacing and the
//! order of tables in the file are not in it. It owns nothing and judges no content.

use std::fmt;

use super::playbook::Playbook;

/// Which playbook: the BLAKE3 hash of its canonical form. Displays as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub [u8; 32]);

/// Why a playbook has no canonical form, or the form no playbook.
#[derive(Debug, thiserror::Error)]
#[error("the canonical form of a playbook cannot be read")]
pub struct CanonicalError(#[from] serde_json::Error);

impl Version {
    /// The first 12 digits: for people, beside the title.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}

impl Playbook {
    /// The canonical form.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        // Maps have text keys and there are no floats: nothing here that JSON cannot say.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Version {
        Version(*blake3::hash(&self.canonical()).as_bytes())
    }

    /// The playbook of a canonical form, as it was when the form was made. Nothing is
    /// checked again: what was decided stays decided.
    ///
    /// # Errors
    /// [`CanonicalError`] if these bytes are not one.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, CanonicalError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}
