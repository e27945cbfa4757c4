//! The service for on-call staff: a playbook put in force, its level, its end, and how it
//! goes.
//!
//! It reads playbooks when they are wanted and prepares them before the engine is asked, so
//! that a start waits for nothing. What is refused, and what would move, the engine says;
//! a dry run asks the replica the same question and changes nothing.

mod amend;
mod doubts;
mod fault;
mod standing;
mod wanted;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::convert::check;
use super::status::Fault;
use super::{Edge, auth, unix_ms};
use crate::engine::command::{Command, RecallOrder, Reply};
use crate::engine::entry::Role;
use crate::engine::recall::control::{Control, Within};
use crate::engine::recall::{Level, Recall};
use crate::engine::refusal::Refusal;
use crate::ids::RecallId;
use crate::pb::v1;
use crate::pb::v1::recall_service_server::RecallService;
use crate::pb::v1::set_level_request::To as Asked;
use crate::recall::{Folder, Prepared};
use crate::shard::view::View;
use crate::time::Span;
use fault::RecallFault;
use standing::{Ordered, To};

/// Playbooks that are prepared ahead.
const MOST_AHEAD: usize = 12;
/// Contacts that the answer to an order waits to be counted, a few milliseconds. The proto
/// names it.
const COUNTED_AT_ONCE: usize = 10_000;
const LEVELS: &str = "NORMAL, ELEVATED, SURGE, CRITICAL or TAIL";

/// Names of bounds in a start and in an order to free a level.
const START: [&str; 2] = ["free.lowest", "free.highest"];
const FREE: [&str; 2] = ["to.free.lowest", "to.free.highest"];

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Recalls {
    pub(super) edge: Edge,
    /// Where playbooks lie.
    pub(super) playbooks: Arc<Folder>,
}

/// Who orders something, why, and what they call it.
struct Said<'a> {
    request_id: &'a str,
    actor: &'a str,
    why: &'a str,
}

impl Said<'_> {
    fn check(&self) -> Result<(), Fault> {
        check::request_id(self.request_id)?;
        check::bytes("actor", self.actor, 1, 64, "1 to 64 bytes")?;
        check::bytes("why", self.why, 1, 512, "1 to 512 bytes")
    }
}

impl Recalls {
    /// What an order would move, by the replica, unless it would have to count more than
    /// `most`; why it would be refused.
    async fn preview(&self, order: RecallOrder, most: usize) -> Result<Option<u64>, Fault> {
        let read = self.edge.handle.read(move |view| view.engine.preview(view.now, &order, most));
        Ok(read.await??.to_move)
    }

    /// Carries an order out. Answers with what it set out to move, asked meanwhile so that
    /// the answer comes no later: none if there were many, or the replica was further by then.
    async fn carry_out(
        &self,
        said: &Said<'_>,
        asked: &impl prost::Message,
        order: RecallOrder,
    ) -> Result<(Reply, Option<u64>), Fault> {
        let actor = auth::actor(Role::OnCall, said.actor);
        let request = auth::request_id(&actor, said.request_id, asked);
        let command = Command::Recall { order: order.clone(), why: Arc::from(said.why) };
        let (to_move, reply) = tokio::join!(
            self.preview(order, COUNTED_AT_ONCE),
            self.edge.handle.call(actor, Some(request), command, None),
        );
        Ok((reply?, to_move.ok().flatten()))
    }

    /// How a recall stands after an order; by itself or as the order would have it.
    async fn standing(
        &self,
        id: RecallId,
        to_move: Option<u64>,
        ordered: Option<Ordered>,
    ) -> Result<Option<v1::RecallStatus>, Fault> {
        let read = self.edge.handle.read(move |view| {
            let recall = view.engine.recall(id)?;
            let status = standing::status(view, recall, ordered.as_ref());
            Some(v1::RecallStatus { moving: to_move, ..status })
        });
        Ok(read.await?)
    }

