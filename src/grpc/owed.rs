//! The service for what is owed: readings from the replica, and orders to the owner.

use tonic::{Request, Response, Status};

use super::convert::owed::{self, When};
use super::convert::{check, order, person, words};
use super::rows::{MOST_ROWS, Page};
use super::status::Fault;
use super::{Edge, auth};
use crate::engine::callback::{Callback, DialOutcome, Exhausted, Phase};
use crate::engine::command::{Command, Order, Reply};
use crate::engine::contact::{Contact, State};
use crate::engine::entry::Role;
use crate::engine::promise::{Promise, PromiseKind, Punctual, Recovery, RecoveryState, Stage};
use crate::engine::routing::Routing;
use crate::ids::{AgentId, QueueId};
use crate::pb::v1;
use crate::pb::v1::owed_service_server::OwedService;
use crate::shard::handle::Directory;
use crate::shard::view::View;

/// Rows of a page that does not say.
const ROWS: u32 = 100;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Owing(pub(super) Edge);

/// An order of this service.
trait Owed: prost::Message {
    /// Who, why, and what they call it.
    fn said(&self) -> order::Said<'_>;
    /// What they order.
    fn order(&self, when: When, names: &Directory) -> Result<Order, Fault>;
    /// What of it is a person's.
    fn person(&self) -> Option<v1::Person> {
        None
    }
}

impl Owing {
    async fn order(&self, request: Request<impl Owed>) -> Result<Reply, Status> {
        self.0.shown(&request).await?;
        let asked = request.get_ref();
        let said = asked.said();
        order::check(&said)?;
        let handle = &self.0.handle;
        let order = asked.order(When::now(handle), &handle.directory())?;
        let actor = auth::actor(Role::Supervisor, said.actor);
        let id = auth::request_id(&actor, said.request_id, asked);
        let sealed = match (asked.person(), &order) {
            (Some(words), Order::OpenRecovery(remedy)) => {
                person::seal(handle.keys(), handle.customer(remedy.contact), Some(words), false)?
            }
            _ => None,
        };
        let command = Command::Supervise { order, why: said.why.into() };
        let reply = handle.call(actor, Some(id), command, sealed).await;
        Ok(reply.map_err(Fault::from)?)
    }

    fn queue(&self, name: &str) -> Result<Option<QueueId>, Fault> {
        let names = self.0.handle.directory();
        if name.is_empty() { Ok(None) } else { check::queue(&names, "queue", name).map(Some) }
    }
}

macro_rules! owed {
    ($request:ident, $asked:ident, $when:ident, $names:ident, $order:expr $(, $person:expr)?) => {
        impl Owed for v1::$request {
            fn said(&self) -> order::Said<'_> {
                order::Said { request_id: &self.request_id, actor: &self.actor, why: &self.why }
            }
            fn order(&self, $when: When, $names: &Directory) -> Result<Order, Fault> {
                let $asked = self;
                Ok($order)
            }
            $(fn person(&self) -> Option<v1::Person> {
                let $asked = self;
                $person
            })?
        }
    };
}

