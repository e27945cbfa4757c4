//! The service for supervisors: readings from the replica, and orders to the owner.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::convert::{check, order};
use super::rows::{self, MOST_ROWS, Page};
use super::status::{self, Fault};
use super::{Edge, agent_states, auth, bulk, feedback, inspect, intervals, unix_ms};
use crate::engine::command::{Command, Reply};
use crate::engine::entry::Role;
use crate::engine::refusal::Refusal;
use crate::ids::QueueId;
use crate::pb::v1::supervisor_service_server::SupervisorService;
use crate::pb::v1::{self, WatchQueuesResponse};
use crate::shard::ask::Rejection;

/// Milliseconds between two readings of a watch.
const INTERVAL_MS: std::ops::RangeInclusive<u32> = 250..=60_000;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Supervisors(pub(super) Edge);

impl Supervisors {
    fn queues(&self, asked: &[String]) -> Result<Option<Vec<QueueId>>, Fault> {
        if asked.is_empty() {
            return Ok(None);
        }
        if asked.len() > MOST_ROWS as usize {
            return Err(Fault::Invalid { field: "queues", expected: "at most 500" });
        }
        let names = self.0.handle.directory();
        asked
            .iter()
            .map(|name| check::queue(&names, "queues", name))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Carries an order out; its answer is `done`.
    async fn order<T>(
        &self,
        request: Request<impl order::Ordered>,
        done: T,
    ) -> Result<Response<T>, Status> {
        self.0.shown(&request).await?;
        let asked = request.get_ref();
        let said = asked.said();
        let command = order::read(&self.0.handle.directory(), asked)?;
        let actor = auth::actor(Role::Supervisor, said.actor);
        let id = auth::request_id(&actor, said.request_id, asked);
        self.0.handle.call(actor, Some(id), command, None).await.map_err(Fault::from)?;
        Ok(self.0.proven(done))
    }

    /// Orders something by what was shown.
    async fn apply(&self, asked: &v1::ApplyOrderRequest) -> Result<u64, Status> {
        check::request_id(&asked.request_id)?;
        check::bytes("actor", &asked.actor, 1, 64, "1 to 64 bytes").map_err(Status::from)?;
        check::bytes("why", &asked.why, 1, 512, "1 to 512 bytes").map_err(Status::from)?;
        // Whatever is wrong with it by now, one that was accepted has its first answer.
        let (order, fault) = match self.0.previews.order(&self.0.handle.directory(), asked) {
            Ok(order) => (order, None),
            Err(fault) => (bulk::about_nobody(), Some(fault)),
        };
        let actor = auth::actor(Role::Supervisor, &asked.actor);
        let id = auth::request_id(&actor, &asked.request_id, asked);
        let command = Command::Supervise { order, why: Arc::from(&*asked.why) };
        match (self.0.handle.call(actor, Some(id), command, None).await, fault) {
            (Ok(Reply::Order(order)), _) => Ok(order.0),
            (Ok(_), _) => Err(Fault::from(Refusal::RequestConflict).into()),
            (Err(Rejection::Refused(Refusal::OutOfRange { .. })), Some(fault)) => Err(fault.into()),
            (Err(rejection), _) => Err(Fault::from(rejection).into()),
        }
    }

    async fn find(&self, contact_id: u64) -> Result<inspect::Found, Status> {
        let id = check::contact(contact_id)?;
        let handle = &self.0.handle;
        let forgotten = handle.read(move |view| inspect::is_forgotten(view, id)).await;
        let archived = match forgotten.map_err(Fault::from)? {
            true => self.0.past.timeline(id).await?,
            false => Vec::new(),
        };
        let found = handle.read(move |view| inspect::find(view, id, &archived)).await;
        Ok(found.map_err(Fault::from)??)
    }
}

#[tonic::async_trait]
impl SupervisorService for Supervisors {
    type WatchAgentStatesStream = ReceiverStream<Result<v1::WatchAgentStatesResponse, Status>>;

    type ReportIntervalsStream = intervals::Parts;

    async fn report_intervals(
        &self,
        request: Request<v1::ReportIntervalsRequest>,
    ) -> Result<Response<Self::ReportIntervalsStream>, Status> {
        intervals::report(&self.0, request.into_inner()).await.map(Response::new)
    }

    type WatchQueuesStream = ReceiverStream<Result<WatchQueuesResponse, Status>>;

    async fn list_queues(
        &self,
        request: Request<v1::ListQueuesRequest>,
    ) -> Result<Response<v1::ListQueuesResponse>, Status> {
        let asked = request.into_inner();
        let ids = self.queues(&asked.queues)?;
        let page = Page::read(asked.page_size, &asked.page_token, MOST_ROWS)?;
        let read = self.0.handle.read(move |view| rows::queues(view, ids.as_deref(), page)).await;
        let (queues, next_page_token) = read.map_err(Fault::from)?;
        Ok(Response::new(v1::ListQueuesResponse { queues, next_page_token }))
    }

