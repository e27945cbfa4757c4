//! Lots: their normal form, the rules that say which are affected, and the check of one.
//!
//! Owned by whoever asks. It answers of codes alone; which contact asks, and what is told
//! them, is not its business. In doubt it says that it cannot tell, and a person looks.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::playbook::Playbook;

/// Shortest and longest lot, in characters of its normal form.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=32;
/// Most words of a text that are tried as one lot: people write codes in groups.
const MOST_GROUPS: usize = 4;

/// A lot in normal form: 3 to 32 of `A-Z` and `0-9`, without O, which is read as zero.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Lot(Box<str>);

/// Which lots of one product are affected: one, or a range.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LotRule {
    /// The name of the product.
    pub product: Box<str>,
    /// The first affected lot.
    pub first: Lot,
    /// The last: as long as the first, with letters at the same positions.
    pub last: Lot,
    /// Only those that end so; in normal form.
    pub ends: Option<Box<str>>,
    /// Whether more characters may follow what counts.
    pub longer: bool,
}

/// What the check says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LotVerdict {
    /// The lot is affected.
    Affected {
        /// The name of its product.
        product: Box<str>,
        /// The lot.
        lot: Lot,
    },
    /// It is a lot, and none that is affected.
    NotAffected,
    /// It may be either: a person will look.
    CannotTell,
}

impl Lot {
    /// The normal form of what somebody wrote: without spaces, dashes, dots, slashes and
    /// `#`, in capitals, with zero for O. None if other characters are in it, or fewer than
    /// 3 or more than 32 remain.
    #[must_use]
    pub fn new(written: &str) -> Option<Self> {
        let code = normal(written)?;
        LENGTHS.contains(&code.len()).then(|| Self(code.into()))
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Lot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The characters of a code that count; none if something else is among them.
pub(super) fn normal(written: &str) -> Option<String> {
    let mut code = String::new();
    for c in written.chars() {
        match c.to_ascii_uppercase() {
            'O' => code.push('0'),
            c if c.is_ascii_alphanumeric() => code.push(c),
            ' ' | '\t' | '\u{a0}' | '-' | '\u{2010}'..='\u{2015}' | '.' | '/' | '_' | '#' => {}
            _ => return None,
        }
    }
    Some(code)
}

/// What is left on a keypad if letters are left out.
fn skipped(code: &str) -> String {
    code.chars().filter(char::is_ascii_digit).collect()
}

/// What is left on a keypad if letters are pressed as the keys that they stand on.
fn pressed(code: &str) -> String {
    code.chars()
        .map(|c| match c {
            'A'..='C' => '2',
            'D'..='F' => '3',
            'G'..='I' => '4',
            'J'..='L' => '5',
            'M'..='N' => '6',
            'P'..='S' => '7',
            'T'..='V' => '8',
            'W'..='Z' => '9',
            digit => digit,
        })
        .collect()
}

/// Whether letters and digits stand at the same positions, and the letters are the same.
fn alike(code: &str, model: &str) -> bool {
    code.len() == model.len()
        && code.bytes().zip(model.bytes()).all(|(c, m)| c == m || (digit(c) && digit(m)))
}

/// Whether letters and digits stand at the same positions.
fn same_shape(code: &str, model: &str) -> bool {
    code.len() == model.len() && code.bytes().zip(model.bytes()).all(|(c, m)| digit(c) == digit(m))
}

fn digit(c: u8) -> bool {
    c.is_ascii_digit()
}

impl LotRule {
    /// Whether the range is one: ends alike, the lower first.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        alike(&self.first.0, &self.last.0) && self.first <= self.last
    }

    fn has_letters(&self) -> bool {
        !self.first.0.bytes().all(digit)
    }

    /// The part of a code that counts.
    fn counts<'c>(&self, code: &'c str, length: usize) -> Option<&'c str> {
        if self.longer { code.get(..length) } else { Some(code).filter(|c| c.len() == length) }
    }

    fn takes(&self, code: &str) -> bool {
        self.counts(code, self.first.0.len()).is_some_and(|c| {
            alike(c, &self.first.0) && self.holds(c, &self.first.0, &self.last.0, |e| e.to_owned())
        })
    }

    fn holds(&self, code: &str, first: &str, last: &str, keyed: fn(&str) -> String) -> bool {
        (first..=last).contains(&code)
            && self.ends.as_ref().is_none_or(|ends| code.ends_with(&*keyed(ends)))
    }

    /// Whether digits may be one of these lots, entered on a keypad in the way of `keyed`.
    fn takes_keyed(&self, digits: &str, keyed: fn(&str) -> String) -> bool {
        let (first, last) = (keyed(&self.first.0), keyed(&self.last.0));
        // What remains of a code of letters is too little to go by.
        LENGTHS.contains(&first.len())
            && self.counts(digits, first.len()).is_some_and(|c| self.holds(c, &first, &last, keyed))
    }

    /// Whether a code could be one of this product's lots at all, however it was entered.
    fn could_be(&self, code: &str) -> bool {
        let model = &*self.first.0;
        let written = self.counts(code, model.len()).is_some_and(|c| same_shape(c, model));
        let keyed = |length| self.counts(code, length).is_some();
        let on_keypad = code.bytes().all(digit)
            && self.has_letters()
            && (keyed(skipped(model).len()) || keyed(model.len()));
        written || on_keypad
    }

    /// Whether digits differ from one of these lots in nothing but a letter's key.
    fn only_a_key_off(&self, digits: &str) -> bool {
        let model = &*self.first.0;
        let Some(code) = self.counts(digits, model.len()) else { return false };
        let rest: String =
            code.chars().zip(model.bytes()).filter(|(_, m)| digit(*m)).map(|(c, _)| c).collect();
        self.takes_keyed(&rest, skipped)
    }
}