owed!(
    CallBackRequest,
    asked,
    when,
    _names,
    Order::CallBack {
        contact: check::contact(asked.contact_id)?,
        wanted: when.wanted(asked.window, asked.hours)?,
    }
);
owed!(
    CallNowRequest,
    asked,
    _when,
    names,
    Order::CallNow {
        contact: check::contact(asked.contact_id)?,
        agent: match &*asked.agent {
            "" => None,
            name => Some(check::agent(names, "agent", name)?),
        },
    }
);
owed!(
    MakePromiseRequest,
    asked,
    when,
    names,
    Order::Promise(
        when.pledge(names, asked.promise.clone().ok_or(Fault::Missing { field: "promise" })?)?
    )
);
owed!(
    EndPromiseRequest,
    asked,
    _when,
    _names,
    match asked.kept {
        true => Order::KeepPromise(owed::promise(asked.promise_id)?),
        false => Order::BreakPromise(owed::promise(asked.promise_id)?),
    }
);
owed!(
    OpenRecoveryRequest,
    asked,
    when,
    names,
    Order::OpenRecovery(
        when.remedy(names, asked.recovery.as_ref().ok_or(Fault::Missing { field: "recovery" })?)?
    ),
    asked.recovery.as_ref().and_then(|r| r.words.clone())
);
owed!(ChangeRecoveryRequest, asked, _when, names, {
    use v1::change_recovery_request::Change;
    let recovery = owed::recovery(asked.recovery_id)?;
    match asked.change.as_ref().ok_or(Fault::Missing { field: "change" })? {
        Change::Owner(name) => {
            Order::ReassignRecovery { recovery, owner: check::agent(names, "owner", name)? }
        }
        Change::Approved(true) => Order::ApproveRecovery(recovery),
        Change::Done(true) => Order::RecoveryDone(recovery),
        Change::Approved(false) | Change::Done(false) => {
            return Err(Fault::Invalid { field: "change", expected: "true" });
        }
    }
});

#[tonic::async_trait]
impl OwedService for Owing {
    async fn list_callbacks(
        &self,
        request: Request<v1::ListCallbacksRequest>,
    ) -> Result<Response<v1::ListCallbacksResponse>, Status> {
        let asked = request.into_inner();
        let queue = self.queue(&asked.queue)?;
        let page = Page::read(asked.page_size, &asked.page_token, ROWS)?;
        let read = self.0.handle.read(move |view| callbacks(view, queue, asked.exhausted, page));
        let (callbacks, next_page_token) = read.await.map_err(Fault::from)?;
        Ok(Response::new(v1::ListCallbacksResponse { callbacks, next_page_token }))
    }

    async fn list_promises(
        &self,
        request: Request<v1::ListPromisesRequest>,
    ) -> Result<Response<v1::ListPromisesResponse>, Status> {
        let asked = request.into_inner();
        let page = Page::read(asked.page_size, &asked.page_token, ROWS)?;
        let read = self.0.handle.read(move |view| promises(view, asked.late, page)).await;
        Ok(Response::new(read.map_err(Fault::from)?))
    }

    async fn list_recoveries(
        &self,
        request: Request<v1::ListRecoveriesRequest>,
    ) -> Result<Response<v1::ListRecoveriesResponse>, Status> {
        let asked = request.into_inner();
        let page = Page::read(asked.page_size, &asked.page_token, ROWS)?;
        let read = self.0.handle.read(move |view| recoveries(view, asked.overdue, page)).await;
        Ok(Response::new(read.map_err(Fault::from)?))
    }

    async fn call_back(
        &self,
        request: Request<v1::CallBackRequest>,
    ) -> Result<Response<v1::CallBackResponse>, Status> {
        let (promise_id, due_unix_ms) = self.promised(request).await?;
        Ok(self.0.proven(v1::CallBackResponse { promise_id, due_unix_ms }))
    }

    async fn call_now(
        &self,
        request: Request<v1::CallNowRequest>,
    ) -> Result<Response<v1::CallNowResponse>, Status> {
        self.order(request).await?;
        Ok(self.0.proven(v1::CallNowResponse {}))
    }

    async fn make_promise(
        &self,
        request: Request<v1::MakePromiseRequest>,
    ) -> Result<Response<v1::MakePromiseResponse>, Status> {
        let (promise_id, _) = self.promised(request).await?;
        Ok(self.0.proven(v1::MakePromiseResponse { promise_id }))
    }

    async fn end_promise(
        &self,
        request: Request<v1::EndPromiseRequest>,
    ) -> Result<Response<v1::EndPromiseResponse>, Status> {
        self.order(request).await?;
        Ok(self.0.proven(v1::EndPromiseResponse {}))
    }

