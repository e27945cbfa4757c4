//! Why an offer was made: why then, why this agent, and what else was possible.

use super::super::explain::{Crowd, Demand};
use super::super::story::length;
use crate::engine::event::{Event, Reserved, Rule, Trigger, Why};
use crate::engine::routing::Routing;
use crate::engine::words::ServiceClass;
use crate::shard::view::TimelineItem;
use crate::time::Span;

/// How long after the end of their last work an agent still "became free".
const JUST_NOW: Span = Span::seconds(1);

/// Tells an offer. `before` is what happened to the contact until then.
pub(super) fn told(
    routing: &Routing,
    item: &TimelineItem,
    r: &Reserved,
    before: &[TimelineItem],
    demand: Option<&mut Demand>,
) -> String {
    let agent = routing.agent_name(r.agent);
    let why = match r.trigger {
        Trigger::Contact => format!("{} and {agent} had room", began(routing, item, before)),
        Trigger::Agent => format!("{agent} {} and it was next", became(item, r)),
        Trigger::Named => format!("it was kept for {agent}, who had room"),
        Trigger::AsyncShare => format!(
            "{agent} {} and emails and messages were owed their share, so that it went before \
             the calls and chats that waited",
            became(item, r)
        ),
    };
    let mut text = format!("Offered to {agent} after {}: {why}.", length(r.waited));
    // For one whom it was kept for, nobody else was thought of.
    if let Some(demand) = demand.filter(|_| r.why.rule != Rule::Kept) {
        let crowd = demand.crowd(routing, r.rank);
        let all = crowd.better + crowd.alike + crowd.worse;
        if r.trigger != Trigger::Contact {
            text.push_str(&next_in_line(demand.service(), r, agent));
            text.push_str(&compared(&r.why));
        }
        text.push_str(&match (r.trigger, all) {
            (_, 0 | 1) => format!(" {agent} is the only one who may take it."),
            (Trigger::Contact, _) => chosen(r.why.rule, crowd, agent),
            _ => format!(" {} may take it.", people(all)),
        });
        if r.why.lacks > 0 {
            text.push_str(&format!(" {agent} lacks {} of the skills preferred.", r.why.lacks));
        }
    }
    text.push_str(&format!(
        " {agent} had been idle for {}, with {} % of capacity in use, and had {} to answer.",
        length(r.idle),
        (r.load + 5) / 10,
        length(r.deadline.since(item.at)),
    ));
    if r.async_passed {
        text.push_str(" Emails or messages waited too: this counts toward their share.");
    }
    text
}

/// What let the contact begin to wait, and so look for an agent.
fn began(routing: &Routing, item: &TimelineItem, before: &[TimelineItem]) -> String {
    let at_once = before.iter().rev().take_while(|b| b.sequence == item.sequence);
    let cause = |b: &TimelineItem| {
        let who = |agent| routing.agent_name(agent);
        Some(match &*b.event {
            Event::Arrived(_) | Event::FollowUpOpened(_) => "it had just come".to_owned(),
            Event::CallbackPromised(_) => "its callback was promised".to_owned(),
            Event::CallbackStepped(_) => "its time to be called had come".to_owned(),
            Event::NotTaken { agent, .. } => format!("{} had not taken it", who(*agent)),
            Event::ConnectFailed { agent, .. } => {
                format!("it could not be joined with {}", who(*agent))
            }
            Event::PassOverEnded { agent, .. } => {
                format!("{} was passed over no longer", who(*agent))
            }
            Event::OpenedToAll(_) => "it was no longer kept for one agent".to_owned(),
            Event::Reattached { .. } => "its gateway was back with it".to_owned(),
            Event::Returned { .. } => "it was back from self-service".to_owned(),
            Event::Queued(_) => "it had just begun to wait there".to_owned(),
            _ => return None,
        })
    };
    // Arriving is followed by queueing: the first cause of the entry says more.
    at_once.filter_map(cause).last().unwrap_or_else(|| "it had just begun to wait".to_owned())
}

