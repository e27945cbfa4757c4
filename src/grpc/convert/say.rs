//! Texts of playbooks as customers are told them and agents are shown them.
//!
//! It looks them up by the recall that the engine names: one version for every tier and
//! every agent. That a text was heard is the engine's to remember.

use std::sync::Arc;

use crate::engine::directive::Offer;
use crate::engine::recall::{LotVerdict, Say, Text};
use crate::engine::routing::Routing;
use crate::engine::words::{Channel, Keys, Language};
use crate::ids::{ContactId, EffectId, RecallId};
use crate::pb::v1;
use crate::recall::{Moment, Prepared, Spoken};
use crate::shard::handle::ShardHandle;

/// A text that nobody can say: its playbook cannot be used, or does not have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unsayable(pub(crate) EffectId);

/// A text as it is said to a customer now.
pub(crate) fn to_customer(
    handle: &ShardHandle,
    contact: ContactId,
    channel: Channel,
    say: &Say,
) -> Option<v1::Spoken> {
    let prepared = prepared(handle, say.recall)?;
    let lots = lots_for(handle, contact, say.text);
    let lot = lots.last().map(|keys| &**keys);
    let moment = Moment { outlook: Some(say.outlook), lot };
    let spoken = prepared.playbook.spoken(say.text, channel, say.language, moment)?;
    Some(to_wire(&prepared, spoken))
}

/// What customers are asked who fell silent, where the configuration says nothing else.
const STILL_THERE: &str = "Are you still there? Write anything, and you keep your place in line.";

/// What the customer of a chat who fell silent is asked, in their language if the configuration
/// has it. No playbook's: it is asked with no recall in force too.
pub(crate) fn still_there(routing: &Routing, language: Option<Language>) -> v1::Spoken {
    let texts = &routing.still_there;
    let own = language.and_then(|l| texts.iter().find(|(of, _)| *of == Some(l)));
    let (of, words) = match own.or_else(|| texts.iter().find(|(of, _)| of.is_none())) {
        Some((of, words)) => (*of, &**words),
        None => (Some(Language(*b"en")), STILL_THERE),
    };
    v1::Spoken {
        message_id: "still_there".to_owned(),
        playbook_hash: String::new(),
        notice_version: 0,
        language: of.map(|l| l.as_str().to_owned()).unwrap_or_default(),
        words: words.to_owned(),
    }
}

/// What an agent says to a customer who uses a language.
pub(crate) fn script(
    handle: &ShardHandle,
    recall: RecallId,
    language: Option<Language>,
) -> Option<v1::Spoken> {
    let prepared = prepared(handle, recall)?;
    let spoken = prepared.playbook.script(language)?;
    Some(to_wire(&prepared, spoken))
}

/// What the customer of an offer has heard.
pub(crate) fn heard(handle: &ShardHandle, offer: &Offer) -> Vec<v1::Spoken> {
    let of = offer.consult_of.unwrap_or(offer.contact);
    let spoken = |(recall, text): &(RecallId, Text)| {
        let prepared = prepared(handle, *recall)?;
        let lots = lots_for(handle, of, *text);
        // Of several lots with one verdict nobody remembers which was said to the end.
        let lot = lots.split_first().filter(|(first, rest)| rest.iter().all(|l| l == *first));
        let moment = Moment { outlook: None, lot: lot.map(|(keys, _)| &**keys) };
        let spoken = prepared.playbook.spoken(*text, offer.channel, offer.language, moment)?;
        Some(to_wire(&prepared, spoken))
    };
    offer.heard.iter().filter_map(spoken).collect()
}

fn prepared(handle: &ShardHandle, recall: RecallId) -> Option<Arc<Prepared>> {
    Some(Arc::clone(&handle.recalls().get(recall)?.prepared))
}

/// The lots of which a text tells, as entered; none of a text that tells of no lot.
fn lots_for(handle: &ShardHandle, contact: ContactId, text: Text) -> Vec<Keys> {
    let Some(verdict) = verdict(text) else { return Vec::new() };
    let lots = handle.lots(contact);
    let of = |verdict| -> Vec<Keys> {
        lots.iter().filter(|(of, _)| *of == verdict).map(|(_, keys)| keys.clone()).collect()
    };
    let found = of(verdict);
    if !found.is_empty() {
        return found;
    }
    // The recall was amended since it was entered: the check said otherwise then. Of several
    // nobody remembers here which one it is about.
    let mut then = of(LotVerdict::NotAffected);
    then.dedup();
    if then.len() == 1 { then } else { Vec::new() }
}

/// The verdict that a text tells.
pub(crate) const fn verdict(text: Text) -> Option<LotVerdict> {
    match text {
        Text::Affected => Some(LotVerdict::Affected),
        Text::NotAffected => Some(LotVerdict::NotAffected),
        Text::CannotTell => Some(LotVerdict::CannotTell),
        _ => None,
    }
}

/// A text in the wire's words.
pub(crate) fn to_wire(prepared: &Prepared, spoken: Spoken) -> v1::Spoken {
    v1::Spoken {
        message_id: spoken.id.into(),
        playbook_hash: prepared.version.to_string(),
        language: spoken.language.code().to_owned(),
        words: spoken.words,
        notice_version: 0,
    }
}
