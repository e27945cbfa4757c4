//! The reader of words: what customers wrote, classed and looked up in the playbook that a
//! recall goes by.
//!
//! One thread for a shard. It is asked by events and answers by a command; it remembers
//! nothing, decides nothing, and may be late or gone: whoever is not answered in time is a
//! person's to answer. It sees personal data in clear, and lets out positions and classes.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::auth;
use super::convert::{intake, person};
use crate::engine::command::Command;
use crate::engine::entry::{Actor, Role, Sealed};
use crate::engine::recall::{Answer, Found, Heed, READ_WITHIN, Want};
use crate::pb::v1;
use crate::recall::{FaqError, Language, Prepared};
use crate::shard::ask::{AnswerTo, Ask, WordsAsked};
use crate::shard::handle::ShardHandle;

/// The age after which a question is not looked up any more, the way back to the engine
/// left out: those behind it can still be answered in time.
const IN_TIME: Duration = Duration::from_millis(READ_WITHIN.as_millis() * 4 / 5);

/// A running reader of words. It ends with its shard.
#[derive(Debug)]
pub struct WordsReader(JoinHandle<()>);

impl WordsReader {
    /// Starts to read for a shard.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(handle: ShardHandle) -> std::io::Result<Self> {
        let reader = Reader { handle, pending: Pending::default() };
        Ok(Self(Builder::new().name("words".into()).spawn(move || reader.run())?))
    }

    /// Waits until it has ended, which it does when the shard has.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the reader of words panicked");
        }
    }
}

/// Reads for one shard.
struct Reader {
    handle: ShardHandle,
    pending: Pending,
}

impl Reader {
    fn run(mut self) {
        let actor = auth::actor(Role::Router, "router");
        while self.listen() {
            let Some(asked) = self.pending.next(Instant::now()) else { continue };
            if let Some(found) = self.read(asked) {
                self.answer(&actor, asked, found);
            }
        }
    }

    /// Takes in all that is asked by now; waits if there is nothing to do. False when nobody
    /// will ask any more.
    fn listen(&mut self) -> bool {
        let asked = self.handle.words_asked();
        if self.pending.is_empty() {
            match asked.recv() {
                Ok(first) => self.pending.put(first, Instant::now()),
                Err(_) => return false,
            }
        }
        while let Ok(next) = asked.try_recv() {
            self.pending.put(next, Instant::now());
        }
        !self.handle.health().is_stopping()
    }

    /// What is found in a customer's words; none if there is nothing to tell.
    fn read(&self, asked: WordsAsked) -> Option<Found> {
        // One text that cannot be read must not leave all others unread.
        let read = catch_unwind(AssertUnwindSafe(|| read(&self.handle, asked)));
        let found = match read {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::error!(%error, contact = asked.contact.0, "words could not be looked up");
                NOTHING
            }
            Err(_) => {
                tracing::error!(contact = asked.contact.0, "words could not be read");
                NOTHING
            }
        };
        (asked.want == Want::Answer || found.heed.is_some()).then_some(found)
    }

    fn answer(&self, actor: &Actor, asked: WordsAsked, found: Found) {
        let WordsAsked { contact, ask, .. } = asked;
        self.handle.submit(Ask {
            actor: actor.clone(),
            request: None,
            command: Command::WordsRead { contact, ask, found },
            sealed: None,
            attach: None,
            answer_to: AnswerTo::Nobody,
        });
    }
}

/// What waits to be read.
#[derive(Default)]
struct Pending {
    /// Somebody is waiting for an answer.
    answers: VecDeque<(Instant, WordsAsked)>,
    /// Somebody waits for a person, and may have to be the first.
    triages: VecDeque<WordsAsked>,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.triages.is_empty()
    }

    fn put(&mut self, asked: WordsAsked, now: Instant) {
        match asked.want {
            Want::Answer => self.answers.push_back((now, asked)),
            Want::Triage => self.triages.push_back(asked),
        }
    }

    /// The next question. One that comes too late for an answer is still read for injury.
    fn next(&mut self, now: Instant) -> Option<WordsAsked> {
        while let Some((since, asked)) = self.answers.pop_front() {
            if now.duration_since(since) < IN_TIME {
                return Some(asked);
            }
            self.triages.push_back(WordsAsked { want: Want::Triage, ..asked });
        }
        self.triages.pop_front()
    }
}

