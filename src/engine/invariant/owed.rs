//! What holds of callbacks, promises and work to make good.

use super::Violation;
use crate::engine::Engine;
use crate::engine::agent::{Hold, Work};
use crate::engine::callback::Board;
use crate::engine::contact::{Contact, State};
use crate::engine::event::EffectKind;
use crate::engine::promise::{PromiseKind, Stage};

impl Engine {
    /// Who waits for our call is found where calls are made from, and nobody is called for whom
    /// no agent is kept free.
    pub(super) fn check_callbacks(&self) -> Result<(), Violation> {
        let mut board = Board::default();
        let mut dialling = 0;
        let mut agents = Vec::new();
        for c in self.contacts() {
            board.enter(c);
            let silent = c.silent().is_some();
            let right = match c.state {
                State::CallbackDue => silent && c.parent.is_none(),
                State::Reserved { .. } | State::Connecting { .. } => {
                    c.silent().is_none_or(|cb| cb.is_in_line())
                }
                _ => !silent,
            };
            if !right {
                return Err(Violation::Callback(c.id));
            }
            if c.effects.iter().any(|(_, kind)| matches!(kind, EffectKind::Dial { .. })) {
                dialling += 1;
                let keeps = |w: &Work| w.contact == c.id && w.hold == Hold::Connecting;
                let kept = c.state.agent().and_then(|a| self.agent(a));
                agents.extend(kept.filter(|a| a.work.iter().any(keeps)).map(|a| (a.id, c.id)));
            }
        }
        let agents = agents.len();
        if dialling > agents {
            return Err(Violation::Dialling { dialling, agents });
        }
        if board == self.board { Ok(()) } else { Err(Violation::Index("callbacks")) }
    }

    /// Made = kept + open + broken, for each kind, what is worked on is somebody's, and only a
    /// conversation that goes on keeps a promise from being worked on.
    pub(super) fn check_owed(&self) -> Result<(), Violation> {
        for kind in PromiseKind::ALL {
            let n = self.owed.counts.promises[kind.index()];
            let open = self.promises().filter(|p| p.kind == kind).count() as u64;
            let (made, found) = (n.made, n.kept + n.broken + open);
            if made != found || n.late > made {
                return Err(Violation::Promises { kind: kind.name(), made, found });
            }
        }
        for p in self.promises() {
            let by = |contact| self.contact(contact).is_some_and(|c| c.owed == Some(p.id));
            let right = match p.stage {
                Stage::Working(contact) => by(contact),
                Stage::Talking => self.contact(p.contact).is_some_and(Contact::goes_on),
                Stage::Waiting { .. } | Stage::Kept | Stage::Broken => true,
            };
            if !right {
                return Err(Violation::Owed(p.id));
            }
        }
        let n = self.owed.counts.recoveries;
        let open = self.recoveries().count() as u64;
        if n.opened == n.done + open { Ok(()) } else { Err(Violation::Index("recoveries")) }
    }
}
