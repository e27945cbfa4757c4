//! The search for the FAQ entry that answers a question, or for none.
//!
//! An index in memory, built from one playbook and owned by whoever answers the engine's
//! searches; nothing of a question is kept. It suggests; whether and when the answer is
//! given is the faq tier's business.
//!
//! **The score** is the share of a question's weight that an entry explains, cut for doubt.
//! Every word that says something (the product's own name says nothing: everyone has it)
//! weighs its inverse document frequency over the entries, as
//! in BM25; a word that no entry has weighs as much as one that a single entry has. An entry
//! explains a word, in any of its forms, wholly if one of its examples has it, by [`MISSPELT`]
//! if one has it but for spelling, by [`IN_ANSWER`] if only its answer does. The share is cut
//! by up to [`UNLIKE`] for how little the question is like the entry's likest example (Dice's
//! coefficient of their words), and that of the best entry then multiplied by
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
use super::playbook::{FaqEntry, FaqTexts, Playbook};
use super::said::text_id;

/// Bytes for building; the least that tantivy takes.
const BUILD_MEMORY: usize = 15_000_000;
/// Words of a question that are looked for; what matters in a long letter comes early.
const MOST_WORDS: usize = 64;
/// How tantivy knows our words: stemmed here, it only splits them.
const STEMMED: &str = "stemmed";
/// What an entry explains of a word that an example has but for spelling.
const MISSPELT: f32 = 0.75;
/// What it explains of a word that only its answer has.
const IN_ANSWER: f32 = 0.33;
/// What an entry loses whose examples are nothing like the question.
const UNLIKE: f32 = 0.4;
/// Entries that are looked at closely: more do not explain one question.
const MOST_CLOSE: usize = 10;

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
    entries: Vec<Entry>,
    fields: Vec<(Language, Fields)>,
    /// The stems of the products' names, by language.
    products: BTreeMap<Language, BTreeSet<Box<str>>>,
    floor: f32,
    version: Version,
}

impl std::fmt::Debug for FaqIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaqIndex").field("version", &self.version).finish_non_exhaustive()
    }
}

struct Entry {
    id: Box<str>,
    /// The stems of each question and example.
    asked: BTreeMap<Language, Vec<BTreeSet<Box<str>>>>,
}

#[derive(Clone, Copy)]
struct Fields {
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
        let products = product_names(playbook);
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
            entries: playbook.faq.iter().map(|e| Entry::of(e, &products)).collect(),
            fields,
            products,
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
        let none = BTreeSet::new();
        let named = self.products.get(&language).unwrap_or(&none);
        let mut seen = BTreeSet::new();
        let words: Vec<Token> = tokens(question, language)
            .into_iter()
            .filter(|t| !language.is_stop_word(&t.folded) && !named.contains(&t.stem))
            .filter(|t| seen.insert(t.stem.clone()))
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
        let top = TopDocs::with_limit(MOST_CLOSE).order_by_score();
        let found = searcher.search(&BooleanQuery::new(clauses), &top)?;
        let mut close: Vec<(f32, &Entry)> = found
            .into_iter()
            .filter_map(|(explained, at)| {
                let entry = self.entries.get(usize::try_from(at.doc_id).ok()?)?;
                let like = entry.likest(&seen, language);
                Some(((explained / whole).min(1.0) * (1.0 - UNLIKE * (1.0 - like)), entry))
            })
            .collect();
        close.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let Some((first, entry)) = close.first() else { return Ok(None) };
        let second = close.get(1).map_or(0.0, |(share, _)| *share);
        Ok(Some(Suggestion {
            entry: entry.id.clone(),
            language,
            score: first * (1.0 - (second / first).powi(6)),
            message: [text_id::FAQ, &*entry.id].concat().into(),
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
        let mut ways = vec![worth(term(asked.clone()), 1.0), worth(term(answered), IN_ANSWER)];
        // A word that is there is not misspelt.
        if entries == 0
            && let Some(slips) = slips(stem)
        {
            ways.push(worth(Box::new(FuzzyTermQuery::new(asked, slips, true)), MISSPELT));
        }
        Ok((weight, Box::new(DisjunctionMaxQuery::new(ways))))
    }
}

impl Entry {
    fn of(entry: &FaqEntry, products: &BTreeMap<Language, BTreeSet<Box<str>>>) -> Self {
        let words = |(language, texts): (&Language, &FaqTexts)| {
            let named = |stem: &str| products.get(language).is_some_and(|p| p.contains(stem));
            let sets = asked(texts).map(|text| {
                let stems = stems(std::iter::once(text), *language).into_iter();
                stems.filter(|stem| !named(stem)).collect()
            });
            (*language, sets.collect())
        };
        Self { id: entry.id.clone(), asked: entry.says.iter().map(words).collect() }
    }

    /// How much a question is like the one of this entry that it is most like, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a question has few words")]
    fn likest(&self, words: &BTreeSet<Box<str>>, language: Language) -> f32 {
        let dice = |other: &BTreeSet<Box<str>>| {
            let both = words.intersection(other).count() as f32;
            2.0 * both / (words.len() + other.len()).max(1) as f32
        };
        self.asked.get(&language).into_iter().flatten().map(dice).fold(0.0, f32::max)
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

fn product_names(playbook: &Playbook) -> BTreeMap<Language, BTreeSet<Box<str>>> {
    let names = |language: &Language| {
        let says = playbook.scope.products.iter().filter_map(|p| p.says.get(language));
        (*language, stems(says.map(|name| &**name), *language).into_iter().collect())
    };
    playbook.languages.iter().map(names).collect()
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
            (*language, Fields { asked: field("asked"), answered: field("answered") })
        })
        .collect();
    (schema.build(), fields)
}
