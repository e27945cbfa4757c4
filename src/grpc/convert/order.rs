//! What a supervisor orders, as the engine takes it.

use std::sync::Arc;

use super::super::status::Fault;
use super::{check, words};
use crate::engine::command::{Command, Order};
use crate::engine::day::Hands;
use crate::ids::OrderId;
use crate::pb::v1;
use crate::shard::handle::Directory;

/// What every order says beside what it is: who, why, and what they call it.
pub(crate) struct Said<'a> {
    /// The client's own name for the request.
    pub(crate) request_id: &'a str,
    /// Who.
    pub(crate) actor: &'a str,
    /// Why.
    pub(crate) why: &'a str,
}

/// A request that is an order.
pub(crate) trait Ordered: prost::Message {
    /// Who, why, and what they call it.
    fn said(&self) -> Said<'_>;
    /// What they order.
    fn order(&self, names: &Directory) -> Result<Order, Fault>;
}

/// Who, why, and under which name they say so.
pub(crate) fn check(said: &Said<'_>) -> Result<(), Fault> {
    check::request_id(said.request_id)?;
    check::bytes("actor", said.actor, 1, 64, "1 to 64 bytes")?;
    check::bytes("why", said.why, 1, 512, "1 to 512 bytes")
}

/// Reads an order.
pub(crate) fn read(names: &Directory, asked: &impl Ordered) -> Result<Command, Fault> {
    let said = asked.said();
    self::check(&said)?;
    Ok(Command::Supervise { order: asked.order(names)?, why: Arc::from(said.why) })
}

macro_rules! ordered {
    ($request:ident, $asked:ident, $names:ident, $order:expr) => {
        impl Ordered for v1::$request {
            fn said(&self) -> Said<'_> {
                Said { request_id: &self.request_id, actor: &self.actor, why: &self.why }
            }
            fn order(&self, $names: &Directory) -> Result<Order, Fault> {
                let $asked = self;
                Ok($order)
            }
        }
    };
}

ordered!(
    MoveContactRequest,
    asked,
    names,
    Order::Move {
        contact: check::contact(asked.contact_id)?,
        queue: check::queue(names, "queue", &asked.queue)?,
    }
);
ordered!(RequeueContactRequest, asked, _names, Order::Requeue(check::contact(asked.contact_id)?));
ordered!(
    ReprioritiseContactRequest,
    asked,
    _names,
    Order::Reprioritise {
        contact: check::contact(asked.contact_id)?,
        head_start: check::within_a_day("head_start_ms", asked.head_start_ms)?,
    }
);
ordered!(CloseContactRequest, asked, _names, Order::Close(check::contact(asked.contact_id)?));
ordered!(
    SetAgentRequest,
    asked,
    names,
    Order::SetAgent {
        agent: check::agent(names, "agent", &asked.agent)?,
        to: check::availability(
            names,
            asked.availability.as_ref().ok_or(Fault::Missing { field: "availability" })?,
        )?,
    }
);
ordered!(
    PullContactRequest,
    asked,
    names,
    Order::Pull {
        contact: check::contact(asked.contact_id)?,
        agent: check::agent(names, "agent", &asked.agent)?,
    }
);
ordered!(
    SignOutAgentRequest,
    asked,
    names,
    Order::SignOut {
        agent: check::agent(names, "agent", &asked.agent)?,
        after: match asked.take_back {
            true => None,
            false => Some(check::within_a_day("after_ms", asked.after_ms)?),
        },
        hands: match asked.take_back {
            true => Hands::Finish,
            false => words::read_hands(asked.hands)?,
        },
    }
);
ordered!(
    ChangeWrapUpRequest,
    asked,
    names,
    Order::WrapUp {
        agent: check::agent(names, "agent", &asked.agent)?,
        contact: check::contact(asked.contact_id)?,
        by: match asked.by_ms {
            0 => None,
            ms => Some(check::within_a_day("by_ms", ms)?),
        },
    }
);
ordered!(
    ListenRequest,
    asked,
    _names,
    Order::Listen {
        contact: check::contact(asked.contact_id)?,
        listener: check::label("listener", &asked.listener)?,
        part: words::read_part(asked.part)?,
    }
);
ordered!(
    StopListeningRequest,
    asked,
    _names,
    Order::StopListening {
        contact: check::contact(asked.contact_id)?,
        listener: check::label("listener", &asked.listener)?,
    }
);
ordered!(
    CancelOrderRequest,
    asked,
    _names,
    Order::CancelBulk(match asked.order_id {
        0 => return Err(Fault::Missing { field: "order_id" }),
        id => OrderId(id),
    })
);