    async fn open_recovery(
        &self,
        request: Request<v1::OpenRecoveryRequest>,
    ) -> Result<Response<v1::OpenRecoveryResponse>, Status> {
        match self.order(request).await? {
            Reply::Recovery(id) => {
                Ok(self.0.proven(v1::OpenRecoveryResponse { recovery_id: id.0 }))
            }
            _ => Err(not_this_request()),
        }
    }

    async fn change_recovery(
        &self,
        request: Request<v1::ChangeRecoveryRequest>,
    ) -> Result<Response<v1::ChangeRecoveryResponse>, Status> {
        self.order(request).await?;
        Ok(self.0.proven(v1::ChangeRecoveryResponse {}))
    }
}

impl Owing {
    async fn promised(&self, request: Request<impl Owed>) -> Result<(u64, u64), Status> {
        match self.order(request).await? {
            Reply::Promised { promise, due } => {
                Ok((promise.0, When::now(&self.0.handle).wall(due)))
            }
            _ => Err(not_this_request()),
        }
    }
}

/// The request id was used for something else with the same content.
fn not_this_request() -> Status {
    Fault::from(crate::engine::refusal::Refusal::RequestConflict).into()
}

fn callbacks(
    view: &View<'_>,
    queue: Option<QueueId>,
    exhausted: bool,
    page: Page,
) -> (Vec<v1::CallbackRow>, String) {
    let listed = |c: &&Contact| {
        c.silent().is_some_and(|cb| !exhausted || !cb.is_open())
            && queue.is_none_or(|queue| c.queue == queue)
    };
    let mut found: Vec<&Contact> = view.engine.contacts().filter(listed).collect();
    found.sort_unstable_by_key(|c| c.id);
    let row = |c: &Contact| Some((c.id.0, callback_row(view, c, c.silent()?)));
    page.fill(found.into_iter().filter_map(row))
}

fn callback_row(view: &View<'_>, c: &Contact, callback: &Callback) -> v1::CallbackRow {
    let routing = view.engine.routing();
    let late = view.engine.promise(callback.promise).map(|p| p.punctual) == Some(Punctual::Late);
    let tried = |o: &DialOutcome| callback.tried[o.index()] > 0;
    let told = |o: DialOutcome| format!("{} {}", o.name(), callback.tried[o.index()]);
    v1::CallbackRow {
        contact_id: c.id.0,
        promise_id: callback.promise.0,
        queue: routing.queue_name(c.queue).to_owned(),
        kind: words::callback_kind(callback.kind),
        phase: phase(c, callback).into(),
        due_unix_ms: When::at(view.now).wall(callback.due),
        waited_ms: view.now.since(callback.asked).as_millis(),
        wakes_in_ms: callback.wakes().map_or(0, |at| at.since(view.now).as_millis()),
        tries: callback.tried.iter().map(|n| u32::from(*n)).sum(),
        outcomes: DialOutcome::ALL.into_iter().filter(tried).map(told).collect(),
        agent: c.state.agent().map(|a| routing.agent_name(a).to_owned()).unwrap_or_default(),
        late,
    }
}

fn phase(c: &Contact, callback: &Callback) -> v1::CallbackPhase {
    match (c.state, callback.phase) {
        (State::Reserved { .. } | State::Connecting { .. }, _) => v1::CallbackPhase::Calling,
        (_, Phase::Held { .. } | Phase::OffHours { .. }) => v1::CallbackPhase::Held,
        (_, Phase::Patient { .. }) => v1::CallbackPhase::Patient,
        (_, Phase::Exhausted(Exhausted::Tried)) => v1::CallbackPhase::Exhausted,
        (_, Phase::Exhausted(Exhausted::Invalid)) => v1::CallbackPhase::InvalidNumber,
        (_, Phase::Exhausted(Exhausted::TooLate)) => v1::CallbackPhase::WindowOver,
        (_, Phase::Exhausted(Exhausted::NoCallbacks)) => v1::CallbackPhase::NoCallbacks,
        (_, Phase::Pressing { .. } | Phase::OnLine | Phase::Done) => v1::CallbackPhase::Pressing,
    }
}

