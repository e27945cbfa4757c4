//! The interval record over random histories, counted a second time from the journal, contact
//! by contact and agent by agent, and compared sum by sum.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use surgeline::archive::query;
use surgeline::archive::record::read::{Asked, By, report};
use surgeline::engine::event::{CallbackPromised, Event, PromiseOpened, Queued};
use surgeline::engine::routing::Routing;
use surgeline::engine::words::{Availability, EndReason, NotTaken, QueuedBecause};
use surgeline::ids::{AgentId, ContactId, QueueId};
use surgeline::journal::verify;
use surgeline::time::Span;

/// By whom or what, and by column.
type Sums = BTreeMap<(String, String), u64>;

/// What is known of one contact while its story is gone through.
#[derive(Default)]
struct Story {
    arrived: u64,
    waited_before: u64,
    consult: bool,
    answered: bool,
    queue: Option<QueueId>,
    /// It waits in this queue, since then.
    waits: Option<(QueueId, u64)>,
    /// Its customer waits for our call.
    called: Option<(QueueId, u64)>,
    /// Who has it, since when, without the time on hold.
    with: Option<(AgentId, u64, bool)>,
    wraps: Vec<(AgentId, u64, Option<QueueId>)>,
}

#[derive(Default)]
struct Count {
    routing: Arc<Routing>,
    contacts: BTreeMap<ContactId, Story>,
    agents: BTreeMap<AgentId, (u64, Option<String>)>,
    queues: Sums,
    of_agents: Sums,
}

impl Count {
    fn queue(&mut self, queue: QueueId, column: &'static str, n: u64) {
        let name = self.routing.queue_name(queue).to_owned();
        *self.queues.entry((name, column.to_owned())).or_default() += n;
    }

    fn agent(&mut self, agent: AgentId, column: &'static str, n: u64) {
        let name = self.routing.agent_name(agent).to_owned();
        *self.of_agents.entry((name, column.to_owned())).or_default() += n;
    }

    /// Time on a contact until now is counted, and goes on as talk or hold if somebody has it.
    fn time(&mut self, contact: ContactId, at: u64, now: Option<(AgentId, bool)>) {
        let Some(story) = self.contacts.get_mut(&contact) else { return };
        let queue = story.queue;
        let spent = std::mem::replace(&mut story.with, now.map(|(agent, held)| (agent, at, held)));
        let Some((agent, since, held)) = spent else { return };
        let column = if held { "hold_us" } else { "talk_us" };
        self.agent(agent, column, at - since);
        if let Some(queue) = queue {
            self.queue(queue, column, at - since);
        }
    }

    fn wait_over(&mut self, contact: ContactId, at: u64) -> Option<(QueueId, u64)> {
        let story = self.contacts.get_mut(&contact)?;
        let (queue, since) = story.waits.take()?;
        let whole = at - story.arrived + story.waited_before;
        Some((queue, if story.answered { at - since } else { whole }))
    }

    fn callback_over(&mut self, contact: ContactId, at: u64) -> Option<(QueueId, u64)> {
        let story = self.contacts.get_mut(&contact)?;
        let (queue, since) = story.called.take()?;
        let whole = at - story.arrived + story.waited_before;
        Some((queue, if story.answered { at - since } else { whole }))
    }

    fn promised(&mut self, promised: &CallbackPromised, at: u64) {
        self.time(promised.contact, at, None);
        let Some(story) = self.contacts.get_mut(&promised.contact) else { return };
        let queue = story.queue;
        if let Some(released) = promised.released.filter(|r| r.wrap_up.is_some()) {
            story.wraps.push((released.agent, at, queue));
        }
        let (Some(queue), None) = (queue, story.called) else { return };
        let waited = story.waits.take();
        story.called = Some((queue, at));
        self.queue(queue, "callbacks", 1);
        if let Some((waited_in, _)) = waited {
            self.queue(waited_in, "to_callback", 1);
        }
    }

