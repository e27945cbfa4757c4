//! How a contact stands in self-service: where it is, that its place is kept, and what
//! brings it back to a person.
//!
//! Read on the replica's thread for one contact that somebody asks about. It decides
//! nothing; what it says is for people.

use std::sync::Arc;

use super::{rows, story};
use crate::engine::contact::Contact;
use crate::engine::recall::{SelfService, Step, Tier};
use crate::ids::RecallId;
use crate::shard::view::View;
use crate::time::Span;

/// What was read of a contact in self-service.
#[derive(Debug)]
pub(super) struct Machine {
    now: SelfService,
    recall: RecallId,
    title: Arc<str>,
    queue: Arc<str>,
    /// Those waiting in its queue who have a better place.
    before: u64,
    /// Until it goes back at the latest.
    left: Span,
}

/// Reads how a contact stands in self-service; none if it is not there.
pub(super) fn read(view: &View<'_>, contact: &Contact) -> Option<Machine> {
    let now = contact.self_service()?;
    let title = view.engine.recall(now.recall).map(|r| Arc::clone(&r.plan.title));
    Some(Machine {
        now,
        recall: now.recall,
        title: title.unwrap_or_else(|| "?".into()),
        queue: view.engine.routing().queue_name(contact.queue).into(),
        before: rows::before(view, contact).0,
        left: now.until.since(view.now),
    })
}

impl Machine {
    /// A few sentences.
    pub(super) fn told(&self) -> String {
        let (tier, back) = match self.now.tier {
            Tier::Faq => (
                story::tier(Tier::Faq),
                "The wish for a person, a word of injury, a question that no entry answers, or \
                 silence",
            ),
            other => {
                (story::tier(other), "Key 0, a yes to the question for injury, or no key at all")
            }
        };
        let place = match self.before {
            0 => format!("it would be the first in {}", self.queue),
            1 => format!("one would be before it in {}", self.queue),
            n => format!("{n} would be before it in {}", self.queue),
        };
        format!(
            "It is in {tier} of recall {} ({}): {}. Its place in line is kept: back now, {place}. \
             {back} brings it back to a person, at the latest its time limit in {}.",
            self.recall,
            self.title,
            step(self.now.step),
            story::length(self.left),
        )
    }
}

fn step(step: Step) -> String {
    match step {
        Step::Entering { .. } => "it is about to be told so".to_owned(),
        Step::Reading { .. } => "what the customer wrote is being read".to_owned(),
        Step::Answering { .. } => "an answer was found and is about to be sent".to_owned(),
        Step::Listening { .. } => "it is the customer's turn".to_owned(),
        Step::Asked { question, until: None, .. } => format!("{} is put", story::asked(question)),
        Step::Asked { question, .. } => {
            format!("{} was heard, and a key is waited for", story::asked(question))
        }
        Step::Leaving { .. } => "all is said, and the call ends".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::recall::Question;
    use crate::time::EngineTime;

    fn machine(tier: Tier, step: Step, before: u64) -> String {
        let (recall, until) = (RecallId(3), EngineTime(9));
        let now = SelfService { recall, tier, until, answers: 0, checked: false, step };
        let (title, queue) = ("Kettles".into(), "support".into());
        Machine { now, recall, title, queue, before, left: Span::seconds(61) }.told()
    }

    #[test]
    fn it_says_where_it_is_that_its_place_is_kept_and_what_brings_it_back() {
        let listening = Step::Listening { until: EngineTime(5) };
        assert_eq!(
            machine(Tier::Faq, listening, 0),
            "It is in the faq tier of recall 3 (Kettles): it is the customer's turn. Its place in \
             line is kept: back now, it would be the first in support. The wish for a person, a \
             word of injury, a question that no entry answers, or silence brings it back to a \
             person, at the latest its time limit in 1 min 01 s."
        );
        let asked = Step::Asked { question: Question::Lot, repeats: 1, until: None };
        let text = machine(Tier::Ivr, asked, 4);
        assert!(text.contains("the question for the lot is put. Its place"), "{text}");
        assert!(text.contains("4 would be before it in support. Key 0, a yes"), "{text}");
    }
}