/// What made the agent look for work.
fn became(item: &TimelineItem, r: &Reserved) -> &'static str {
    if item.became_ready {
        "became ready"
    } else if r.idle < JUST_NOW {
        "became free"
    } else {
        "had room"
    }
}

/// Which class of service went first.
fn next_in_line(service: ServiceClass, r: &Reserved, agent: &str) -> String {
    let of = match (service, r.trigger) {
        (_, Trigger::AsyncShare) => "of the emails and messages",
        (ServiceClass::Safety, _) => "safety comes first, and of those",
        (ServiceClass::Live, _) => "nobody about safety waited for them, and of calls and chats",
        (ServiceClass::Async, _) => "no call or chat waited for them, and of emails and messages",
    };
    let first = match r.why.rule {
        Rule::TargetBroken => "its queue was the one that had broken its target",
        Rule::QueueShare => "its queue was furthest above its share of the backlog",
        Rule::PartOfTarget => {
            "it had waited the greatest part of its queue's target, any head start included"
        }
        Rule::LongestWait => "it had waited longest, all else being equal",
        Rule::HoldingCost => "waiting costs most in its queue (cost × patience ÷ handle time)",
        Rule::Sharing => "it was its queue's turn by the ratio at which they help another",
        _ => "it had the oldest place",
    };
    format!(" Of all that {agent} may take: {of} {first}.")
}

/// The numbers that queues were compared by.
fn compared(why: &Why) -> String {
    if why.queues < 2 {
        return String::new();
    }
    let Why { queues, backlog, backlogs, share, shares, .. } = why;
    match why.rule {
        // Without shares.
        Rule::TargetBroken | Rule::PartOfTarget if *shares == 0 => {
            let (whole, rest) = (why.index / 1_000, why.index % 1_000);
            format!(
                " Of {queues} queues it was in one with {backlog} of {backlogs} waiting; any head \
                 start included, it had waited {whole}.{rest:03} times the target."
            )
        }
        Rule::TargetBroken | Rule::QueueShare | Rule::LongestWait => {
            let late = if why.late { "had" } else { "had not" };
            format!(
                " Of {queues} queues it was in one with {backlog} of {backlogs} waiting and a share \
                 of {share} of {shares}; it {late} waited longer than the target."
            )
        }
        Rule::HoldingCost => {
            let (whole, rest) = (why.index / 1_000, why.index % 1_000);
            format!(" Of {queues} queues its own had the greatest index, {whole}.{rest:03}.")
        }
        _ => format!(" Somebody waited for them in {queues} queues."),
    }
}

/// Why this agent, and who else might have been it.
pub(super) fn chosen(rule: Rule, crowd: Crowd, agent: &str) -> String {
    if rule == Rule::Sticky {
        return format!(" {agent} is whom this customer last had, and goes before all others.");
    }
    let better = match crowd.better {
        0 => String::new(),
        n => format!(" {} of better rank had no room for it or had just not taken it.", people(n)),
    };
    let by = match rule {
        Rule::LongestIdle => "the longest idle",
        Rule::Random => "drawn by lot of those",
        _ => "the least loaded, then longest idle,",
    };
    let rank = match rule {
        Rule::MostProficient => " (who is most proficient comes first)",
        Rule::LeastProficient => " (who is least proficient comes first)",
        _ => "",
    };
    let alike = match crowd.alike {
        0 | 1 => format!(" {agent} is the only one of that rank{rank}."),
        n => format!(" Of {} of equal rank{rank} {agent} was {by} with room.", people(n)),
    };
    let worse = match crowd.worse {
        0 => String::new(),
        n => format!(" {} of later rank came after.", people(n)),
    };
    format!("{better}{alike}{worse}")
}

fn people(n: usize) -> String {
    if n == 1 { "1 agent".to_owned() } else { format!("{n} agents") }
}
