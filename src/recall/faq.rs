//! The search for the FAQ entry that answers a question, or for none.
//!
//! An index in memory, built from one playbook and owned by whoever answers the engine's
//! searches; nothing of a question is kept. It suggests; whether and when the answer is
//! given is the faq tier's business.
//!
//! **The score** is the share of a question's weight that an entry explains, cut for doubt.
//! Every word that says something weighs its inverse document frequency over the entries, as
//! in BM25; a word that no entry has weighs as much as one that a single entry has. An entry
//! explains a word, in any of its forms, wholly if a third of its examples have it; by
//! [`SELDOM`] if fewer have it, by [`MISSPELT`] if one has it but for spelling, by
//! [`IN_ANSWER`] if only its answer does. The share of the best entry is then multiplied by
//! `1 - (second / best)^6`: two entries that explain a question alike are both not trusted.

use std::collections::{BTreeMap, BTreeSet};

use tantivy::collector::TopDocs;
use tantivy::directory::RamDirectory;
use tantivy::query::{
    BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, FuzzyTermQuery, Occur, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{TextAnalyzer, TokenizerManager, WhitespaceTokenizer};
use tantivy::{Index, IndexReader, ReloadPolicy, Searcher, TantivyDocument, Term};

use super::canonical::Version;
use super::language::{Language, Token, tokens};
use super::playbook::{FaqTexts, Playbook, text_id};

/// Bytes for building; the least that tantivy takes.
const BUILD_MEMORY: usize = 15_000_000;
/// Words of a question that are looked for; what matters in a long letter comes early.
const MOST_WORDS: usize = 64;
/// How tantivy knows our words: stemmed here, it only splits them.
const STEMMED: &str = "stemmed";
/// What an entry explains of a word that few of its examples have.
const SELDOM: f32 = 0.85;
/// What it explains of a word that an example has but for spelling.
const MISSPELT: f32 = 0.75;
/// What it explains of a word that only its answer has.
const IN_ANSWER: f32 = 0.33;

/// The search cannot be built or asked; never because of what a question says.
#[derive(Debug, thiserror::Error)]
#[error("the search index failed")]
pub struct FaqError(#[from] tantivy::TantivyError);

/// An entry that answers a question.
#[derive(Clone, PartialEq, Debug)]
pub struct Suggestion {
    /// The entry's id.
    pub entry: Box<str>,
    /// The language to answer in.
    pub language: Language,
    /// How sure: at least the floor, at most 1.
    pub score: f32,
    /// The id of the text to send, for [`Playbook::text`].
    pub message: Box<str>,
    /// The playbook that has it.
    pub version: Version,
}

/// The index of one playbook's FAQ.
pub struct FaqIndex {
    reader: IndexReader,
    entries: Vec<Box<str>>,
    fields: Vec<(Language, Fields)>,
    floor: f32,
    version: Version,
}

#[derive(Clone, Copy)]
struct Fields {
    often: Field,
    asked: Field,
    answered: Field,
}

impl FaqIndex {
    /// Builds the index; the floor is the playbook's, or 1 if it has no faq tier.
    ///
    /// # Errors
    /// [`FaqError`] if tantivy cannot: out of memory, for one.
    pub fn build(playbook: &Playbook) -> Result<Self, FaqError> {
        let (schema, fields) = schema(&playbook.languages);
        let tokenizers = TokenizerManager::new();
        tokenizers.register(STEMMED, TextAnalyzer::from(WhitespaceTokenizer::default()));
        let mut writer = Index::builder()
            .schema(schema)
            .tokenizers(tokenizers)
            .single_segment_index_writer(RamDirectory::create(), BUILD_MEMORY)?;
        // One segment, so that a document's number is its entry's position.
        for entry in &playbook.faq {
            let mut document = TantivyDocument::new();
            for (language, at) in &fields {
                if let Some(texts) = entry.says.get(language) {
                    document.add_text(at.often, often(texts, *language));
                    document.add_text(at.asked, stems(asked(texts), *language).join(" "));
                    let answer = stems(std::iter::once(&*texts.answer), *language);
                    document.add_text(at.answered, answer.join(" "));
                }
            }
            writer.add_document(document)?;
        }
        let index = writer.finalize()?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let floor = playbook.tiers.faq.as_ref().map_or(1000, |t| t.floor_thousandths);
        Ok(Self {
            reader,
            entries: playbook.faq.iter().map(|e| e.id.clone()).collect(),
            fields,
            floor: f32::from(floor) / 1000.0,
            version: playbook.version(),
        })
    }

    /// The entry that answers a question, if one does by at least the floor. A language that
    /// the playbook does not speak, or none, searches in all of its languages.
    ///
    /// # Errors
    /// [`FaqError`] if tantivy fails.
    pub fn search(
        &self,
        question: &str,
        language: Option<Language>,
    ) -> Result<Option<Suggestion>, FaqError> {
        Ok(self.best(question, language)?.filter(|s| s.score >= self.floor))
    }

    /// The same whatever its score, for choosing a floor.
    ///
    /// # Errors
    /// [`FaqError`] if tantivy fails.
    pub fn best(
        &self,
        question: &str,
        language: Option<Language>,
    ) -> Result<Option<Suggestion>, FaqError> {
        let known = language.filter(|l| self.fields.iter().any(|(of, _)| of == l));
        let searcher = self.reader.searcher();
        let mut best: Option<Suggestion> = None;
        for (language, fields) in &self.fields {
            if known.is_none_or(|l| l == *language)
                && let Some(found) = self.best_in(&searcher, question, *language, *fields)?
                && best.as_ref().is_none_or(|b| b.score < found.score)
            {
                best = Some(found);
            }
        }
        Ok(best)
    }

    fn best_in(
        &self,
        searcher: &Searcher,
        question: &str,
        language: Language,
        fields: Fields,
    ) -> Result<Option<Suggestion>, FaqError> {
        let mut seen = BTreeSet::new();
        let words: Vec<Token> = tokens(question, language)
            .into_iter()
            .filter(|t| !language.is_stop_word(&t.folded) && seen.insert(t.stem.clone()))
            .take(MOST_WORDS)
            .collect();
        let mut whole = 0.0;
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for word in &words {
            let (weight, query) = self.clause(searcher, &word.stem, fields)?;
            whole += weight;
            clauses.push((Occur::Should, query));
        }
        if clauses.is_empty() {
            return Ok(None);
        }
        let top = TopDocs::with_limit(2).order_by_score();
        let found = searcher.search(&BooleanQuery::new(clauses), &top)?;
        let Some((first, at)) = found.first() else { return Ok(None) };
        let second = found.get(1).map_or(0.0, |(score, _)| *score);
        let score = (first / whole).min(1.0) * (1.0 - (second / first).powi(6));
        let position = usize::try_from(at.doc_id).unwrap_or(usize::MAX);
        Ok(self.entries.get(position).map(|entry| Suggestion {
            entry: entry.clone(),
            language,
            score,
            message: [text_id::FAQ, &**entry].concat().into(),
            version: self.version,
        }))
    }

    /// What a word weighs, and the query that gives each entry what it explains of that.
    fn clause(
        &self,
        searcher: &Searcher,
        stem: &str,
        fields: Fields,
    ) -> Result<(f32, Box<dyn Query>), FaqError> {
        let asked = Term::from_field_text(fields.asked, stem);
        let answered = Term::from_field_text(fields.answered, stem);
        let entries = searcher.doc_freq(&asked)?;
        let weight = weight(searcher.num_docs(), entries.max(1));
        let term =
            |term| -> Box<dyn Query> { Box::new(TermQuery::new(term, IndexRecordOption::Basic)) };
        let worth = |query, share: f32| -> Box<dyn Query> {
            Box::new(ConstScoreQuery::new(query, weight * share))
        };
        let often = Term::from_field_text(fields.often, stem);
        let mut ways = vec![
            worth(term(often), 1.0),
            worth(term(asked.clone()), SELDOM),
            worth(term(answered), IN_ANSWER),
        ];
        // A word that is there is not misspelt.
        if entries == 0
            && let Some(slips) = slips(stem)
        {
            ways.push(worth(Box::new(FuzzyTermQuery::new(asked, slips, true)), MISSPELT));
        }
        Ok((weight, Box::new(DisjunctionMaxQuery::new(ways))))
    }
}

/// Inverse document frequency, as BM25 has it.
#[expect(clippy::cast_precision_loss, reason = "a playbook has few entries")]
fn weight(entries: u64, with: u64) -> f32 {
    let (entries, with) = (entries as f32, with as f32);
    (1.0 + (entries - with + 0.5).max(0.0) / (with + 0.5)).ln()
}

/// Slips of spelling that are forgiven in a word, by its length.
fn slips(stem: &str) -> Option<u8> {
    match stem.chars().count() {
        0..5 => None,
        5..8 => Some(1),
        _ => Some(2),
    }
}

fn asked(texts: &FaqTexts) -> impl Iterator<Item = &str> {
    std::iter::once(&*texts.question).chain(texts.examples.iter().map(|e| &**e))
}

/// The stems of the words that tell something, each as often as it occurs.
fn stems<'t>(texts: impl Iterator<Item = &'t str>, language: Language) -> Vec<Box<str>> {
    texts
        .flat_map(|text| tokens(text, language))
        .filter(|token| !language.is_stop_word(&token.folded))
        .map(|token| token.stem)
        .collect()
}

/// The stems that a third of an entry's questions have, and at least two of them.
fn often(texts: &FaqTexts, language: Language) -> String {
    let questions = asked(texts).count();
    let mut with = BTreeMap::<Box<str>, usize>::new();
    for question in asked(texts) {
        let stems: BTreeSet<_> = stems(std::iter::once(question), language).into_iter().collect();
        for stem in stems {
            *with.entry(stem).or_default() += 1;
        }
    }
    with.retain(|_, count| *count >= 2 && *count * 3 >= questions);
    with.keys().map(|stem| &**stem).collect::<Vec<_>>().join(" ")
}

fn schema(languages: &[Language]) -> (Schema, Vec<(Language, Fields)>) {
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(STEMMED)
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    let options = TextOptions::default().set_indexing_options(indexing);
    let fields = languages
        .iter()
        .map(|language| {
            let code = language.code();
            let mut field =
                |what| schema.add_text_field(&format!("{code}_{what}"), options.clone());
            let fields = Fields {
                often: field("often"),
                asked: field("asked"),
                answered: field("answered"),
            };
            (*language, fields)
        })
        .collect();
    (schema.build(), fields)
}
