//! A second engine, made at random moments from a snapshot on disk: it must be the same
//! engine, and stay it.
//!
//! It decides every command beside the owner, and must say the same, as long as nothing is
//! decided by what a snapshot does not hold: how far walks for a recall have got, when an order
//! about many contacts goes on, and about
//! how many stand in line. Otherwise it follows the owner's events.

use rand::RngExt;

use surgeline::engine::Engine;
use surgeline::engine::command::{Command, Order, Reply, Report};
use surgeline::engine::contact::Contact;
use surgeline::engine::entry::Entry;
use surgeline::engine::event::{CallbackStepped, Event};
use surgeline::engine::queue_life::Then;
use surgeline::engine::refusal::Refusal;
use surgeline::ids::RequestId;
use surgeline::journal::Tip;
use surgeline::journal::snapshot::Snapshot;
use surgeline::journal::snapshot::kept::Snapshots;
use surgeline::journal::snapshot::seen::Seen;
use surgeline::time::{EngineTime, WallTime};

use super::World;

/// Commands for which it is kept.
const LIFE: u32 = 150;

pub(super) struct Shadow {
    engine: Engine,
    decides: bool,
    left: u32,
}

/// One command, and what the owner made of it.
pub(super) struct Decided<'a> {
    pub(super) at: EngineTime,
    pub(super) request: Option<RequestId>,
    pub(super) command: &'a Command,
    pub(super) reply: &'a Result<Reply, Refusal>,
    pub(super) events: &'a [Event],
}

impl Shadow {
    /// Decides the same, if it can.
    pub(super) fn decide(&mut self, owner: &Decided<'_>, context: &str) {
        let paced = |order: &Order| matches!(order, Order::Bulk { .. });
        let refused = matches!(owner.reply, Err(Refusal::NoRoom { .. }));
        let asks = self.asks_for_room(owner.command);
        if matches!(owner.command, Command::Recall { .. })
            || matches!(owner.command, Command::Supervise { order, .. } if paced(order))
            || promises(owner.events)
            || refused
            || asks
        {
            self.decides = false;
        }
        if self.decides {
            let mut events = Vec::new();
            let reply = self.engine.handle(owner.at, owner.request, owner.command, &mut events);
            assert_eq!(&reply, owner.reply, "{context}: an engine from a snapshot says otherwise");
            assert_eq!(events, owner.events, "{context}: an engine from a snapshot does otherwise");
        }
    }

    /// Whether it goes by the room for callbacks although nobody is told of it.
    fn asks_for_room(&self, command: &Command) -> bool {
        let Command::Gateway {
            report: Report::NumberConfirmed { contact, confirmed: true }, ..
        } = command
        else {
            return false;
        };
        let queue = self.engine.contact(*contact).map(|c| c.queue);
        queue.and_then(|queue| self.engine.routing().queue(queue)).is_some_and(|queue| {
            [queue.life.closed, queue.life.full].iter().any(|f| f.then == Then::Callback)
        })
    }

    /// Applies what it did not decide: all of the entry, or what follows the first `decided`.
    pub(super) fn follow(&mut self, entry: &Entry, decided: usize) {
        if self.decides {
            entry.events[decided..].iter().for_each(|event| self.engine.apply(entry.at, event));
        } else {
            self.engine.replay(entry);
        }
    }
}

/// By when somebody is called is promised from about how many stand before them.
fn promises(events: &[Event]) -> bool {
    let calls = |e: &Event| match e {
        Event::PromiseMade(_) | Event::CallbackPromised(_) => true,
        Event::CallbackStepped(CallbackStepped { now, .. }) => now.is_open(),
        _ => false,
    };
    events.iter().any(calls)
}

/// Whether work done in slices is going on, of which a snapshot knows nothing.
fn is_busy(engine: &Engine) -> bool {
    engine.next_tick() == Some(EngineTime::ZERO)
}

impl World {
    /// Takes a snapshot now and then, through the disk, and lets one go that lived long.
    pub(super) fn shadow_sometimes(&mut self) {
        let context = format!("seed {} entry {}", self.seed, self.sequence);
        if let Some(shadow) = &mut self.shadow {
            assert_eq!(shadow.engine.state_hash(), self.owner.state_hash(), "{context}");
            shadow.left -= 1;
            if shadow.left > 0 {
                return;
            }
            if !is_busy(&self.owner) {
                assert_eq!(shadow.engine.check(), Ok(()), "{context}: after its life");
            }
            self.shadow = None;
        }
        if self.rng.random_ratio(1, 400) {
            self.shadow = Some(self.new_shadow(&context));
        }
    }

    fn new_shadow(&mut self, context: &str) -> Shadow {
        // The replica's, as in a router; it has the same state.
        let image = self.replica.image();
        let kept = Snapshots::open(self.folder.path()).expect("a folder");
        let snapshot = Snapshot {
            tip: Tip { epoch: 1, sequence: self.sequence, hash: [3; 32] },
            wall: WallTime(7),
            at: self.at,
            passed: Vec::new(),
            engine: image.clone(),
            seen: Seen::default(),
        };
        kept.write(&snapshot).expect("the disk takes it");
        let restored = kept.newest(|read| {
            assert_eq!(read, snapshot, "{context}: another snapshot was read");
            Engine::restore(&read.engine)
        });
        let found = restored.expect("a folder");
        assert!(found.left_out.is_none(), "{context}: {:?}", found.left_out);
        let engine = found.newest.expect("it was written");
        assert_eq!(engine.state_hash(), self.owner.state_hash(), "{context}");
        assert_eq!(engine.image(), image, "{context}: an image of it is another");
        if !is_busy(&self.owner) {
            assert_eq!(engine.check(), Ok(()), "{context}: made from a snapshot");
        }
        let quiet = |r: &surgeline::engine::recall::Recall| {
            r.over && r.tiers.iter().all(|tier| tier.in_use == 0)
        };
        // Those who have time are looked at again by what stands before them.
        let patient = |c: &Contact| c.silent().is_some_and(|cb| cb.is_open() && cb.due.is_some());
        let decides = !is_busy(&self.owner)
            && self.owner.recalls().all(quiet)
            && !super::life::tells(self.owner.routing())
            && self.owner.bulks().all(|b| b.over.is_some())
            && !self.owner.contacts().any(patient);
        self.shadows[usize::from(decides)] += 1;
        Shadow { engine, decides, left: LIFE }
    }
}
