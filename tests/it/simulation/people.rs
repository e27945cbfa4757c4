//! Random commands of an agent's day and of supervisors: calls outside the router, ends of
//! shifts, who comes onto a contact and leaves it, orders about one contact and about many.

use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;

use surgeline::engine::bulk::{BulkAction, BulkStep, Filter, Skipped};
use surgeline::engine::command::{Act, Command, Order, Report};
use surgeline::engine::contact::StateKind;
use surgeline::engine::day::{
    CountsAs, Direction, Hands, Most, OutsideEnd, OutsideReport, OutsideStep, Reason, SignOutStep,
};
use surgeline::engine::event::{BulkNews, Event, OutsideNews, ParticipantNews, SignOut};
use surgeline::engine::participant::{OffBecause, Part, ParticipantStep, Who};
use surgeline::engine::words::Channel;
use surgeline::ids::{AgentId, ContactId, GatewayId, OrderId, QueueId, SkillId};
use surgeline::time::Span;

use super::{GATEWAYS, QUEUES, SKILLS, World};

/// The first two are the router's; lunch is short and for few.
pub(super) fn reasons() -> Vec<Reason> {
    let plain = |name: &str| Reason {
        name: Arc::from(name),
        retired: false,
        limit: None,
        most: None,
        counts_as: None,
    };
    let lunch = Reason {
        limit: Some(Span::seconds(15)),
        most: Some(Most::Agents(2)),
        counts_as: Some(CountsAs::Break),
        ..plain("lunch")
    };
    let desk = Reason { most: Some(Most::Share(10)), ..plain("desk") };
    vec![plain("ring-no-answer"), plain("just-connected"), lunch, desk]
}

fn listener(n: u32) -> Arc<str> {
    Arc::from(format!("agent-{n}"))
}

impl World {
    pub(super) fn people_command(&mut self) -> Command {
        match self.rng.random_range(0..20) {
            0..=3 => self.outside_command(),
            4 => {
                let (agent, contact) = self.any_wrap_up();
                let by = Span::seconds(self.rng.random_range(0..20));
                let act = Act::ExtendWrapUp { contact, by };
                Command::Agent { agent, session: None, act }
            }
            5 | 6 => self.joined_command(|contact, _| Act::Conference(contact)),
            7 => {
                let (contact, agent) = self.any_call();
                let act = Act::AddParticipant { contact, name: Arc::from("interpreter") };
                Command::Agent { agent, session: None, act }
            }
            8 | 9 => {
                let (contact, participant) = self.any_participant();
                if self.rng.random_bool(0.5) {
                    let report = Report::ParticipantLeft { contact, participant };
                    return self.gateway_command(contact, report);
                }
                let agent = self.owner.contact(contact).and_then(|c| c.state.agent());
                let act = Act::DropParticipant { contact, participant };
                Command::Agent { agent: agent.unwrap_or_default(), session: None, act }
            }
            _ => {
                let order = self.order();
                Command::Supervise { order, why: Arc::from("the simulation says so") }
            }
        }
    }

    fn outside_command(&mut self) -> Command {
        let known: Vec<_> = self
            .owner
            .agents()
            .flat_map(|a| a.outside.iter().map(move |call| (a.id, call.gateway, call.key.clone())))
            .collect();
        let (gateway, agent, key, now) = match known.choose(&mut self.rng) {
            Some((agent, gateway, key)) if self.rng.random_bool(0.4) => {
                (*gateway, *agent, key.clone(), OutsideReport::Ended)
            }
            _ => {
                let key = Arc::from(format!("line-{}", self.rng.random_range(0..40)));
                let gateway = GatewayId(self.rng.random_range(0..GATEWAYS));
                (gateway, self.any_agent(), key, OutsideReport::Began(Direction::Outbound))
            }
        };
        let report = Report::OutsideCall { agent, key, now };
        Command::Gateway { gateway, session: None, report }
    }

    fn any_wrap_up(&mut self) -> (AgentId, ContactId) {
        use surgeline::engine::agent::Hold;
        let open: Vec<_> = self
            .owner
            .agents()
            .flat_map(|a| a.work.iter().map(move |w| (a.id, w)))
            .filter(|(_, w)| matches!(w.hold, Hold::WrapUp { .. }))
            .map(|(agent, w)| (agent, w.contact))
            .collect();
        open.choose(&mut self.rng).copied().unwrap_or((AgentId(0), ContactId(1)))
    }

    fn any_call(&mut self) -> (ContactId, AgentId) {
        let calls: Vec<_> = self
            .owner
            .contacts()
            .filter(|c| c.state.kind() == StateKind::Assigned && c.channel == Channel::Voice)
            .filter_map(|c| Some((c.id, c.state.agent()?)))
            .collect();
        calls.choose(&mut self.rng).copied().unwrap_or((ContactId(1), AgentId(0)))
    }

    fn any_live(&mut self) -> ContactId {
        let live: Vec<_> = self
            .owner
            .contacts()
            .filter(|c| c.state.kind() == StateKind::Assigned)
            .filter(|c| matches!(c.channel, Channel::Voice | Channel::Chat))
            .map(|c| c.id)
            .collect();
        live.choose(&mut self.rng).copied().unwrap_or(ContactId(1))
    }

    fn any_participant(&mut self) -> (ContactId, u16) {
        let on: Vec<_> = self
            .owner
            .contacts()
            .flat_map(|c| c.participants.all.iter().map(move |p| (c.id, p.id)))
            .collect();
        match on.choose(&mut self.rng) {
            Some(found) if self.rng.random_bool(0.95) => *found,
            _ => (self.any_contact(), self.rng.random_range(0..4)),
        }
    }

