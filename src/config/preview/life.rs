//! What to think twice about where queues lose what those who wait were promised by: callbacks,
//! numbers outside, calendars.
//!
//! A part of the preview: it looks at both configurations and at who waits, and changes nothing.

use super::{Standing, Touching, Warning, goes_to};
use crate::config::diff::{How, Section};
use crate::engine::queue_life::Overflow;
use crate::engine::routing::{Queue, Routing};
use crate::ids::{ExternalId, QueueId};

/// Queues of what is in force, with what the new configuration says of them.
fn both<'a>(
    old: &'a Routing,
    new: &'a Routing,
) -> impl Iterator<Item = (QueueId, &'a Queue, &'a Queue)> {
    let each = (0..).map(QueueId).zip(old.queues.iter().zip(&new.queues));
    each.map(|(id, (was, is))| (id, was, is))
}

pub(super) fn warnings(
    old: &Routing,
    new: &Routing,
    standing: &Standing,
    changes: &[Touching],
    all: &mut Vec<Warning>,
) {
    for (id, was, is) in both(old, new) {
        let waiting = standing.callbacks.get(&id).copied().unwrap_or(0);
        if was.callback.is_some() && is.callback.is_none() && waiting > 0 {
            all.push(Warning::CallbacksGo { queue: is.name.clone(), waiting });
        }
    }
    let in_queue = |id: QueueId| standing.waiting.get(&id).copied().unwrap_or(0);
    for gone in changes.iter().filter(|t| t.change.how == How::Retired) {
        let (name, place) = (gone.change.name.clone(), gone.change.place);
        match gone.change.section {
            Section::Externals => {
                let to = Overflow::External(ExternalId(u16::try_from(place).unwrap_or(u16::MAX)));
                let sends = both(old, new).filter(|(_, was, _)| !was.retired && goes_to(was, to));
                let waiting: u64 = sends.map(|(id, ..)| in_queue(id)).sum();
                if waiting > 0 {
                    all.push(Warning::ExternalGoes { external: name, waiting });
                }
            }
            Section::Calendars => {
                let keeps = |q: &Queue| q.life.hours.is_some_and(|of| of.index() == place);
                let loses = both(old, new).filter(|(_, was, is)| {
                    keeps(was) && !is.retired && (keeps(is) || is.life.hours.is_none())
                });
                all.extend(loses.map(|(id, _, is)| Warning::HoursGo {
                    calendar: name.clone(),
                    queue: is.name.clone(),
                    waiting: in_queue(id),
                }));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::config::preview::preview;

    const FILE: &str = r#"
[[pools]]
name = "own"
[[agents]]
name = "ada"
pool = "own"
[[calendars]]
name = "weekdays"
zone = "Europe/Berlin"
week = { mon = ["08:00-18:00"] }
[[externals]]
name = "partner"
numbers = { voice = "+15550100" }
[[queues]]
name = "calls"
channels = ["voice"]
hours = "weekdays"
closed = { then = "external", to = "partner" }
[queues.callback]
per_hour = 10
[[entry_points]]
name = "line"
queue = "calls"
"#;

    fn warned(without: &[&str]) -> Vec<String> {
        let new = without.iter().fold(FILE.to_owned(), |text, part| {
            assert!(text.contains(part), "{part}");
            text.replace(part, "")
        });
        let read = |text: &str| parse("t", text).expect("it is sound").config.routing;
        let standing = Standing {
            waiting: [(QueueId(0), 7)].into(),
            callbacks: [(QueueId(0), 3)].into(),
            ..Standing::default()
        };
        let preview = preview(&read(FILE), &standing, &read(&new)).expect("few names");
        preview.warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn who_waits_for_a_call_is_counted_when_its_queue_makes_none_any_more() {
        assert_eq!(warned(&[]), [""; 0]);
        let warned = warned(&["[queues.callback]\nper_hour = 10\n"]);
        assert_eq!(warned.len(), 1, "{warned:?}");
        let begins = "queue calls makes no callbacks any more, and 3 wait to be called";
        assert!(warned[0].starts_with(begins), "{warned:?}");
    }

    #[test]
    fn a_number_outside_and_a_calendar_that_are_in_use_are_warned_of() {
        let closed = "closed = { then = \"external\", to = \"partner\" }\n";
        let external = "[[externals]]\nname = \"partner\"\nnumbers = { voice = \"+15550100\" }\n";
        let calendar =
            &FILE[FILE.find("[[calendars]]").unwrap()..FILE.find("[[externals]]").unwrap()];
        let warned = warned(&[closed, external, "hours = \"weekdays\"\n", calendar]);
        let begins = [
            "calendar weekdays is retired, and queue calls keeps no other",
            "external partner is retired, and 7 contacts wait",
        ];
        assert_eq!(warned.len(), begins.len(), "{warned:?}");
        for begin in begins {
            assert!(warned.iter().any(|w| w.starts_with(begin)), "{warned:?}");
        }
    }
}
