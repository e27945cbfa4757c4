//! The playbooks of recalls, at hand for whoever speaks to customers or reads their words.
//!
//! A registry, never the truth: it follows durable events and is made again from the
//! journal. It decides nothing; playbooks of the last recalls that are over stay, because
//! what was said to whom can be shown.

use std::sync::Arc;

use arc_swap::ArcSwap;
use dashmap::DashMap;

use crate::engine::event::{Amended, Event};
use crate::engine::recall::{MOST_OVER, Plan};
use crate::ids::RecallId;
use crate::recall::Prepared;

/// Playbooks that may be prepared and not be in force: those of starts that were refused.
const MOST_PREPARED: usize = 16;

/// Playbooks by recall.
#[derive(Debug, Default)]
pub struct Recalls {
    all: ArcSwap<Vec<Arc<KnownRecall>>>,
    /// Built before a recall starts, by version, so that a start waits for nothing.
    prepared: DashMap<[u8; 32], Arc<Prepared>>,
}

/// A recall, as the edges know it.
#[derive(Clone, Debug)]
pub struct KnownRecall {
    /// Which.
    pub recall: RecallId,
    /// What the engine decides by.
    pub plan: Arc<Plan>,
    /// Its playbook, ready to be used.
    pub prepared: Arc<Prepared>,
    /// It has ended.
    pub over: bool,
}

/// What an event changes in the registry.
#[derive(Clone, Debug)]
pub(crate) enum RecallChange {
    Started(RecallId, Arc<Plan>),
    Amended(RecallId, Arc<Plan>),
    Ended(RecallId),
}

impl RecallChange {
    pub(crate) fn of(event: &Event) -> Option<Self> {
        match event {
            Event::RecallStarted { recall, plan, .. } => {
                Some(Self::Started(*recall, Arc::clone(plan)))
            }
            Event::Amended(Amended { recall, plan, .. }) => {
                Some(Self::Amended(*recall, Arc::clone(plan)))
            }
            Event::RecallEnded { recall, .. } => Some(Self::Ended(*recall)),
            _ => None,
        }
    }
}

impl Recalls {
    /// Keeps a playbook that is about to be put in force.
    pub fn prepare(&self, prepared: Arc<Prepared>) {
        // Whoever loses theirs by this has it built again, which only takes longer.
        if self.prepared.len() >= MOST_PREPARED {
            self.prepared.clear();
        }
        self.prepared.insert(prepared.version.0, prepared);
    }

    /// Whether a playbook is at hand, so that it need not be built.
    #[must_use]
    pub fn has(&self, version: [u8; 32]) -> bool {
        self.prepared.contains_key(&version)
            || self.all.load().iter().any(|known| known.plan.version == version)
    }

    /// Follows what a journal held: of recalls that are over, the last ones alone.
    pub(crate) fn follow(&self, changes: Vec<RecallChange>) {
        let ended: Vec<RecallId> = changes
            .iter()
            .filter_map(|change| match change {
                RecallChange::Ended(recall) => Some(*recall),
                RecallChange::Started(..) | RecallChange::Amended(..) => None,
            })
            .collect();
        let forgotten = &ended[..ended.len().saturating_sub(MOST_OVER)];
        for change in changes {
            let (RecallChange::Started(recall, _)
            | RecallChange::Amended(recall, _)
            | RecallChange::Ended(recall)) = &change;
            if !forgotten.contains(recall) {
                self.change(change);
            }
        }
    }

    pub(crate) fn change(&self, change: RecallChange) {
        let mut all = Vec::clone(&self.all.load());
        match change {
            RecallChange::Started(recall, plan) => {
                let Some(prepared) = self.take(&plan) else { return };
                all.push(Arc::new(KnownRecall { recall, plan, prepared, over: false }));
                let over = all.iter().filter(|k| k.over).count();
                if over > MOST_OVER
                    && let Some(oldest) = all.iter().position(|k| k.over)
                {
                    all.remove(oldest);
                }
            }
            RecallChange::Amended(recall, plan) => {
                let Some(prepared) = self.take(&plan) else { return };
                if let Some(known) = all.iter_mut().find(|k| k.recall == recall) {
                    let over = known.over;
                    *known = Arc::new(KnownRecall { recall, plan, prepared, over });
                }
            }
            RecallChange::Ended(recall) => {
                if let Some(known) = all.iter_mut().find(|k| k.recall == recall) {
                    *known = Arc::new(KnownRecall { over: true, ..KnownRecall::clone(known) });
                }
            }
        }
        self.all.store(Arc::new(all));
    }

    fn take(&self, plan: &Plan) -> Option<Arc<Prepared>> {
        if let Some((_, prepared)) = self.prepared.remove(&plan.version) {
            return Some(prepared);
        }
        // Of an older start of the same version, or of the journal.
        let all = self.all.load();
        if let Some(known) = all.iter().find(|k| k.plan.version == plan.version) {
            return Some(Arc::clone(&known.prepared));
        }
        match Prepared::from_canonical(&plan.playbook) {
            Ok(prepared) => Some(Arc::new(prepared)),
            Err(error) => {
                // Its contacts are told nothing and come back to people.
                tracing::error!(%error, title = %plan.title, "a playbook cannot be used");
                None
            }
        }
    }

    /// Recalls in force and the last ones that are over, in the order of start.
    #[must_use]
    pub fn all(&self) -> Arc<Vec<Arc<KnownRecall>>> {
        self.all.load_full()
    }

    /// A recall, also one that is over.
    #[must_use]
    pub fn get(&self, recall: RecallId) -> Option<Arc<KnownRecall>> {
        self.all.load().iter().find(|k| k.recall == recall).map(Arc::clone)
    }
}
