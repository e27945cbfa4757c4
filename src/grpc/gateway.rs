//! The service for gateways: their stream, and the unary calls for those that keep none.
//!
//! It reads and checks what they say and puts answers and directives into their words.
//! Which contacts they hold is the engine's to know.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tonic::{Request, Response, Status, Streaming};

use super::Edge;
use super::auth;
use super::convert::owed::When;
use super::convert::report::Reading;
use super::convert::say::Unsayable;
use super::convert::{check, report, tell};
use super::past::Past;
use super::status::{self, Fault};
use super::stream::{BACK_AFTER_MS, Line, Outward, Said, Sent, Speaker};
use crate::archive::Ended;
use crate::engine::command::{Command, Reply, Report};
use crate::engine::directive::Recipient;
use crate::engine::entry::{Actor, Role, Sealed};
use crate::ids::{EffectId, GatewayId, RequestId, SessionId};
use crate::pb::v1::gateway_service_connect_request::Message as Asked;
use crate::pb::v1::gateway_service_connect_response::Message as Word;
use crate::pb::v1::gateway_service_server::GatewayService;
use crate::pb::v1::{
    self, GatewayServiceConnectRequest as FromGateway, GatewayServiceConnectResponse as ToGateway,
};
use crate::shard::ask::{AnswerTo, Ask, Outgoing, Rejection, SessionOver};
use crate::shard::handle::ShardHandle;

/// When to try again what the archive could not be asked about.
const ARCHIVE_BACK: Duration = Duration::from_secs(5);

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Gateways(pub(super) Edge);

#[tonic::async_trait]
impl GatewayService for Gateways {
    type ConnectStream = Outward<Voice>;

    async fn connect(
        &self,
        request: Request<Streaming<FromGateway>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let (greeted, session) = oneshot::channel();
        let voice = Arc::new(Voice {
            handle: self.0.handle.clone(),
            name: OnceLock::new(),
            greeted: Mutex::new(Some(greeted)),
        });
        let (line, outward) =
            Line::open(self.0.handle.clone(), self.0.stopping.clone(), voice.clone());
        let past = self.0.past.clone();
        let conversation = Conversation { line, voice, inbound: request.into_inner(), past };
        tokio::spawn(conversation.run(session));
        Ok(Response::new(outward))
    }

    async fn arrive(
        &self,
        request: Request<v1::ArriveRequest>,
    ) -> Result<Response<v1::ArriveResponse>, Status> {
        self.0.shown(&request).await?;
        let asked = request.into_inner();
        let arrival = asked.arrival.ok_or(Fault::Missing { field: "arrival" })?;
        let report = v1::gateway_report::Report::Arrived(arrival);
        let report = v1::GatewayReport { report: Some(report) };
        let reply = self.report_once(&asked.request_id, &asked.gateway, report).await?;
        Ok(self.0.proven(v1::ArriveResponse { contact_id: tell::contact(&reply)?.0 }))
    }

    async fn report(
        &self,
        request: Request<v1::ReportRequest>,
    ) -> Result<Response<v1::ReportResponse>, Status> {
        self.0.shown(&request).await?;
        let asked = request.into_inner();
        let report = asked.report.ok_or(Fault::Missing { field: "report" })?;
        let reply = self.report_once(&asked.request_id, &asked.gateway, report).await?;
        let receipt = self.0.handle.receipt();
        let when = When::now(&self.0.handle);
        let answer = Some(tell::answer(when, &asked.request_id, &asked.gateway, reply, &receipt));
        Ok(self.0.proven(v1::ReportResponse { answer }))
    }
}

impl Gateways {
    async fn report_once(
        &self,
        request_id: &str,
        name: &str,
        report: v1::GatewayReport,
    ) -> Result<Reply, Fault> {
        check::request_id(request_id)?;
        check::name("gateway", name)?;
        let actor = auth::actor(Role::Gateway, name);
        let request = auth::request_id(&actor, request_id, &*report::without_secrets(&report));
        let ended = ended(&self.0.handle, &self.0.past, &report).await?;
        let (report, sealed) = read(&self.0.handle, ended.as_ref(), report)?;
        if matches!(report, Report::Holding { .. }) {
            let expected = "said on a stream, after a hello";
            return Err(Fault::Misplaced { field: "holding", expected });
        }
        let gateway = self.gateway(&actor).await?;
        let command = Command::Gateway { gateway, session: None, report };
        Ok(self.0.handle.call(actor, Some(request), command, sealed).await?)
    }

