//! Who asks.
//!
//! For now each service speaks for one role and believes the name that it is given, which
//! is why `config` keeps the router on loopback. Certificates and tokens will put the proven
//! name in the same [`Actor`]; what an actor may do is the engine's to say.

use std::sync::Arc;

use crate::engine::entry::{Actor, Role};
use crate::ids::RequestId;

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
