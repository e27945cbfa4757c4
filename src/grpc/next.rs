//! What comes next for an open contact if nobody does anything, and when at the latest.
//!
//! Read on the replica's thread for one contact that somebody asks about. It decides nothing;
//! what it says is for people.

use super::story::{length, waits_for};
use super::{rows, story, unix_ms};
use crate::engine::callback::{Callback, Phase};
use crate::engine::care::Silence;
use crate::engine::contact::{Contact, State};
use crate::engine::routing::Routing;
use crate::engine::words::WaitsFor;
use crate::ids::AgentId;
use crate::pb::v1;
use crate::shard::view::View;
use crate::time::{EngineTime, Span};

/// What comes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Next {
    text: String,
    /// Until it happens at the latest; none where no time is set.
    left: Option<Span>,
}

/// Reads what comes next for an open contact.
pub(super) fn read(view: &View<'_>, contact: &Contact) -> Next {
    let (routing, now) = (view.engine.routing(), view.now);
    let mut next = of(routing, now, contact);
    if rows::is_detached(view, contact) {
        next.text.push_str(" Its gateway is gone: until it is back nobody is offered it.");
    } else if contact.state == State::Queued && view.engine.is_paused() {
        next.text.push_str(" No reservation is made now: the disk of the router is nearly full.");
    }
    next
}

fn of(routing: &Routing, now: EngineTime, c: &Contact) -> Next {
    let who = |agent: AgentId| routing.agent_name(agent);
    let left = |until: EngineTime| Some(until.since(now));
    match c.state {
        State::New | State::Queued => waits(routing, now, c),
        State::Reserved { agent, deadline, .. } => {
            let (who, most) = (who(agent), length(deadline.since(now)));
            let text = format!(
                "{who} has {most} more to answer; then it goes to somebody else, at its place."
            );
            Next { text, left: left(deadline) }
        }
        State::Connecting { agent, deadline, .. } => {
            let (who, most) = (who(agent), length(deadline.since(now)));
            let text = format!(
                "The gateway has {most} more to join it with {who}; then it goes back to its place."
            );
            Next { text, left: left(deadline) }
        }
        State::Assigned { agent, .. } => {
            let text = format!("{} has it, for as long as it takes.", who(agent));
            Next { text, left: None }
        }
        State::Pending { until, agent: None, on } => {
            let most = length(until.since(now));
            let text = match on {
                WaitsFor::Farewell | WaitsFor::External => {
                    let what = match on {
                        WaitsFor::Farewell => "It ends when it was told why",
                        _ => "It ends when the number outside has taken it",
                    };
                    format!("{what}; if nobody reports, it is back at its place in {most}.")
                }
                WaitsFor::Customer | WaitsFor::ThirdParty => format!(
                    "It comes back to its place when the customer writes; if they do not within \
                     {most}, it is closed."
                ),
            };
            Next { text, left: left(until) }
        }
        State::Pending { on, until, agent: Some(agent) } => {
            let (who, most) = (who(agent), length(until.since(now)));
            let text = format!(
                "It comes back to its queue when the customer writes, or in {most} at the latest \
                 if nothing comes from {}; {who} gets it first if ready then.",
                waits_for(on)
            );
            Next { text, left: left(until) }
        }
        State::CallbackDue => callback_due(now, c),
        State::SelfService(s) => {
            let most = length(s.until.since(now));
            let tier = story::tier(s.tier);
            let text =
                format!("It goes back from {tier} to its place within {most} at the latest.");
            Next { text, left: left(s.until) }
        }
    }
}

/// Of one whose customer waits for our call.
fn callback_due(now: EngineTime, c: &Contact) -> Next {
    let callback = c.callback.as_deref();
    let wakes = callback.and_then(Callback::wakes);
    let text = match callback.map(|cb| cb.phase) {
        Some(Phase::Held { until }) => {
            format!("It is not called before {} have passed.", length(until.since(now)))
        }
        Some(Phase::OffHours { until }) => format!(
            "It is not called before the queue opens and its own hours begin, in {}.",
            length(until.since(now))
        ),
        Some(Phase::Patient { .. }) => {
            "It is called when an agent has nobody on the line to serve, or by its place \
             before its time runs out."
                .to_owned()
        }
        Some(Phase::Exhausted(_)) => {
            "Nobody calls it by itself any more: a supervisor has it called (`CallNow`), \
             promises it anew, or closes it."
                .to_owned()
        }
        _ => "It is called when its turn comes, by its place.".to_owned(),
    };
    Next { text, left: wakes.map(|at| at.since(now)) }
}

/// Of one who waits: whom it is kept for, and who may have it again when.
fn waits(routing: &Routing, now: EngineTime, c: &Contact) -> Next {
    if let Some(named) = c.named {
        let (who, most) = (routing.agent_name(named.agent), length(named.until.since(now)));
        let after = if c.parent.is_some() { "the consult ends" } else { "anyone able may have it" };
        let text = format!("It is kept for {who} for another {most}; then {after}.");
        return Next { text, left: Some(named.until.since(now)) };
    }
    if let Some(next) = out_of_line(routing, now, c) {
        return next;
    }
    let queue = routing.queue_name(c.queue);
    let mut text = format!(
        "It is offered as soon as an agent who may take from {queue} has room and it is the first \
         that they may take."
    );
    if let Some(due) = c.stage.due {
        text.push_str(&format!(" The next step of {queue} is due in {}.", length(due.since(now))));
    }
    for passed in &c.passed_over {
        let (who, most) = (routing.agent_name(passed.agent), length(passed.until.since(now)));
        text.push_str(&format!(" {who} may have it again in {most}."));
    }
    Next { text, left: c.stage.due.map(|due| due.since(now)) }
}

