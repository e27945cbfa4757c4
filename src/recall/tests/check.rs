//! What `playbook check` says, and what the three examples are.

use super::*;
use crate::config::Fault;
use crate::engine::words::Channel;

/// Path, line and message of every problem, warnings included.
fn problems(source: &str) -> Vec<(String, usize, String)> {
    let report = match parse("p.toml", source, &[]) {
        Err(PlaybookError::Invalid(report)) => *report,
        Ok(loaded) => loaded.warnings,
        Err(error) => panic!("{error}"),
    };
    let row =
        |p: &crate::config::Problem| (p.path.to_string(), report.place(p).0, p.fault.to_string());
    report.problems().iter().map(row).collect()
}

/// The only problem of an example in which something was replaced.
fn only(name: &str, was: &str, is: &str) -> (String, String) {
    let source = source_of(name);
    assert!(source.contains(was), "{was}");
    let mut all = problems(&source.replacen(was, is, 1));
    assert_eq!(all.len(), 1, "{all:?}");
    let (path, _, message) = all.remove(0);
    (path, message)
}

#[test]
fn the_examples_are_clean() {
    for name in EXAMPLES {
        let loaded = example(name);
        assert!(loaded.warnings.problems().is_empty(), "{}", loaded.warnings);
        let playbook = loaded.playbook;
        for language in &playbook.languages {
            for channel in Channel::ALL {
                let message = playbook.message(channel, *language).unwrap();
                assert!(message.channels.contains(&channel));
                assert!(playbook.text(&message.id, *language).is_some());
            }
            for entry in &playbook.faq {
                let id = format!("{}{}", text_id::FAQ, entry.id);
                let text = playbook.text(&id, *language).unwrap();
                assert!(text.contains(&*entry.says[language].answer));
            }
            for id in [text_id::GREETING, text_id::INJURY, text_id::CANNOT_TELL, "ivr.option.1"] {
                assert!(playbook.text(id, *language).is_some(), "{name} {id}");
            }
        }
        assert!(playbook.text("no-such", Language::En).is_none());
    }
}

#[test]
fn the_lots_of_the_notices_are_affected() {
    let check = LotCheck::of(&example("glucose-sensor-2024").playbook);
    for lot in ["T60001948", "T60001966", "T60001969", "60001969#", "860001966"] {
        assert!(matches!(check.check(lot), LotVerdict::Affected { .. }), "{lot}");
    }
    assert_eq!(check.check("T60001949"), LotVerdict::NotAffected);
    let check = LotCheck::of(&example("peanut-butter-2022").playbook);
    for (lot, affected) in
        [("1274425", true), ("2140425", true), ("1273425", false), ("2141425", false)]
    {
        let verdict = check.check(lot);
        assert_eq!(matches!(verdict, LotVerdict::Affected { .. }), affected, "{lot}");
        assert_eq!(verdict == LotVerdict::NotAffected, !affected, "{lot}");
    }
    let check = LotCheck::of(&example("generic").playbook);
    assert_eq!(check.check("1274425"), LotVerdict::CannotTell);
}

#[test]
fn the_version_is_of_the_content() {
    for name in EXAMPLES {
        let playbook = example(name).playbook;
        let again = Playbook::from_canonical(&playbook.canonical()).unwrap();
        assert_eq!(again, playbook);
        assert_eq!(again.version(), playbook.version());
        let source = source_of(name);
        let commented = parse("c", &format!("# Looked at again.\n{source}"), &[]).unwrap();
        assert_eq!(commented.playbook.version(), playbook.version());
        let changed = source.replacen("person is here", "person is there", 1);
        let changed = parse("c", &changed, &[]).unwrap();
        assert_ne!(changed.playbook.version(), playbook.version());
    }
    assert!(Playbook::from_canonical(b"{}").is_err());
}

