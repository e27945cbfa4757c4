//! Why a contact's offers were made, and where it stands: for people.
//!
//! Made from what [`super::inspect`] read, off the replica's thread. The rank of an agent
//! is as it was when the offer was made; among how many is counted by the configuration in
//! force.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::convert::words;
use super::machine::Machine;
use super::story;
use super::waiting::Waiting;
use crate::engine::event::{Event, Queued, Reserved, StepTaken, Trigger};
use crate::engine::policy::AgentChoice;
use crate::engine::rank::{Asked, ClassKey, ProfileKey, order};
use crate::engine::recall::Lane;
use crate::engine::routing::Routing;
use crate::engine::stage::Filing;
use crate::engine::words::{Channel, NotTaken, ServiceClass};
use crate::ids::AgentId;
use crate::pb::v1;
use crate::shard::view::TimelineItem;
use crate::time::Span;

/// How long after the end of their last work an agent still "became free".
const JUST_NOW: Span = Span::seconds(1);

/// What a contact asked for when an offer of it was made.
#[derive(Debug)]
pub(super) struct Demand {
    class: ClassKey,
    /// Agents kept for safety lanes.
    kept: Arc<[AgentId]>,
    /// The ranks of agents who may take it, best first; none until somebody asks.
    ranks: Option<Vec<Rank>>,
}

/// Agents who rank alike.
#[derive(Clone, Copy, Debug, Default)]
struct Rank {
    /// How many.
    agents: usize,
    /// All of them have it as their primary skill.
    primary: bool,
}

/// Agents who may take a contact, by how they rank beside the one who was offered it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Crowd {
    /// Of better rank.
    pub(super) better: usize,
    /// Of the same, that one included.
    pub(super) alike: usize,
    /// Of later rank.
    pub(super) worse: usize,
}

impl Demand {
    pub(super) fn new(q: &Queued, channel: Option<Channel>, kept: &Arc<[AgentId]>) -> Self {
        // Who may take it is the queue's to say: the channel makes no rank.
        let class = Asked::of_queued(channel.unwrap_or(Channel::Voice), q).key();
        Self { class, kept: Arc::clone(kept), ranks: None }
    }

    /// After a step or an edit.
    pub(super) fn refiled(&mut self, filing: &Filing) {
        self.class.needs.clone_from(&filing.needs);
        self.class.preferred.clone_from(&filing.preferred);
        self.class.pools.clone_from(&filing.stage.pools);
        self.class.anyone = filing.stage.is_anyones();
        self.ranks = None;
    }

    /// After something was done for it as a safety contact.
    pub(super) fn watched(&mut self, lane: &Lane) {
        self.class.anyone = lane.is_anyones();
        self.ranks = None;
    }

    pub(super) const fn service(&self) -> ServiceClass {
        self.class.service
    }

    fn ranks(&mut self, routing: &Routing) -> &[Rank] {
        let (class, kept) = (&self.class, &self.kept);
        self.ranks.get_or_insert_with(|| {
            let queue = routing.queue(class.queue);
            let pools = queue.map(|q| q.pools.as_slice()).unwrap_or_default();
            let choice = queue.map_or(AgentChoice::LongestIdle, |q| q.policy.agent_choice);
            let mut ranks: BTreeMap<_, Rank> = BTreeMap::new();
            for (id, a) in (0..).map(AgentId).zip(&routing.agents) {
                let (pool, skills, primary) = (a.pool, a.skills.clone(), a.primary);
                let kept = kept.contains(&id);
                let partner = !kept && routing.partners.contains(&pool);
                let profile = ProfileKey { kept, partner, pool, skills, primary };
                if class.fits(&profile, pools) {
                    let primary = primary.is_some_and(|s| class.needs.iter().any(|n| n.skill == s));
                    let rank = ranks.entry(order(&profile, class, choice));
                    let rank = rank.or_insert(Rank { agents: 0, primary: true });
                    rank.agents += usize::from(!a.retired);
                    rank.primary &= primary;
                }
            }
            ranks.into_values().collect()
        })
    }

