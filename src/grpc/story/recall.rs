//! What a recall means for a contact, told for people, with its texts by their ids.

use std::sync::Arc;

use super::length;
use crate::engine::event::{Event, SafetyNews, SafetyStep};
use crate::engine::recall::{
    Answer, Found, Heed, LotVerdict, Question, ReturnedBecause, Say, SelfService, Step, Text, Tier,
    TriageClass, Want,
};
use crate::engine::words::Channel;
use crate::ids::RecallId;
use crate::recall::{Language, Moment, Prepared, Spoken};
use crate::shard::recalls::{KnownRecall, Recalls};

/// The texts of playbooks as somebody on one channel is told them.
#[derive(Clone, Debug, Default)]
pub(in crate::grpc) struct Texts {
    recalls: Arc<Vec<Arc<KnownRecall>>>,
    channel: Option<Channel>,
}

impl Texts {
    /// Those of all recalls.
    pub(in crate::grpc) fn of(recalls: &Recalls, channel: Option<Channel>) -> Self {
        Self { recalls: recalls.all(), channel }
    }

    /// A text as it was said.
    pub(in crate::grpc) fn said(
        &self,
        say: &Say,
        lot: Option<&str>,
    ) -> Option<(&Prepared, Spoken)> {
        let prepared = self.prepared(say.recall)?;
        let moment = Moment { outlook: Some(say.outlook), lot };
        let spoken = prepared.playbook.spoken(say.text, self.channel?, say.language, moment)?;
        Some((prepared, spoken))
    }

    /// What an effect says: which text, of which version, in which language.
    pub(super) fn named(&self, say: &Say) -> String {
        let wait = match (say.text, say.outlook.wait) {
            (Text::Acknowledgement, Some(wait)) => format!(", with a wait of {}", length(wait)),
            (Text::Acknowledgement, None) => ", with a wait that is not known".to_owned(),
            _ => String::new(),
        };
        match self.said(say, None) {
            Some((prepared, spoken)) => {
                let (id, version) = (spoken.id, prepared.version.short());
                format!("say {id} of playbook {version} in {}{wait}", spoken.language)
            }
            None => format!("say a text of recall {} that nobody has{wait}", say.recall),
        }
    }

    fn prepared(&self, recall: RecallId) -> Option<&Prepared> {
        self.recalls.iter().find(|k| k.recall == recall).map(|k| &*k.prepared)
    }

    /// The id of an entry.
    fn entry(&self, recall: RecallId, entry: u16) -> String {
        let id = self
            .prepared(recall)
            .and_then(|p| p.playbook.id_of(Text::Faq(entry), self.channel?, Language::En));
        id.map_or_else(|| format!("entry {entry}"), String::from)
    }

    fn title(&self, recall: RecallId) -> String {
        let known = self.recalls.iter().find(|k| k.recall == recall);
        known.map_or_else(String::new, |k| format!(" ({})", k.plan.title))
    }
}

/// The events of a contact's way through a recall. `by` is whose self-service it is in.
pub(super) fn event(
    texts: &Texts,
    event: &Event,
    by: Option<RecallId>,
) -> Option<(&'static str, String)> {
    Some(match event {
        Event::Triaged { heed, .. } => ("triaged", triaged(texts, *heed)),
        Event::Diverted { now, .. } => {
            let (tier, recall) = (tier(now.tier), now.recall);
            let title = texts.title(recall);
            let text = format!("in {tier} of recall {recall}{title}, its place in line kept");
            ("diverted", text)
        }
        Event::Stepped { now, .. } => ("stepped", stepped(texts, *now)),
        Event::Returned { tier: from, because, .. } => {
            let text = format!(
                "back from {} at its place, for a person: {}",
                tier(*from),
                returned(*because)
            );
            ("returned", text)
        }
        Event::WordsAsked { want, .. } => {
            let text = match want {
                Want::Answer => "what the customer wrote is read, for an answer",
                Want::Triage => "what the customer wrote is read, for injury and affected lots",
            };
            ("words_asked", text.to_owned())
        }
        Event::WordsRead { found, .. } => ("words_read", read(texts, *found, by)),
        Event::KeysPressed { keys, lot, .. } => {
            let lot = lot.map_or_else(String::new, |v| format!(": as a lot {}", verdict(v)));
            ("keys_pressed", format!("the customer pressed {keys}{lot}"))
        }
        Event::Safety(news) => ("safety", safety(news)),
        Event::FollowUpOpened(a) => {
            let of = a.continues.map_or_else(String::new, |of| format!(" of contact {of}"));
            (
                "follow_up_opened",
                format!("contact {} is the follow-up{of}, with its key", a.contact),
            )
        }
        _ => return None,
    })
}

fn triaged(texts: &Texts, Heed { recall, class }: Heed) -> String {
    let what = match class {
        TriageClass::Safety => "about injury or exposure",
        TriageClass::Affected => "about an affected lot",
        TriageClass::PersonWanted => "to ask for a person",
    };
    format!("found {what}, by the words of recall {recall}{}", texts.title(recall))
}

