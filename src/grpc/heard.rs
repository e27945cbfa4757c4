//! What a customer heard: every text that was said to them, with what became of it.
//!
//! From a contact's timeline alone. Heard is what a gateway reported as done; everything
//! else is told as what it is.

use std::sync::Arc;

use prost::Message;

use super::convert::say;
use super::story::Texts;
use crate::engine::event::{EffectKind, Event, Settled};
use crate::engine::recall::{LotVerdict, Say};
use crate::engine::words::Keys;
use crate::ids::EffectId;
use crate::pb::v1;
use crate::shard::view::TimelineItem;

/// Most bytes of it: a message has a limit, and a timeline goes with it.
const MOST_BYTES: usize = 40 * 1024;

/// Everything that was said, oldest first, and how many older ones were left out.
pub(super) fn heard(texts: &Texts, items: &[TimelineItem]) -> (Vec<v1::Heard>, usize) {
    let mut said: Vec<(EffectId, v1::Heard)> = Vec::new();
    let mut lots: Vec<(LotVerdict, Keys)> = Vec::new();
    for item in items {
        match &*item.event {
            Event::KeysPressed { keys, lot: Some(verdict), .. } => {
                lots.push((*verdict, Arc::clone(keys)));
            }
            Event::EffectAsked { effect, kind: EffectKind::Say(say), .. } => {
                said.push((*effect, asked(texts, item, say, &lots)));
            }
            Event::EffectSettled { effect, how, .. } => {
                if let Some((_, heard)) = said.iter_mut().rev().find(|(e, _)| e == effect) {
                    heard.settled_unix_ms = item.wall.0;
                    heard.outcome = outcome(*how).into();
                }
            }
            _ => {}
        }
    }
    let mut bytes = 0;
    // The newest matter most when not all fit.
    let fit = said.iter().rev().take_while(|(_, heard)| {
        bytes += heard.encoded_len();
        bytes <= MOST_BYTES
    });
    let omitted = said.len() - fit.count();
    (said.into_iter().skip(omitted).map(|(_, heard)| heard).collect(), omitted)
}

fn asked(texts: &Texts, item: &TimelineItem, say: &Say, lots: &[(LotVerdict, Keys)]) -> v1::Heard {
    let told = say::verdict(say.text);
    let lot =
        lots.iter().rev().find(|(verdict, _)| Some(*verdict) == told).map(|(_, keys)| &**keys);
    let text = texts.said(say, lot).map(|(prepared, spoken)| say::to_wire(prepared, spoken));
    v1::Heard {
        text,
        recall_id: say.recall.0.into(),
        asked_unix_ms: item.wall.0,
        settled_unix_ms: 0,
        outcome: v1::HeardOutcome::Pending.into(),
    }
}

const fn outcome(how: Settled) -> v1::HeardOutcome {
    match how {
        Settled::Done => v1::HeardOutcome::Done,
        Settled::Failed(_) => v1::HeardOutcome::Failed,
        Settled::Withdrawn => v1::HeardOutcome::Withdrawn,
    }
}
