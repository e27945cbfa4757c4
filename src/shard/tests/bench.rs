//! A shard on a journal in memory that can be held and broken.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::engine::command::{Arrival, Command, GatewayLimits, RecallOrder, Reply, Report};
use crate::engine::entry::{Actor, Role};
use crate::engine::recall::{
    Choice, FaqPlan, IvrPlan, LatePlan, Level, Outside, PartnerTier, Plan, SafetyPlan,
};
use crate::engine::refusal::Refusal;
use crate::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing};
use crate::engine::sharing::Sharing;
use crate::engine::words::Channel;
use crate::ids::{AgentId, EntryPointId, GatewayId, PoolId, QueueId, SessionId};
use crate::journal::receipt::Receipts;
use crate::journal::seal::KeyStore;
use crate::journal::{Batch, EachBatch, Journal, JournalError, Tip, Trimmed};
use crate::shard::ask::{Answer, AnswerTo, Ask, Outbox};
use crate::shard::handle::ShardHandle;
use crate::shard::observe::Observer;
use crate::shard::recovery::{Shard, ShardOptions};
use crate::time::Span;

pub(crate) const ANNE: AgentId = AgentId(0);

/// What a journal in memory holds, and its controls.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) batches: Mutex<Vec<Arc<Batch>>>,
    /// Appends that began, held ones included.
    begun: AtomicUsize,
    held: Mutex<bool>,
    changed: Condvar,
    broken: AtomicBool,
    epoch: AtomicU64,
}

impl Memory {
    /// Nothing becomes durable until [`Self::let_go`].
    pub(crate) fn hold(&self) {
        *self.held.lock().expect("no test panics with it") = true;
    }

    pub(crate) fn let_go(&self) {
        *self.held.lock().expect("no test panics with it") = false;
        self.changed.notify_all();
    }

    /// How many appends began.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// The last turn at writing.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// The next append fails.
    pub(crate) fn break_it(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    fn tip(&self) -> Tip {
        self.batches().last().map_or(Tip::default(), |batch| tip_after(batch))
    }

    pub(crate) fn batches(&self) -> Vec<Arc<Batch>> {
        self.batches.lock().expect("no test panics with it").clone()
    }
}

#[derive(Debug)]
pub(crate) struct MemoryJournal(pub(crate) Arc<Memory>);

impl Journal for MemoryJournal {
    fn acquire(&mut self) -> Result<Tip, JournalError> {
        let epoch = self.0.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Tip { epoch, ..self.0.tip() })
    }

    fn append(&mut self, epoch: u64, after: u64, batch: &Batch) -> Result<Tip, JournalError> {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let mut held = self.0.held.lock().expect("no test panics with it");
        while *held {
            held = self.0.changed.wait(held).expect("no test panics with it");
        }
        if self.0.broken.load(Ordering::SeqCst) {
            return Err(JournalError::Poisoned);
        }
        let current = self.0.epoch.load(Ordering::SeqCst);
        if epoch != current {
            return Err(JournalError::Superseded { epoch, current });
        }
        let tip = self.0.tip().sequence;
        if tip != 0 && tip != after {
            return Err(JournalError::Moved { after, tip });
        }
        self.0.batches.lock().expect("no test panics with it").push(Arc::new(batch.clone()));
        Ok(Tip { epoch, ..tip_after(batch) })
    }

    fn read(&self, after: Tip, each: &mut EachBatch<'_>) -> Result<Tip, JournalError> {
        let batches = self.0.batches();
        for batch in batches.into_iter().filter(|b| tip_after(b).sequence > after.sequence) {
            let tip = tip_after(&batch);
            each(batch, tip);
        }
        Ok(self.0.tip())
    }

    fn trim(&mut self, upto: u64) -> Result<Trimmed, JournalError> {
        let mut batches = self.0.batches.lock().expect("no test panics with it");
        batches.retain(|batch| tip_after(batch).sequence > upto);
        let first = batches.first().and_then(|b| b.entries.first()).map_or(1, |e| e.sequence);
        Ok(Trimmed { segments: 0, first })
    }
}

pub(crate) fn tip_after(batch: &Batch) -> Tip {
    let sequence = batch.entries.last().map_or(0, |e| e.sequence);
    Tip { epoch: 1, sequence, hash: [0; 32] }
}

pub(crate) fn actor(role: Role) -> Actor {
    Actor { role, name: "test".into() }
}

fn listed(name: &str) -> Listed {
    Listed { name: name.into(), retired: false }
}

fn queue(name: &str) -> Queue {
    Queue {
        name: name.into(),
        retired: false,
        needs: Default::default(),
        policy: Default::default(),
        callback: Some(Default::default()),
        care: Default::default(),
        pools: Default::default(),
        channels: [true; 4],
        safety: false,
        target: Span::seconds(20),
        head_start: Span::ZERO,
        reservation_timeout: Span::seconds(15),
        connect_timeout: Span::seconds(30),
        wrap_up: Span::ZERO,
        wrap_up_most: Span::ZERO,
        ..Queue::default()
    }
}

fn agent(name: &str) -> AgentProfile {
    AgentProfile {
        name: name.into(),
        retired: false,
        pool: PoolId(0),
        skills: Default::default(),
        primary: None,
        capacity: [1, 2, 5, 5],
        workload: Default::default(),
        authority: 0,
    }
}