/// Of one who waits and stands in no line: for whom it is held back, or that they are asked.
fn out_of_line(routing: &Routing, now: EngineTime, c: &Contact) -> Option<Next> {
    if let Some(held) = c.care.held
        && let Some(with) = held.with
    {
        let most = length(held.until.since(now));
        let text = format!(
            "It goes on at its place when contact {with}, which it is linked with, is no longer \
             with an agent, or in {most} at the latest."
        );
        return Some(Next { text, left: Some(held.until.since(now)) });
    }
    let Silence::Asked { agent, until } = c.care.silence else { return None };
    let (who, most) = (routing.agent_name(agent), length(until.since(now)));
    let text = format!(
        "Its customer has {most} more to say that they are there; then it is offered at its place. \
         {who} goes on to others meanwhile."
    );
    Some(Next { text, left: Some(until.since(now)) })
}

impl Next {
    pub(super) fn into_wire(self) -> v1::NextStep {
        let by_unix_ms = self.left.map_or(0, |left| unix_ms().saturating_add(left.as_millis()));
        v1::NextStep { text: self.text, by_unix_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::engine::event::{Arrived, Event};
    use crate::engine::recall::{SelfService, Step, Tier};
    use crate::engine::routing::AgentProfile;
    use crate::engine::words::{Channel, Excluded, Named, Needs};
    use crate::ids::{ContactId, GatewayId, PoolId, RecallId, ReservationId};

    const C: ContactId = ContactId(1);
    const ANNE: AgentId = AgentId(0);
    const NOW: EngineTime = EngineTime(5_000_000);
    const LATER: EngineTime = EngineTime(20_000_000);

    fn routing() -> Routing {
        let anne = AgentProfile {
            name: "anne".into(),
            retired: false,
            pool: PoolId(0),
            skills: Default::default(),
            primary: None,
            capacity: [1; 4],
            ..AgentProfile::default()
        };
        Routing { agents: vec![anne], ..Routing::default() }
    }

    /// A contact as the engine has one that has just begun to wait.
    fn waiting() -> Contact {
        let mut engine = Engine::default();
        engine.apply(
            EngineTime::ZERO,
            &Event::Arrived(Arrived {
                contact: C,
                gateway: GatewayId(0),
                session: None,
                key: "k".into(),
                content: 0,
                channel: Channel::Chat,
                entry_point: None,
                customer: None,
                continues: None,
                waited: Span::ZERO,
                attributes: None,
                own_needs: Needs::new(),
                own_preferred: Needs::new(),
                language: None,
            }),
        );
        engine.contact(C).expect("it arrived").clone()
    }

    fn next(change: impl FnOnce(&mut Contact)) -> (String, Option<Span>) {
        let mut contact = waiting();
        contact.state = State::Queued;
        change(&mut contact);
        let next = of(&routing(), NOW, &contact);
        (next.text, next.left)
    }

    #[test]
    fn each_state_has_its_next_step_with_its_latest_time() {
        let reservation = ReservationId(1);
        let (agent, deadline) = (ANNE, LATER);
        let left = Some(Span::seconds(15));
        let step = Step::Listening { until: LATER };
        let (recall, tier, until) = (RecallId(1), Tier::Faq, LATER);
        let served = SelfService { recall, tier, until, answers: 0, checked: false, step };
        let on = WaitsFor::Customer;
        let table = [
            (
                State::Reserved { reservation, agent, deadline },
                left,
                "anne has 15.0 s more to answer",
            ),
            (
                State::Connecting { reservation, agent, deadline },
                left,
                "15.0 s more to join it with anne",
            ),
            (State::Assigned { reservation, agent, since: NOW }, None, "for as long as it takes"),
            (
                State::Pending { on, until, agent: Some(agent) },
                left,
                "in 15.0 s at the latest if nothing comes",
            ),
            (State::SelfService(served), left, "to its place within 15.0 s at the latest"),
            (State::Queued, None, "as soon as an agent who may take from"),
        ];
        for (state, at_the_latest, said) in table {
            let (text, left) = next(|c| c.state = state);
            assert!(text.contains(said), "{state:?}: {text}");
            assert_eq!(left, at_the_latest, "{state:?}");
        }
    }

    #[test]
    fn whom_it_is_kept_for_and_who_is_passed_over_is_said_with_the_time() {
        let (text, left) = next(|c| c.named = Some(Named { agent: ANNE, until: LATER }));
        assert_eq!(text, "It is kept for anne for another 15.0 s; then anyone able may have it.");
        assert_eq!(left, Some(Span::seconds(15)));
        let (text, left) = next(|c| c.passed_over.push(Excluded { agent: ANNE, until: LATER }));
        assert!(text.ends_with("anne may have it again in 15.0 s."), "{text}");
        assert_eq!(left, None);
    }

    #[test]
    fn the_latest_time_is_by_the_clock_on_the_wall() {
        let wire = Next { text: String::new(), left: Some(Span::seconds(60)) }.into_wire();
        assert!((unix_ms()..unix_ms() + 61_000).contains(&wire.by_unix_ms));
        assert_eq!(Next { text: String::new(), left: None }.into_wire().by_unix_ms, 0);
    }
}
