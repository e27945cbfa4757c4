//! What differs, as people are told it.

use super::*;
use crate::config::{merge, parse};

const FILE: &str = r#"
skills = ["billing", "tech"]
[languages]
de = "tech"
[[pools]]
name = "own"
[[pools]]
name = "partner"
[[queues]]
name = "calls"
channels = ["voice"]
needs = { billing = 3 }
[[agents]]
name = "ada"
pool = "own"
skills = { billing = 5 }
[[entry_points]]
name = "line"
queue = "calls"
"#;

fn between(old: &str, new: &str) -> Vec<String> {
    let read = |text: &str| parse("t", text).expect("it is sound").config.routing;
    let old = merge(None, &read(old)).expect("few names");
    let new = merge(Some(&old), &read(new)).expect("few names");
    assert_eq!(changes(&new, &new), []);
    let told = |c: Change| {
        let fields = match &c.how {
            How::Changed(fields) => fields.as_slice(),
            _ => &[],
        };
        let fields: Vec<String> =
            fields.iter().map(|f| format!(" {}: {} -> {}", f.field, f.old, f.new)).collect();
        format!("{} {} {}{}", c.section, c.name, c.how.name(), fields.concat())
    };
    changes(&old, &new).into_iter().map(told).collect()
}

#[test]
fn what_changed_is_told_by_name_and_field_by_field() {
    let new = FILE
        .replace("billing = 3", "billing = 4, tech = 1")
        .replace("name = \"own\"", "name = \"own\"\n[[pools]]\nname = \"new\"")
        .replace("pool = \"own\"", "pool = \"new\"\ncapacity = { chat = 3 }")
        .replace(
            "[languages]\n",
            "[settings]\npass_over = \"90s\"\n[languages]\nfr = \"billing\"\n",
        )
        .replace("de = \"tech\"", "de = \"billing\"");
    assert_eq!(
        between(FILE, &new),
        [
            "settings settings changed pass_over: 1m -> 1m 30s",
            "languages de changed skill: tech -> billing",
            "languages fr added",
            "pools new added",
            "queues calls changed needs: { billing = 3 } -> { billing = 4, tech = 1 }",
            "agents ada changed pool: own -> new capacity: { chat = 1, email = 1, message = 1, voice = 1 } -> { chat = 3 }",
        ]
    );
}

#[test]
fn what_a_queue_does_in_the_course_of_a_wait_is_told_too() {
    let more = r#"
[[calendars]]
name = "office"
zone = "Europe/Berlin"
week = { mon = ["08:00-18:00"], sun = ["22:00-02:00"] }
[[calendars.holidays]]
date = 2026-12-24
hours = ["09:00-12:00"]
[[externals]]
name = "partner"
numbers = { voice = "+1555" }
[[announcements]]
name = "closed"
texts = { en = "Closed." }
[promises]
lead = "5m"
[[not_ready_reasons]]
name = "lunch"
limit = "30m"
most_at_once = 2
counts_as = "break"
"#;
    let life = "needs = { billing = 3 }\nhours = \"office\"\n\
         closed = { then = \"close\", tell = \"closed\" }\n\
         full = { then = \"external\", to = \"partner\" }\nmost_waiting = 7\n\
         keep_place = \"5m\"\ncallback = { share = 20 }\n\
         steps = [{ after = \"1m\", lower_proficiency = 1, add_pools = [\"partner\"], \
         overflow = { external = \"partner\" } }]";
    let file = FILE.replace("needs = { billing = 3 }", life) + more;
    let told = between(FILE, &file);
    for (place, begins) in [
        "promises promises changed lead: 15m -> 5m",
        "not_ready_reasons lunch added",
        "calendars office added",
        "externals partner added",
        "announcements closed added",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(told[place], begins);
    }
    for says in [
        "hours: none -> office",
        "closed: { then = wait } -> { then = close, tell = closed }",
        "full: { then = wait } -> { then = external, to = partner }",
        "most_waiting: 0 -> 7",
        "keep_place: 30m -> 5m",
        "steps: [] -> [{ after = 1m, lower_proficiency = 1, add_pools = [partner], overflow = partner }]",
        "callback: none -> { mode = agent_first, share = 20,",
    ] {
        assert!(told[5].contains(says), "{says}: {}", told[5]);
    }
    let later =
        file.replace("22:00-02:00", "21:00-02:00").replace("limit = \"30m\"", "limit = \"45m\"");
    assert_eq!(
        between(&file, &later),
        [
            "not_ready_reasons lunch changed limit: 30m -> 45m",
            "calendars office changed week: [mon 08:00-18:00, sun 22:00-02:00] -> [mon 08:00-18:00, sun 21:00-02:00]",
        ]
    );
}

#[test]
fn a_pool_that_becomes_partners_is_told() {
    let new = FILE.replace("name = \"own\"", "name = \"own\"\npartner = true");
    assert_eq!(between(FILE, &new), ["pools own changed partner: false -> true"]);
    assert_eq!(between(&new, FILE), ["pools own changed partner: true -> false"]);
}

#[test]
fn what_goes_and_what_comes_back_is_told_once() {
    let without = FILE.replace("[[entry_points]]\nname = \"line\"\nqueue = \"calls\"\n", "");
    assert_eq!(between(FILE, &without), ["entry_points line retired"]);
    assert_eq!(between(&without, FILE), ["entry_points line added"]);
    let read = |text: &str| parse("t", text).expect("it is sound").config.routing;
    let first = read(FILE);
    let second = merge(Some(&first), &read(&without)).expect("few names");
    let third = merge(Some(&second), &first).expect("few names");
    let back = changes(&second, &third);
    assert_eq!((back.len(), back[0].how.clone()), (1, How::Added), "{back:?}");
    assert_eq!(changes(&second, &second), [], "what is retired stays so without a word");
}

#[test]
fn an_order_that_means_nothing_is_no_change() {
    let turned = FILE.replace("[\"billing\", \"tech\"]", "[\"tech\", \"billing\"]");
    assert_eq!(between(FILE, &turned), [""; 0]);
}
