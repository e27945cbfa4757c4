//! How long a wait is, in words that a customer is told: `{wait}` in a text.
//!
//! Plain functions. An estimate is rounded up to a step that people would say; a wait that
//! is not known is said to be that, for a number made up is worse.

use super::language::Language;
use crate::time::Span;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// A rounded length.
enum Rounded {
    Minute,
    Minutes(u64),
    Hours(u64),
    Days,
    Unknown,
}

impl Rounded {
    fn of(wait: Option<Span>) -> Self {
        let Some(wait) = wait else { return Self::Unknown };
        let seconds = wait.as_millis().div_ceil(1_000);
        let minutes = |step: u64| seconds.div_ceil(step * MINUTE) * step;
        match seconds {
            0..=60 => Self::Minute,
            // The longer, the coarser: a fine number would be heard as a promise.
            61..=600 => Self::Minutes(minutes(1)),
            601..=3_600 => Self::Minutes(minutes(5)),
            3_601..=7_200 => Self::Minutes(minutes(15)),
            7_201..86_400 => Self::Hours(seconds.div_ceil(HOUR)),
            _ => Self::Days,
        }
    }
}

/// A wait in words that stand after a colon: "about 12 minutes", "not known yet".
#[must_use]
pub fn wait_in_words(wait: Option<Span>, language: Language) -> String {
    let rounded = Rounded::of(wait);
    let [minute, minutes, hours, days, unknown] = match language {
        Language::De => [
            "etwa eine Minute",
            "etwa {n} Minuten",
            "etwa {n} Stunden",
            "mehr als ein Tag",
            "noch nicht bekannt",
        ],
        Language::En => [
            "about a minute",
            "about {n} minutes",
            "about {n} hours",
            "more than a day",
            "not known yet",
        ],
        Language::Es => [
            "cerca de un minuto",
            "unos {n} minutos",
            "unas {n} horas",
            "más de un día",
            "todavía no se sabe",
        ],
        Language::Fr => [
            "environ une minute",
            "environ {n} minutes",
            "environ {n} heures",
            "plus d'un jour",
            "pas encore connue",
        ],
    };
    match rounded {
        Rounded::Minute => minute.to_owned(),
        Rounded::Minutes(n) => minutes.replace("{n}", &n.to_string()),
        Rounded::Hours(n) => hours.replace("{n}", &n.to_string()),
        Rounded::Days => days.to_owned(),
        Rounded::Unknown => unknown.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_to_what_people_say() {
        let table = [
            (Some(0), "about a minute"),
            (Some(60), "about a minute"),
            (Some(61), "about 2 minutes"),
            (Some(600), "about 10 minutes"),
            (Some(601), "about 15 minutes"),
            (Some(3_599), "about 60 minutes"),
            (Some(3_601), "about 75 minutes"),
            (Some(7_200), "about 120 minutes"),
            (Some(7_201), "about 3 hours"),
            (Some(86_399), "about 24 hours"),
            (Some(86_400), "more than a day"),
            (None, "not known yet"),
        ];
        for (seconds, said) in table {
            assert_eq!(wait_in_words(seconds.map(Span::seconds), Language::En), said);
        }
    }

    #[test]
    fn every_language_says_the_number_and_says_that_it_is_not_known() {
        for language in Language::ALL {
            let said = |seconds: Option<u64>| wait_in_words(seconds.map(Span::seconds), language);
            for (seconds, number) in [(300, "5"), (10_800, "3")] {
                assert!(said(Some(seconds)).contains(number), "{}", said(Some(seconds)));
            }
            for seconds in [Some(1), Some(90_000), None] {
                let said = said(seconds);
                assert!(!said.contains(['{', '}']) && !said.contains(char::is_numeric), "{said}");
            }
        }
    }
}