    fn order(&mut self) -> Order {
        let contact = self.any_contact();
        let agent = self.any_agent();
        if let Some(open) = self.owner.bulks().find(|b| b.over.is_none()).map(|b| b.id)
            && self.rng.random_bool(0.5)
        {
            return Order::CancelBulk(open);
        }
        let leaves = self.owner.agents().find(|a| a.leaving.is_some()).map(|a| a.id);
        if let Some(agent) = leaves.filter(|_| self.rng.random_bool(0.05)) {
            return Order::SignOut { agent, after: None, hands: Hands::Finish };
        }
        match self.rng.random_range(0..20) {
            0..=5 => Order::Pull { contact, agent },
            6 => Order::SignOut {
                agent,
                after: *[None, Some(Span::ZERO), Some(Span::seconds(30)), Some(Span::seconds(5))]
                    .choose(&mut self.rng)
                    .expect("four"),
                hands: if self.rng.random_bool(0.5) { Hands::Requeue } else { Hands::Finish },
            },
            7 => {
                let (agent, contact) = self.any_wrap_up();
                let by = self.rng.random_bool(0.5).then(|| Span::seconds(5));
                Order::WrapUp { agent, contact, by }
            }
            8..=14 => {
                let contact = self.any_live();
                let on = self.owner.contact(contact).and_then(|c| c.participants.all.last());
                let known = on.and_then(|p| match &p.who {
                    Who::Supervisor(name) => Some(name.clone()),
                    _ => None,
                });
                let fresh = listener(self.rng.random_range(0..4));
                let listener = known.filter(|_| self.rng.random_bool(0.6)).unwrap_or(fresh);
                if self.rng.random_bool(0.3) {
                    return Order::StopListening { contact, listener };
                }
                let part = *Part::ALL.choose(&mut self.rng).expect("three");
                Order::Listen { contact, listener, part }
            }
            15..=18 if self.rng.random_bool(0.1) => self.bulk(),
            15..=18 => Order::Pull { contact, agent },
            _ => Order::CancelBulk(OrderId(
                self.owner.bulks().last().map_or(1, |b| b.id.0) + self.rng.random_range(0..2),
            )),
        }
    }

    /// An order for what was shown a moment ago, and something that was not there.
    fn bulk(&mut self) -> Order {
        let queue = self.rng.random_bool(0.5).then(|| QueueId(self.rng.random_range(0..QUEUES)));
        let state = self.rng.random_bool(0.5).then_some(StateKind::Queued);
        let skill = self.rng.random_bool(0.2).then(|| SkillId(self.rng.random_range(0..SKILLS)));
        let older_than = self.rng.random_bool(0.3).then(|| Span::seconds(10));
        let filter = Filter { queue, state, skill, older_than, ..Filter::default() };
        let mut contacts = self.owner.matched(self.at, &filter).contacts;
        contacts.push(ContactId(self.rng.random_range(1..=self.owner.accepted() + 1)));
        let action = match self.rng.random_range(0..5) {
            0 => BulkAction::Close,
            1 => BulkAction::Reprioritise(Span::seconds(30)),
            2 => BulkAction::Requeue,
            _ => BulkAction::Move(QueueId(self.rng.random_range(0..QUEUES))),
        };
        Order::Bulk { filter, action, contacts: contacts.into() }
    }
}

/// What the simulation has to reach of events that stand for several things.
pub(super) const STEPS: &[&str] = &[
    "sign-out ordered",
    "sign-out taken back",
    "sign-out begun",
    "call outside began",
    "call outside kept",
    "call outside reported",
    "call outside lost",
    "call outside too long",
    "participant asked",
    "participant on",
    "participant asked off",
    "participant failed",
    "participant left",
    "participant off with the contact",
    "participant became the owner",
    "bulk began",
    "bulk acts",
    "bulk skips gone",
    "bulk skips no match",
    "bulk over",
    "bulk cancelled",
];

pub(super) fn details(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::SignOut(SignOut { step, .. }) => match step {
            SignOutStep::Ordered { .. } => "sign-out ordered",
            SignOutStep::TakenBack => "sign-out taken back",
            SignOutStep::Begun => "sign-out begun",
        },
        Event::OutsideCall(OutsideNews { step, .. }) => match step {
            OutsideStep::Began { .. } => "call outside began",
            OutsideStep::Kept(_) => "call outside kept",
            OutsideStep::Ended(OutsideEnd::Reported) => "call outside reported",
            OutsideStep::Ended(OutsideEnd::Lost) => "call outside lost",
            OutsideStep::Ended(OutsideEnd::TooLong) => "call outside too long",
        },
        Event::Participant(ParticipantNews { step, .. }) => match step {
            ParticipantStep::Asked { .. } => "participant asked",
            ParticipantStep::On(_) => "participant on",
            ParticipantStep::Off(OffBecause::Asked) => "participant asked off",
            ParticipantStep::Off(OffBecause::Failed(_)) => "participant failed",
            ParticipantStep::Off(OffBecause::Left) => "participant left",
            ParticipantStep::Off(OffBecause::ContactOver) => "participant off with the contact",
            ParticipantStep::Off(OffBecause::Owner) => "participant became the owner",
        },
        Event::Bulk(BulkNews { step, .. }) => match step {
            BulkStep::Began { .. } => "bulk began",
            BulkStep::Acts(_) => "bulk acts",
            BulkStep::Skips(_, Skipped::Gone) => "bulk skips gone",
            BulkStep::Skips(_, Skipped::NoMatch) => "bulk skips no match",
            BulkStep::Skips(_, Skipped::Refused) => "bulk skips refused",
            BulkStep::Over { cancelled: false } => "bulk over",
            BulkStep::Over { cancelled: true } => "bulk cancelled",
        },
        _ => return None,
    })
}
