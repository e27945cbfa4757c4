//! Tests of the configuration: what is refused and how it is said, what is kept, what the
//! documents must name.

mod queue_life;

use proptest::prelude::*;

use super::*;
use crate::engine::agent::{JUST_CONNECTED, RING_NO_ANSWER};
use crate::engine::routing::Settings;
use crate::time::Span;

const EXAMPLE: &str = include_str!("../../examples/surgeline.toml");
const MANUAL: &str = include_str!("../../docs/configuration.md");
const SMALL: &str = r#"
skills = ["billing", "tech"]
[[pools]]
name = "own"
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

fn report(source: &str) -> Report {
    match parse("test.toml", source) {
        Err(ConfigError::Invalid(report)) => *report,
        other => panic!("expected errors, found {other:?}"),
    }
}

/// Path, line, column and message of every problem.
fn problems(source: &str) -> Vec<(String, usize, usize, String)> {
    let report = report(source);
    let row = |p: &Problem| {
        let (line, column) = report.place(p);
        (p.path.to_string(), line, column, p.fault.to_string())
    };
    report.problems().iter().map(row).collect()
}

fn only(source: &str) -> (String, usize, usize, String) {
    let mut all = problems(source);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn built_in_and_example_are_clean() {
    for loaded in [built_in().unwrap(), parse("examples/surgeline.toml", EXAMPLE).unwrap()] {
        assert!(loaded.warnings.problems().is_empty(), "{}", loaded.warnings);
    }
    let routing = built_in().unwrap().config.routing;
    assert_eq!(routing.agents.len(), 12);
    assert_eq!(routing.reason_name(RING_NO_ANSWER), "ring-no-answer");
    assert_eq!(routing.reason_name(JUST_CONNECTED), "just-connected");
}

#[test]
fn example_and_manual_name_every_field() {
    let notes = Notes::default();
    read(EXAMPLE, &notes).unwrap();
    let fields = notes.into_fields();
    assert!(fields.len() > 30, "the example shows every section: {fields:?}");
    for (section, field) in fields {
        let shown = EXAMPLE.lines().any(|l| {
            l.starts_with(&format!("{field} ="))
                || l.trim_end().trim_matches(['[', ']']).rsplit('.').next() == Some(field)
        });
        let inline = ["queues.liveness", "queues.low_score"].contains(&section);
        let by_channel = inline || ["capacity", "cost", "interrupts"].contains(&section);
        assert!(shown || by_channel, "example: {section}.{field}");
        assert!(MANUAL.contains(&format!("`{field}`")), "manual: {section}.{field}");
    }
}

#[test]
fn the_examples_values_that_it_calls_defaults_are() {
    let said = parse("example", EXAMPLE).unwrap().config;
    let default = server::Config::default();
    // The example lies in another folder than its playbooks.
    assert_eq!(said.server.playbooks, Path::new("../playbooks"));
    assert_eq!(said.server.receipt_key(), default.receipt_key());
    let receipt_key = default.receipt_key.clone();
    let playbooks = default.playbooks.clone();
    assert_eq!(server::Config { playbooks, receipt_key, ..said.server }, default);
    assert_eq!(said.journal, journal::Config::default());
    assert_eq!(said.routing.settings, Settings::default());
    let bare = parse("bare", "[[queues]]\nname = \"q\"\nchannels = [\"voice\"]").unwrap();
    let (said, bare) = (&said.routing.queues[0], &bare.config.routing.queues[0]);
    assert_eq!(
        (said.target, said.head_start, said.reservation_timeout, said.connect_timeout),
        (bare.target, bare.head_start, bare.reservation_timeout, bare.connect_timeout),
    );
    assert_eq!(said.wrap_up, bare.wrap_up);
}

#[test]
fn a_need_out_of_range_is_placed_and_explained() {
    let (path, line, column, message) = only(&SMALL.replace("billing = 3", "billing = 7"));
    assert_eq!((path.as_str(), line, column), ("queues[0].needs.billing", 8, 21));
    assert_eq!(message, "found the integer 7, expected a whole number from 1 to 5");
}

#[test]
fn a_snippet_shows_the_line_and_a_caret() {
    let text = report(&SMALL.replace("queue = \"calls\"", "queue = \"cals\"")).render(false);
    for part in [
        "error: entry_points[0].queue: found `cals`, expected the name of a queue",
        "test.toml:15:9",
        "15 | queue = \"cals\"",
        "^^^^^^",
        "did you mean `calls`?",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn every_error_is_told_at_once() {
    let source = r#"
skills = ["Billing", "tech", "tech"]
colour = "red"
[server]
grpc = "0.0.0.0:50051"
http = 9464
[settings]
async_share = 51
pass_over = "soon"
[[queues]]
name = "calls"
channels = ["voice", "fax"]
needs = { teck = 3, tech = "high" }
pools = ["own"]
targt = "20s"
head_start = "25h"
[[agents]]
name = "ada"
primary = "tech"
capacity = { voice = 101 }
[[entry_points]]
queue = 3
"#;
    let found: Vec<String> = problems(source).into_iter().map(|p| p.0).collect();
    let expected = [
        "skills[0]",
        "skills[2]",
        "colour",
        "server.grpc",
        "server.http",
        "settings.async_share",
        "settings.pass_over",
        "queues[0].channels[1]",
        "queues[0].needs.teck",
        "queues[0].needs.tech",
        "queues[0].pools[0]",
        "queues[0].targt",
        "queues[0].head_start",
        "agents[0].pool",
        "agents[0].primary",
        "agents[0].capacity.voice",
        "entry_points[0].name",
        "entry_points[0].queue",
    ];
    let mut sorted = found.clone();
    sorted.sort_unstable();
    let mut wanted = expected.map(String::from).to_vec();
    wanted.sort_unstable();
    assert_eq!(sorted, wanted);
}

#[test]
fn an_unknown_field_names_the_allowed_ones_and_the_likely_one() {
    let source = SMALL.replace("needs =", "neds =");
    let (path, line, column, message) = only(&source);
    assert_eq!((path.as_str(), line, column), ("queues[0].neds", 8, 1));
    assert!(message.contains("found an unknown field `neds`, expected one of `name`, `channels`"));
    let advice = report(&source).problems()[0].fault.advice();
    assert_eq!(advice.as_deref(), Some("did you mean `needs`?"));
}

#[test]
fn a_list_below_a_section_is_sent_up() {
    let below = report("[settings]\ndispositions = [\"sold\"]");
    let advice = below.problems()[0].fault.advice();
    assert_eq!(advice.as_deref(), Some("lists of names stand before the first section of a file"));
    let queue = report(&SMALL.replace("needs =", "skills ="));
    assert_eq!(queue.problems()[0].fault.advice().as_deref(), Some("did you mean `needs`?"));
}

#[test]
fn syntax_errors_have_a_place() {
    let (path, line, column, message) = only("skills = [\"a\"\n[server]\n");
    assert_eq!((path.as_str(), line), ("", 2));
    assert!(column > 0 && !message.is_empty());
    // Beyond the last character, and of nothing at all.
    assert!(report("skills = [\"ä").render(true).contains("test.toml:1:"));
}

#[test]
fn a_name_twice_shows_where_it_was_first() {
    let source = SMALL.replace("[[queues]]", "[[pools]]\nname = \"own\"\n[[queues]]");
    assert_eq!(only(&source).0, "pools[1].name");
    let text = report(&source).render(false);
    assert!(text.contains("first here") && text.contains("4 | name = \"own\""), "{text}");
}

#[test]
fn a_queue_that_nobody_serves_is_a_warning() {
    for (from, to) in [
        ("needs = { billing = 3 }", "needs = { tech = 1 }"),
        ("skills = { billing = 5 }", "skills = { billing = 2 }"),
        ("skills = { billing = 5 }", "skills = { billing = 5 }\ncapacity = { chat = 1 }"),
    ] {
        let loaded = parse("test.toml", &SMALL.replace(from, to)).unwrap();
        assert_eq!((loaded.warnings.errors(), loaded.warnings.warnings()), (0, 1), "{to}");
        let text = loaded.warnings.to_string();
        assert!(text.contains("no agent can take voice from queue `calls`"), "{text}");
    }
    assert_eq!(parse("test.toml", SMALL).unwrap().warnings.warnings(), 0);
}

#[test]
fn a_queue_that_names_partners_is_a_warning_and_they_serve_it_not() {
    let warnings = |source: &str| {
        let loaded = parse("test.toml", source).unwrap();
        assert_eq!(loaded.warnings.errors(), 0);
        loaded.warnings.to_string()
    };
    let pool = "\n[[pools]]\nname = \"outside\"\npartner = true\n[[agents]]\nname = \"zoe\"\n\
                pool = \"outside\"\n";
    let queue =
        |more: &str| format!("\n[[queues]]\nname = \"q\"\nchannels = [\"voice\"]\n{more}\n");
    let names = "queue `q` names pool `outside`, whose agents are partners: they take nothing but \
                 what a recall lets them";
    let said = warnings(&(SMALL.to_owned() + &queue("pools = [\"outside\"]") + pool));
    assert_eq!(said.matches(names).count(), 1, "{said}");
    assert!(said.contains("no agent can take voice from queue `q`"), "{said}");
    let step = "steps = [{ after = \"1m\", add_pools = [\"outside\"] }]";
    let said = warnings(&(SMALL.to_owned() + &queue(step) + pool));
    assert_eq!(said.matches(names).count(), 1, "{said}");
    assert_eq!(warnings(&(SMALL.to_owned() + &queue("") + pool)), "");
    let own = pool.replace("partner = true", "partner = false");
    assert_eq!(warnings(&(SMALL.to_owned() + &queue(step) + &own)), "");
}

#[test]
fn a_queue_without_a_share_beside_one_with_one_is_a_warning() {
    let queue = |name: &str, more: &str| {
        format!("\n[[queues]]\nname = \"{name}\"\nchannels = [\"voice\"]\n{more}\n")
    };
    let warnings = |source: &str| {
        let loaded = parse("test.toml", source).unwrap();
        assert_eq!(loaded.warnings.errors(), 0);
        loaded.warnings.to_string()
    };
    let unset = SMALL.to_owned() + &queue("rare", "");
    assert_eq!(warnings(&unset), "", "nobody chose one");
    let mixed = SMALL.to_owned() + &queue("busy", "share = 70") + &queue("rare", "");
    let said = warnings(&mixed);
    for queue in ["calls", "rare"] {
        let of = format!("queue `{queue}` has no share and queue `busy`, which the same agents");
        assert_eq!(said.matches(&of).count(), 1, "{said}");
    }
    let other_policy = format!("{mixed}\n[settings]\ncontact_choice = \"oldest_first\"\n");
    assert_eq!(warnings(&other_policy), "", "it looks at no shares");
    let all = mixed.replace("needs = { billing = 3 }", "needs = { billing = 3 }\nshare = 10");
    assert!(!warnings(&all).contains("`calls` has no share"));
    // Others serve it, or it is of another class of service: never compared.
    let apart = "\n[[pools]]\nname = \"apart\"\n[[agents]]\nname = \"zoe\"\npool = \"apart\"\n";
    let pool = "share = 70\npools = [\"apart\"]";
    assert_eq!(warnings(&(SMALL.to_owned() + &queue("busy", pool) + apart)), "");
    assert_eq!(warnings(&(SMALL.to_owned() + &queue("busy", "share = 70\nsafety = true"))), "");
}

#[test]
fn a_primary_must_be_ones_own() {
    let (path, .., message) =
        only(&SMALL.replace("skills = { billing", "primary = \"tech\"\nskills = { billing"));
    assert_eq!(path, "agents[0].primary");
    assert!(message.contains("`tech`"));
}

#[test]
fn letters_may_wait_longer_to_be_answered_than_calls() {
    let letters = SMALL.replace("[\"voice\"]", "[\"email\"]\nreservation_timeout = \"12h\"");
    let queue = &parse("test.toml", &letters).unwrap().config.routing.queues[0];
    assert_eq!(queue.reservation_timeout, Span::seconds(43_200));
    let calls = SMALL.replace("[\"voice\"]", "[\"voice\"]\nreservation_timeout = \"12h\"");
    assert_eq!(only(&calls).0, "queues[0].reservation_timeout");
}

#[test]
fn groups_expand_and_clash() {
    let group = "[[agent_groups]]\nprefix = \"p\"\ncount = 1001\npool = \"own\"\n";
    let routing = parse("t", &format!("{SMALL}{group}")).unwrap().config.routing;
    assert_eq!(routing.agents.len(), 1_002);
    assert_eq!(&*routing.agents[1].name, "p-001");
    assert_eq!(&*routing.agents[1_001].name, "p-1001");
    let clash = SMALL.replace("\"ada\"", "\"p-002\"");
    assert_eq!(only(&format!("{clash}{group}")).0, "agent_groups[0].prefix");
}

#[test]
fn tables_have_limits_said_once() {
    let of = |n: usize| {
        let names: Vec<String> = (0..n).map(|i| format!("\"s{i}\"")).collect();
        format!("skills = [{}]", names.join(","))
    };
    assert!(parse("t", &of(1_024)).is_ok());
    assert_eq!(only(&of(1_030)).0, "skills[1024]");
    let reasons = of(255).replace("skills", "not_ready_reasons");
    assert_eq!(only(&reasons).0, "not_ready_reasons[254]");
    let group = "[[pools]]\nname = \"own\"\n[[agent_groups]]\npool = \"own\"\ncount = 100_000\n";
    assert!(parse("t", &format!("{group}prefix = \"p\"")).is_ok());
    let two = format!("{group}prefix = \"p\"\n{}", group.replace("[[pools]]\nname = \"own\"", ""));
    assert_eq!(only(&format!("{two}prefix = \"q\"")).0, "agent_groups[1].prefix");
}

#[test]
fn beyond_loopback_only_when_it_is_said() {
    let remote = "[server]\nhttp = \"[::]:9464\"\n";
    assert_eq!(only(remote).0, "server.http");
    let mut config =
        parse("t", &format!("{remote}allow_insecure_remote = true")).unwrap().config.server;
    assert_eq!(config.check_exposure(), Ok(()));
    config.allow_insecure_remote = false;
    assert!(matches!(config.check_exposure(), Err(Fault::Exposed { .. })));
}

#[test]
fn a_thousand_faults_are_counted_and_the_first_shown() {
    let names: Vec<String> = (0..1_000).map(|i| format!("\"S{i}\"")).collect();
    let report = report(&format!("skills = [\n{}]", names.join(",\n")));
    assert_eq!(report.errors(), 1_000);
    let text = report.to_string();
    assert_eq!(text.matches("error: ").count(), 100);
    assert!(text.contains("and 900 more"));
}

#[test]
fn the_routers_own_reasons_may_be_spelled_out() {
    let source = "not_ready_reasons = [\"lunch\", \"just-connected\"]";
    let reasons = parse("t", source).unwrap().config.routing.not_ready_reasons;
    let names: Vec<&str> = reasons.iter().map(|r| &*r.name).collect();
    assert_eq!(names, ["ring-no-answer", "just-connected", "lunch"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = load(Path::new("/no/such.toml")).unwrap_err();
    assert!(error.to_string().contains("/no/such.toml"));
}

proptest! {
    #[test]
    fn no_text_is_beyond_telling(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, "\\PC{0,3}"), 1..4),
    ) {
        let mut text: Vec<char> = EXAMPLE.chars().collect();
        for (at, length, insert) in cuts {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, insert.chars());
        }
        let text: String = text.into_iter().collect();
        match parse("t", &text) {
            Ok(loaded) => prop_assert_eq!(loaded.warnings.errors(), 0),
            Err(ConfigError::Invalid(report)) => {
                prop_assert!(report.errors() > 0);
                prop_assert!(report.render(true).contains("error"));
                for problem in report.problems() {
                    let (line, column) = report.place(problem);
                    prop_assert!(line <= text.lines().count() + 1 && column >= 1);
                }
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}

#[test]
fn playbooks_lie_beside_the_configuration_wherever_it_is_read_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("centre.toml");
    let lie = |source: &str| {
        std::fs::write(&path, source).unwrap();
        load(&path).unwrap().config.server.playbooks
    };
    assert_eq!(lie(""), folder.path().join("playbooks"));
    assert_eq!(lie("[recall]\nplaybooks = \"ready/made\""), folder.path().join("ready/made"));
    assert_eq!(lie("[recall]\nplaybooks = \"/srv/playbooks\""), Path::new("/srv/playbooks"));
    let faulty = parse("p", "[recall]\nplaybooks = \"\"\nplaybook = 1").unwrap_err().to_string();
    assert!(faulty.contains("recall.playbooks: ") && faulty.contains("did you mean `playbooks`?"));
    assert_eq!(built_in().unwrap().config.server.playbooks, Path::new("playbooks"));
}
