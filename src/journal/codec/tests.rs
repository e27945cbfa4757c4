//! Tests of the codec: every event there and back, and batches written by older releases.

use std::path::PathBuf;
use std::{env, fs};

use proptest::prelude::*;

use super::arbitrary::{self, Any, Source, VARIANTS};
use super::*;
use crate::engine::event::Event;

const FIXTURE_SEED: u64 = 20_261_121;

proptest! {
    #[test]
    fn every_batch_comes_back_as_it_was(seed: u64, first in 1..u64::from(u32::MAX), entries in 1..5_u64) {
        let mut from = Source(seed);
        let batch = arbitrary::batch(first, entries, &mut from);
        let previous = Any::any(&mut from);
        let stored = decode(&encode(&batch, previous));
        prop_assert_eq!(stored, Ok(Stored { previous, batch }));
    }

    #[test]
    fn every_event_comes_back_as_it_was(seed: u64) {
        for name in VARIANTS {
            let mut from = Source(seed);
            let event = arbitrary::event(name, &mut from);
            prop_assert_eq!(arbitrary::variant(&event), *name);
            let entry = arbitrary::entry(1, vec![event], &mut from);
            let batch = Batch { entries: vec![entry], mark: None, wall: WallTime(0) };
            let stored = decode(&encode(&batch, [0; 32]));
            prop_assert_eq!(stored.map(|s| s.batch), Ok(batch));
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) {
        // Bytes that happen to be a batch must come back as themselves.
        if let Ok(stored) = decode(&bytes) {
            prop_assert_eq!(decode(&encode(&stored.batch, stored.previous)), Ok(stored));
        }
    }

    #[test]
    fn a_changed_batch_is_refused_or_read_but_never_panics(seed: u64, at: prop::sample::Index, to: u8) {
        let mut bytes = encode(&arbitrary::batch(1, 3, &mut Source(seed)), [3; 32]);
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(stored) = decode(&bytes) {
            prop_assert_eq!(decode(&encode(&stored.batch, stored.previous)), Ok(stored));
        }
    }
}

fn fixture(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal").join(file)
}

/// Entries with several events of each variant, in the order of the list: of what an event may
/// have or not have, most is there in one of them.
fn every_event() -> Batch {
    let mut entries = Vec::new();
    for (sequence, name) in (1..).zip(VARIANTS) {
        // A seed for each, so that one that is added leaves the others as they were.
        let mut from = Source(FIXTURE_SEED ^ u64::from(crc32fast::hash(name.as_bytes())));
        let events = (0..10).map(|_| arbitrary::event(name, &mut from)).collect();
        entries.push(arbitrary::entry(sequence, events, &mut from));
    }
    let mark =
        Some(Mark { sequence: entries.len() as u64, state_hash: 0xfeed_f00d, hash_version: 1 });
    Batch { entries, mark, wall: WallTime(1_795_294_800_000) }
}

#[test]
fn batches_written_by_format_1_load_to_the_same_value() {
    if env::var_os("SURGELINE_WRITE_FIXTURES").is_some() {
        let batch = every_event();
        fs::create_dir_all(fixture("")).unwrap();
        fs::write(fixture("v1.bin"), encode(&batch, [0xab; 32])).unwrap();
        fs::write(fixture("v1.txt"), format!("{batch:#?}\n")).unwrap();
    }
    let stored = decode(&fs::read(fixture("v1.bin")).unwrap()).unwrap();
    assert_eq!(stored.previous, [0xab; 32]);
    // Against text that was written then, not against what today's code would write.
    let then = fs::read_to_string(fixture("v1.txt")).unwrap();
    assert_eq!(format!("{:#?}\n", stored.batch), then);
    let held: Vec<_> =
        stored.batch.entries.iter().flat_map(|e| &e.events).map(arbitrary::variant).collect();
    for name in VARIANTS {
        assert!(held.contains(name), "{name} is not in the fixture");
    }
    for part in [
        "FaqPlan",
        "IvrPlan",
        "LotCheck",
        "Say(",
        "Reading",
        "Answering",
        "Listening",
        "Asked",
        "Leaving",
        "Entering",
        "Outlook",
        "Heed",
        "Entry {",
    ] {
        assert!(then.contains(part), "{part} is not in the fixture");
    }
}

/// A batch of one entry with one event, as a record to damage.
fn record(event: Event) -> pb::Batch {
    let entry = arbitrary::entry(1, vec![event], &mut Source(5));
    let batch = Batch { entries: vec![entry], mark: None, wall: WallTime(0) };
    pb::Batch::decode(encode(&batch, [0; 32]).as_slice()).unwrap()
}

fn refused(record: &pb::Batch) -> CodecError {
    decode(&record.encode_to_vec()).unwrap_err()
}

fn kind(record: &mut pb::Batch) -> &mut Option<pb::event::Kind> {
    &mut record.entries[0].events[0].kind
}

#[test]
fn an_event_of_a_newer_version_is_refused() {
    let mut newer = record(Event::Ordered { why: "because".into() });
    *kind(&mut newer) = None;
    assert_eq!(refused(&newer), CodecError::UnknownEvent { sequence: 1 });

    // As it looks on the wire: field 500 in the place of the event's own.
    let mut bytes = pb::Batch { entries: vec![], ..newer.clone() }.encode_to_vec();
    let event = [0xa2, 0x1f, 0x00];
    let mut entry = pb::Entry { events: vec![], ..newer.entries[0].clone() }.encode_to_vec();
    entry.extend([0x2a, 3]);
    entry.extend(event);
    bytes.push(0x3a);
    prost::encoding::encode_varint(entry.len() as u64, &mut bytes);
    bytes.extend(entry);
    assert_eq!(decode(&bytes), Err(CodecError::UnknownEvent { sequence: 1 }));
}

#[test]
fn a_batch_that_needs_a_newer_reader_is_refused() {
    let mut newer = record(Event::Ordered { why: "because".into() });
    newer.oldest_reader = FORMAT + 1;
    assert_eq!(refused(&newer), CodecError::TooNew { needs: FORMAT + 1, have: FORMAT });
}

#[test]
fn what_is_missing_or_out_of_range_is_named() {
    let lost = || record(Event::GatewayLost { gateway: crate::ids::GatewayId(1) });
    let mut wrong = lost();
    let Some(pb::event::Kind::GatewayLost(event)) = kind(&mut wrong) else { panic!("other event") };
    event.gateway = 65_536;
    assert_eq!(
        refused(&wrong),
        CodecError::OutOfRange { field: "GatewayLost.gateway", value: 65_536 }
    );
    wrong = lost();
    wrong.entries[0].actor = None;
    assert_eq!(refused(&wrong), CodecError::Missing { field: "Entry.actor" });
    wrong = lost();
    wrong.entries[0].events.clear();
    assert_eq!(refused(&wrong), CodecError::Empty { field: "Entry.events" });
    wrong = lost();
    wrong.entries[0].actor.as_mut().unwrap().role = 99;
    assert_eq!(refused(&wrong), CodecError::UnknownWord { field: "Actor.role", value: 99 });
    wrong = lost();
    wrong.entries[0].actor.as_mut().unwrap().role = 0;
    assert_eq!(refused(&wrong), CodecError::Missing { field: "Actor.role" });
    wrong = lost();
    wrong.previous_hash.pop();
    assert_eq!(
        refused(&wrong),
        CodecError::Length { field: "Batch.previous_hash", expected: 32, found: 31 }
    );
    wrong = lost();
    wrong.entries.clear();
    assert_eq!(refused(&wrong), CodecError::Empty { field: "Batch.entries" });
    wrong = lost();
    wrong.first_sequence = 7;
    assert_eq!(refused(&wrong), CodecError::Gap { expected: 7, found: 1 });
    wrong = lost();
    wrong.last_sequence = 2;
    assert_eq!(refused(&wrong), CodecError::Gap { expected: 2, found: 1 });

    let mut limits = record(Event::GatewayConnected {
        gateway: crate::ids::GatewayId(1),
        session: crate::ids::SessionId(1),
        limits: crate::engine::command::GatewayLimits::default(),
    });
    let Some(pb::event::Kind::GatewayConnected(event)) = kind(&mut limits) else {
        panic!("other event")
    };
    event.limits = None;
    assert_eq!(refused(&limits), CodecError::Missing { field: "GatewayConnected.limits" });
}

#[test]
fn what_is_wrong_with_a_recall_is_named() {
    type Damage = (fn(&mut pb::RecallStarted), CodecError);
    let out_of_range = |field, value| CodecError::OutOfRange { field, value };
    let damage: [Damage; 8] = [
        (|r| r.recall = 65_536, out_of_range("RecallStarted.recall", 65_536)),
        (|r| r.level = 6, CodecError::UnknownWord { field: "RecallStarted.level", value: 6 }),
        (|r| r.plan = None, CodecError::Missing { field: "RecallStarted.plan" }),
        (
            |r| plan(r).version.push(0),
            CodecError::Length { field: "Plan.version", expected: 32, found: 33 },
        ),
        (|r| plan(r).safety = None, CodecError::Missing { field: "Plan.safety" }),
        (|r| plan(r).scope.push(65_536), out_of_range("Plan.scope", 65_536)),
        (|r| menu(r).repeats = 256, out_of_range("IvrPlan.repeats", 256)),
        (|r| menu(r).options[0].entry = None, CodecError::Missing { field: "MenuOption.entry" }),
    ];
    for (damage, expected) in damage {
        let mut wrong = record(recall_started());
        let Some(pb::event::Kind::RecallStarted(started)) = kind(&mut wrong) else {
            panic!("other event")
        };
        damage(started);
        assert_eq!(refused(&wrong), expected);
    }
}

fn recall_started() -> Event {
    use crate::engine::recall::{Choice, IvrPlan, Level, Plan};
    let mut from = Source(7);
    let ivr = IvrPlan { options: [(b'1', Choice::Faq(3))].into_iter().collect(), ..any(&mut from) };
    let plan = Plan { ivr: Some(ivr), ..any(&mut from) };
    Event::RecallStarted {
        recall: crate::ids::RecallId(1),
        plan: plan.into(),
        level: Level::Surge,
        expires: any(&mut from),
    }
}

fn any<T: Any>(from: &mut Source) -> T {
    T::any(from)
}

fn plan(started: &mut pb::RecallStarted) -> &mut pb::Plan {
    started.plan.as_mut().unwrap()
}

fn menu(started: &mut pb::RecallStarted) -> &mut pb::IvrPlan {
    plan(started).ivr.as_mut().unwrap()
}

#[test]
fn what_is_wrong_with_a_text_to_say_is_named() {
    use crate::engine::event::EffectKind;
    use crate::engine::recall::{Say, Text};
    type Damage = (fn(&mut pb::Say), CodecError);
    let language = CodecError::NoLanguage { field: "Say.language" };
    let damage: [Damage; 6] = [
        (|s| text(s).kind = 0, CodecError::Missing { field: "Text.kind" }),
        (|s| text(s).key = None, CodecError::Missing { field: "Text.key" }),
        (|s| text(s).key = Some(256), CodecError::OutOfRange { field: "Text.key", value: 256 }),
        (|s| s.outlook = None, CodecError::Missing { field: "Say.outlook" }),
        (|s| s.language = Some("DE".into()), language.clone()),
        (|s| s.language = Some("deu".into()), language),
    ];
    for (damage, expected) in damage {
        let say = Say { text: Text::Option(b'1'), ..any(&mut Source(7)) };
        let (effect, contact) = (any(&mut Source(8)), any(&mut Source(9)));
        let mut wrong = record(Event::EffectAsked { effect, contact, kind: EffectKind::Say(say) });
        let Some(pb::event::Kind::EffectAsked(pb::EffectAsked { kind: Some(asked), .. })) =
            kind(&mut wrong)
        else {
            panic!("other event")
        };
        let Some(pb::effect::Kind::Say(say)) = &mut asked.kind else { panic!("other effect") };
        damage(say);
        assert_eq!(refused(&wrong), expected);
    }
}

fn text(say: &mut pb::Say) -> &mut pb::Text {
    say.text.as_mut().unwrap()
}