    /// The id of a gateway's name; it becomes known if it is not.
    async fn gateway(&self, actor: &Actor) -> Result<GatewayId, Fault> {
        if let Some(id) = self.0.gateways.get(&actor.name) {
            return Ok(*id);
        }
        let register = Command::RegisterGateway(actor.name.clone());
        match self.0.handle.call(actor.clone(), None, register, None).await? {
            Reply::Gateway { gateway, .. } => {
                self.0.gateways.insert(actor.name.clone(), gateway);
                Ok(gateway)
            }
            _ => Err(Fault::Misplaced { field: "gateway", expected: "registered first" }),
        }
    }
}

/// What is to be known of a closed contact that a report is about.
///
/// A customer has their say after the end too, as long as the archive keeps the contact.
async fn ended(
    handle: &ShardHandle,
    past: &Past,
    asked: &v1::GatewayReport,
) -> Result<Option<Ended>, Fault> {
    let Some(v1::gateway_report::Report::Feedback(given)) = &asked.report else { return Ok(None) };
    let id = check::contact(given.contact_id)?;
    let open = handle.read(move |view| view.engine.contact(id).is_some()).await?;
    if open {
        return Ok(None);
    }
    match past.ended(id).await {
        Ok(Some(ended)) => Ok(Some(ended)),
        Ok(None) => Err(Fault::NoContact(id)),
        // The archive's failure is logged where it was seen; a repeat may find it well.
        Err(_) => Err(Fault::Rejected(Rejection::Busy { retry_after: ARCHIVE_BACK })),
    }
}

fn read(
    handle: &ShardHandle,
    ended: Option<&Ended>,
    asked: v1::GatewayReport,
) -> Result<(Report, Option<Sealed>), Fault> {
    let names = handle.directory();
    let from = Reading {
        names: &names,
        keys: handle.keys(),
        owner: &|contact| report::owner(handle, contact),
        recalls: handle.recalls(),
        ended,
        recall_of: &|contact| handle.recall_of(contact),
        when: When::now(handle),
    };
    report::read(&from, asked)
}

/// What a gateway's hello brought.
type Greeted = (GatewayId, SessionId);

/// Speaks to a gateway.
pub(super) struct Voice {
    handle: ShardHandle,
    name: OnceLock<Arc<str>>,
    greeted: Mutex<Option<oneshot::Sender<Greeted>>>,
}

impl Voice {
    fn name(&self) -> &str {
        self.name.get().map_or("", |name| name)
    }

    /// Reports in the gateway's place that a text cannot be said: nobody could say it, and a
    /// customer who would hear nothing goes back to a person at once.
    fn fails(&self, to: Recipient, effect: EffectId) {
        let Recipient::Gateway(gateway) = to else { return };
        let report = Report::EffectFailed { effect, code: 0 };
        self.handle.submit(Ask {
            actor: auth::actor(Role::Router, "router"),
            request: None,
            command: Command::Gateway { gateway, session: None, report },
            sealed: None,
            attach: None,
            answer_to: AnswerTo::Nobody,
        });
    }