    fn taken(&mut self, contact: ContactId, agent: AgentId, at: u64, answers: bool) {
        self.time(contact, at, Some((agent, false)));
        self.agent(agent, "answered", 1);
        if !answers {
            return;
        }
        if let Some((queue, waited)) = self.callback_over(contact, at) {
            self.queue(queue, "callbacks_answered", 1);
            self.queue(queue, "callback_wait_us", waited);
        }
        if let Some((queue, waited)) = self.wait_over(contact, at) {
            let target = self.routing.queue(queue).map_or(Span::ZERO, |q| q.target);
            self.queue(queue, "answered", 1);
            self.queue(queue, "answered_in_target", u64::from(waited <= target.0));
            self.queue(queue, "answered_wait_us", waited);
        }
        if let Some(story) = self.contacts.get_mut(&contact) {
            story.answered = true;
        }
    }

    fn event(&mut self, at: u64, event: &Event) {
        match event {
            Event::Configured(routing) => self.routing = Arc::clone(routing),
            Event::Arrived(a) | Event::FollowUpOpened(a) => {
                let (arrived, waited_before) = (at, a.waited.0);
                let story = Story { arrived, waited_before, ..Story::default() };
                self.contacts.insert(a.contact, story);
            }
            Event::PromiseOpened(PromiseOpened { arrived: a, .. }) => {
                let (arrived, waited_before) = (at, a.waited.0);
                let story = Story { arrived, waited_before, ..Story::default() };
                self.contacts.insert(a.contact, story);
            }
            Event::CallbackPromised(promised) => self.promised(promised, at),
            Event::ConsultStarted { child, .. } => {
                let story = Story { arrived: at, consult: true, ..Story::default() };
                self.contacts.insert(*child, story);
            }
            Event::Queued(q) => self.queued(at, q),
            Event::Reserved(r) => self.agent(r.agent, "offered", 1),
            Event::NotTaken { agent, how, .. } => match how {
                NotTaken::Declined => self.agent(*agent, "declined", 1),
                NotTaken::TimedOut => self.agent(*agent, "missed", 1),
                _ => {}
            },
            Event::ConnectFailed { agent, .. } => self.agent(*agent, "connect_failed", 1),
            Event::Accepted { contact, agent, connect_by: None, .. }
            | Event::Bridged { contact, agent, .. } => self.taken(*contact, *agent, at, true),
            Event::HandedOver { contact, from, to, wrap_up } => {
                if let Some(story) = self.contacts.get_mut(contact)
                    && wrap_up.is_some()
                {
                    let queue = story.queue;
                    story.wraps.push((*from, at, queue));
                }
                self.taken(*contact, *to, at, false);
            }
            Event::Pended { contact, .. } => self.time(*contact, at, None),
            Event::HoldChanged { contact, on } => {
                let with = self.contacts.get(contact).and_then(|story| story.with);
                if let Some((agent, ..)) = with {
                    self.time(*contact, at, Some((agent, *on)));
                }
            }
            Event::WrapUpEnded { agent, contact } => self.wrapped(*contact, *agent, at),
            Event::Closed { contact, reason, agent, wrap_up, .. } => {
                self.time(*contact, at, None);
                self.closed(*contact, *reason, at);
                let story = self.contacts.get_mut(contact);
                if let (Some(story), Some(agent), Some(_)) = (story, agent, wrap_up) {
                    let queue = story.queue;
                    story.wraps.push((*agent, at, queue));
                }
            }
            Event::AvailabilityChanged { agent, to, .. } => {
                self.state_over(*agent, at);
                let state = match to {
                    Availability::Ready => None,
                    Availability::NotReady(r) => Some(self.routing.reason_name(*r).to_owned()),
                    Availability::SignedOut => return,
                };
                self.agents.insert(*agent, (at, state));
            }
            _ => {}
        }
    }

