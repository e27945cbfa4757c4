//! The cheap handle: how everything else speaks to the owner and reads from the replica.

use std::sync::Arc;

use arc_swap::ArcSwap;
use dashmap::DashMap;

use super::ask::{Answer, Ask};
use super::view::View;
use crate::engine::command::Command;
use crate::engine::entry::{Actor, Sealed};
use crate::engine::routing::Routing;
use crate::ids::{
    AgentId, ContactId, DispositionId, EntryPointId, PoolId, QueueId, ReasonId, RequestId, SkillId,
};
use crate::journal::seal::KeyStore;

/// Speaks to one shard. Clones share it.
#[derive(Clone, Debug)]
pub struct ShardHandle {
    pub(crate) directory: Arc<ArcSwap<Directory>>,
    pub(crate) people: Arc<DashMap<ContactId, Sealed>>,
    pub(crate) keys: Arc<KeyStore>,
}

/// The shard has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the router is stopping")]
pub struct Stopped;

#[allow(clippy::todo, clippy::missing_errors_doc, clippy::unused_async)]
impl ShardHandle {
    /// Hands a command over. Never blocks: when the queue is full the answer is
    /// [`super::ask::Rejection::Busy`], at once.
    pub fn submit(&self, ask: Ask) {
        let _ = ask;
        todo!()
    }

    /// Hands a command over and waits for its answer.
    pub async fn call(
        &self,
        actor: Actor,
        request: Option<RequestId>,
        command: Command,
        sealed: Option<Sealed>,
    ) -> Answer {
        let _ = (actor, request, command, sealed);
        todo!()
    }

    /// Reads from the replica: runs `read` on its thread, between two entries.
    pub async fn read<T, F>(&self, read: F) -> Result<T, Stopped>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> T + Send + 'static,
    {
        let _ = read;
        todo!()
    }

    /// Names and ids as of the newest durable configuration.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.directory.load_full()
    }

    /// Sealed personal data of an open contact, as it arrived.
    #[must_use]
    pub fn person(&self, contact: ContactId) -> Option<Sealed> {
        self.people.get(&contact).map(|s| s.clone())
    }

    /// The key store.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyStore> {
        &self.keys
    }
}

/// Names to ids and back, for the edges. What is retired is not found by name.
#[derive(Debug, Default)]
pub struct Directory {
    /// The tables.
    pub routing: Arc<Routing>,
}

#[allow(clippy::todo, missing_docs)]
impl Directory {
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<QueueId> {
        let _ = name;
        todo!()
    }
    #[must_use]
    pub fn agent(&self, name: &str) -> Option<AgentId> {
        let _ = name;
        todo!()
    }
    #[must_use]
    pub fn skill(&self, name: &str) -> Option<SkillId> {
        let _ = name;
        todo!()
    }
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<PoolId> {
        let _ = name;
        todo!()
    }
    #[must_use]
    pub fn entry_point(&self, name: &str) -> Option<EntryPointId> {
        let _ = name;
        todo!()
    }
    #[must_use]
    pub fn reason(&self, name: &str) -> Option<ReasonId> {
        let _ = name;
        todo!()
    }
    #[must_use]
    pub fn disposition(&self, name: &str) -> Option<DispositionId> {
        let _ = name;
        todo!()
    }
}
