//! Amending a recall in force: more lots, a newer playbook, another end.
//!
//! Lots are never taken away: those of the version before stay beside the new ones. Whoever
//! was told "not affected" is counted here by the new version; who hears from us the engine
//! decides, once `recheck` has looked everybody up again.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::super::status::Fault;
use super::fault::RecallFault;
use super::{Recalls, Said, wanted};
use crate::engine::command::RecallOrder;
use crate::engine::event::Amends;
use crate::engine::recall::Plan;
use crate::engine::words::Keys;
use crate::grpc::recheck::is_affected;
use crate::grpc::unix_ms;
use crate::ids::RecallId;
use crate::pb::v1;
use crate::recall::{Lot, LotRule, Playbook, Prepared, plan};
use crate::shard::recalls::KnownRecall;
use crate::shard::view::View;
use crate::time::Span;

/// Lots added at once.
const MOST_LOTS: usize = 1_000;
/// Most bytes of one of them, a range counted as two.
const LONGEST_LOT: usize = 129;
/// What a lot is of where the playbook names no product.
const PRODUCT: &str = "product";

/// What would be in force.
struct Newer {
    plan: Arc<Plan>,
    prepared: Arc<Prepared>,
}

impl Recalls {
    pub(super) async fn amend(
        &self,
        asked: v1::AmendRecallRequest,
    ) -> Result<v1::AmendRecallResponse, RecallFault> {
        let said = Said { request_id: &asked.request_id, actor: &asked.actor, why: &asked.why };
        said.check()?;
        let id = self.which(asked.recall_id).await?;
        let known = self.edge.handle.recalls().get(id).filter(|k| !k.over);
        let known = known.ok_or(RecallFault::NoSuchRecall { id: id.0.into() })?;
        let from = known.prepared.version.0;
        let newer = self.newer(&asked, known).await?;
        let lasting = match asked.expires_unix_ms {
            0 => None,
            ends => Some(Span::millis(ends.saturating_sub(unix_ms()))),
        };
        let plan = newer.as_ref().map(|n| Arc::clone(&n.plan));
        let from = match &*asked.from_hash {
            "" => plan.is_some().then_some(from),
            hash => Some(read_version(hash)?),
        };
        let accept_empty_safety_lane = asked.accept_empty_safety_lane;
        let order =
            RecallOrder::Amend { recall: id, from, plan, accept_empty_safety_lane, lasting };
        let [corrected, follow_ups, unreachable] = match &newer {
            Some(newer) => self.to_tell(id, Arc::clone(&newer.prepared)).await?,
            None => [0; 3],
        };
        if asked.dry_run {
            self.preview(order, 0).await?;
        } else {
            if let Some(newer) = newer {
                self.edge.handle.recalls().prepare(newer.prepared);
            }
            self.carry_out(&said, &asked, order).await?;
        }
        let recall = self.standing(id, None, None).await?;
        Ok(v1::AmendRecallResponse { recall, follow_ups, corrected, unreachable })
    }

    /// The playbook as it would be; none if only the end moves.
    async fn newer(
        &self,
        asked: &v1::AmendRecallRequest,
        known: Arc<KnownRecall>,
    ) -> Result<Option<Newer>, RecallFault> {
        let invalid = |field, expected| Err(Fault::Invalid { field, expected }.into());
        if asked.add_lots.len() > MOST_LOTS {
            return invalid("add_lots", "at most 1000");
        }
        if asked.playbook.is_empty() && !(asked.playbook_hash.is_empty() && asked.slots.is_empty())
        {
            return invalid("playbook", "the playbook whose version or slots are meant");
        }
        let wanted = match &*asked.playbook {
            "" if asked.add_lots.is_empty() => return Ok(None),
            "" => None,
            _ => Some(wanted::Wanted::read(&v1::StartRecallRequest {
                playbook: asked.playbook.clone(),
                playbook_hash: asked.playbook_hash.clone(),
                slots: asked.slots.clone(),
                ..v1::StartRecallRequest::default()
            })?),
        };
        let (folder, lots) = (Arc::clone(&self.playbooks), asked.add_lots.clone());
        let routing = Arc::clone(&self.edge.handle.directory().routing);
        let make = move || {
            let before = &known.prepared.playbook;
            let mut playbook = match wanted {
                Some(wanted) => wanted.find(&folder, &routing)?.playbook,
                None => before.clone(),
            };
            extend(&mut playbook, before, &lots)?;
            let plan = Arc::new(plan(&playbook, &routing)?);
            let prepared = Arc::new(Prepared::new(playbook)?);
            Ok(Some(Newer { plan, prepared }))
        };
        spawn_blocking(make).await?
    }

