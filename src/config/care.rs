//! What a queue owes who comes back, links, falls silent or writes again, and `[still_there]`.
//!
//! Owned by one reading of one file; what it means is in `docs/contacts.md`.

use std::sync::Arc;

use super::problem::{Expected, Found};
use super::reader::{Table, Value};
use crate::engine::care::{Liveness, LowScore, QueueCare};
use crate::engine::words::Language;
use crate::time::Span;

const SECOND: Span = Span::seconds(1);
const MINUTE: Span = Span::seconds(60);
const HOUR: Span = Span::seconds(3_600);
const DAY: Span = Span::seconds(86_400);
const MONTH: Span = Span::seconds(30 * 86_400);
/// The key of the text for all languages that have none of their own.
const OTHERS: &str = "default";
/// Most characters of a text.
const LONGEST: usize = 500;
const OF: &str = "texts by language of two letters, such as de, and `default` for all others";

/// Reads the fields of a queue.
pub(super) fn read(table: &Table<'_>) -> QueueCare {
    let to_a_day = (Span::ZERO, DAY);
    let liveness = table.field("liveness");
    let of = "after, answer_within, keep";
    QueueCare {
        keep_place: table.duration("keep_place", Span::seconds(1_800), to_a_day),
        link: table.field("link_contacts").and_then(|v| v.boolean()).unwrap_or(true),
        hold_linked: table.duration("hold_linked", Span::seconds(600), to_a_day),
        thread: table.duration("thread_agent", Span::seconds(3 * 86_400), (Span::ZERO, MONTH)),
        liveness: liveness.and_then(|v| v.table("queues.liveness", of, read_liveness)),
        low_score: table
            .field("low_score")
            .and_then(|v| v.table("queues.low_score", "at_most, within", read_low_score)),
    }
}

fn read_liveness(table: &Table<'_>) -> Liveness {
    Liveness {
        after: table.duration("after", Span::seconds(180), (SECOND, DAY)),
        answer_within: table.duration("answer_within", Span::seconds(60), (SECOND, HOUR)),
        keep: table.duration("keep", Span::seconds(900), (Span::ZERO, DAY)),
    }
}

fn read_low_score(table: &Table<'_>) -> LowScore {
    LowScore {
        at_most: table.integer("at_most", 4, (0, 10)),
        within: table.duration("within", DAY, (MINUTE, MONTH)),
    }
}

/// Reads `[still_there]`: sorted by language, the text for all others first.
pub(super) fn read_texts(file: &Table<'_>) -> Vec<(Option<Language>, Arc<str>)> {
    let Some(value) = file.field("still_there") else { return Vec::new() };
    let mut texts: Vec<(Option<Language>, Arc<str>)> = Vec::new();
    for (tag, key_at, value) in value.entries(OF) {
        let language = match tag {
            OTHERS => None,
            tag => match Language::of_tag(tag).filter(|l| l.as_str() == tag) {
                Some(language) => Some(language),
                None => {
                    wrong(&value, tag, key_at);
                    continue;
                }
            },
        };
        texts.extend(value.words(LONGEST).map(|words| (language, Arc::from(words))));
    }
    texts.sort_unstable();
    texts
}

fn wrong(value: &Value<'_>, tag: &str, at: std::ops::Range<usize>) {
    let found = Found::Text(tag.chars().take(64).collect());
    let fault = super::Fault::Mismatch { found, expected: Expected::Table(OF) };
    value.notes.note(&value.path, at, fault);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, parse};

    #[test]
    fn a_queue_says_how_it_cares_or_gets_what_is_usual() {
        let source = "[[queues]]\nname = \"a\"\nchannels = [\"chat\"]\nkeep_place = \"5m\"\n\
             link_contacts = false\nhold_linked = \"0s\"\nthread_agent = \"24h\"\n\
             liveness = { after = \"2m\", keep = \"0s\" }\nlow_score = { at_most = 2 }\n\
             [[queues]]\nname = \"b\"\nchannels = [\"email\"]\n\
             [still_there]\nde = \"Noch da?\"\ndefault = \"There?\"\n";
        let routing = parse("t", source).unwrap().config.routing;
        let care = |q: usize| routing.queues[q].care;
        let (after, answer_within) = (Span::seconds(120), Span::seconds(60));
        assert_eq!(
            care(0),
            QueueCare {
                keep_place: Span::seconds(300),
                link: false,
                hold_linked: Span::ZERO,
                thread: DAY,
                liveness: Some(Liveness { after, answer_within, keep: Span::ZERO }),
                low_score: Some(LowScore { at_most: 2, within: DAY }),
            }
        );
        assert!(care(1).link && care(1).liveness.is_none());
        let texts: Vec<_> = routing.still_there.iter().map(|(l, t)| (*l, &**t)).collect();
        assert_eq!(texts, [(None, "There?"), (Some(Language(*b"de")), "Noch da?")]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (source, path) in [
            ("[still_there]\nde-AT = \"Da?\"", "still_there.de-AT"),
            ("[still_there]\nde = \"\"", "still_there.de"),
            (
                "[[queues]]\nname = \"a\"\nchannels = [\"chat\"]\nkeep_place = \"48h\"",
                "queues[0].keep_place",
            ),
            (
                "[[queues]]\nname = \"a\"\nchannels = [\"chat\"]\nliveness = { befor = \"2m\" }",
                "queues[0].liveness.befor",
            ),
            (
                "[[queues]]\nname = \"a\"\nchannels = [\"chat\"]\nlow_score = { at_most = 11 }",
                "queues[0].low_score.at_most",
            ),
        ] {
            let Err(ConfigError::Invalid(report)) = parse("t", source) else { panic!("{source}") };
            assert!(report.problems().iter().any(|p| &*p.path == path), "{report}");
        }
    }
}