    async fn watch_queues(
        &self,
        request: Request<v1::WatchQueuesRequest>,
    ) -> Result<Response<Self::WatchQueuesStream>, Status> {
        let asked = request.into_inner();
        let ids = self.queues(&asked.queues)?;
        let interval_ms = match asked.interval_ms {
            0 => 1_000,
            ms if INTERVAL_MS.contains(&ms) => ms,
            _ => {
                let expected = "250 to 60000 ms, or 0 for 1000";
                return Err(Fault::Invalid { field: "interval_ms", expected }.into());
            }
        };
        // Room for one: a reader that is slow sees fewer readings, each of them new.
        let (out, readings) = mpsc::channel(1);
        let every = Duration::from_millis(interval_ms.into());
        tokio::spawn(watch(self.0.clone(), ids, every, out));
        Ok(Response::new(ReceiverStream::new(readings)))
    }

    async fn list_agents(
        &self,
        request: Request<v1::ListAgentsRequest>,
    ) -> Result<Response<v1::ListAgentsResponse>, Status> {
        let asked = request.into_inner();
        let names = self.0.handle.directory();
        let pool = match &*asked.pool {
            "" => None,
            name => Some(check::known("pool", "pool", name, |n| names.pool(n))?),
        };
        let state = v1::AgentState::try_from(asked.state)
            .map_err(|_| Fault::Invalid { field: "state", expected: "an agent's state" })?;
        let page = Page::read(asked.page_size, &asked.page_token, MOST_ROWS)?;
        let read = self.0.handle.read(move |view| rows::agents(view, pool, state, page)).await;
        let (agents, next_page_token) = read.map_err(Fault::from)?;
        Ok(Response::new(v1::ListAgentsResponse { agents, next_page_token }))
    }

    async fn list_contacts(
        &self,
        request: Request<v1::ListContactsRequest>,
    ) -> Result<Response<v1::ListContactsResponse>, Status> {
        let asked = request.into_inner();
        let names = self.0.handle.directory();
        let queue = match &*asked.queue {
            "" => None,
            name => Some(check::queue(&names, "queue", name)?),
        };
        let state = v1::ContactState::try_from(asked.state)
            .ok()
            .filter(|state| *state != v1::ContactState::Closed)
            .ok_or(Fault::Invalid { field: "state", expected: "the state of an open contact" })?;
        let page = Page::read(asked.page_size, &asked.page_token, 100)?;
        let read = self.0.handle.read(move |view| rows::contacts(view, queue, state, page)).await;
        let (contacts, next_page_token) = read.map_err(Fault::from)?;
        Ok(Response::new(v1::ListContactsResponse { contacts, next_page_token }))
    }

    async fn get_contact(
        &self,
        request: Request<v1::GetContactRequest>,
    ) -> Result<Response<v1::GetContactResponse>, Status> {
        let asked = request.into_inner();
        let found = self.find(asked.contact_id).await?;
        let thread = self.0.past.thread(check::contact(asked.contact_id)?).await;
        Ok(Response::new(found.show(&self.0.handle, thread)))
    }

    async fn explain_contact(
        &self,
        request: Request<v1::ExplainContactRequest>,
    ) -> Result<Response<v1::ExplainContactResponse>, Status> {
        let found = self.find(request.into_inner().contact_id).await?;
        Ok(Response::new(found.explain(&self.0.handle)))
    }

    async fn list_feedback(
        &self,
        request: Request<v1::ListFeedbackRequest>,
    ) -> Result<Response<v1::ListFeedbackResponse>, Status> {
        feedback::list(&self.0, request.into_inner()).await.map(Response::new)
    }

    async fn move_contact(
        &self,
        request: Request<v1::MoveContactRequest>,
    ) -> Result<Response<v1::MoveContactResponse>, Status> {
        self.order(request, v1::MoveContactResponse {}).await
    }

    async fn requeue_contact(
        &self,
        request: Request<v1::RequeueContactRequest>,
    ) -> Result<Response<v1::RequeueContactResponse>, Status> {
        self.order(request, v1::RequeueContactResponse {}).await
    }

    async fn reprioritise_contact(
        &self,
        request: Request<v1::ReprioritiseContactRequest>,
    ) -> Result<Response<v1::ReprioritiseContactResponse>, Status> {
        self.order(request, v1::ReprioritiseContactResponse {}).await
    }

    async fn close_contact(
        &self,
        request: Request<v1::CloseContactRequest>,
    ) -> Result<Response<v1::CloseContactResponse>, Status> {
        self.order(request, v1::CloseContactResponse {}).await
    }