/// Nothing is known: a person looks.
const NOTHING: Found = Found { heed: None, answer: Answer::None };

fn read(handle: &ShardHandle, asked: WordsAsked) -> Result<Found, FaqError> {
    let Some(known) = handle.recalls().get(asked.recall) else { return Ok(NOTHING) };
    let prepared = &*known.prepared;
    let sealed = (handle.person(asked.contact), handle.said(asked.contact));
    let spoke = sealed.0.is_some() || !sealed.1.is_empty();
    let open = |sealed: &Sealed| person::unseal(handle.keys(), sealed);
    let arrived = sealed.0.as_ref().and_then(open);
    let said: Vec<v1::Person> = sealed.1.iter().filter_map(open).collect();
    let all: Vec<&v1::Person> = arrived.iter().chain(&said).collect();

    let class = intake::class(prepared, &all);
    let heed = class.map(|class| Heed { recall: asked.recall, class });
    let answer = match asked.want {
        Want::Triage => Answer::None,
        // Something was said that cannot be opened any more: it is no silence.
        Want::Answer if spoke && all.is_empty() => Answer::None,
        Want::Answer => {
            look_up(prepared, &questions(arrived.as_ref(), &said), intake::spoken(&all))?
        }
    };
    Ok(Found { heed, answer })
}

/// What may be the question, the likeliest first: the newest words, or those of the arrival,
/// whose subject is often the question itself.
fn questions<'p>(arrived: Option<&'p v1::Person>, said: &'p [v1::Person]) -> Vec<&'p str> {
    let texts = |p: &'p v1::Person| {
        [&*p.words, &*p.subject].into_iter().filter(|text| !text.trim().is_empty())
    };
    let newest: Vec<&str> = said
        .iter()
        .rev()
        .map(|p| texts(p).collect::<Vec<_>>())
        .find(|t| !t.is_empty())
        .unwrap_or_default();
    if newest.is_empty() { arrived.into_iter().flat_map(texts).collect() } else { newest }
}

fn look_up(
    prepared: &Prepared,
    questions: &[&str],
    language: Option<Language>,
) -> Result<Answer, FaqError> {
    if questions.is_empty() {
        return Ok(Answer::NoWords);
    }
    for question in questions {
        if let Some(found) = prepared.faq.search(question, language)? {
            let at = prepared.playbook.faq.iter().position(|e| e.id == found.entry);
            let Some(entry) = at.and_then(|at| u16::try_from(at).ok()) else { continue };
            return Ok(Answer::Entry { entry, score: thousandths(found.score) });
        }
    }
    Ok(Answer::None)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
fn thousandths(score: f32) -> u16 {
    (score.clamp(0.0, 1.0) * 1_000.0).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AskId, ContactId, RecallId};

    fn asked(n: u64, want: Want) -> WordsAsked {
        WordsAsked { contact: ContactId(n), ask: AskId(n), recall: RecallId(1), want }
    }

    #[test]
    fn answers_come_first_and_those_too_late_are_read_for_injury_alone() {
        let mut pending = Pending::default();
        let began = Instant::now();
        pending.put(asked(1, Want::Triage), began);
        pending.put(asked(2, Want::Answer), began);
        pending.put(asked(3, Want::Answer), began + IN_TIME);
        let now = began + IN_TIME;
        assert_eq!(pending.next(now), Some(asked(3, Want::Answer)));
        assert_eq!(pending.next(now), Some(asked(1, Want::Triage)));
        assert_eq!(pending.next(now), Some(asked(2, Want::Triage)), "too late for an answer");
        assert!(pending.next(now).is_none() && pending.is_empty());
    }

    #[test]
    fn the_newest_words_are_the_question_and_a_subject_alone_is_one() {
        let person = |subject: &str, words: &str| v1::Person {
            subject: subject.into(),
            words: words.into(),
            ..Default::default()
        };
        let arrived = person("Refund?", "Hello, see above.");
        assert_eq!(questions(Some(&arrived), &[]), ["Hello, see above.", "Refund?"]);
        let said = [person("", "first"), person("", "second"), person("", " ")];
        assert_eq!(questions(Some(&arrived), &said), ["second"]);
        assert!(questions(None, &[person("", "")]).is_empty());
    }
}
