//! One agent's stream without a stream of commands: for browsers, over gRPC-web.

use std::sync::{Arc, OnceLock};

use super::Edge;
use super::convert::tell;
use super::status::{self, Fault};
use super::stream::{BACK_AFTER_MS, Line, Outward, Said, Sent, Speaker};
use crate::engine::command::{Command, Reply};
use crate::engine::entry::Actor;
use crate::ids::{AgentId, SessionId};
use crate::pb::v1::watch_response::Message as Word;
use crate::pb::v1::{Draining, Session, WatchResponse};
use crate::shard::ask::{Outgoing, SessionOver};
use crate::shard::handle::ShardHandle;

/// Speaks to one agent.
pub(super) struct Voice {
    handle: ShardHandle,
    name: Arc<str>,
    session: OnceLock<SessionId>,
}

/// Signs an agent in until the call is cancelled.
pub(super) fn open(edge: &Edge, agent: AgentId, actor: Actor) -> Outward<Voice> {
    let voice = Arc::new(Voice {
        handle: edge.handle.clone(),
        name: actor.name.clone(),
        session: OnceLock::new(),
    });
    let (line, outward) = Line::open(edge.handle.clone(), edge.stopping.clone(), voice.clone());
    tokio::spawn(sit(line, voice, agent, actor));
    outward
}

async fn sit(line: Arc<Line<WatchResponse>>, voice: Arc<Voice>, agent: AgentId, actor: Actor) {
    if let Some((room, ())) = line.read(std::future::ready(())).await {
        let sent = Sent {
            actor: &actor,
            request: None,
            command: Command::ConnectAgent(agent),
            sealed: None,
            attach: true,
            tag: Box::default(),
        };
        line.submit(room, sent);
        line.left().await;
        line.all_answered().await;
        if let Some(session) = voice.session.get().filter(|_| !line.stopping.is_cancelled()) {
            line.tell(&actor, Command::DisconnectAgent { agent, session: *session });
        }
    }
    line.close();
}

impl Speaker for Voice {
    type Message = WatchResponse;

    fn draining(&self) -> WatchResponse {
        let word = Word::Draining(Draining { back_after_ms: BACK_AFTER_MS });
        WatchResponse { message: Some(word), receipt: Vec::new() }
    }

    fn say(&self, outgoing: Outgoing) -> Said<WatchResponse> {
        let mut proof = Vec::new();
        let word = match outgoing {
            Outgoing::Answer { answer: Ok(Reply::Agent(id)), receipt, .. } => {
                proof = receipt.to_vec();
                let session = self.session.get_or_init(|| id);
                Word::Session(Session { session_id: session.0, name: self.name.to_string() })
            }
            Outgoing::Answer { answer: Ok(_), .. } => return Said::Nothing,
            Outgoing::Answer { answer: Err(rejection), .. } => {
                return Said::End(Fault::from(rejection).into());
            }
            Outgoing::Directive(directive, sealed) => {
                let names = self.handle.directory();
                let sealed = sealed.as_ref();
                match tell::to_agent(&self.handle, &names.routing, directive.tell, sealed) {
                    Some(directive) => Word::Directive(directive),
                    None => return Said::Nothing,
                }
            }
            Outgoing::Over { why: SessionOver::Superseded, .. } => {
                return Said::End(status::superseded("agent"));
            }
            Outgoing::Over { why: SessionOver::TooSlow, .. } => {
                return Said::End(status::too_slow());
            }
        };
        Said::Message(WatchResponse { message: Some(word), receipt: proof })
    }
}