    /// The recall that is meant. Of 0 it is the only one in force.
    async fn which(&self, asked: u64) -> Result<RecallId, RecallFault> {
        if asked != 0 {
            let id = u16::try_from(asked).map(RecallId);
            return id.map_err(|_| RecallFault::NoSuchRecall { id: asked });
        }
        // Of one that is known not even a replica that is catching up is waited for. Not in
        // this list is one whose playbook cannot be used.
        let known = self.edge.handle.recalls().all();
        let mut in_force = known.iter().filter(|known| !known.over);
        if let (Some(only), None) = (in_force.next(), in_force.next()) {
            return Ok(only.recall);
        }
        let in_force = |view: &View<'_>| -> Vec<(RecallId, Arc<str>)> {
            let recalls = view.engine.recalls().filter(|r| !r.over);
            recalls.map(|r| (r.id, Arc::clone(&r.plan.title))).collect()
        };
        match &self.edge.handle.read(in_force).await.map_err(Fault::from)?[..] {
            [] => Err(RecallFault::NoneInForce),
            [(id, _)] => Ok(*id),
            several => Err(RecallFault::Several(several.into())),
        }
    }

    /// An order about a recall that is in force: what it would do, or what it did.
    async fn steer(
        &self,
        said: &Said<'_>,
        asked: &impl prost::Message,
        (recall_id, to, dry_run): (u64, To, bool),
    ) -> Result<(Option<v1::RecallStatus>, Option<u64>), RecallFault> {
        said.check()?;
        let which = self.which(recall_id).await;
        let order = |recall| match to {
            To::Pinned(level) => RecallOrder::SetLevel { recall, level },
            To::Free(within) => RecallOrder::Free { recall, within },
            To::End => RecallOrder::End(recall),
        };
        if dry_run {
            let id = which?;
            let to_move = self.preview(order(id), usize::MAX).await?;
            let ordered = Ordered { to, by: said.actor.into(), why: said.why.into() };
            return Ok((self.standing(id, to_move, Some(ordered)).await?, to_move));
        }
        // One that nobody has is asked for all the same: it may be a repeat of a request
        // that was carried out, and then the engine knows it.
        let id = which.as_ref().map_or(RecallId(0), |id| *id);
        let done = self.carry_out(said, asked, order(id)).await;
        let (_, to_move) = match (done, which) {
            (Err(_), Err(fault)) => return Err(fault),
            (done, _) => done?,
        };
        Ok((self.standing(id, to_move, None).await?, to_move))
    }

    async fn start(
        &self,
        asked: v1::StartRecallRequest,
    ) -> Result<v1::StartRecallResponse, RecallFault> {
        let said = Said { request_id: &asked.request_id, actor: &asked.actor, why: &asked.why };
        said.check()?;
        let free = asked.free.as_ref().map(|of| read_within(of, START)).transpose()?;
        let found = self.want(&asked).await?;
        let bounds = free.map(|within| within.or(found.plan.control().bounds));
        let level = match v1::RecallLevel::try_from(asked.level) {
            Ok(v1::RecallLevel::Unspecified) => bounds.map_or(Level::Elevated, |b| b.lowest),
            _ => read_level("level", asked.level)?,
        };
        let level = bounds.map_or(level, |b| b.nearest(level));
        let lasting = match asked.expires_unix_ms {
            0 => Span::seconds(u64::from(found.playbook.expires_after_days) * 24 * 3_600),
            ends => Span::millis(ends.saturating_sub(unix_ms())),
        };
        let order = RecallOrder::Start {
            plan: Arc::clone(&found.plan),
            level,
            lasting,
            accept_empty_safety_lane: asked.accept_empty_safety_lane,
            free,
        };
        let mut warnings = found.warnings;
        let plan = Arc::clone(&found.plan);
        let looked = move |view: &View<'_>| (doubts::told(view, &plan), doubts::kept(view, &plan));
        let (doubts, kept) = self.edge.handle.read(looked).await.map_err(Fault::from)?;
        warnings.extend(doubts);
        let in_full = |fault| RecallFault::of_start(fault, &kept);
        if asked.dry_run {
            let to_move = self.preview(order, usize::MAX).await.map_err(in_full)?;
            let to = free.map_or(To::Pinned(level), To::Free);
            let ordered = Ordered { to, by: said.actor.into(), why: said.why.into() };
            let plan = found.plan;
            let read = self.edge.handle.read(move |view| {
                let recall = Recall {
                    id: RecallId(0),
                    plan,
                    level,
                    since: view.now,
                    control: bounds.map(Control::new),
                    raised: 0,
                    lowered: 0,
                    started: view.now,
                    expires: view.now + lasting,
                    over: false,
                    tiers: Default::default(),
                    breakers: Default::default(),
                    partners: Default::default(),
                    alarm: Default::default(),
                    amends: Default::default(),
                };
                let status = standing::status(view, &recall, Some(&ordered));
                v1::RecallStatus { moving: to_move, ..status }
            });
            let recall = Some(read.await.map_err(Fault::from)?);
            return Ok(v1::StartRecallResponse { recall, to_move, warnings });
        }
        let (reply, to_move) = self.carry_out(&said, &asked, order).await.map_err(in_full)?;
        let Reply::Recall(id) = reply else { return Err(RecallFault::Odd) };
        let recall = self.standing(id, to_move, None).await?;
        Ok(v1::StartRecallResponse { recall, to_move, warnings })
    }

    /// The playbook, read, checked and prepared off the threads that serve others.
    async fn want(&self, asked: &v1::StartRecallRequest) -> Result<wanted::Found, RecallFault> {
        let wanted = wanted::Wanted::read(asked)?;
        let folder = Arc::clone(&self.playbooks);
        let routing = Arc::clone(&self.edge.handle.directory().routing);
        let recalls = Arc::clone(self.edge.handle.recalls());
        let prepare = !asked.dry_run;
        let find = move || {
            let found = wanted.find(&folder, &routing)?;
            if prepare && !recalls.has(found.plan.version) {
                recalls.prepare(found.prepared()?);
            }
            Ok(found)
        };
        tokio::task::spawn_blocking(find).await?
    }
}