fn promises(view: &View<'_>, late: bool, page: Page) -> v1::ListPromisesResponse {
    let listed = |p: &&Promise| !late || p.punctual == Punctual::Late;
    let found = view.engine.promises().filter(listed);
    let (when, routing) = (When::at(view.now), view.engine.routing());
    let row = |p: &Promise| (p.id.0, promise_row(routing, when, p));
    let (promises, next_page_token) = page.fill(found.map(row));
    let counts = |kind: PromiseKind| {
        let n = view.engine.owed_counts().promises[kind.index()];
        v1::PromiseCounts {
            kind: words::promise_kind(kind),
            made: n.made,
            kept: n.kept,
            open: n.made - n.kept - n.broken,
            broken: n.broken,
            late: n.late,
        }
    };
    let counts = PromiseKind::ALL.into_iter().map(counts).collect();
    v1::ListPromisesResponse { promises, next_page_token, counts }
}

/// One promise.
pub(super) fn promise_row(routing: &Routing, when: When, p: &Promise) -> v1::PromiseRow {
    let (working_contact_id, work_in_ms) = match p.stage {
        Stage::Working(contact) => (contact.0, 0),
        Stage::Waiting { until, .. } => (0, when.until(until).as_millis()),
        Stage::Talking | Stage::Kept | Stage::Broken => (0, 0),
    };
    v1::PromiseRow {
        promise_id: p.id.0,
        contact_id: p.contact.0,
        kind: words::promise_kind(p.kind),
        owner: p.owner.map(|a| routing.agent_name(a).to_owned()).unwrap_or_default(),
        due_unix_ms: when.wall(p.due),
        working_contact_id,
        work_in_ms,
        late: p.punctual == Punctual::Late,
    }
}

fn recoveries(view: &View<'_>, overdue: bool, page: Page) -> v1::ListRecoveriesResponse {
    let listed = |r: &&Recovery| !overdue || r.state == RecoveryState::Overdue;
    let found = view.engine.recoveries().filter(listed);
    let (when, routing) = (When::at(view.now), view.engine.routing());
    let row = |r: &Recovery| (r.id.0, recovery_row(routing, when, r));
    let (recoveries, next_page_token) = page.fill(found.map(row));
    let n = view.engine.owed_counts().recoveries;
    let (opened, done, became_overdue) = (n.opened, n.done, n.overdue);
    v1::ListRecoveriesResponse { recoveries, next_page_token, opened, done, became_overdue }
}

/// One piece of work to make good.
pub(super) fn recovery_row(routing: &Routing, when: When, r: &Recovery) -> v1::RecoveryRow {
    v1::RecoveryRow {
        recovery_id: r.id.0,
        contact_id: r.contact.0,
        owner: r.owner.map(|a| routing.agent_name(a).to_owned()).unwrap_or_default(),
        remedy_cents: r.remedy,
        approved: r.approved,
        due_unix_ms: when.wall(Some(r.due)),
        overdue: r.state == RecoveryState::Overdue,
        due_soon: r.state == RecoveryState::Soon,
    }
}

/// What an agent owes.
pub(super) fn by_agent(view: &View<'_>, agent: AgentId) -> v1::ListOwedResponse {
    let (when, routing) = (When::at(view.now), view.engine.routing());
    let (most, all) = (MOST_ROWS as usize, view.engine.led_by(agent));
    let mut recoveries: Vec<_> =
        all.take(most + 1).map(|r| recovery_row(routing, when, r)).collect();
    let theirs = view.engine.promises().filter(|p| p.owner == Some(agent));
    let mut promises: Vec<_> =
        theirs.take(most + 1).map(|p| promise_row(routing, when, p)).collect();
    let more = recoveries.len() > most || promises.len() > most;
    recoveries.truncate(most);
    promises.truncate(most);
    v1::ListOwedResponse { recoveries, promises, more }
}
