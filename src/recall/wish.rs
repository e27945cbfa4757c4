//! What a customer wants, where a short text says it plainly and nothing else.
//!
//! Plain functions. Only a whole text counts: "that solved it" closes a contact, and "I
//! hoped that solved it" does not. Longer texts are the triage's business.

use std::collections::BTreeSet;
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
    "oui", "merci", "beaucoup", "svp", "stp", "bonjour", "parfait", "sil", "vous", "plait",
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

/// What people put together as they ask for a person: every beginning with every middle and
/// every end. Sentences that nobody says come of it too, and harm nobody.
type Sentences = [&'static [&'static str]; 3];

const PERSON: &[Sentences] = &[
    [&["0", "personne", "humain", "conseiller", "conseillère", "opérateur"], &[""], &[""]],
    [
        &[
            "",
            "i want",
            "i need",
            "i want to",
            "i need to",
            "i would like",
            "i would like to",
            "i'd like",
            "i'd like to",
            "i have to",
            "can i",
            "could i",
            "may i",
            "can we",
            "let me",
            "how can i",
            "how do i",
            "get me",
            "give me",
            "connect me",
            "transfer me",
        ],
        &["", "to", "with", "talk to", "talk with", "speak to", "speak with", "chat with"],
        &[
            "person",
            "a person",
            "real person",
            "a real person",
            "live person",
            "a live person",
            "human",
            "a human",
            "a human being",
            "a real human",
            "someone",
            "somebody",
            "agent",
            "an agent",
            "live agent",
            "a live agent",
            "representative",
            "a representative",
            "customer service",
            "a customer service representative",
            "operator",
            "an operator",
            "a member of staff",
            "a manager",
            "a supervisor",
        ],
    ],
    [
        &[
            "",
            "ich möchte",
            "ich möchte gern",
            "ich möchte gerne",
            "ich will",
            "ich muss",
            "ich würde gern",
            "ich würde gerne",
            "kann ich",
            "könnte ich",
            "darf ich",
            "verbinden sie mich",
        ],
        &[
            "mit einem menschen",
            "mit einem echten menschen",
            "mit einer person",
            "mit einer echten person",
            "mit jemandem",
            "mit jemand",
            "mit einem mitarbeiter",
            "mit einer mitarbeiterin",
            "mit einem berater",
            "mit einer beraterin",
            "mit dem kundendienst",
            "mit dem kundenservice",
        ],
        &["", "sprechen", "reden", "telefonieren", "chatten", "verbunden werden"],
    ],
    [
        &["", "ich möchte", "ich will", "ich brauche", "ich hätte gern", "ich hätte gerne"],
        &[
            "mensch",
            "ein mensch",
            "einen menschen",
            "einen echten menschen",
            "eine person",
            "eine echte person",
            "mitarbeiter",
            "ein mitarbeiter",
            "einen mitarbeiter",
            "mitarbeiterin",
            "eine mitarbeiterin",
            "berater",
            "einen berater",
            "beraterin",
            "eine beraterin",
            "kundendienst",
            "den kundendienst",
            "kundenservice",
        ],
        &["", "sprechen"],
    ],
    [
        &[
            "",
            "quiero",
            "quisiera",
            "necesito",
            "deseo",
            "me gustaría",
            "puedo",
            "podría",
            "comuníqueme",
            "páseme",
        ],
        &["", "con", "hablar con", "comunicarme con"],
        &[
            "persona",
            "una persona",
            "una persona real",
            "humano",
            "un humano",
            "un ser humano",
            "alguien",
            "agente",
            "un agente",
            "una agente",
            "representante",
            "un representante",
            "una representante",
            "operador",
            "operadora",
            "un operador",
            "una operadora",
            "un asesor",
            "una asesora",
            "un supervisor",
            "servicio al cliente",
            "atención al cliente",
        ],
    ],
    [
        &[
            "",
            "je veux",
            "je voudrais",
            "j'aimerais",
            "je souhaite",
            "je dois",
            "je peux",
            "puis-je",
            "est-ce que je peux",
            "j'ai besoin de",
            "passez-moi",
        ],
        &["", "parler", "parler à", "parler avec", "échanger avec", "discuter avec"],
        &[
            "quelqu'un",
            "une personne",
            "une vraie personne",
            "un humain",
            "un être humain",
            "un conseiller",
            "une conseillère",
            "un agent",
            "une agente",
            "un opérateur",
            "une opératrice",
            "un représentant",
            "le service client",
            "au service client",
        ],
    ],
    [
        &["j'ai besoin"],
        &[
            "d'une personne",
            "d'un humain",
            "d'un conseiller",
            "d'une conseillère",
            "d'un agent",
            "d'une vraie personne",
        ],
        &[""],
    ],
];

static SOLVED_FOLDED: LazyLock<Vec<String>> =
    LazyLock::new(|| SOLVED.iter().map(|t| bare(t)).collect());
static PERSON_FOLDED: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| PERSON.iter().flat_map(together).map(|t| bare(&t)).collect());

/// Every sentence that its parts make.
fn together([beginnings, middles, ends]: &Sentences) -> Vec<String> {
    let mut all = Vec::with_capacity(beginnings.len() * middles.len() * ends.len());
    for beginning in *beginnings {
        for middle in *middles {
            all.extend(ends.iter().map(|end| format!("{beginning} {middle} {end}")));
        }
    }
    all
}

/// The wish that a text is, if it is one and nothing else, in any of the languages.
#[must_use]
pub fn wish_in_words(text: &str) -> Option<Wish> {
    if text.len() > MOST_BYTES {
        return None;
    }
    let said = bare(text);
    // "solved?" is a question, and "can I talk to someone?" is a wish.
    if SOLVED_FOLDED.contains(&said) && !text.contains(['?', '¿']) {
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
        for text in PERSON.iter().flat_map(together) {
            assert_eq!(wish_in_words(&text), Some(Wish::Person), "{text}");
        }
        assert!(!SOLVED_FOLDED.contains(&String::new()) && !PERSON_FOLDED.contains(""));
    }

    #[test]
    fn whole_sentences_ask_for_a_person_in_four_languages() {
        for text in [
            "Can I speak to someone please?",
            "I want to talk to an agent!",
            "I need a person",
            "I'd like to speak with a customer service representative.",
            "live person",
            "Customer service, please",
            "Ich möchte bitte mit einem Mitarbeiter sprechen.",
            "Kann ich mit jemandem reden?",
            "Ich brauche einen Menschen",
            "Verbinden Sie mich bitte mit dem Kundendienst",
            "Quiero hablar con una persona, por favor",
            "¿Puedo hablar con alguien?",
            "Necesito un representante",
            "Atención al cliente",
            "Je voudrais parler à quelqu'un, s'il vous plaît.",
            "Puis-je parler à un conseiller ?",
            "J\u{2019}ai besoin d\u{2019}une vraie personne",
            "Le service client svp",
        ] {
            assert_eq!(wish_in_words(text), Some(Wish::Person), "{text}");
        }
        for text in [
            "I talked to an agent and nothing came of it",
            "do not put me through to an agent",
            "Ich habe mit jemandem gesprochen",
            "No quiero hablar con nadie",
            "Je ne veux parler à personne",
            "is someone hurt by it?",
        ] {
            assert_eq!(wish_in_words(text), None, "{text}");
        }
    }
}