    fn queued(&mut self, at: u64, q: &Queued) {
        self.time(q.contact, at, None);
        let released = q.released.map(|r| (r.agent, r.wrap_up.is_some()));
        let Some(story) = self.contacts.get_mut(&q.contact) else { return };
        let (before, consult) = (story.queue, story.consult);
        if let Some((agent, true)) = released {
            story.wraps.push((agent, at, before));
        }
        story.queue = Some(q.queue);
        let waited = story.waits;
        if let Some((queue, _)) = &mut story.called {
            *queue = q.queue;
        } else if !consult && waited.map(|w| w.0) != Some(q.queue) {
            story.waits = Some((q.queue, at));
            self.entered(q.queue, waited.map(|w| w.0), q.because);
        }
        self.sent_on(released.map(|r| r.0), before.filter(|_| !consult), q.because);
    }

    fn entered(&mut self, queue: QueueId, left: Option<QueueId>, because: QueuedBecause) {
        let overflowed = because == QueuedBecause::Overflowed;
        if let Some(left) = left {
            self.queue(left, if overflowed { "overflowed_out" } else { "moved_out" }, 1);
        }
        self.queue(queue, "offered", 1);
        let how = match because {
            QueuedBecause::Transferred => "transferred_in",
            QueuedBecause::Overflowed => "overflowed_in",
            QueuedBecause::Moved | QueuedBecause::Safety => "moved_in",
            QueuedBecause::Requeued | QueuedBecause::Woken | QueuedBecause::AgentGone => {
                "returned_in"
            }
            _ => return,
        };
        self.queue(queue, how, 1);
    }

    fn sent_on(&mut self, by: Option<AgentId>, from: Option<QueueId>, because: QueuedBecause) {
        let Some(agent) = by else { return };
        if because == QueuedBecause::Transferred {
            self.agent(agent, "transferred", 1);
            if let Some(queue) = from {
                self.queue(queue, "transferred_out", 1);
            }
        }
        if because == QueuedBecause::Requeued {
            self.agent(agent, "requeued", 1);
        }
    }

    fn closed(&mut self, contact: ContactId, reason: EndReason, at: u64) {
        if let Some((queue, _)) = self.callback_over(contact, at) {
            self.queue(queue, "callbacks_ended", 1);
        }
        let Some((queue, waited)) = self.wait_over(contact, at) else { return };
        let short = self.routing.settings.short_abandon;
        let target = self.routing.queue(queue).map_or(Span::ZERO, |q| q.target);
        match reason {
            EndReason::Abandoned => {
                self.queue(queue, "abandoned", 1);
                self.queue(queue, "abandoned_after_target", u64::from(waited > target.0));
                self.queue(queue, "abandoned_short", u64::from(waited < short.0));
                self.queue(queue, "abandoned_wait_us", waited);
            }
            EndReason::Solved | EndReason::Informed | EndReason::FollowedUp => {
                self.queue(queue, "self_served", 1);
            }
            EndReason::Overflowed => self.queue(queue, "overflowed_out", 1),
            _ => self.queue(queue, "ended", 1),
        }
    }

    fn wrapped(&mut self, contact: ContactId, agent: AgentId, at: u64) {
        let Some(story) = self.contacts.get_mut(&contact) else { return };
        let Some(place) = story.wraps.iter().position(|w| w.0 == agent) else { return };
        let (_, since, queue) = story.wraps.remove(place);
        self.agent(agent, "wrap_up_us", at - since);
        if let Some(queue) = queue {
            self.queue(queue, "wrap_up_us", at - since);
        }
    }

    /// What has not ended counts as far as the journal goes.
    fn goes_on_until(&mut self, at: u64) {
        let contacts: Vec<ContactId> = self.contacts.keys().copied().collect();
        for contact in contacts {
            self.time(contact, at, None);
            let wraps: Vec<AgentId> =
                self.contacts[&contact].wraps.iter().map(|wrap| wrap.0).collect();
            wraps.into_iter().for_each(|agent| self.wrapped(contact, agent, at));
        }
        let agents: Vec<AgentId> = self.agents.keys().copied().collect();
        agents.into_iter().for_each(|agent| self.state_over(agent, at));
    }

