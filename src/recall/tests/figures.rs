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

#[test]
fn triage_on_labelled_texts() {
    let file: TriageFile = fixture("triage.toml");
    let (mut texts, mut safety, mut found, mut claimed) = (0, 0, 0, 0);
    let (mut right, mut wrong) = (0, Vec::new());
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
                texts += 1;
                safety += usize::from(class == Class::Safety);
                claimed += usize::from(told.class == Class::Safety);
                found += usize::from(class == Class::Safety && told.class == Class::Safety);
                right += usize::from(class == told.class);
                if class != told.class {
                    let word = told.why.map(|w| w.word).unwrap_or_default();
                    wrong.push(format!("{class:?} as {:?} by {word:?}: {text}", told.class));
                }
            }
        }
    }
    let (recall, precision) = (share(found, safety), share(found, claimed));
    println!("triage: {texts} texts, {safety} of them safety; recall {recall:.4}");
    println!("triage: precision {precision:.4}, all classes right {:.4}", share(right, texts));
    println!("triage, wrong:\n  {}", wrong.join("\n  "));
    assert!(texts >= 200, "{texts} texts");
    assert!(recall >= 0.99, "recall {recall}");
    assert!(precision >= 0.8, "precision {precision}");
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
struct Tally {
    questions: usize,
    answerable: usize,
    suggested: usize,
    right: usize,
}

#[test]
fn search_on_labelled_questions() {
    let file: FaqFile = fixture("faq.toml");
    let (mut all, mut halves) = (Tally::default(), [Tally::default(), Tally::default()]);
    let mut wrong = Vec::new();
    for set in &file.sets {
        let playbook = example(&set.playbook).playbook;
        let index = FaqIndex::build(&playbook).unwrap();
        let language = Language::from_tag(&set.language);
        let nothing = set.nothing.iter().map(|q| (None, q));
        let asked = set.asked.iter().flat_map(|(entry, questions)| {
            assert!(playbook.faq_entry(entry).is_some(), "{} has no {entry}", set.playbook);
            questions.iter().map(move |q| (Some(&**entry), q))
        });
        for (at, (entry, question)) in asked.chain(nothing).enumerate() {
            let best = index.best(question, language).unwrap();
            let told = index.search(question, language).unwrap();
            let right = told.as_ref().is_some_and(|s| Some(&*s.entry) == entry);
            for tally in [&mut all, &mut halves[at % 2]] {
                tally.questions += 1;
                tally.answerable += usize::from(entry.is_some());
                tally.suggested += usize::from(told.is_some());
                tally.right += usize::from(right);
            }
            if !right && (told.is_some() || entry.is_some()) {
                let best = best.map(|s| format!("{} {:.2}", s.entry, s.score));
                let sign = if told.is_some() { "WRONG" } else { "silent" };
                wrong.push(format!("{sign} {entry:?} best {best:?}: {question}"));
            }
        }
    }
    wrong.sort();
    println!("search, not as labelled:\n  {}", wrong.join("\n  "));
    for (what, t) in [("all", &all), ("even", &halves[0]), ("odd", &halves[1])] {
        println!(
            "search, {what}: {} questions, {} answerable; precision {:.4}, coverage {:.4}",
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
    assert!((0.5..=1.0).contains(&told.score));
    let text = playbook.text(&told.message, told.language).unwrap();
    assert!(text.starts_with("Do not keep or eat the jar"), "{text}");
    let spanish = index.search("quiero un reembolso ya", None).unwrap().unwrap();
    assert_eq!(spanish.language, Language::Es);
    for empty in ["", "???", "the a of", "\u{0}"] {
        assert!(index.search(empty, None).unwrap().is_none(), "{empty:?}");
    }
}