/// The affected-or-not check of one playbook.
#[derive(Clone, Debug)]
pub struct LotCheck {
    rules: Vec<LotRule>,
}

impl LotCheck {
    /// The check by a playbook's lots.
    #[must_use]
    pub fn of(playbook: &Playbook) -> Self {
        Self { rules: playbook.scope.lots.clone() }
    }

    /// Checks what a customer typed, said or keyed in. Digits that stand for a lot with
    /// letters count, with the letters left out or pressed as their keys, if exactly one
    /// rule fits. Not affected is only what has the form of the product's lots; everything
    /// else cannot be told.
    #[must_use]
    pub fn check(&self, input: &str) -> LotVerdict {
        let Some(Lot(code)) = Lot::new(input) else { return LotVerdict::CannotTell };
        if let Some(rule) = self.rules.iter().find(|r| r.takes(&code)) {
            return affected(rule, &code);
        }
        if code.bytes().all(digit) {
            let mut fits = self.rules.iter().filter(|rule| {
                rule.has_letters()
                    && (rule.takes_keyed(&code, skipped) || rule.takes_keyed(&code, pressed))
            });
            match (fits.next(), fits.next()) {
                (Some(rule), None) => return affected(rule, &code),
                (Some(_), Some(_)) => return LotVerdict::CannotTell,
                (None, _) => {}
            }
            if self.rules.iter().any(|r| r.has_letters() && r.only_a_key_off(&code)) {
                return LotVerdict::CannotTell;
            }
        }
        if self.rules.iter().any(|r| r.could_be(&code)) {
            LotVerdict::NotAffected
        } else {
            LotVerdict::CannotTell
        }
    }

    /// The first affected lot that a text names, written in one word or in up to four
    /// groups. Codes without their letters are not looked for: numbers in a text are many.
    #[must_use]
    pub fn find_in(&self, text: &str) -> Option<(&LotRule, Lot)> {
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || ",;:()[]\"'!?\u{201c}\u{201d}".contains(c))
            .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
            .filter(|word| !word.is_empty())
            .collect();
        (0..words.len()).find_map(|from| {
            let most = MOST_GROUPS.min(words.len() - from);
            (1..=most).find_map(|groups| {
                let lot = Lot::new(&words[from..from + groups].concat())?;
                let rule = self.rules.iter().find(|r| r.takes(&lot.0))?;
                Some((rule, lot))
            })
        })
    }
}

