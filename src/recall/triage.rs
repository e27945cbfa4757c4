//! Triage of text: hurt or exposed, holding an affected lot, or asking for a person.
//!
//! Built from one playbook and owned by whoever classes contacts at intake; it keeps
//! nothing of what it reads. It finds words and does not understand sentences: a negation
//! changes nothing, because "nobody was hurt, I think" is for a person to judge.

use super::canonical::Version;
use super::language::{Language, Token, tokens};
use super::lots::LotCheck;
use super::playbook::{Playbook, TriageWords};

/// Words that may stand between those of a phrase: "threw it all up".
const MOST_BETWEEN: usize = 2;
/// Characters of a text that are read. Who is hurt says so before that.
const MOST_READ: usize = 20_000;

/// What a text is, most urgent first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// Injury or exposure: the safety lane.
    Safety,
    /// An affected lot: before others in the recall.
    RecallAffected,
    /// A person is asked for: no self-service.
    PersonWanted,
    /// None of these.
    None,
}

/// Which list a word was found in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rule {
    /// Words of injury.
    Injury,
    /// Words of exposure.
    Exposure,
    /// The affected lots.
    Lot,
    /// Words for a person.
    Person,
}

/// What decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    /// The list.
    pub rule: Rule,
    /// The playbook's word, or the lot in normal form: never the customer's words.
    pub word: Box<str>,
    /// The language of the list; none for lots.
    pub language: Option<Language>,
}

/// A text, classed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Triaged {
    /// What it is.
    pub class: Class,
    /// What decided; none exactly of [`Class::None`].
    pub why: Option<Why>,
    /// The playbook by which it was decided.
    pub version: Version,
}

/// The triage of one playbook.
#[derive(Clone, Debug)]
pub struct Triage {
    version: Version,
    lots: LotCheck,
    lists: Vec<Lists>,
}

#[derive(Clone, Debug)]
struct Lists {
    language: Language,
    safety: Vec<(Rule, Phrase)>,
    person: Vec<(Rule, Phrase)>,
    unless: Vec<Phrase>,
}

#[derive(Clone, Debug)]
struct Phrase {
    written: Box<str>,
    words: Vec<Token>,
}

impl Triage {
    /// The triage by a playbook's words and lots.
    #[must_use]
    pub fn of(playbook: &Playbook) -> Self {
        Self {
            version: playbook.version(),
            lots: LotCheck::of(playbook),
            lists: playbook.triage.iter().map(|(l, words)| Lists::of(*l, words)).collect(),
        }
    }

    /// Classes a text; the most urgent class wins. The words of every language are looked
    /// for, as people mix them; misspelt ones only in the text's own, or in all if it is
    /// not known.
    #[must_use]
    pub fn triage(&self, text: &str, language: Option<Language>) -> Triaged {
        let end = text.char_indices().nth(MOST_READ).map_or(text.len(), |(at, _)| at);
        let text = &text[..end];
        let known = language.filter(|l| self.lists.iter().any(|lists| lists.language == *l));
        let read: Vec<_> =
            self.lists.iter().map(|lists| (lists, tokens(text, lists.language))).collect();
        // Words stand at the same places in every language; only their stems differ.
        let mut masked = vec![false; read.first().map_or(0, |(_, words)| words.len())];
        read.iter().for_each(|(lists, words)| lists.mask(words, &mut masked));
        let word = |of: fn(&Lists) -> &[(Rule, Phrase)]| {
            read.iter().find_map(|(lists, words)| {
                let tolerant = known.is_none_or(|l| l == lists.language);
                let (rule, phrase) =
                    of(lists).iter().find(|(_, p)| p.is_in(words, &masked, tolerant))?;
                let (language, word) = (Some(lists.language), phrase.written.clone());
                Some(Why { rule: *rule, word, language })
            })
        };
        let lot = || {
            let (_, lot) = self.lots.find_in(text)?;
            Some(Why { rule: Rule::Lot, word: lot.as_str().into(), language: None })
        };
        let why = word(|l| &l.safety).or_else(lot).or_else(|| word(|l| &l.person));
        let class = match why.as_ref().map(|w| w.rule) {
            Some(Rule::Injury | Rule::Exposure) => Class::Safety,
            Some(Rule::Lot) => Class::RecallAffected,
            Some(Rule::Person) => Class::PersonWanted,
            None => Class::None,
        };
        Triaged { class, why, version: self.version }
    }
}

impl Lists {
    fn of(language: Language, words: &TriageWords) -> Self {
        let phrases = |list: &[Box<str>]| -> Vec<Phrase> {
            let phrase = |written: &str| Phrase {
                written: written.into(),
                words: tokens(written, language),
            };
            list.iter().map(|written| phrase(written)).filter(|p| !p.words.is_empty()).collect()
        };
        let ruled = |rule, list| phrases(list).into_iter().map(move |p| (rule, p));
        let injury = ruled(Rule::Injury, &words.injury);
        Self {
            language,
            safety: injury.chain(ruled(Rule::Exposure, &words.exposure)).collect(),
            person: ruled(Rule::Person, &words.person).collect(),
            unless: phrases(&words.unless),
        }
    }

    /// Marks the words of a text that are part of what only looks like a word of the lists:
    /// as written there, for another form may be meant.
    fn mask(&self, text: &[Token], masked: &mut [bool]) {
        for phrase in &self.unless {
            let length = phrase.words.len();
            for from in 0..(text.len() + 1).saturating_sub(length) {
                let there = &text[from..from + length];
                if there.iter().zip(&phrase.words).all(|(t, p)| t.folded == p.folded) {
                    masked[from..from + length].fill(true);
                }
            }
        }
    }
}

impl Phrase {
    fn is_in(&self, text: &[Token], masked: &[bool], tolerant: bool) -> bool {
        let free = |at: usize| !masked[at];
        let is = |at: usize, word: &Token| {
            free(at) && (same(&text[at], word) || (tolerant && nearly(&text[at], word)))
        };
        let Some((first, rest)) = self.words.split_first() else { return false };
        (0..text.len()).filter(|at| is(*at, first)).any(|at| {
            let mut next = at + 1;
            rest.iter().all(|word| {
                let reach = text.len().min(next + MOST_BETWEEN + 1);
                let found = (next.min(reach)..reach).find(|at| is(*at, word));
                next = found.map_or(next, |at| at + 1);
                found.is_some()
            })
        })
    }
}

/// Whether two words are forms of one. Short stems are shared by too many words: "her" is a
/// pronoun, and the stem of the Spanish for hurt.
fn same(said: &Token, word: &Token) -> bool {
    said.folded == word.folded || (said.stem.chars().count() >= 4 && said.stem == word.stem)
}

/// Whether a word is a misspelling of another: long enough, begun alike, one or two slips.
fn nearly(said: &Token, word: &Token) -> bool {
    let near = |a: &str, b: &str| {
        let shorter = a.chars().count().min(b.chars().count());
        let slips = match shorter {
            0..6 => return false,
            6..9 => 1,
            _ => 2,
        };
        // The first letter is seldom the wrong one, and often all that differs between words.
        a.chars().next() == b.chars().next() && strsim::damerau_levenshtein(a, b) <= slips
    };
    near(&said.folded, &word.folded) || near(&said.stem, &word.stem)
}
