//! How well triage and search do on texts and questions that were labelled by hand.
//!
//! Neither set has a question of the playbooks themselves: what is measured was not learnt.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::*;
use crate::recall::language::fold;

#[derive(Deserialize)]
struct TriageFile {
    sets: Vec<TriageSet>,
}

#[derive(Deserialize)]
struct TriageSet {
    playbook: String,
    language: String,
    #[serde(default)]
    held_out: bool,
    safety: Vec<String>,
    recall_affected: Vec<String>,
    person: Vec<String>,
    none: Vec<String>,
}

#[derive(Deserialize)]
struct FaqFile {
    sets: Vec<FaqSet>,
}

#[derive(Deserialize)]
struct FaqSet {
    playbook: String,
    language: String,
    #[serde(default)]
    held_out: bool,
    asked: BTreeMap<String, Vec<String>>,
    nothing: Vec<String>,
}

fn fixture<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = root().join("tests/fixtures/recall").join(name);
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[derive(Default)]
struct Triages {
    texts: usize,
    right: usize,
    safety: usize,
    claimed: usize,
    found: usize,
}

impl Triages {
    fn add(&mut self, is: Class, told: Class) {
        self.texts += 1;
        self.right += usize::from(is == told);
        self.safety += usize::from(is == Class::Safety);
        self.claimed += usize::from(told == Class::Safety);
        self.found += usize::from(is == Class::Safety && told == Class::Safety);
    }
}

#[test]
fn triage_on_labelled_texts() {
    let file: TriageFile = fixture("triage.toml");
    let (mut all, mut held_out) = (Triages::default(), Triages::default());
    let mut wrong = Vec::new();
    for set in &file.sets {
        let triage = Triage::of(&example(&set.playbook).playbook);
        let language = Language::from_tag(&set.language);
        assert!(language.is_some(), "{}", set.language);
        for (class, labelled) in [
            (Class::Safety, &set.safety),
            (Class::RecallAffected, &set.recall_affected),
            (Class::PersonWanted, &set.person),
            (Class::None, &set.none),
        ] {
            for text in labelled {
                let told = triage.triage(text, language);
                assert_eq!(told.why.is_none(), told.class == Class::None);
                all.add(class, told.class);
                if set.held_out {
                    held_out.add(class, told.class);
                }
                if class != told.class {
                    let word = told.why.map(|w| w.word).unwrap_or_default();
                    wrong.push(format!("{class:?} as {:?} by {word:?}: {text}", told.class));
                }
            }
        }
    }
    println!("triage, wrong:\n  {}", wrong.join("\n  "));
    for (what, t) in [("all", &all), ("held out", &held_out)] {
        println!(
            "triage, {what}: {} texts, {} of them safety; recall {:.4}, precision {:.4}, \
             all classes right {:.4}",
            t.texts,
            t.safety,
            share(t.found, t.safety),
            share(t.found, t.claimed),
            share(t.right, t.texts),
        );
    }
    assert!(all.texts >= 200, "{} texts", all.texts);
    assert!(share(all.found, all.safety) >= 0.99);
    assert!(share(all.found, all.claimed) >= 0.8);
}

#[test]
fn triage_does_not_hang_on_the_language() {
    for (language, text) in [
        (None, "my wife had siezures"),
        (Language::from_tag("fr"), "she fainted"),
        (Some(Language::Es), "my son was hospitalized"),
        (Some(Language::En), "mi hijo está en el hospital, vomitando"),
    ] {
        let triage = Triage::of(&example("glucose-sensor-2024").playbook);
        let class = triage.triage(text, language).class;
        let class_es = Triage::of(&example("generic").playbook).triage(text, language).class;
        assert_eq!((class, class_es), (Class::Safety, Class::Safety), "{text}");
    }
}

#[test]
fn a_negation_never_demotes() {
    for name in EXAMPLES {
        let playbook = example(name).playbook;
        let triage = Triage::of(&playbook);
        for (language, words) in &playbook.triage {
            let negations: &[&str] = match language {
                Language::Es => &["no", "nadie", "sin", "nunca"],
                _ => &["not", "nobody is", "without", "never", "don't", "no"],
            };
            for word in words.injury.iter().chain(&words.exposure) {
                for negation in negations {
                    let text = format!("{negation} {word}");
                    let told = triage.triage(&text, Some(*language));
                    assert_eq!(told.class, Class::Safety, "{name}: {text}");
                }
            }
        }
    }
}

#[derive(Default)]
struct Answers {
    questions: usize,
    answerable: usize,
    suggested: usize,
    right: usize,
}

