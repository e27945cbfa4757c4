//! The service for agents' desktops: a stream for many agents, a watch for one, and acts.
//!
//! It reads and checks what they say and puts answers and directives into their words.
//! What an agent may do is the engine's to say.

use std::sync::Arc;

use dashmap::DashMap;
use tonic::{Request, Response, Status, Streaming};

use super::convert::owed::When;
use super::convert::{act, check, tell};
use super::status::{self, Fault};
use super::stream::{BACK_AFTER_MS, Line, Outward, Room, Said, Sent, Speaker};
use super::{Edge, auth, owed, watch};
use crate::engine::command::{Command, Reply};
use crate::engine::directive::Recipient;
use crate::engine::entry::{Actor, Role, Sealed};
use crate::ids::{AgentId, RequestId, SessionId};
use crate::pb::v1::agent_service_connect_request::Command as Asked;
use crate::pb::v1::agent_service_connect_response::Message as Word;
use crate::pb::v1::agent_service_server::AgentService;
use crate::pb::v1::{
    self, AgentServiceConnectRequest as FromDesktop, AgentServiceConnectResponse as ToDesktop,
};
use crate::shard::ask::{Answer, Outgoing, Rejection, SessionOver};
use crate::shard::handle::ShardHandle;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Agents(pub(super) Edge);

#[tonic::async_trait]
impl AgentService for Agents {
    type ConnectStream = Outward<Voice>;
    type WatchStream = Outward<watch::Voice>;

    async fn connect(
        &self,
        request: Request<Streaming<FromDesktop>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let voice = Arc::new(Voice { handle: self.0.handle.clone(), seats: DashMap::new() });
        let (line, outward) =
            Line::open(self.0.handle.clone(), self.0.stopping.clone(), voice.clone());
        let conversation = Conversation { line, voice, inbound: request.into_inner() };
        tokio::spawn(conversation.run());
        Ok(Response::new(outward))
    }

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let v1::WatchRequest { agent: name, newest_receipt } = request.into_inner();
        let agent = check::agent(&self.0.handle.directory(), "agent", &name)?;
        let shown = self.0.handle.shown(&newest_receipt).await;
        shown.map_err(|_| Fault::Rejected(Rejection::Stopping))?;
        Ok(Response::new(watch::open(&self.0, agent, auth::actor(Role::Agent, &name))))
    }

    async fn act(
        &self,
        request: Request<v1::ActRequest>,
    ) -> Result<Response<v1::ActResponse>, Status> {
        self.0.shown(&request).await?;
        let asked = request.into_inner();
        check::request_id(&asked.request_id)?;
        let names = self.0.handle.directory();
        let agent = check::agent(&names, "agent", &asked.agent)?;
        let wanted = asked.act.ok_or(Fault::Missing { field: "act" })?;
        let actor = auth::actor(Role::Agent, &asked.agent);
        let request = Some(auth::request_id(&actor, &asked.request_id, &wanted));
        let when = When::now(&self.0.handle);
        let sealed = act::sealed(&self.0.handle, &wanted)?;
        let command =
            Command::Agent { agent, session: None, act: act::read(&names, when, wanted)? };
        let reply = self.0.handle.call(actor, request, command, sealed).await;
        let reply = reply.map_err(Fault::from)?;
        let receipt = self.0.handle.receipt();
        let answer = Some(tell::answer(when, &asked.request_id, &asked.agent, reply, &receipt));
        Ok(self.0.proven(v1::ActResponse { answer }))
    }

    async fn list_owed(
        &self,
        request: Request<v1::ListOwedRequest>,
    ) -> Result<Response<v1::ListOwedResponse>, Status> {
        Ok(Response::new(self.owed(&request.get_ref().agent).await?))
    }
}

impl Agents {
    async fn owed(&self, name: &str) -> Result<v1::ListOwedResponse, Fault> {
        let agent = check::agent(&self.0.handle.directory(), "agent", name)?;
        Ok(self.0.handle.read(move |view| owed::by_agent(view, agent)).await?)
    }
}

/// An agent on a stream.
#[derive(Debug, Default)]
struct Seat {
    /// The newest session that is known.
    session: Option<SessionId>,
    /// Sign-ins that are not answered yet.
    signing_in: u32,
}

