//! Personal data: sealed with a key per customer, and shown to nobody by accident.
//!
//! Used at the edges: a gateway's words are sealed before they become a command, and
//! unsealed for the agent who serves. The engine and the journal only carry them. Which
//! key is whose, and where keys are kept, is [`super::keys`]'s.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::engine::entry::Sealed;
use crate::ids::CustomerId;

pub use super::keys::KeyStore;

/// Bytes of a nonce: long enough that random ones never meet.
const NONCE: usize = 24;

/// The bytes of one key. Printing it tells nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(pub(super) [u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Text that must not reach a log, a metric, an error or a panic: printing it gives
/// `[redacted]`.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Redacted(String);

impl Redacted {
    /// Wraps it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who may have it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Takes the text out, for the one who may have it.
    #[must_use]
    pub fn into_exposed(self) -> String {
        self.0
    }
}

impl From<String> for Redacted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Encrypts with the key of this id.
pub(super) fn encrypt(id: u64, key: &Key, customer: Option<CustomerId>, plain: &[u8]) -> Sealed {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).expect("the system gave random bytes when the store was opened");
    let cipher = XChaCha20Poly1305::new(&key.0.into());
    let payload = Payload { msg: plain, aad: &associated(id, customer) };
    let text = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .expect("the limit is 256 GiB, beyond what any message may be");
    let bytes = nonce.iter().copied().chain(text).collect();
    Sealed { customer, key: id, bytes }
}

/// Decrypts; none if it is not what [`encrypt`] made with this key for this customer.
pub(super) fn decrypt(key: &Key, sealed: &Sealed) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.bytes.split_first_chunk::<NONCE>()?;
    let aad = associated(sealed.key, sealed.customer);
    let payload = Payload { msg: text, aad: &aad };
    XChaCha20Poly1305::new(&key.0.into()).decrypt(&XNonce::from(*nonce), payload).ok()
}

/// What is not secret but must not be exchanged: which key, and whose.
fn associated(id: u64, customer: Option<CustomerId>) -> [u8; 25] {
    let mut data = [0; 25];
    data[..8].copy_from_slice(&id.to_le_bytes());
    if let Some(CustomerId(customer)) = customer {
        data[8] = 1;
        data[9..].copy_from_slice(&customer.to_le_bytes());
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key([7; 32]);

    #[test]
    fn a_changed_byte_key_id_or_customer_does_not_open() {
        let customer = Some(CustomerId(42));
        let sealed = encrypt(3, &KEY, customer, b"plain words");
        assert_eq!(decrypt(&KEY, &sealed).as_deref(), Some(&b"plain words"[..]));
        for at in 0..sealed.bytes.len() {
            let mut bytes = sealed.bytes.to_vec();
            bytes[at] ^= 1;
            let other = Sealed { bytes: bytes.into(), ..sealed.clone() };
            assert_eq!(decrypt(&KEY, &other), None, "byte {at}");
        }
        assert_eq!(decrypt(&KEY, &Sealed { key: 4, ..sealed.clone() }), None);
        assert_eq!(decrypt(&KEY, &Sealed { customer: None, ..sealed.clone() }), None);
        assert_eq!(decrypt(&Key([8; 32]), &sealed), None);
        assert_eq!(decrypt(&KEY, &Sealed { bytes: [1; 5].as_slice().into(), ..sealed }), None);
    }

    #[test]
    fn the_same_words_are_sealed_differently_each_time() {
        let first = encrypt(3, &KEY, None, b"plain words");
        let second = encrypt(3, &KEY, None, b"plain words");
        assert_ne!(first.bytes, second.bytes);
    }

    #[test]
    fn printing_tells_nothing() {
        let text = Redacted::new("Ada Lovelace");
        assert_eq!(
            format!("{text} {text:?} {:?}", Some(&text)),
            "[redacted] [redacted] Some([redacted])"
        );
        assert_eq!(text.expose(), "Ada Lovelace");
        assert_eq!(format!("{KEY:?}"), "[redacted]");
    }
}