#[test]
fn a_generic_playbook_is_filled_on_the_day() {
    let source = source_of("generic");
    let open = example("generic").playbook;
    assert_eq!(open.open_slots, Slot::ALL);
    let fills: Vec<Fill<'_>> = Slot::ALL
        .into_iter()
        .map(|slot| Fill { slot, language: None, text: "the kettle" })
        .collect();
    let filled = parse("generic", &source, &fills).unwrap().playbook;
    assert!(filled.open_slots.is_empty());
    let said = filled.text("voice-en", Language::En).unwrap();
    assert!(said.starts_with("the kettle is recalling the kettle."), "{said}");
    assert_ne!(filled.version(), open.version());
    for text in ["", "see {website}", &"x".repeat(601)] {
        let fill = Fill { slot: Slot::Product, language: None, text };
        assert!(parse("generic", &source, &[fill]).is_err(), "{text}");
    }
}

#[test]
fn faults_are_precise() {
    let device = "glucose-sensor-2024";
    for (was, is, path, message) in [
        (
            "key = \"3\"",
            "key = \"0\"",
            "ivr.options[2].key",
            "found the key \"0\", which is a person always, expected a key from \"1\" to \"9\"",
        ),
        (
            "key = \"3\"",
            "key = \"2\"",
            "ivr.options[2].key",
            "found key `2` a second time, expected each name once",
        ),
        (
            "expires_after_days = 60",
            "expires_after_days = 91",
            "expires_after_days",
            "found the integer 91, expected a whole number from 1 to 90",
        ),
        (
            "entry = \"replacement\"",
            "entry = \"replacment\"",
            "ivr.options[1].entry",
            "found `replacment`, expected the name of a FAQ entry of this file",
        ),
        (
            "\"sick of\"",
            "\"not sick\"",
            "triage.en.unless[0]",
            "found the negation `not`, expected words that do not negate: negation never demotes",
        ),
        (
            "\"T60001969\"]",
            "\"T6\u{e9}\"]",
            "scope.lots[0].listed[2]",
            "found the string \"T6\u{e9}\", expected a lot: 3 to 32 letters and digits; spaces \
             and dashes do not count",
        ),
        (
            "  \"Is my sensor part of the recall?\",",
            "  \"Where is the serial number printed?\",",
            "faq[1].en.examples[0]",
            "found question `where is the serial number printed?` a second time, expected each \
             name once",
        ),
    ] {
        assert_eq!(only(device, was, is), (path.to_owned(), message.to_owned()));
    }
    let (path, message) = only("peanut-butter-2022", "last = \"2140425\"", "last = \"1140425\"");
    assert_eq!(path, "scope.lots[0]");
    assert!(message.starts_with("found the range 1274425 to 1140425, expected"), "{message}");
}

#[test]
fn faults_of_tiers_are_precise() {
    for (was, is, path, message) in [
        (
            "floor = 0.6",
            "floor = 1.5",
            "tiers.faq.floor",
            "found the float 1.5, expected a number from 0.0 to 1.0, such as 0.55",
        ),
        (
            "email_time_limit = \"48h\"",
            "email_time_limit = \"23h\"",
            "tiers.faq.email_time_limit",
            "found email_time_limit of 23h below email_silence of 24h, expected a limit that is no \
             shorter than the silence",
        ),
        (
            "chat_silence = \"10m\"",
            "chat_silence = \"8d\"",
            "tiers.faq.chat_silence",
            "found the string \"8d\", expected a duration from 30s to 168h, such as \"250ms\", \
             \"30s\", \"5m\" or \"1h 30m\"",
        ),
        (
            "pool = \"safety-desk\"",
            "",
            "safety",
            "found neither, expected one of `pool` and `agents`",
        ),
    ] {
        let found = only("glucose-sensor-2024", was, is);
        assert_eq!(found, (path.to_owned(), message.to_owned()));
    }
}

#[test]
fn a_menu_without_options_is_refused() {
    let source = source_of("glucose-sensor-2024");
    let (before, rest) = source.split_once("[[ivr.options]]").expect("it has some");
    let (_, after) = rest.split_once("\n[triage").expect("triage follows");
    let told = problems(&format!("{before}\n[triage{after}"));
    let paths: Vec<&str> = told.iter().map(|(path, ..)| path.as_str()).collect();
    assert_eq!(paths, ["ivr.options"], "a caller would hear nothing more");
}