    /// Who else may take it, by the configuration in force.
    pub(super) fn crowd(&mut self, routing: &Routing, rank: u16) -> Crowd {
        let ranks = self.ranks(routing);
        // A newer configuration may have fewer ranks.
        let at = usize::from(rank).min(ranks.len());
        let count = |ranks: &[Rank]| ranks.iter().map(|r| r.agents).sum();
        let worse = ranks.get(at + 1..).map(count).unwrap_or_default();
        Crowd { better: count(&ranks[..at]), alike: ranks.get(at).map_or(0, |r| r.agents), worse }
    }
}

/// Every offer with what became of it, oldest first.
pub(super) fn decisions(
    routing: &Routing,
    kept: &Arc<[AgentId]>,
    items: &[TimelineItem],
) -> Vec<v1::Decision> {
    let mut decisions: Vec<v1::Decision> = Vec::new();
    let mut demand: Option<Demand> = None;
    let mut not_taken = 0;
    for item in items {
        let (reservation, outcome) = match &*item.event {
            Event::Queued(q) => {
                demand = Some(Demand::new(q, None, kept));
                continue;
            }
            Event::StepTaken(StepTaken { filing, .. }) | Event::Refiled(filing) => {
                if let Some(demand) = &mut demand {
                    demand.refiled(filing);
                }
                continue;
            }
            Event::Safety(news) => {
                if let Some(demand) = &mut demand {
                    demand.watched(&news.lane);
                }
                continue;
            }
            Event::Reserved(r) => {
                decisions.push(decision(routing, item, r, demand.as_mut(), not_taken));
                continue;
            }
            Event::Accepted { reservation, .. } => (reservation, v1::OfferOutcome::Accepted),
            Event::NotTaken { reservation, how, .. } => {
                not_taken += 1;
                let outcome = match how {
                    NotTaken::Declined => v1::OfferOutcome::Declined,
                    NotTaken::TimedOut => v1::OfferOutcome::TimedOut,
                    NotTaken::AgentGone => v1::OfferOutcome::AgentGone,
                    NotTaken::Withdrawn => v1::OfferOutcome::Withdrawn,
                };
                (reservation, outcome)
            }
            Event::ConnectFailed { reservation, .. } => {
                (reservation, v1::OfferOutcome::ConnectFailed)
            }
            _ => continue,
        };
        let mut newest = decisions.iter_mut().rev();
        if let Some(decision) = newest.find(|d| d.reservation_id == reservation.0) {
            decision.outcome = outcome.into();
        }
    }
    for decision in &mut decisions {
        decision.text.push_str(": ");
        decision.text.push_str(outcome(decision.outcome()));
    }
    decisions
}

const fn outcome(outcome: v1::OfferOutcome) -> &'static str {
    match outcome {
        v1::OfferOutcome::Open | v1::OfferOutcome::Unspecified => "not answered yet",
        v1::OfferOutcome::Accepted => "accepted",
        v1::OfferOutcome::Declined => "declined",
        v1::OfferOutcome::TimedOut => "not answered in time",
        v1::OfferOutcome::AgentGone => "the agent was gone",
        v1::OfferOutcome::Withdrawn => "taken back before an answer",
        v1::OfferOutcome::ConnectFailed => "accepted, but they could not be joined",
    }
}

fn decision(
    routing: &Routing,
    item: &TimelineItem,
    r: &Reserved,
    demand: Option<&mut Demand>,
    offers_before: u32,
) -> v1::Decision {
    let queue = demand.as_ref().map_or("?", |d| routing.queue_name(d.class.queue)).to_owned();
    let text = reason(routing, item, r, demand, offers_before);
    v1::Decision {
        reservation_id: r.reservation.0,
        agent: routing.agent_name(r.agent).to_owned(),
        at_unix_ms: item.wall.0,
        queue,
        trigger: words::trigger(r.trigger),
        rank: u32::from(r.rank),
        idle_ms: r.idle.as_millis(),
        load_permille: u32::from(r.load),
        waited_ms: r.waited.as_millis(),
        outcome: v1::OfferOutcome::Open.into(),
        offers_before,
        text,
    }
}