    /// Whoever waits for the session of this stream, once.
    fn waiting(&self) -> Option<oneshot::Sender<Greeted>> {
        self.greeted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Speaker for Voice {
    type Message = ToGateway;

    fn draining(&self) -> ToGateway {
        let word = Word::Draining(v1::Draining { back_after_ms: BACK_AFTER_MS });
        ToGateway { message: Some(word) }
    }

    fn say(&self, outgoing: Outgoing) -> Said<ToGateway> {
        let word = match outgoing {
            Outgoing::Answer { request_id, answer: Ok(reply), receipt } => {
                if let Reply::Gateway { gateway, session: Some(session) } = reply
                    && let Some(greeted) = self.waiting()
                {
                    // Its reader may be gone already.
                    let _ = greeted.send((gateway, session));
                }
                let when = When::now(&self.handle);
                Word::Answer(tell::answer(when, &request_id, self.name(), reply, &receipt))
            }
            Outgoing::Answer { request_id, answer: Err(rejection), .. } => {
                let fault = Fault::from(rejection);
                if self.waiting().is_some() {
                    // Without a session there is nothing to go on with.
                    return Said::End(fault.into());
                }
                Word::Refused(fault.refused(&request_id))
            }
            Outgoing::Directive(directive, sealed) => {
                let names = self.handle.directory();
                match tell::to_gateway(
                    &self.handle,
                    &names.routing,
                    &directive.tell,
                    sealed.as_ref(),
                ) {
                    Ok(Some(told)) => Word::Directive(told),
                    Ok(None) => return Said::Nothing,
                    Err(Unsayable(effect)) => {
                        self.fails(directive.to, effect);
                        return Said::Nothing;
                    }
                }
            }
            Outgoing::Over { why: SessionOver::Superseded, .. } => {
                return Said::End(status::superseded("gateway"));
            }
            Outgoing::Over { why: SessionOver::TooSlow, .. } => {
                return Said::End(status::too_slow());
            }
        };
        Said::Message(ToGateway { message: Some(word) })
    }
}

/// The end of a gateway's stream that reads.
struct Conversation {
    line: Arc<Line<ToGateway>>,
    voice: Arc<Voice>,
    inbound: Streaming<FromGateway>,
    past: Past,
}

impl Conversation {
    async fn run(mut self, session: oneshot::Receiver<Greeted>) {
        if let Some(actor) = self.greet().await {
            let greeted = tokio::select! {
                greeted = session => greeted.ok(),
                () = self.line.deaf() => None,
            };
            if let Some((gateway, session)) = greeted {
                self.listen(&actor, gateway, session).await;
                self.line.all_answered().await;
                // A router that goes down forgets every session when it begins anew.
                if !self.line.stopping.is_cancelled() {
                    self.line.tell(&actor, Command::DisconnectGateway { gateway, session });
                }
            }
        }
        self.line.close();
    }

    /// Reads the hello and asks for a session.
    async fn greet(&mut self) -> Option<Actor> {
        let (room, first) = self.line.read(next(&mut self.inbound)).await?;
        let first = match first {
            Ok(Some(first)) => first,
            Ok(None) => return None,
            Err(status) => {
                self.line.end_with(status);
                return None;
            }
        };
        match hello(&self.line.handle, &first).await {
            Ok((actor, command)) => {
                self.voice.name.get_or_init(|| actor.name.clone());
                let tag = first.request_id.into_boxed_str();
                // A hello is never taken for a repeat: each begins a session.
                let sent =
                    Sent { actor: &actor, request: None, command, sealed: None, attach: true, tag };
                self.line.submit(room, sent);
                Some(actor)
            }
            Err(fault) => {
                self.line.end_with(fault.into());
                None
            }
        }
    }

    async fn listen(&mut self, actor: &Actor, gateway: GatewayId, session: SessionId) {
        while let Some((room, next)) = self.line.read(next(&mut self.inbound)).await {
            let asked = match next {
                Ok(Some(asked)) => asked,
                Ok(None) => return,
                Err(status) => return self.line.end_with(status),
            };
            let tag = asked.request_id.clone().into_boxed_str();
            match self.reported(actor, asked).await {
                Ok((request, report, sealed)) => {
                    let command = Command::Gateway { gateway, session: Some(session), report };
                    let request = Some(request);
                    let sent = Sent { actor, request, command, sealed, attach: false, tag };
                    self.line.submit(room, sent);
                }
                Err(fault) => {
                    let refused = Word::Refused(fault.refused(&tag));
                    self.line.refuse(room, ToGateway { message: Some(refused) });
                }
            }
        }
    }

    async fn reported(
        &self,
        actor: &Actor,
        asked: FromGateway,
    ) -> Result<(RequestId, Report, Option<Sealed>), Fault> {
        check::request_id(&asked.request_id)?;
        match asked.message {
            Some(Asked::Report(report)) => {
                let known = report::without_secrets(&report);
                let request = auth::request_id(actor, &asked.request_id, &*known);
                let ended = ended(&self.line.handle, &self.past, &report).await?;
                let (report, sealed) = read(&self.line.handle, ended.as_ref(), report)?;
                Ok((request, report, sealed))
            }
            Some(Asked::Hello(_)) => Err(Fault::Misplaced {
                field: "hello",
                expected: "hello comes first and once: open another stream",
            }),
            None => Err(Fault::Missing { field: "report" }),
        }
    }
}

/// What a first message asks for, which must be a session.
async fn hello(handle: &ShardHandle, first: &FromGateway) -> Result<(Actor, Command), Fault> {
    let Some(Asked::Hello(hello)) = &first.message else {
        let expected = "the first message of the stream";
        return Err(Fault::Invalid { field: "hello", expected });
    };
    check::request_id(&first.request_id)?;
    check::name("hello.gateway", &hello.gateway)?;
    let actor = auth::actor(Role::Gateway, &hello.gateway);
    let shown = handle.shown(&hello.newest_receipt).await;
    shown.map_err(|_| Fault::Rejected(Rejection::Stopping))?;
    let limits = report::limits(hello);
    let command = Command::ConnectGateway { name: actor.name.clone(), limits };
    Ok((actor, command))
}

/// Of a stream's messages the next.
async fn next(inbound: &mut Streaming<FromGateway>) -> Result<Option<FromGateway>, Status> {
    inbound.message().await
}