/// A tier, as people call it.
pub(in crate::grpc) const fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Faq => "the faq tier",
        Tier::Ivr => "the ivr tier",
        Tier::Callback => "the callback tier",
        Tier::Partner => "the partner tier",
    }
}

fn stepped(texts: &Texts, now: SelfService) -> String {
    let entry = |entry| texts.entry(now.recall, entry);
    match now.step {
        Step::Entering { .. } => "it is about to be told".to_owned(),
        Step::Reading { .. } => "self-service reads what the customer wrote".to_owned(),
        Step::Answering { entry: found, .. } => {
            format!("self-service is about to answer with {}", entry(found))
        }
        Step::Listening { .. } => "it is the customer's turn".to_owned(),
        Step::Asked { question, repeats, until } => {
            let again = if repeats > 0 { " again" } else { "" };
            let asked = asked(question);
            if until.is_some() {
                format!("{asked} was heard{again}: it waits for a key")
            } else {
                format!("{asked} is put{again}")
            }
        }
        Step::Leaving { .. } => "all is said: the call ends".to_owned(),
    }
}

/// A question of the menu, as people call it.
pub(in crate::grpc) const fn asked(question: Question) -> &'static str {
    match question {
        Question::Injury => "the question for injury",
        Question::Lot => "the question for the lot",
        Question::Options => "the menu",
    }
}

fn read(texts: &Texts, Found { heed, answer }: Found, by: Option<RecallId>) -> String {
    let heed = heed.map_or_else(String::new, |h| {
        let what = match h.class {
            TriageClass::Safety => "injury or exposure",
            TriageClass::Affected => "an affected lot",
            TriageClass::PersonWanted => "the wish for a person",
        };
        format!(", and {what}")
    });
    let answer = match answer {
        Answer::NoWords => "nothing that the customer said".to_owned(),
        Answer::None => "no answer that is near enough".to_owned(),
        Answer::Entry { entry, score } => {
            let id = by.map_or_else(|| format!("entry {entry}"), |by| texts.entry(by, entry));
            format!("{id} as the answer, by {} %", (score + 5) / 10)
        }
    };
    format!("the reader found {answer}{heed}")
}

const fn verdict(verdict: LotVerdict) -> &'static str {
    match verdict {
        LotVerdict::Affected => "affected",
        LotVerdict::NotAffected => "not affected",
        LotVerdict::CannotTell => "it cannot be told",
    }
}

/// Why a contact went back to the agents, in plain words.
const fn returned(because: ReturnedBecause) -> &'static str {
    match because {
        ReturnedBecause::Asked => "the customer asked for one",
        ReturnedBecause::Safety => "injury or exposure",
        ReturnedBecause::NoAnswer => "no answer was near enough",
        ReturnedBecause::AnsweredEnough => "it was answered as often as a machine may",
        ReturnedBecause::Late => "the words were not read in time",
        ReturnedBecause::Silence => "the customer said nothing for long",
        ReturnedBecause::NoKey => "no key that means something was pressed",
        ReturnedBecause::CannotTell => "the lot check cannot tell",
        ReturnedBecause::TimeLimit => "it was there as long as it may be",
        ReturnedBecause::Gateway => "the gateway could not say a text",
        ReturnedBecause::Ended => "the recall takes nobody any more",
        ReturnedBecause::Supervisor => "a supervisor took it out",
        ReturnedBecause::Secret => "what the customer said is secret, and no machine may read it",
    }
}

/// What is done for one who is hurt and whom nobody has answered.
fn safety(news: &SafetyNews) -> String {
    let recall = news.lane.recall;
    match news.step {
        SafetyStep::Watched => {
            format!("about safety: watched until somebody has it, recall {recall}")
        }
        SafetyStep::AnyAgent => "nobody has answered: any agent may have it now".to_owned(),
        SafetyStep::Late => format!("nobody has answered: people are paged for recall {recall}"),
        SafetyStep::OutsideAgain => {
            "what is next for it could not be done yet, and is tried again".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::recall::{Collect, Outlook};
    use crate::time::Span;

    #[test]
    fn no_word_for_programs_stands_in_a_sentence() {
        for because in ReturnedBecause::ALL {
            assert!(!returned(because).contains('_'), "{}", returned(because));
        }
        for class in TriageClass::ALL {
            let text = triaged(&Texts::default(), Heed { recall: RecallId(1), class });
            assert!(!text.contains('_') && text.contains("recall 1"), "{text}");
        }
    }

    #[test]
    fn a_text_without_its_playbook_and_a_wait_are_told_all_the_same() {
        let outlook = Outlook { ahead: Some(3), wait: Some(Span::seconds(245)) };
        let say = |text, outlook| Say {
            recall: RecallId(7),
            text,
            language: None,
            collect: Collect::None,
            outlook,
        };
        let named = |say| Texts::default().named(&say);
        assert_eq!(
            named(say(Text::Acknowledgement, outlook)),
            "say a text of recall 7 that nobody has, with a wait of 4 min 05 s"
        );
        let unknown = named(say(Text::Acknowledgement, Outlook::default()));
        assert!(unknown.ends_with("with a wait that is not known"), "{unknown}");
        assert!(!named(say(Text::Person, Outlook::default())).contains("wait"));
    }
}
