//! What a customer wants, where a short text says it plainly and nothing else.
//!
//! Plain functions. Only a whole text counts: "that solved it" closes a contact, and "I
//! hoped that solved it" does not. Longer texts are the triage's business.

use std::sync::LazyLock;

use super::language::fold;
use crate::engine::recall::Wish;

/// Texts longer than this say more than a wish.
const MOST_BYTES: usize = 80;

/// Words that change nothing in a short answer. Never a negation.
const POLITE: &[&str] = &[
    "yes", "yeah", "ok", "okay", "great", "thanks", "thank", "you", "thx", "hi", "hello", "please",
    "ja", "danke", "vielen", "dank", "bitte", "hallo", "super", "prima", //
    "si", "vale", "gracias", "muchas", "por", "favor", "hola", //
    "oui", "merci", "beaucoup", "svp", "stp", "bonjour", "parfait",
];

// What closes a contact is said by the customer, plainly: thanks alone are no such thing.
// As people write them; compared folded, without apostrophes and polite words.
const SOLVED: &[&str] = &[
    "solved",
    "its solved",
    "it is solved",
    "that solved it",
    "this solved it",
    "that solves it",
    "this solves it",
    "problem solved",
    "my problem is solved",
    "resolved",
    "that resolved it",
    "its resolved",
    "it is resolved",
    "answered",
    "that answered it",
    "that answers it",
    "that answered my question",
    "that answers my question",
    "my question is answered",
    "this answered my question",
    "this answers my question",
    "that helped",
    "this helped",
    "it helped",
    "that helps",
    "that was all",
    "that is all",
    "thats all",
    "that is all i needed",
    "thats all i needed",
    "no more questions",
    "i have no more questions",
    "no further questions",
    "gelöst",
    "ist gelöst",
    "es ist gelöst",
    "das ist gelöst",
    "problem gelöst",
    "erledigt",
    "ist erledigt",
    "das ist erledigt",
    "hat sich erledigt",
    "das hat sich erledigt",
    "geklärt",
    "ist geklärt",
    "das ist geklärt",
    "frage beantwortet",
    "meine frage ist beantwortet",
    "das hat geholfen",
    "hat geholfen",
    "das hilft mir",
    "das war alles",
    "das ist alles",
    "keine weiteren fragen",
    "keine fragen mehr",
    "ich habe keine weiteren fragen",
    "resuelto",
    "está resuelto",
    "ya está resuelto",
    "problema resuelto",
    "solucionado",
    "está solucionado",
    "problema solucionado",
    "eso lo resuelve",
    "eso lo resolvió",
    "mi pregunta está respondida",
    "respondida",
    "eso responde a mi pregunta",
    "eso responde mi pregunta",
    "eso me ayudó",
    "me ayudó",
    "me sirvió",
    "eso me sirve",
    "eso es todo",
    "es todo",
    "eso era todo",
    "no tengo más preguntas",
    "ninguna pregunta más",
    "résolu",
    "c'est résolu",
    "problème résolu",
    "mon problème est résolu",
    "réglé",
    "c'est réglé",
    "c'est bon pour moi",
    "cela répond à ma question",
    "ça répond à ma question",
    "j'ai ma réponse",
    "cela m'a aidé",
    "ça m'a aidé",
    "c'est tout",
    "ce sera tout",
    "plus de questions",
    "je n'ai plus de questions",
    "pas d'autres questions",
];

const PERSON: &[&str] = &[
    "0",
    "person",
    "a person",
    "human",
    "a human",
    "agent",
    "an agent",
    "representative",
    "operator",
    "real person",
    "live agent",
    "talk to a person",
    "speak to a person",
    "i want a person",
    "i want to talk to a person",
    "mensch",
    "ein mensch",
    "einen menschen",
    "mitarbeiter",
    "mitarbeiterin",
    "ein mitarbeiter",
    "einen mitarbeiter",
    "berater",
    "beraterin",
    "persona",
    "una persona",
    "humano",
    "un humano",
    "agente",
    "un agente",
    "operador",
    "operadora",
    "representante",
    "personne",
    "une personne",
    "une vraie personne",
    "humain",
    "un humain",
    "conseiller",
    "conseillère",
    "un conseiller",
    "une conseillère",
    "opérateur",
];

static SOLVED_FOLDED: LazyLock<Vec<String>> =
    LazyLock::new(|| SOLVED.iter().map(|t| bare(t)).collect());
static PERSON_FOLDED: LazyLock<Vec<String>> =
    LazyLock::new(|| PERSON.iter().map(|t| bare(t)).collect());

/// The wish that a text is, if it is one and nothing else, in any of the languages.
#[must_use]
pub fn wish_in_words(text: &str) -> Option<Wish> {
    // A question is none: "solved?"
    if text.len() > MOST_BYTES || text.contains(['?', '¿']) {
        return None;
    }
    let said = bare(text);
    if SOLVED_FOLDED.contains(&said) {
        Some(Wish::Solved)
    } else if PERSON_FOLDED.contains(&said) {
        Some(Wish::Person)
    } else {
        None
    }
}

/// The words of a text, folded, without polite ones.
fn bare(text: &str) -> String {
    let folded = fold(text).replace('\'', "");
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    words.filter(|w| !POLITE.contains(w)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_a_wish_is_one_and_one_that_has_it_is_none() {
        let table = [
            ("Solved", Some(Wish::Solved)),
            ("Yes, that solved it. Thank you!", Some(Wish::Solved)),
            ("That\u{2019}s all, thanks", Some(Wish::Solved)),
            ("Danke, das hat sich erledigt.", Some(Wish::Solved)),
            ("GELÖST", Some(Wish::Solved)),
            ("Sí, eso me ayudó, gracias", Some(Wish::Solved)),
            ("C'est réglé, merci beaucoup", Some(Wish::Solved)),
            ("Je n'ai plus de questions.", Some(Wish::Solved)),
            ("person", Some(Wish::Person)),
            ("\"Person\" please", Some(Wish::Person)),
            (" 0 ", Some(Wish::Person)),
            ("Persona, por favor", Some(Wish::Person)),
            ("einen Menschen bitte", Some(Wish::Person)),
            ("une conseillère svp", Some(Wish::Person)),
            ("not solved", None),
            ("solved?", None),
            ("¿resuelto?", None),
            ("nicht gelöst", None),
            ("no me ayudó", None),
            ("ça ne m'a pas aidé", None),
            ("that solved it for my neighbour but mine still leaks", None),
            ("thanks", None),
            ("00", None),
            ("", None),
        ];
        for (text, wish) in table {
            assert_eq!(wish_in_words(text), wish, "{text}");
        }
    }

    #[test]
    fn no_wish_is_both() {
        for text in SOLVED {
            assert_eq!(wish_in_words(text), Some(Wish::Solved), "{text}");
        }
        for text in PERSON {
            assert_eq!(wish_in_words(text), Some(Wish::Person), "{text}");
        }
        assert!(!SOLVED_FOLDED.contains(&String::new()) && !PERSON_FOLDED.contains(&String::new()));
    }
}