impl Seat {
    /// The session that the next command goes under. While one is beginning it is none: the
    /// owner takes commands in order, so that the sign-in is decided first, and waiting for
    /// its answer would hold up every other agent on the stream.
    const fn in_force(&self) -> Option<SessionId> {
        if self.signing_in == 0 { self.session } else { None }
    }
}

/// What a command was, beside its id: comes back with the answer.
struct Tag<'a> {
    sign: char,
    agent: AgentId,
    request_id: &'a str,
}

const SIGN_IN: char = 'i';
const LEAVE: char = 'l';
const ACT: char = 'a';

impl<'a> Tag<'a> {
    fn write(sign: char, agent: AgentId, request_id: &str) -> Box<str> {
        format!("{sign}{agent}:{request_id}").into_boxed_str()
    }

    fn read(tag: &'a str) -> Option<Self> {
        let mut chars = tag.chars();
        let sign = chars.next()?;
        let (agent, request_id) = chars.as_str().split_once(':')?;
        Some(Self { sign, agent: AgentId(agent.parse().ok()?), request_id })
    }
}

/// Speaks to a desktop, and keeps who sits at it.
pub(super) struct Voice {
    handle: ShardHandle,
    seats: DashMap<AgentId, Seat>,
}

impl Voice {
    fn answered(&self, tag: &str, answer: Answer, receipt: &[u8]) -> Option<(AgentId, Word)> {
        let Tag { sign, agent, request_id } = Tag::read(tag)?;
        match (sign, &answer) {
            (SIGN_IN, Ok(Reply::Agent(session))) => {
                let mut seat = self.seats.entry(agent).or_default();
                seat.session = Some(*session);
                seat.signing_in = seat.signing_in.saturating_sub(1);
            }
            (SIGN_IN, _) => {
                if let Some(mut seat) = self.seats.get_mut(&agent) {
                    seat.signing_in = seat.signing_in.saturating_sub(1);
                }
                self.seats.remove_if(&agent, |_, s| s.signing_in == 0 && s.session.is_none());
            }
            (LEAVE, Ok(_)) => {
                self.seats.remove_if(&agent, |_, seat| seat.signing_in == 0);
            }
            _ => {}
        }
        let word = match answer {
            Ok(reply) => {
                let names = self.handle.directory();
                let name = names.routing.agent_name(agent);
                Word::Answer(tell::answer(
                    When::now(&self.handle),
                    request_id,
                    name,
                    reply,
                    receipt,
                ))
            }
            Err(rejection) => Word::Refused(Fault::from(rejection).refused(request_id)),
        };
        Some((agent, word))
    }

    /// A newer session of an agent began elsewhere.
    fn superseded(&self, agent: AgentId) -> Word {
        let ended = self.seats.get_mut(&agent).and_then(|mut seat| seat.session.take());
        self.seats.remove_if(&agent, |_, seat| seat.signing_in == 0);
        Word::SessionOver(v1::SessionOver { session_id: ended.map_or(0, |s| s.0) })
    }
}

impl Speaker for Voice {
    type Message = ToDesktop;

    fn draining(&self) -> ToDesktop {
        let word = Word::Draining(v1::Draining { back_after_ms: BACK_AFTER_MS });
        ToDesktop { agent: String::new(), message: Some(word) }
    }

    fn say(&self, outgoing: Outgoing) -> Said<ToDesktop> {
        let (agent, word) = match outgoing {
            Outgoing::Answer { request_id, answer, receipt } => {
                match self.answered(&request_id, answer, &receipt) {
                    Some(said) => said,
                    None => return Said::Nothing,
                }
            }
            Outgoing::Directive(directive, sealed) => {
                let Recipient::Agent(agent) = directive.to else { return Said::Nothing };
                let names = self.handle.directory();
                let sealed = sealed.as_ref();
                match tell::to_agent(&self.handle, &names.routing, directive.tell, sealed) {
                    Some(directive) => (agent, Word::Directive(directive)),
                    None => return Said::Nothing,
                }
            }
            Outgoing::Over { to: Some(Recipient::Agent(agent)), why: SessionOver::Superseded } => {
                (agent, self.superseded(agent))
            }
            // Whoever reads too slowly does so for everyone on the stream.
            Outgoing::Over { .. } => return Said::End(status::too_slow()),
        };
        let agent = self.handle.directory().routing.agent_name(agent).to_owned();
        Said::Message(ToDesktop { agent, message: Some(word) })
    }
}