    async fn set_agent(
        &self,
        request: Request<v1::SetAgentRequest>,
    ) -> Result<Response<v1::SetAgentResponse>, Status> {
        self.order(request, v1::SetAgentResponse {}).await
    }

    async fn pull_contact(
        &self,
        request: Request<v1::PullContactRequest>,
    ) -> Result<Response<v1::PullContactResponse>, Status> {
        self.order(request, v1::PullContactResponse {}).await
    }

    async fn sign_out_agent(
        &self,
        request: Request<v1::SignOutAgentRequest>,
    ) -> Result<Response<v1::SignOutAgentResponse>, Status> {
        self.order(request, v1::SignOutAgentResponse {}).await
    }

    async fn change_wrap_up(
        &self,
        request: Request<v1::ChangeWrapUpRequest>,
    ) -> Result<Response<v1::ChangeWrapUpResponse>, Status> {
        self.order(request, v1::ChangeWrapUpResponse {}).await
    }

    async fn listen(
        &self,
        request: Request<v1::ListenRequest>,
    ) -> Result<Response<v1::ListenResponse>, Status> {
        self.order(request, v1::ListenResponse {}).await
    }

    async fn stop_listening(
        &self,
        request: Request<v1::StopListeningRequest>,
    ) -> Result<Response<v1::StopListeningResponse>, Status> {
        self.order(request, v1::StopListeningResponse {}).await
    }

    async fn cancel_order(
        &self,
        request: Request<v1::CancelOrderRequest>,
    ) -> Result<Response<v1::CancelOrderResponse>, Status> {
        self.order(request, v1::CancelOrderResponse {}).await
    }

    async fn preview_order(
        &self,
        request: Request<v1::PreviewOrderRequest>,
    ) -> Result<Response<v1::PreviewOrderResponse>, Status> {
        let asked = request.into_inner().filter.ok_or(Fault::Missing { field: "filter" })?;
        let filter = bulk::filter(&self.0.handle.directory(), &asked)?;
        let looked = filter.clone();
        let read = self.0.handle.read(move |view| bulk::preview(view, &looked)).await;
        let (preview, contacts) = read.map_err(Fault::from)??;
        self.0.previews.keep(&preview.token, filter, contacts);
        Ok(Response::new(preview))
    }

    async fn apply_order(
        &self,
        request: Request<v1::ApplyOrderRequest>,
    ) -> Result<Response<v1::ApplyOrderResponse>, Status> {
        self.0.shown(&request).await?;
        let order_id = self.apply(request.get_ref()).await?;
        Ok(self.0.proven(v1::ApplyOrderResponse { order_id }))
    }

    async fn list_orders(
        &self,
        _: Request<v1::ListOrdersRequest>,
    ) -> Result<Response<v1::ListOrdersResponse>, Status> {
        let read = self.0.handle.read(bulk::orders).await;
        Ok(Response::new(read.map_err(Fault::from)?))
    }

    async fn watch_agent_states(
        &self,
        request: Request<v1::WatchAgentStatesRequest>,
    ) -> Result<Response<Self::WatchAgentStatesStream>, Status> {
        let asked = request.into_inner();
        let names = self.0.handle.directory();
        let pool = match &*asked.pool {
            "" => None,
            name => Some(check::known("pool", "pool", name, |n| names.pool(n))?),
        };
        // Room for a few parts; what waits beyond that waits in the roster, for so long.
        let (out, told) = mpsc::channel(4);
        tokio::spawn(agent_states::watch(self.0.clone(), pool, asked.cursor, out));
        Ok(Response::new(ReceiverStream::new(told)))
    }
}

/// Reads again and again until nobody listens.
async fn watch(
    edge: Edge,
    ids: Option<Vec<QueueId>>,
    every: Duration,
    out: mpsc::Sender<Result<WatchQueuesResponse, Status>>,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let first = Page::first();
    loop {
        tokio::select! {
            () = out.closed() => return,
            () = edge.stopping.cancelled() => {
                // A full channel has a reader that will find the stream's end by itself.
                let _ = out.try_send(Err(status::stopping()));
                return;
            }
            _ = ticks.tick() => {}
        }
        let ids = ids.clone();
        let read = edge.handle.read(move |view| {
            let (queues, _) = rows::queues(view, ids.as_deref(), first);
            (queues, rows::counts(view))
        });
        let reading = match read.await {
            Ok((queues, contacts)) => Ok(WatchQueuesResponse {
                queues,
                read_unix_ms: unix_ms(),
                contacts: Some(contacts),
            }),
            Err(stopped) => Err(Fault::from(stopped).into()),
        };
        let ended = reading.is_err();
        if out.send(reading).await.is_err() || ended {
            return;
        }
    }
}