/// Why an agent got an offer, in a sentence.
fn reason(
    routing: &Routing,
    item: &TimelineItem,
    r: &Reserved,
    demand: Option<&mut Demand>,
    before: u32,
) -> String {
    let agent = routing.agent_name(r.agent);
    let became = if item.became_ready {
        "became ready"
    } else if r.idle < JUST_NOW {
        "became free"
    } else {
        "was free"
    };
    let why = match r.trigger {
        Trigger::Contact => format!("it began to wait and {agent} was free"),
        Trigger::Agent => format!("{agent} {became} and it was next in line"),
        Trigger::Named => format!("it was kept for {agent}"),
        Trigger::AsyncShare => {
            format!("{agent} {became} and emails and messages were owed their share")
        }
    };
    let ranked = match r.trigger {
        // Nobody else was thought of.
        Trigger::Named => String::new(),
        _ => ranked(r.rank, demand.map_or(&[], |d| d.ranks(routing))),
    };
    let tries = match before {
        0 => String::new(),
        1 => ", one offer before not taken".to_owned(),
        n => format!(", {n} offers before not taken"),
    };
    format!(
        "offered to {agent} after {} because {why} ({ranked}idle for {}, {} % of capacity in \
         use{tries})",
        story::length(r.waited),
        story::length(r.idle),
        (r.load + 5) / 10,
    )
}

/// An agent's rank in words.
fn ranked(rank: u16, ranks: &[Rank]) -> String {
    let at = usize::from(rank);
    let primary = ranks.get(at).is_some_and(|r| r.primary);
    let primary = if primary { "primary skill, " } else { "" };
    // A newer configuration may have fewer.
    let of = ranks.len().max(at + 1);
    if of == 1 {
        return format!("{primary}all able rank alike, ");
    }
    format!("{primary}{} of {of} ranks, ", ordinal(at + 1))
}

fn ordinal(n: usize) -> String {
    let end = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{end}")
}

/// What was read of a contact that no agent has.
#[derive(Debug, Default)]
pub(super) struct Stands {
    /// Why it waits, if it does.
    pub(super) waiting: Option<Waiting>,
    /// How it stands in self-service, if it is there.
    pub(super) machine: Option<Machine>,
}