/// The end of a desktop's stream that reads.
struct Conversation {
    line: Arc<Line<ToDesktop>>,
    voice: Arc<Voice>,
    inbound: Streaming<FromDesktop>,
}

/// A request that makes sense.
struct Understood {
    sign: char,
    agent: AgentId,
    actor: Actor,
    request: Option<RequestId>,
    command: Command,
    sealed: Option<Sealed>,
}

impl Conversation {
    async fn run(mut self) {
        while let Some((room, next)) = self.line.read(self.inbound.message()).await {
            match next {
                Ok(Some(asked)) => self.take(room, asked).await,
                Ok(None) => break,
                Err(status) => {
                    self.line.end_with(status);
                    break;
                }
            }
        }
        self.line.all_answered().await;
        // A router that goes down forgets every session when it begins anew.
        if !self.line.stopping.is_cancelled() {
            let names = self.line.handle.directory();
            for seat in &self.voice.seats {
                let (agent, Some(session)) = (*seat.key(), seat.session) else { continue };
                let actor = auth::actor(Role::Agent, names.routing.agent_name(agent));
                self.line.tell(&actor, Command::DisconnectAgent { agent, session });
            }
        }
        self.line.close();
    }

    async fn take(&self, room: Room<'_>, asked: FromDesktop) {
        let (request_id, name) = (asked.request_id.clone(), asked.agent.clone());
        match self.understand(asked).await {
            Ok(Understood { sign, agent, actor, request, command, sealed }) => {
                let attach = sign == SIGN_IN;
                if attach {
                    self.voice.seats.entry(agent).or_default().signing_in += 1;
                }
                let tag = Tag::write(sign, agent, &request_id);
                let sent = Sent { actor: &actor, request, command, sealed, attach, tag };
                self.line.submit(room, sent);
            }
            Err(fault) => {
                let refused = Some(Word::Refused(fault.refused(&request_id)));
                self.line.refuse(room, ToDesktop { agent: name, message: refused });
            }
        }
    }

    async fn understand(&self, asked: FromDesktop) -> Result<Understood, Fault> {
        check::request_id(&asked.request_id)?;
        let names = self.line.handle.directory();
        let agent = check::agent(&names, "agent", &asked.agent)?;
        let actor = auth::actor(Role::Agent, &asked.agent);
        let wanted = asked.command.ok_or(Fault::Missing { field: "act" })?;
        // A sign-in is never taken for a repeat: each begins a session.
        if let Asked::SignIn(sign_in) = &wanted {
            let shown = self.line.handle.shown(&sign_in.newest_receipt).await;
            shown.map_err(|_| Fault::Rejected(Rejection::Stopping))?;
            let command = Command::ConnectAgent(agent);
            let (request, sealed) = (None, None);
            return Ok(Understood { sign: SIGN_IN, agent, actor, request, command, sealed });
        }
        let Some(seat) = self.voice.seats.get(&agent) else {
            let expected = "this agent is not signed in on this stream: send sign_in first";
            return Err(Fault::Misplaced { field: "agent", expected });
        };
        let session = seat.in_force();
        drop(seat);
        match wanted {
            Asked::Act(wanted) => {
                let request = Some(auth::request_id(&actor, &asked.request_id, &wanted));
                let sealed = act::sealed(&self.line.handle, &wanted)?;
                let act = act::read(&names, When::now(&self.line.handle), wanted)?;
                let command = Command::Agent { agent, session, act };
                Ok(Understood { sign: ACT, agent, actor, request, command, sealed })
            }
            Asked::Leave(_) | Asked::SignIn(_) => {
                let Some(session) = session else {
                    let expected = "wait for the answer to sign_in before leave";
                    return Err(Fault::Misplaced { field: "leave", expected });
                };
                let command = Command::DisconnectAgent { agent, session };
                let (request, sealed) = (None, None);
                Ok(Understood { sign: LEAVE, agent, actor, request, command, sealed })
            }
        }
    }
}