    /// How many would be told otherwise: in the menu, by a follow-up, and who cannot be.
    async fn to_tell(&self, id: RecallId, by: Arc<Prepared>) -> Result<[u64; 3], RecallFault> {
        let told = move |view: &View<'_>| -> Vec<(Vec<Keys>, Amends)> {
            let Some(recall) = view.engine.recall(id) else { return Vec::new() };
            let one = |told: &crate::engine::recall::Told| {
                Some((told.lots.to_vec(), view.engine.amends_for(recall, told.contact)?))
            };
            recall.amends.told().filter_map(one).collect()
        };
        let told = self.edge.handle.read(told).await.map_err(Fault::from)?;
        let count = move || {
            let mut counts = [0u64; 3];
            for (_, amends) in told.iter().filter(|(lots, _)| is_affected(&by, lots)) {
                counts[*amends as usize] += 1;
            }
            counts
        };
        Ok(spawn_blocking(count).await?)
    }
}

/// A playbook goes on from the one that is in force: its lots and questions stay, and more are
/// added.
fn extend(playbook: &mut Playbook, before: &Playbook, lots: &[String]) -> Result<(), RecallFault> {
    let same = before.faq.iter().zip(&playbook.faq).all(|(old, new)| old.id == new.id);
    if !same || playbook.faq.len() < before.faq.len() {
        // Texts that are being said are named by their position.
        let expected =
            "a version with all questions that are in force, in their order, new ones behind";
        return Err(Fault::Invalid { field: "playbook", expected }.into());
    }
    let product = playbook.scope.products.first().map_or(PRODUCT, |p| &*p.name).to_owned();
    let mut rules: Vec<LotRule> = before.scope.lots.clone();
    for lot in lots {
        rules.push(read_lot(lot, &product)?);
    }
    for rule in rules {
        if !playbook.scope.lots.contains(&rule) {
            playbook.scope.lots.push(rule);
        }
    }
    Ok(())
}

/// All digits of a version.
fn read_version(hash: &str) -> Result<[u8; 32], RecallFault> {
    let expected = "64 hexadecimal digits, as the recall's status has them, or nothing";
    let digits = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let mut version = [0; 32];
    for (i, byte) in version.iter_mut().enumerate().filter(|_| digits) {
        *byte = u8::from_str_radix(&hash[2 * i..2 * i + 2], 16).unwrap_or_default();
    }
    if digits { Ok(version) } else { Err(Fault::Invalid { field: "from_hash", expected }.into()) }
}

/// `LOT`, or `FIRST..LAST`.
fn read_lot(text: &str, product: &str) -> Result<LotRule, RecallFault> {
    let read = || {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (first, last) = (Lot::new(first)?, Lot::new(last)?);
        let rule = LotRule { product: product.into(), first, last, ends: None, longer: false };
        rule.is_ordered().then_some(rule)
    };
    let expected = "lots of 3 to 32 letters and digits, or FIRST..LAST of the same form";
    let fault = || Fault::Invalid { field: "add_lots", expected }.into();
    if text.len() > LONGEST_LOT { Err(fault()) } else { read().ok_or_else(fault) }
}
