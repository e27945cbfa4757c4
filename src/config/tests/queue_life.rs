//! Tests of calendars, numbers outside, announcements, steps and fallbacks.

use super::super::*;
use super::{SMALL, only, problems};
use crate::engine::queue_life::{Fallback, Opening, Overflow, Then};
use crate::engine::words::Language;
use crate::ids::{CalendarId, ExternalId, NoticeId, PoolId, QueueId};
use crate::time::Span;

const LIFE: &str = r#"
[[calendars]]
name = "office"
zone = "Europe/Berlin"
week = { mon = ["13:00-18:00", "08:00-12:00"], sun = ["22:00-02:00"] }
[[calendars.holidays]]
date = 2026-12-25
hours = ["00:00-24:00"]
[[externals]]
name = "desk"
numbers = { voice = "+49 30 1" }
[[announcements]]
name = "closed"
texts = { en = "We open {opens}.", de = "Wir öffnen {opens}." }
[[queues]]
name = "late"
channels = ["voice"]
hours = "office"
closed = { tell = "closed", then = "external", to = "desk" }
most_waiting = 7
full = { then = "overflow", to = "calls" }
updates = "30s"
[[queues.steps]]
after = "10s"
lower_proficiency = 2
add_pools = ["own"]
overflow = { queue = "calls" }
"#;

fn with(life: &str) -> String {
    format!("{SMALL}{life}")
}

#[test]
fn a_queues_life_is_read_with_its_references() {
    let routing = parse("t", &with(LIFE)).unwrap().config.routing;
    let queue = &routing.queues[1];
    assert_eq!(queue.life.hours, Some(CalendarId(0)));
    let outside = Then::Overflow(Overflow::External(ExternalId(0)));
    assert_eq!(queue.life.closed, Fallback { tell: Some(NoticeId(0)), then: outside });
    let calls = Overflow::Queue(QueueId(0));
    assert_eq!(queue.life.full, Fallback { tell: None, then: Then::Overflow(calls) });
    assert_eq!((queue.life.most_waiting, queue.life.updates), (7, Span::seconds(30)));
    let step = &queue.steps[0];
    assert_eq!((step.after, step.lower_proficiency), (Span::seconds(10), 2));
    assert_eq!((step.overflow, step.add_pools.as_slice()), (Some(calls), &[PoolId(0)][..]));
    let calendar = &routing.calendars[0];
    let hours = [(480, 720), (780, 1_080), (10_080 - 120, 10_080 + 120)];
    assert_eq!(calendar.week, hours.map(|(from, to)| Opening { from, to }));
    assert_eq!(calendar.holidays[0].open, [Opening { from: 0, to: 1_440 }]);
    assert_eq!(routing.notices[0].texts[0].0, Language(*b"en"), "in the order of the file");
}

#[test]
fn what_cannot_be_is_refused_at_its_field() {
    let table = [
        (
            "zone = \"Europe/Berlin\"",
            "zone = \"Mars\"",
            "calendars[0].zone",
            "a time zone of the IANA",
        ),
        ("[\"22:00-02:00\"]", "[\"22-2\"]", "calendars[0].week.sun[0]", "hours, such as"),
        ("[\"22:00-02:00\"]", "[\"22:60-23:00\"]", "calendars[0].week.sun[0]", "hours, such as"),
        ("2026-12-25", "\"Xmas\"", "calendars[0].holidays[0].date", "a day, such as"),
        ("{opens}.\", de", "{when}.\", de", "announcements[0].texts.en", "placeholder {when}"),
        ("hours = \"office\"", "hours = \"ofice\"", "queues[1].hours", "the name of a calendar"),
        ("to = \"desk\"", "to = \"dsk\"", "queues[1].closed.to", "external destination"),
        (", to = \"calls\"", "", "queues[1].full", "no field `to`"),
        (
            "then = \"overflow\", to = \"calls\"",
            "then = \"callback\"",
            "queues[1].full.then",
            "`callback` in a queue that calls nobody back",
        ),
        (
            "then = \"overflow\", to = \"calls\"",
            "then = \"close\"",
            "queues[1].full",
            "no field `tell`",
        ),
        ("updates = \"30s\"", "updates = \"1s\"", "queues[1].updates", "from 5s to 1h"),
        (
            "lower_proficiency = 2",
            "lower_proficiency = 5",
            "queues[1].steps[0].lower_proficiency",
            "from 0 to 4",
        ),
        (
            "overflow = { queue = \"calls\" }",
            "overflow = { }",
            "queues[1].steps[0].overflow",
            "neither, expected one of",
        ),
        (
            "queue = \"calls\" }",
            "queue = \"cals\" }",
            "queues[1].steps[0].overflow.queue",
            "the name of a queue",
        ),
    ];
    for (right, wrong, path, says) in table {
        assert!(LIFE.contains(right), "{right}");
        let (at, _, _, text) = only(&with(&LIFE.replacen(right, wrong, 1)));
        assert_eq!(at, path, "{wrong}");
        assert!(text.contains(says), "{wrong}: {text}");
    }
    let twice = format!("{LIFE}[[queues.steps]]\nafter = \"10s\"\n");
    assert!(only(&with(&twice)).3.contains("in the order of `after`"));
    let many: String =
        (0..8).map(|n| format!("[[queues.steps]]\nafter = \"{}m\"\n", n + 1)).collect();
    let all = problems(&with(&format!("{LIFE}{many}")));
    assert_eq!(all.len(), 1, "{all:?}");
}

#[test]
fn other_words_are_another_version_and_what_was_said_is_kept_until_the_next() {
    let first = parse("t", &with(LIFE)).unwrap().config.routing;
    let first = merge(None, &first).unwrap();
    let other = parse("t", &with(&LIFE.replace("We open", "Back"))).unwrap().config.routing;
    let second = merge(Some(&first), &other).unwrap();
    assert_eq!(second.notices.len(), 2);
    assert!(second.notices[0].retired && !second.notices[0].texts.is_empty());
    assert_eq!(second.queues[1].life.closed.tell, Some(NoticeId(1)));
    assert_eq!(merge(Some(&second), &second).unwrap(), second);
    let third = merge(Some(&second), &other).unwrap();
    assert!(third.notices[0].texts.is_empty(), "nobody is being told them any more");
    let without = merge(Some(&second), &parse("t", SMALL).unwrap().config.routing).unwrap();
    assert!(without.queues[1].retired && without.calendars[0].retired);
    assert!(without.externals[0].retired && without.notices[1].retired);
    let back = merge(Some(&without), &other).unwrap();
    assert_eq!(back.queues[1].life.closed.tell, Some(NoticeId(1)), "the same words again");
    assert_eq!(back.queues[1].life.full, second.queues[1].life.full);
}
