//! Who asks, and where the router may listen.
//!
//! For now each service speaks for one role and believes the name that it is given, which
//! is why [`check_listen`] keeps the router on loopback. Certificates and tokens will put
//! the proven name in the same [`Actor`]; what an actor may do is the engine's to say.

use std::net::SocketAddr;
use std::sync::Arc;

use thiserror::Error;

use crate::engine::entry::{Actor, Role};
use crate::ids::RequestId;

/// The router will not listen there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ListenError {
    /// Others could reach it, and it could not tell who they are.
    #[error(
        "{0} can be reached from other machines, and without TLS anyone who does can act as \
         anyone: listen on 127.0.0.1, or pass --insecure-listen-without-tls if the network \
         itself keeps strangers out"
    )]
    Unprotected(SocketAddr),
}

/// Whether the router may listen on `addr` without TLS.
///
/// `allow` is what the operator said with the flag of the honest name.
///
/// # Errors
/// [`ListenError::Unprotected`] when the address is not loopback and `allow` is false.
pub fn check_listen(addr: SocketAddr, allow: bool) -> Result<(), ListenError> {
    if addr.ip().to_canonical().is_loopback() || allow {
        Ok(())
    } else {
        Err(ListenError::Unprotected(addr))
    }
}

/// Who asks.
pub(super) fn actor(role: Role, name: &str) -> Actor {
    Actor { role, name: Arc::from(name) }
}

/// What an actor calls a request.
///
/// The content is a hash of the protobuf as this version writes it again, so that fields
/// which this version does not know make no difference to a repeat.
pub(super) fn request_id(actor: &Actor, text: &str, asked: &impl prost::Message) -> RequestId {
    let mut name = blake3::Hasher::new();
    name.update(&[role_tag(actor.role)]);
    // Lengths keep ("ab", "c") and ("a", "bc") apart.
    name.update(&(actor.name.len() as u64).to_le_bytes());
    name.update(actor.name.as_bytes());
    name.update(text.as_bytes());
    let content = blake3::hash(&asked.encode_to_vec());
    RequestId {
        id: u128::from_le_bytes(first(name.finalize().as_bytes())),
        content: u64::from_le_bytes(first(content.as_bytes())),
    }
}

fn first<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash[..N]);
    bytes
}

/// These go into hashes that outlive a process: they never change.
const fn role_tag(role: Role) -> u8 {
    match role {
        Role::Router => 0,
        Role::Gateway => 1,
        Role::Agent => 2,
        Role::Supervisor => 3,
        Role::OnCall => 4,
        Role::Admin => 5,
        Role::Viewer => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::v1;

    #[test]
    fn only_loopback_is_listened_on_without_the_flag() {
        let table = [
            ("127.0.0.1:50051", true),
            ("127.9.9.9:1", true),
            ("[::1]:50051", true),
            ("[::ffff:127.0.0.1]:50051", true),
            ("0.0.0.0:50051", false),
            ("[::]:50051", false),
            ("192.168.1.4:50051", false),
            ("[::ffff:10.0.0.1]:50051", false),
        ];
        for (addr, loopback) in table {
            let addr: SocketAddr = addr.parse().expect("an address");
            assert_eq!(check_listen(addr, false).is_ok(), loopback, "{addr}");
            assert_eq!(check_listen(addr, true), Ok(()), "{addr}");
        }
    }

    #[test]
    fn a_request_id_tells_actors_texts_and_contents_apart() {
        let ask = |role, name: &str, text: &str, contact_id| {
            let asked = v1::GetContactRequest { contact_id };
            request_id(&actor(role, name), text, &asked)
        };
        let base = ask(Role::Agent, "ab", "c", 1);
        assert_eq!(base, ask(Role::Agent, "ab", "c", 1));
        for other in [
            ask(Role::Gateway, "ab", "c", 1),
            ask(Role::Agent, "a", "bc", 1),
            ask(Role::Agent, "ab", "d", 1),
        ] {
            assert_ne!(base.id, other.id);
            assert_eq!(base.content, other.content);
        }
        let said_otherwise = ask(Role::Agent, "ab", "c", 2);
        assert_eq!(base.id, said_otherwise.id);
        assert_ne!(base.content, said_otherwise.content);
    }
}
