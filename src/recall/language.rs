//! Languages, and what is done with words alike in triage and in the search: case and
//! accents folded, split into words, each with its stem.
//!
//! Owned by nobody: plain functions. It knows no playbook and judges no text.

use std::fmt;

use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A language that a playbook may speak: each of them has a stemmer, stop words and
/// negations here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// German.
    De,
    /// English.
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
}

impl Language {
    /// All of them, in the order of [`Language::CODES`].
    pub const ALL: [Self; 4] = [Self::De, Self::En, Self::Es, Self::Fr];
    /// Their codes (ISO 639-1).
    pub const CODES: &'static [&'static str] = &["de", "en", "es", "fr"];

    /// The code: two small letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        Self::CODES[self as usize]
    }

    /// The language of a tag such as `en`, `EN` or `es-MX`; none if it is not one of these.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let code = tag.split(['-', '_']).next()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|l| l.code() == code)
    }

    fn stemmer(self) -> Stemmer {
        Stemmer::create(match self {
            Self::De => Algorithm::German,
            Self::En => Algorithm::English,
            Self::Es => Algorithm::Spanish,
            Self::Fr => Algorithm::French,
        })
    }

    /// Whether a folded word turns what is said into its opposite.
    pub(super) fn negates(self, word: &str) -> bool {
        let words: &[&str] = match self {
            Self::De => &["nicht", "nie", "niemals", "niemand", "kein", "keine", "ohne", "nichts"],
            Self::En => &[
                "no", "not", "never", "nobody", "none", "nothing", "without", "neither", "nor",
                "dont", "didnt", "doesnt", "isnt", "wasnt", "arent", "werent", "hasnt", "havent",
                "hadnt", "cant", "cannot", "wont", "wouldnt",
            ],
            Self::Es => &[
                "no", "nunca", "jamas", "nadie", "nada", "sin", "ni", "ningun", "ninguna",
                "ninguno", "tampoco",
            ],
            Self::Fr => &["ne", "pas", "jamais", "personne", "rien", "sans", "aucun", "aucune"],
        };
        words.contains(&word)
    }

    /// Whether a folded word says nothing about what is asked.
    pub(super) fn is_stop_word(self, word: &str) -> bool {
        let words = match self {
            Self::De => STOP_DE,
            Self::En => STOP_EN,
            Self::Es => STOP_ES,
            Self::Fr => STOP_FR,
        };
        words.split_ascii_whitespace().any(|w| w == word)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

// Most question words and negations are among them: entries are told apart by things and deeds.
// Not "why", which asks for the reason and nothing else.
const STOP_DE: &str = "aber alle als am an auch auf aus bei bin bitte bis da damit danke das dass \
    dein dem den der des die dies diese dieser doch du ein eine einen einer er es fuer fur hallo \
    hat habe haben ich ihr ihre im in ist ja kann kein keine man mein meine meinen meiner mich mir \
    mit muss nach nein nicht noch nur ob oder sein sich sie sind so soll und uns von vor war was \
    wann wenn wer werden wie wir wird wo zu zum zur";
const STOP_EN: &str = "a about actually again all already also am an and any anybody anyone \
    anything are aren arent as at be because been before being bit both but by can cannot cant \
    could did didnt do does doesnt doing done dont either else ever every exactly few for from get getting \
    go going gonna got guys had has hasnt have havent having he hello help her here hey hi him his \
    how i id if ill im in into is isnt it its ive just kind know let like ll may maybe me might \
    mine more much must my myself need no not now of off oh ok okay on one only or our ours out \
    over please quick question re really right s seem shall she should so some someone something \
    still such sure t tell than thank thanks that thats the their theirs them then there theres \
    these they theyre thing this those though to too u um up us ve very want wanna was wasnt we \
    well were werent what whats when where whether which while who whom whose will with wont \
    would yes yet you your youre yours";
const STOP_ES: &str = "a ademas ahi ahora al algo algun alguna alguien ante aqui asi aun bien \
    buenas buenos como con cual cuales cuando cuanto cuanta de del desde dia dias donde dos e el \
    ella ellas ellos en entonces era es esa ese eso esta estan estar este esto estos estoy favor \
    fue gracias ha haber hace hacer han hasta hay he hola la las le les lo los mas me mi mia mio \
    mis mucho muy nada necesito ni no nos nosotros o para pero por porque pregunta puedo puede \
    pueden pues que quien quiero quisiera saber se ser si sin sobre solo somos son soy su sus \
    tambien tan tengo tiene tienen todo tu tus un una uno unos usted ustedes va ver voy y ya yo";
const STOP_FR: &str = "a ai ainsi alors as au aussi aux avec bien bonjour ca car ce cela ces cet \
    cette comme comment dans de des deja donc du elle en encore est et etait etes etre eu faire \
    fait faut il ils j je l la le les leur lui ma mais me merci mes moi mon n ne nos notre nous on \
    ou par pas peut peux plus pour pourquoi qu quand que quel quelle qui s sa sans se ses si son \
    sont suis sur ta te tes toi ton tu un une vais veux voudrais vos votre vous y";

/// One word of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Token {
    /// Small letters without accents.
    pub(super) folded: Box<str>,
    /// What its forms have in common.
    pub(super) stem: Box<str>,
}

/// Small letters without accents, in compatibility form: full-width digits
/// and ligatures are what they look like.
pub(super) fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c) && *c != '\u{ad}')
        .flat_map(char::to_lowercase)
        .map(|c| if c == '\u{2019}' { '\'' } else { c })
        .collect()
}

/// What is left of a word with apostrophes: "I'll" must not become ill, "l'hôpital" is a
/// hospital, and "can't" stays one word.
fn without_apostrophes(word: &str) -> impl Iterator<Item = String> {
    let negated = word.ends_with("'t");
    let whole = negated.then(|| word.replace('\'', ""));
    let short = |part: &&str| word.len() == part.len() || part.chars().count() > 2;
    let parts: Vec<String> = match whole {
        Some(whole) => vec![whole],
        None => word.split('\'').filter(short).map(str::to_owned).collect(),
    };
    parts.into_iter().filter(|part| !part.is_empty())
}

/// The words of a text in a language.
pub(super) fn tokens(text: &str, language: Language) -> Vec<Token> {
    let stemmer = language.stemmer();
    fold(text)
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .flat_map(|word| without_apostrophes(word.trim_matches('\'')))
        .map(|word| Token { stem: stemmer.stem(&word).into(), folded: word.into() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_have_stems() {
        let stems = |text, language| {
            tokens(text, language).iter().map(|t| t.stem.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(stems("INJURED, injuries", Language::En), ["injur", "injuri"]);
        assert_eq!(fold("Didn\u{2019}t VÓMITO Straße \u{ff14}"), "didn't vomito straße 4");
        let words = |text, language| {
            tokens(text, language).iter().map(|t| t.folded.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(words("I\u{2019}ll say 'can't', y'all's", Language::En), ["say", "cant", "all"]);
        assert_eq!(words("d'hôpital", Language::Fr), ["hopital"]);
        assert_eq!(stems("sensores", Language::Es), stems("sensor", Language::Es));
    }

    #[test]
    fn tags_name_languages() {
        for (tag, language) in [
            ("en", Some(Language::En)),
            ("es-MX", Some(Language::Es)),
            ("DE_at", Some(Language::De)),
            ("xx", None),
            ("", None),
        ] {
            assert_eq!(Language::from_tag(tag), language, "{tag}");
        }
        for language in Language::ALL {
            assert_eq!(Language::from_tag(language.code()), Some(language));
        }
    }
}