/// Two queues with a target of 20 s, two agents who may take everything, nobody who helps, one
/// way in.
pub(crate) fn routing() -> Routing {
    Routing {
        pools: vec![listed("own"), listed("helpers")],
        queues: vec![queue("support"), queue("billing")],
        agents: vec![agent("anne"), agent("ben")],
        entry_points: vec![EntryPoint { name: "line".into(), retired: false, queue: QueueId(0) }],
        not_ready_reasons: vec![listed("no_answer").into(), listed("connected").into()],
        sharings: vec![Sharing {
            name: "to-support".into(),
            retired: false,
            helped: QueueId(0),
            own: QueueId(1),
            pools: [PoolId(1)].into_iter().collect(),
            ratio: 100,
            activate: 10,
            release: 2,
            reverse: 0,
        }],
        ..Routing::default()
    }
}

/// A playbook with both tiers for the one way in. Nobody can read its words.
pub(crate) fn plan() -> Plan {
    let time_limit = Span::seconds(600);
    Plan {
        title: "brakes".into(),
        version: [7; 32],
        playbook: Arc::from([]),
        scope: vec![EntryPointId(0)],
        faq: Some(FaqPlan {
            from: Level::Elevated,
            capacity: 50,
            pacing: [Span::ZERO; 4],
            silence: [Span::seconds(60); 4],
            time_limit: [time_limit; 4],
            entries: 3,
        }),
        ivr: Some(IvrPlan {
            from: Level::Surge,
            ports: 20,
            time_limit,
            repeats: 1,
            key_timeout: Span::seconds(5),
            yes: b'1',
            no: b'2',
            options: [(b'1', Choice::Message)].into_iter().collect(),
        }),
        callback: None,
        partner: None,
        safety: SafetyPlan {
            queue: QueueId(1),
            kept: vec![ANNE],
            external: Some(Outside::Number("112".into())),
            late: LatePlan::default(),
        },
        soon: Span::seconds(120),
        control: None,
    }
}

/// The same with partners, whom nobody has called yet.
pub(crate) fn with_partners() -> Plan {
    let partner = PartnerTier {
        from: Level::Critical,
        pools: [PoolId(0)].into_iter().collect(),
        lead: Span::seconds(60),
        share: 100,
        capacity: 0,
        channels: [true; 4],
        callbacks: true,
    };
    Plan { partner: Some(partner), ..plan() }
}

pub(crate) fn start_recall(level: Level) -> Command {
    start_recall_of(plan(), level)
}

pub(crate) fn start_recall_of(plan: Plan, level: Level) -> Command {
    let (plan, lasting) = (Arc::new(plan), Span::seconds(3_600));
    let order =
        RecallOrder::Start { plan, level, lasting, accept_empty_safety_lane: false, free: None };
    Command::Recall { order, why: "three reports of fire".into() }
}

pub(crate) fn options(observer: Arc<dyn Observer>) -> ShardOptions {
    let receipts = Arc::new(Receipts::ephemeral().expect("random bytes"));
    ShardOptions { keys: Arc::new(KeyStore::ephemeral()), receipts, observer, snapshots: None }
}

/// A shard over `memory`, from what that holds.
pub(crate) fn start(memory: &Arc<Memory>, observer: Arc<dyn Observer>) -> (ShardHandle, Shard) {
    start_with(memory, observer, Ok::<_, Refusal>(routing()))
}

/// The same, wanting another configuration, or none that can be had.
pub(crate) fn start_with<E: std::error::Error + Send + Sync + 'static>(
    memory: &Arc<Memory>,
    observer: Arc<dyn Observer>,
    wanted: Result<Routing, E>,
) -> (ShardHandle, Shard) {
    let journal = MemoryJournal(memory.clone());
    let held = memory.batches().into_iter().map(|batch| {
        let tip = tip_after(&batch);
        (batch, tip)
    });
    Shard::start(options(observer), journal, held, |_| wanted).expect("a journal in memory starts")
}

/// Asks without waiting.
pub(crate) fn ask(handle: &ShardHandle, role: Role, command: Command) -> oneshot::Receiver<Answer> {
    let (answer, waiting) = oneshot::channel();
    handle.submit(Ask {
        actor: actor(role),
        request: None,
        command,
        sealed: None,
        attach: None,
        answer_to: AnswerTo::Call(answer),
    });
    waiting
}

/// A hello on a stream.
pub(crate) fn hello(handle: &ShardHandle, command: Command, outbox: &Outbox) {
    handle.submit(Ask {
        actor: actor(Role::Agent),
        request: None,
        command,
        sealed: None,
        attach: Some(outbox.clone()),
        answer_to: AnswerTo::Stream(outbox.clone(), "hello".into()),
    });
}

pub(crate) async fn gateway(handle: &ShardHandle) -> (GatewayId, SessionId) {
    let hello = Command::ConnectGateway { name: "switch".into(), limits: GatewayLimits::default() };
    match handle.call(actor(Role::Gateway), None, hello, None).await {
        Ok(Reply::Gateway { gateway, session: Some(session) }) => (gateway, session),
        other => panic!("expected a session, got {other:?}"),
    }
}

pub(crate) fn arrival(on: (GatewayId, SessionId), key: u64) -> Command {
    report(
        on,
        Report::Arrived(Arrival {
            key: key.to_string().into(),
            channel: Channel::Chat,
            queue: QueueId(0),
            entry_point: None,
            needs: Default::default(),
            preferred: Default::default(),
            head_start: Span::ZERO,
            safety: false,
            customer: None,
            continues: None,
            waited: Span::ZERO,
            attributes: None,
            number_confirmed: false,
            language: None,
            heed: None,
            content: 0,
        }),
    )
}

pub(crate) fn report((gateway, session): (GatewayId, SessionId), report: Report) -> Command {
    Command::Gateway { gateway, session: Some(session), report }
}

/// Waits until it is true, for at most five seconds.
pub(crate) async fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(began.elapsed() < Duration::from_secs(5), "not within 5 s: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