    fn state_over(&mut self, agent: AgentId, at: u64) {
        let Some((since, reason)) = self.agents.remove(&agent) else { return };
        self.agent(agent, "staffed_us", at - since);
        let column = if reason.is_some() { "not_ready_us" } else { "ready_us" };
        self.agent(agent, column, at - since);
        if let Some(reason) = reason {
            let who = self.routing.agent_name(agent).to_owned();
            let column = format!("not_ready_us:{reason}");
            *self.of_agents.entry((who, column)).or_default() += at - since;
        }
    }
}

/// What the report's columns add up to, but for those that the count leaves to others.
fn sums(data: &Path, by: By) -> Sums {
    let first = "SELECT min(start_ms) FROM (SELECT start_ms FROM queue_record UNION
        SELECT start_ms FROM agent_record)";
    let first = query(data, first).expect("SQL").rows[0][0].as_u64().unwrap_or(0);
    let asked =
        Asked { by, quarters: 1, from_ms: first, to_ms: first + 366 * 86_400_000, all: false };
    let report = report(data, asked, &TimeZone::UTC).expect("an archive");
    let mut all = Sums::new();
    for row in report.rows {
        for (column, n) in report.columns.iter().zip(row.values) {
            // Whom a queue's staff are depends on the configuration: the simulation compares that.
            let staff = ["staffed_us", "ready_us", "not_ready_us"].contains(&&**column);
            let shown = ["waiting", "wait_max_us"].contains(&&**column);
            if n > 0 && !shown && !(staff && by == By::Queue) {
                *all.entry((row.name.clone(), column.clone())).or_default() += n;
            }
        }
    }
    all
}

/// Counts a journal a second time, and compares every sum of the archive beside it. Gives the
/// columns of queues that it had anything in.
pub(crate) fn compare(seed: u64, data: &Path) -> BTreeSet<String> {
    let (mut count, mut last) = (Count::default(), 0);
    verify::read(data, &mut |batch, _| {
        for entry in &batch.entries {
            last = entry.at.0;
            for event in &entry.events {
                count.event(entry.at.0, event);
            }
        }
    })
    .expect("a sound journal");
    count.goes_on_until(last);
    for counted in [&mut count.queues, &mut count.of_agents] {
        counted.retain(|_, n| *n > 0);
    }
    for (by, counted) in [(By::Queue, &count.queues), (By::Agent, &count.of_agents)] {
        let archived = sums(data, by);
        let differs = |(one, other): (&Sums, &Sums)| {
            one.iter()
                .find(|(what, n)| other.get(*what) != Some(n))
                .map(|d| format!("{d:?} {:?}", other.get(d.0)))
        };
        assert_eq!(differs((&archived, counted)), None, "seed {seed} {by:?}, archived");
        assert_eq!(differs((counted, &archived)), None, "seed {seed} {by:?}, counted");
    }
    conserved(seed, data, &count);
    count.queues.into_keys().map(|(_, column)| column).collect()
}

/// What was offered is what ended in one way, and what still waits.
fn conserved(seed: u64, data: &Path, count: &Count) {
    let left = "SELECT queue, sum(offered - answered - abandoned - moved_out - overflowed_out
        - self_served - to_callback - ended) FROM queue_record GROUP BY queue";
    for row in query(data, left).expect("SQL").rows {
        let name = row[0].as_str().expect("a name");
        let waits = count.contacts.values().filter_map(|story| story.waits);
        let waits = waits.filter(|(queue, _)| count.routing.queue_name(*queue) == name).count();
        assert_eq!(row[1], waits as u64, "seed {seed} queue {name}");
    }
}