#[tonic::async_trait]
impl RecallService for Recalls {
    async fn start_recall(
        &self,
        request: Request<v1::StartRecallRequest>,
    ) -> Result<Response<v1::StartRecallResponse>, Status> {
        self.edge.shown(&request).await?;
        Ok(self.edge.proven(self.start(request.into_inner()).await?))
    }

    async fn set_level(
        &self,
        request: Request<v1::SetLevelRequest>,
    ) -> Result<Response<v1::SetLevelResponse>, Status> {
        self.edge.shown(&request).await?;
        let asked = request.into_inner();
        let said = Said { request_id: &asked.request_id, actor: &asked.actor, why: &asked.why };
        let to = match asked.to {
            None => return Err(Fault::Missing { field: "to" }.into()),
            Some(Asked::Free(bounds)) => To::Free(read_within(&bounds, FREE)?),
            Some(Asked::Pinned(level)) => To::Pinned(read_level("to.pinned", level)?),
        };
        let how = (asked.recall_id, to, asked.dry_run);
        let (recall, to_move) = self.steer(&said, &asked, how).await?;
        Ok(self.edge.proven(v1::SetLevelResponse { recall, to_move }))
    }

    async fn amend_recall(
        &self,
        request: Request<v1::AmendRecallRequest>,
    ) -> Result<Response<v1::AmendRecallResponse>, Status> {
        self.edge.shown(&request).await?;
        Ok(self.edge.proven(self.amend(request.into_inner()).await?))
    }

    async fn end_recall(
        &self,
        request: Request<v1::EndRecallRequest>,
    ) -> Result<Response<v1::EndRecallResponse>, Status> {
        self.edge.shown(&request).await?;
        let asked = request.into_inner();
        let said = Said { request_id: &asked.request_id, actor: &asked.actor, why: &asked.why };
        let how = (asked.recall_id, To::End, asked.dry_run);
        let (recall, to_move) = self.steer(&said, &asked, how).await?;
        Ok(self.edge.proven(v1::EndRecallResponse { recall, to_move }))
    }

    async fn get_recall_status(
        &self,
        request: Request<v1::GetRecallStatusRequest>,
    ) -> Result<Response<v1::GetRecallStatusResponse>, Status> {
        let asked = request.into_inner().recall_id;
        let meant = move |r: &&Recall| match asked {
            0 => !r.over,
            id => u64::from(r.id.0) == id,
        };
        let read = self.edge.handle.read(move |view| {
            let recalls = view.engine.recalls().filter(meant);
            let counted = |r: &Recall| v1::RecallStatus {
                moving: Some(view.engine.still_to_move(view.now, r)),
                ..standing::status(view, r, None)
            };
            recalls.map(counted).collect::<Vec<_>>()
        });
        let recalls = read.await.map_err(Fault::from)?;
        if recalls.is_empty() && asked != 0 {
            return Err(RecallFault::NoSuchRecall { id: asked }.into());
        }
        Ok(Response::new(v1::GetRecallStatusResponse { recalls }))
    }
}

/// Builds what playbooks of the folder need, ahead of the day: a start then waits for nothing.
/// What cannot be used is told when it is wanted.
pub(crate) fn prepare_all(folder: &Folder, recalls: &crate::shard::recalls::Recalls) {
    for name in folder.names().iter().take(MOST_AHEAD) {
        let Some(loaded) = folder.find(name).ok().and_then(|source| source.parse(&[]).ok()) else {
            continue;
        };
        // A generic one becomes another by what fills it.
        if !loaded.playbook.open_slots.is_empty() || recalls.has(loaded.playbook.version().0) {
            continue;
        }
        match Prepared::new(loaded.playbook) {
            Ok(prepared) => recalls.prepare(Arc::new(prepared)),
            Err(error) => tracing::warn!(%error, playbook = &**name, "not prepared"),
        }
    }
}

fn read_level(field: &'static str, level: i32) -> Result<Level, Fault> {
    match v1::RecallLevel::try_from(level) {
        Ok(v1::RecallLevel::Normal) => Ok(Level::Normal),
        Ok(v1::RecallLevel::Tail) => Ok(Level::Tail),
        Ok(v1::RecallLevel::Elevated) => Ok(Level::Elevated),
        Ok(v1::RecallLevel::Surge) => Ok(Level::Surge),
        Ok(v1::RecallLevel::Critical) => Ok(Level::Critical),
        Ok(v1::RecallLevel::Unspecified) => Err(Fault::Missing { field }),
        Ok(v1::RecallLevel::Ended) | Err(_) => Err(Fault::Invalid { field, expected: LEVELS }),
    }
}

/// Bounds as asked for: the playbook's where nothing is said.
fn read_within(bounds: &v1::LevelBounds, names: [&'static str; 2]) -> Result<Within, Fault> {
    let read = |field, level| match v1::RecallLevel::try_from(level) {
        Ok(v1::RecallLevel::Unspecified) => Ok(None),
        _ => read_level(field, level).map(Some),
    };
    let lowest = read(names[0], bounds.lowest)?;
    Ok(Within { lowest, highest: read(names[1], bounds.highest)? })
}

impl From<Refusal> for RecallFault {
    fn from(refusal: Refusal) -> Self {
        Self::Edge(refusal.into())
    }
}