#[test]
fn placeholders_are_filled_known_or_refused() {
    let (path, message) =
        only("glucose-sensor-2024", "You can check it on {website}.", "See {websit}.");
    assert_eq!(path, "messages[0].not_yet_known");
    assert!(message.starts_with("found the placeholder {websit}, expected {product}"), "{message}");
    let (_, message) = only("glucose-sensor-2024", "check it on {website}.", "check {phone}.");
    assert_eq!(message, "found {phone} unfilled, expected slots.phone in a specific playbook");
    let (_, message) = only("glucose-sensor-2024", "Lot {lot} is one", "Lot {wait} is one");
    assert!(message.starts_with("found the placeholder {wait}, expected {lot}"), "{message}");
    let (_, message) = only("glucose-sensor-2024", "Lot {lot} is one", "Lot {lot is one");
    assert!(message.starts_with("found the placeholder {lot is one"), "{message}");
}

#[test]
fn a_control_that_cannot_be_meant_is_told_where_it_is_written() {
    for (control, path, told) in [
        ("wait = [\"30s\", \"1m\"]", "control.wait", "three times, for elevated"),
        ("wait = [\"2m\", \"1m\", \"4m\"]", "control.wait", "none shorter than before"),
        ("held = [\"0s\", \"1m\", \"4m\"]", "control.held[0]", "1s"),
        ("load = 61", "control.load", "0.0 to 60.0"),
        ("gateway = 1.5", "control.gateway", "0.0 to 1.0"),
        ("release = 1.0", "control.release", "below `load`"),
        ("highest = \"tail\"", "control.highest", "elevated, surge or critical"),
        ("lowest = \"surge\"\nhighest = \"elevated\"", "control.lowest", "not above `highest`"),
        ("leave = \"1m\"", "control.leave", "leave_after"),
    ] {
        let source = format!("{}\n[control]\n{control}", source_of("peanut-butter-2022"));
        let found = problems(&source);
        let [(at, _, text)] = &found[..] else { panic!("{control}: {found:?}") };
        assert!(at == path && text.contains(told), "{control}: {found:?}");
    }
}

#[test]
fn warnings_do_not_fail_it() {
    let source = source_of("peanut-butter-2022");
    let interim = "interim = \"Until then, do not use them for food.\"\n";
    let warned = parse("p", &source.replacen(interim, "", 1), &[]).unwrap();
    let faults: Vec<_> = warned.warnings.problems().iter().map(|p| &p.fault).collect();
    assert_eq!(faults, [&Fault::WithoutInterim { severity: "high" }]);
    let channels = "channels = [\"chat\", \"message\", \"email\"]";
    let warned = parse("p", &source.replacen(channels, "channels = [\"chat\"]", 1), &[]).unwrap();
    let texts: Vec<_> = warned.warnings.problems().iter().map(|p| p.fault.to_string()).collect();
    assert_eq!(texts, ["no message for email in en", "no message for message in en"]);
    let playbook = warned.playbook;
    assert_eq!(&*playbook.message(Channel::Email, Language::En).unwrap().id, "voice-en");
}

#[test]
fn an_empty_file_says_what_a_playbook_needs() {
    let missing: Vec<String> = problems("").into_iter().map(|(path, _, _)| path).collect();
    assert_eq!(
        missing,
        [
            "title",
            "kind",
            "severity",
            "languages",
            "expires_after_days",
            "scope",
            "messages",
            "triage",
            "agent_script",
            "safety"
        ]
    );
    assert_eq!(problems("title = ").len(), 1);
}

#[test]
fn the_manual_names_every_field() {
    let manual = std::fs::read_to_string(root().join("docs/playbook.md")).unwrap();
    let notes = Notes::default();
    for name in EXAMPLES {
        read::read(&source_of(name), &notes, &[]).unwrap();
    }
    let control = format!("{}\n[control]", source_of("generic"));
    read::read(&control, &notes, &[]).unwrap();
    let fields = notes.into_fields();
    assert!(fields.len() > 60, "{fields:?}");
    for (section, field) in fields {
        assert!(manual.contains(&format!("`{field}`")), "{section}.{field}");
    }
}