/// Where it is and how it came there, what matters most first.
pub(super) fn summary(row: &v1::ContactRow, stands: &Stands, decisions: &[v1::Decision]) -> String {
    let state = v1::ContactState::try_from(row.state).unwrap_or_default();
    let waited = story::length(Span::millis(row.waited_ms));
    let Stands { waiting, machine } = stands;
    let mut text = match (waiting, state) {
        (Some(waiting), _) => waiting.told(),
        (_, v1::ContactState::SelfService) => {
            machine.as_ref().map_or_else(|| "It is in self-service.".to_owned(), Machine::told)
        }
        (_, v1::ContactState::Reserved) => {
            format!("It is held for {}, who has not answered yet.", row.agent)
        }
        (_, v1::ContactState::Connecting) => {
            format!("{} accepted it; the legs are being joined.", row.agent)
        }
        (_, v1::ContactState::Assigned) => {
            format!("{} has it; it waited {waited} for its first answer.", row.agent)
        }
        (_, v1::ContactState::Pending) => {
            "It waits for the customer or somebody else, with no agent.".to_owned()
        }
        _ => format!("It is closed: {}; it waited {waited}.", story::wire_end(row.end_reason())),
    };
    if row.detached && waiting.is_none() {
        text.push_str(" Its gateway is gone.");
    }
    match decisions {
        [] => text.push_str(" It was offered to nobody."),
        [last] => text.push_str(&format!(" Its only offer: {}.", last.text)),
        [.., last] => {
            text.push_str(&format!(" Of {} offers the last: {}.", decisions.len(), last.text));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::entry::{Actor, Role};
    use crate::engine::event::{Rule, Why};
    use crate::engine::routing::AgentProfile;
    use crate::ids::{AgentId, ContactId, PoolId, ReservationId};
    use crate::time::{EngineTime, WallTime};

    const C: ContactId = ContactId(1);

    fn routing() -> Routing {
        let agent = |name: &str| AgentProfile {
            name: Arc::from(name),
            retired: false,
            pool: PoolId(0),
            skills: smallvec::smallvec![],
            primary: None,
            capacity: [1; 4],
            ..AgentProfile::default()
        };
        Routing { agents: vec![agent("anne"), agent("ben")], ..Default::default() }
    }

    fn items(events: Vec<Event>) -> Vec<TimelineItem> {
        let actor = Actor { role: Role::Router, name: Arc::from("router") };
        let item = |(i, event)| TimelineItem {
            sequence: i,
            at: EngineTime(i),
            wall: WallTime(1_000 + i),
            actor: actor.clone(),
            event: Arc::new(event),
            sealed: None,
            became_ready: i > 3,
        };
        (1..).zip(events).map(item).collect()
    }

    fn reserved(reservation: u64, agent: u32) -> Event {
        Event::Reserved(Reserved {
            contact: C,
            reservation: ReservationId(reservation),
            agent: AgentId(agent),
            deadline: EngineTime(99),
            trigger: Trigger::Agent,
            rank: 2,
            idle: Span::seconds(7),
            load: 500,
            waited: Span::seconds(61),
            async_passed: false,
            why: Why::plain(Rule::OldestPlace),
        })
    }

    fn not_taken(reservation: u64, how: NotTaken) -> Event {
        Event::NotTaken {
            contact: C,
            reservation: ReservationId(reservation),
            agent: AgentId(0),
            how,
            pass_over: None,
        }
    }

    #[test]
    fn every_offer_is_a_decision_with_its_own_outcome() {
        let events = vec![
            reserved(1, 0),
            not_taken(1, NotTaken::Declined),
            reserved(2, 0),
            not_taken(2, NotTaken::TimedOut),
            reserved(3, 1),
            Event::Accepted {
                contact: C,
                reservation: ReservationId(3),
                agent: AgentId(1),
                connect_by: None,
            },
            reserved(4, 1),
        ];
        let decisions = decisions(&routing(), &Arc::from([]), &items(events));
        let seen: Vec<_> = decisions
            .iter()
            .map(|d| (d.reservation_id, &*d.agent, d.outcome(), d.offers_before))
            .collect();
        assert_eq!(
            seen,
            [
                (1, "anne", v1::OfferOutcome::Declined, 0),
                (2, "anne", v1::OfferOutcome::TimedOut, 1),
                (3, "ben", v1::OfferOutcome::Accepted, 2),
                (4, "ben", v1::OfferOutcome::Open, 2),
            ]
        );
        assert_eq!(decisions[2].at_unix_ms, 1_005);
        let text = &decisions[1].text;
        for part in [
            "offered to anne after 1 min 01 s because anne was free and it was next in line",
            "3rd of 3 ranks, idle for 7.0 s, 50 % of capacity in use, one offer before not taken",
            ": not answered in time",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(decisions[0].text.ends_with(": declined"), "{}", decisions[0].text);
        assert!(decisions[2].text.contains("ben became ready and"), "{}", decisions[2].text);
        assert!(decisions[3].text.ends_with(": not answered yet"), "{}", decisions[3].text);
    }

    #[test]
    fn ranks_are_said_in_words() {
        let ranks = [true, false, false].map(|primary| Rank { agents: 1, primary });
        let table = [
            (0, &ranks[..], "primary skill, 1st of 3 ranks, "),
            (1, &ranks[..], "2nd of 3 ranks, "),
            (10, &ranks[..], "11th of 11 ranks, "),
            (0, &ranks[1..2], "all able rank alike, "),
        ];
        for (rank, ranks, said) in table {
            assert_eq!(ranked(rank, ranks), said);
        }
    }

    #[test]
    fn a_closed_contact_says_why_it_was_closed() {
        let row = v1::ContactRow {
            state: v1::ContactState::Closed.into(),
            end_reason: v1::EndReason::Abandoned.into(),
            waited_ms: 12_000,
            ..Default::default()
        };
        assert_eq!(
            summary(&row, &Stands::default(), &[]),
            "It is closed: the customer left before an answer; it waited 12.0 s. It was offered \
             to nobody."
        );
    }
}