impl Answers {
    fn add(&mut self, is: Option<&str>, told: Option<&str>) {
        self.questions += 1;
        self.answerable += usize::from(is.is_some());
        self.suggested += usize::from(told.is_some());
        self.right += usize::from(told.is_some() && is == told);
    }
}

#[test]
fn search_on_labelled_questions() {
    let file: FaqFile = fixture("faq.toml");
    let (mut all, mut held_out) = (Answers::default(), Answers::default());
    let (mut wrong, mut scored) = (Vec::new(), Vec::new());
    for set in &file.sets {
        let playbook = example(&set.playbook).playbook;
        let index = FaqIndex::build(&playbook).unwrap();
        let language = Language::from_tag(&set.language);
        let nothing = set.nothing.iter().map(|q| (None, q));
        let asked = set.asked.iter().flat_map(|(entry, questions)| {
            assert!(playbook.faq_entry(entry).is_some(), "{} has no {entry}", set.playbook);
            questions.iter().map(move |q| (Some(&**entry), q))
        });
        for (entry, question) in asked.chain(nothing) {
            let best = index.best(question, language).unwrap();
            scored.extend(best.as_ref().map(|s| (s.score, Some(&*s.entry) == entry)));
            let told = index.search(question, language).unwrap();
            let told = told.as_ref().map(|s| &*s.entry);
            all.add(entry, told);
            if set.held_out {
                held_out.add(entry, told);
            }
            if told != entry {
                let best = best.map(|s| format!("{} {:.2}", s.entry, s.score));
                let what = if told.is_some() { "wrong" } else { "silent" };
                wrong.push(format!("{what}: {entry:?}, best {best:?}: {question}"));
            }
        }
    }
    wrong.sort();
    println!("search, not as labelled:\n  {}", wrong.join("\n  "));
    for floor in [0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8] {
        let told: Vec<bool> =
            scored.iter().filter(|(score, _)| *score >= floor).map(|(_, right)| *right).collect();
        let right = told.iter().filter(|right| **right).count();
        let (precision, coverage) = (share(right, told.len()), share(right, all.answerable));
        println!("search, floor {floor:.2}: precision {precision:.4}, coverage {coverage:.4}");
    }
    for (what, t) in [("all", &all), ("held out", &held_out)] {
        println!(
            "search, {what}: {} questions, {} of them answerable; precision {:.4}, coverage {:.4}",
            t.questions,
            t.answerable,
            share(t.right, t.suggested),
            share(t.right, t.answerable),
        );
    }
    assert!(all.questions >= 150, "{} questions", all.questions);
    assert!(share(all.right, all.suggested) >= 0.95);
    assert!(share(all.right, all.answerable) >= 0.5);
}

#[test]
fn the_labelled_questions_are_held_out() {
    let file: FaqFile = fixture("faq.toml");
    let letters =
        |text: &str| -> String { fold(text).chars().filter(|c| c.is_alphanumeric()).collect() };
    let mut seen = BTreeSet::new();
    for set in &file.sets {
        let playbook = example(&set.playbook).playbook;
        let language = Language::from_tag(&set.language).unwrap();
        let learnt: BTreeSet<String> = playbook
            .faq
            .iter()
            .filter_map(|entry| entry.says.get(&language))
            .flat_map(|says| says.examples.iter().chain([&says.question]))
            .map(|question| letters(question))
            .collect();
        for question in set.asked.values().flatten().chain(&set.nothing) {
            assert!(!learnt.contains(&letters(question)), "not held out: {question}");
            let first = seen.insert((&set.playbook, letters(question)));
            assert!(first, "twice: {question}");
        }
    }
}

#[test]
fn a_suggestion_names_what_to_send() {
    let playbook = example("peanut-butter-2022").playbook;
    let index = FaqIndex::build(&playbook).unwrap();
    let told = index.search("how can I get a refund?", Some(Language::En)).unwrap().unwrap();
    assert_eq!((&*told.entry, &*told.message), ("refund", "faq.refund"));
    assert_eq!(told.version, playbook.version());
    assert!((0.6..=1.0).contains(&told.score));
    let text = playbook.text(&told.message, told.language).unwrap();
    assert!(text.starts_with("Do not keep or eat the jar"), "{text}");
    let spanish = index.search("quiero un reembolso ya", None).unwrap().unwrap();
    assert_eq!(spanish.language, Language::Es);
    for empty in ["", "???", "the a of", "\u{0}"] {
        assert!(index.search(empty, None).unwrap().is_none(), "{empty:?}");
    }
}