fn affected(rule: &LotRule, code: &str) -> LotVerdict {
    // A rule of one lot knows the lot that digits stand for; a range knows only the digits.
    let lot = if rule.first == rule.last { rule.first.clone() } else { Lot(code.into()) };
    LotVerdict::Affected { product: rule.product.clone(), lot }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(first: &str, last: &str, ends: Option<&str>, longer: bool) -> LotRule {
        LotRule {
            product: "jar".into(),
            first: Lot::new(first).unwrap(),
            last: Lot::new(last).unwrap(),
            ends: ends.map(Into::into),
            longer,
        }
    }

    fn check(rules: &[LotRule], input: &str) -> &'static str {
        match (LotCheck { rules: rules.to_vec() }).check(input) {
            LotVerdict::Affected { .. } => "affected",
            LotVerdict::NotAffected => "not",
            LotVerdict::CannotTell => "?",
        }
    }

    #[test]
    fn lots_of_letters_and_digits() {
        let rules = [rule("T60001948", "T60001948", None, false)];
        for (input, verdict) in [
            ("T60001948", "affected"),
            ("t-6000 1948", "affected"),
            ("T6OOO1948", "affected"),
            ("60001948", "affected"),
            ("860001948#", "affected"),
            ("T60001947", "not"),
            ("60001947", "not"),
            ("860001947", "not"),
            ("960001948", "?"),
            ("6000194", "?"),
            ("", "?"),
            ("T6000194\u{e9}", "?"),
        ] {
            assert_eq!(check(&rules, input), verdict, "{input}");
        }
    }

    #[test]
    fn ranges_with_an_end_and_longer_codes() {
        let rules = [rule("1274425", "2140425", Some("425"), true)];
        for (input, verdict) in [
            ("1274425", "affected"),
            ("2140425", "affected"),
            ("2001425 14:25".trim_end_matches(":25"), "affected"),
            ("1273425", "not"),
            ("2141425", "not"),
            ("2001426", "not"),
            ("200142", "?"),
        ] {
            assert_eq!(check(&rules, input), verdict, "{input}");
        }
    }

    #[test]
    fn digits_that_two_rules_fit_cannot_be_told() {
        let rules = [rule("A12345", "A12345", None, false), rule("B12345", "B12345", None, false)];
        for (input, verdict) in [("12345", "?"), ("212345", "?"), ("B12345", "affected")] {
            assert_eq!(check(&rules, input), verdict, "{input}");
        }
    }

    #[test]
    fn lots_are_found_in_texts() {
        let rules = vec![
            rule("T60001948", "T60001948", None, false),
            rule("1274425", "2140425", None, false),
        ];
        let check = LotCheck { rules };
        for (text, found) in [
            ("mine says lot T60001948, what now?", true),
            ("it is (t6000-1948).", true),
            ("lot T 6000 1948 on the box", true),
            ("1300425", true),
            ("my order 60001948", false),
            ("no number here", false),
        ] {
            assert_eq!(check.find_in(text).is_some(), found, "{text}");
        }
    }

    proptest! {
        #[test]
        fn how_it_is_written_does_not_matter(
            number in 0_u32..10_000_000,
            gaps in proptest::collection::vec("[ ./#-]{0,2}", 8),
            small: bool,
            letter_o: bool,
        ) {
            let rules = [rule("K1274425", "K2140425", Some("25"), false)];
            let plain = format!("K{number:07}");
            let mut written: String =
                plain.chars().zip(&gaps).map(|(c, gap)| format!("{c}{gap}")).collect();
            if letter_o {
                written = written.replace('0', "O");
            }
            if small {
                written = written.to_lowercase();
            }
            prop_assert_eq!(check(&rules, &written), check(&rules, &plain));
            let inside = (1_274_425..=2_140_425).contains(&number) && number % 100 == 25;
            prop_assert_eq!(check(&rules, &plain), if inside { "affected" } else { "not" });
            // Left out or pressed, a letter never makes an affected lot a harmless one.
            let left_out = check(&rules, &plain[1..]);
            let as_key = check(&rules, &format!("5{}", &plain[1..]));
            prop_assert_eq!(left_out, if inside { "affected" } else { "not" });
            prop_assert_eq!(as_key, if inside { "affected" } else { "not" });
        }

        #[test]
        fn anything_may_be_typed(input in "\\PC{0,60}") {
            let rules = [rule("1274425", "2140425", Some("425"), true)];
            let told = check(&rules, &input);
            let digits = Lot::new(&input).is_some_and(|l| l.as_str().bytes().take(7).all(digit));
            prop_assert!(told == "?" || digits, "{} of {:?}", told, input);
        }

        #[test]
        fn the_normal_form_is_its_own(input in "[A-Za-z0-9 -]{3,40}") {
            if let Some(lot) = Lot::new(&input) {
                prop_assert_eq!(Lot::new(lot.as_str()), Some(lot));
            }
        }
    }
}
