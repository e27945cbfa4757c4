//! Levels that are left free, hours of them: when they move, and why.

use super::day::{Day, HOUR};
use super::*;
use crate::engine::Engine;
use crate::engine::recall::control::{ControlPlan, LevelCause, Pressure, Within};

pub(super) const FREE: Option<Within> = Some(Within { lowest: None, highest: None });

/// The usual load for an hour, then up to so many times that within a quarter of an hour, half of it
/// gone every hour from there.
fn wave(usual: f64, times: f64) -> impl Fn(f64) -> f64 {
    move |minute| match minute - 60.0 {
        before if before < 0.0 => usual,
        up if up < 15.0 => usual * (1.0 + (times - 1.0) * up / 15.0),
        down => usual * (1.0 + (times - 1.0) * 0.5f64.powf((down - 15.0) / 60.0)),
    }
}

#[test]
fn a_wave_of_25_times_is_met_in_minutes_by_three_agents_and_by_many() {
    for (agents, usual) in [(3, 0.3), (300, 0.7)] {
        let mut day = Day::new(agents, 1);
        day.start(HOTLINE, Level::Normal, FREE);
        day.until(HOUR + 720, HOTLINE, wave(usual, 25.0));
        let moves = day.moves(RECALL);
        let levels: Vec<Level> = moves.iter().map(|(_, level)| *level).collect();
        assert_eq!(levels, [Level::Elevated, Level::Surge, Level::Critical], "{agents}: {moves:?}");
        let last = if agents == 3 { 600 } else { 360 };
        assert!(moves[0].0 > HOUR && moves[2].0 < HOUR + last, "{agents}: {moves:?}");
    }
}

#[test]
fn at_1_3_times_the_usual_neither_callbacks_nor_partners_are_called_for() {
    let mut raised = 0;
    for seed in 0..40 {
        let mut day = Day::new(100, seed);
        day.start(HOTLINE, Level::Normal, FREE);
        day.until(3 * HOUR, HOTLINE, wave(0.7, 1.3));
        let moves = day.moves(RECALL);
        assert!(moves.iter().all(|(_, level)| *level <= Level::Elevated), "{seed}: {moves:?}");
        raised += u32::from(!moves.is_empty());
    }
    assert!(raised <= 8, "{raised} of 40");
    // And where it lasts.
    let mut day = Day::new(60, 0);
    day.start(HOTLINE, Level::Normal, FREE);
    day.until(6 * HOUR, HOTLINE, |_| 0.91);
    let moves = day.moves(RECALL);
    assert!(moves.iter().all(|(_, level)| *level <= Level::Elevated), "{moves:?}");
}

#[test]
fn a_center_that_opens_or_comes_back_makes_no_wave_of_it() {
    for (agents, load) in [(100, 0.85), (400, 0.85), (400, 0.9)] {
        let mut day = Day::new(agents, 4);
        day.start(HOTLINE, Level::Normal, FREE);
        day.until(HOUR / 4, HOTLINE, |_| 0.0);
        day.until(HOUR, HOTLINE, |_| load);
        let moves = day.moves(RECALL);
        assert!(
            moves.iter().all(|(_, level)| *level < Level::Surge),
            "{agents}, {load}: {moves:?} {}",
            day.why()
        );
    }
}

#[test]
fn where_nobody_is_at_work_whoever_comes_is_too_many() {
    let mut day = Day::new(0, 1);
    day.start(HOTLINE, Level::Normal, FREE);
    assert_eq!(day.moves(RECALL), []);
    day.comes(HOTLINE);
    day.until(300, HOTLINE, |_| 0.0);
    let levels: Vec<Level> = day.moves(RECALL).iter().map(|(_, level)| *level).collect();
    assert_eq!(levels, [Level::Elevated, Level::Surge, Level::Critical], "nobody to take them");
    let look = day.engine.look(day.engine.recall(RECALL).expect("in force"), day.clock);
    assert!(look.certain.iter().all(|load| *load == 1_000_000), "{look:?}");
}

#[test]
fn waves_are_seen_in_time() {
    for (times, most) in [(3.0, 8.0), (5.0, 6.0), (10.0, 4.0)] {
        let on = |seed| {
            let mut day = Day::new(100, seed);
            day.start(HOTLINE, Level::Normal, FREE);
            day.until(HOUR + 900, HOTLINE, wave(0.7, times));
            let first = day.moves(RECALL).first().map_or(9_999, |(at, _)| *at);
            first as f64 / 60.0 - 60.0
        };
        let mean = (0..20).map(on).sum::<f64>() / 20.0;
        assert!((0.5..most).contains(&mean), "{times}: {mean:.1} minutes");
    }
}

#[test]
fn a_load_that_is_just_full_makes_nothing_flap() {
    for (agents, seed) in [(3, 1), (3, 2), (30, 2), (30, 3), (300, 4)] {
        let mut day = Day::new(agents, seed);
        day.start(HOTLINE, Level::Normal, FREE);
        day.until(6 * HOUR, HOTLINE, |_| 1.0);
        let moves = day.moves(RECALL);
        assert!(moves.len() <= 12, "{agents}: {moves:?}");
        let last = moves.iter().filter(|(at, _)| *at > 3 * HOUR).count();
        assert!(last <= 6, "less and less: {agents}: {moves:?}");
    }
}

#[test]
fn after_the_wave_everything_is_left_in_reverse_order() {
    let mut day = Day::new(30, 5);
    day.start(HOTLINE, Level::Normal, FREE);
    let over = |minute| if minute < 90.0 { wave(0.7, 6.0)(minute) } else { 0.4 };
    day.until(3 * HOUR, HOTLINE, over);
    let moves = day.moves(RECALL);
    let levels: Vec<Level> = moves.iter().map(|(_, level)| *level).collect();
    let (surge, elevated) = (Level::Surge, Level::Elevated);
    let all = [elevated, surge, Level::Critical, surge, elevated, Level::Normal];
    assert_eq!(levels, all, "{moves:?}");
    for pair in moves[2..].windows(2) {
        assert!(pair[1].0 - pair[0].0 >= 120, "one after the other: {moves:?}");
    }
    assert!(moves[3].0 >= 90 * 60 + 600, "not before ten minutes of calm: {moves:?}");
    let causes: Vec<&str> = (day.journal.iter())
        .filter_map(|(_, event)| match event {
            Event::LevelChanged { cause, .. } => Some(cause.name()),
            _ => None,
        })
        .collect();
    assert_eq!(causes, ["pressed", "pressed", "pressed", "calm", "calm", "calm"]);
    let presses = day.journal.iter().filter(|(_, e)| matches!(e, Event::LevelPressed { .. }));
    assert!(presses.count() < 60, "only what changes is an event");
}

#[test]
fn bounds_hold_and_what_is_pinned_stays() {
    let mut day = Day::new(3, 1);
    day.start(HOTLINE, Level::Normal, None);
    day.until(HOUR + 900, HOTLINE, wave(0.3, 25.0));
    assert_eq!(day.moves(RECALL), [], "it is pinned");
    let order = |lowest, highest| {
        let within = Within { lowest: Some(lowest), highest: Some(highest) };
        Command::Recall {
            order: RecallOrder::Free { recall: RECALL, within },
            why: Arc::from("over night"),
        }
    };
    day.run(&order(Level::Elevated, Level::Surge));
    let freed = day.moves(RECALL);
    assert_eq!(freed.last().map(|(_, level)| *level), Some(Level::Elevated), "at once");
    day.until(HOUR + 1_800, HOTLINE, wave(0.3, 25.0));
    let level = |day: &Day| day.engine.recall(RECALL).expect("in force").level;
    assert_eq!(level(&day), Level::Surge, "and no higher");
    day.until(3 * HOUR, HOTLINE, |_| 0.2);
    assert_eq!(level(&day), Level::Elevated, "and no lower");
    let set = RecallOrder::SetLevel { recall: RECALL, level: Level::Elevated };
    day.run(&Command::Recall { order: set, why: Arc::from("stay") });
    assert!(day.engine.recall(RECALL).is_some_and(|r| r.control.is_none()), "pinned where it is");
    for (lowest, highest, field) in [
        (Level::Critical, Level::Surge, "to.free.lowest"),
        (Level::Normal, Level::Tail, "to.free.highest"),
    ] {
        let refused = day.engine.handle(day.clock, None, &order(lowest, highest), &mut Vec::new());
        assert!(matches!(refused, Err(Refusal::OutOfRange { field: f, .. }) if f == field));
    }
}

#[test]
fn a_snapshot_in_the_middle_goes_on_as_the_owner_does() {
    let mut day = Day::new(10, 9);
    day.start(HOTLINE, Level::Normal, FREE);
    day.until(HOUR + 300, HOTLINE, wave(0.7, 10.0));
    assert_eq!(day.replayed().state_hash(), day.engine.state_hash(), "by its events alone");
    let restored = Engine::restore(&day.engine.image()).expect("a state");
    let mut other = day.beside(restored);
    let before = day.journal.len();
    for day in [&mut day, &mut other] {
        day.until(2 * HOUR, HOTLINE, wave(0.7, 10.0));
    }
    assert!(day.journal[before..] == other.journal[..], "the same events at the same times");
    assert!(!other.moves(RECALL).is_empty(), "it moved after the snapshot");
    assert_eq!(day.engine.state_hash(), other.engine.state_hash());
}

#[test]
fn two_recalls_are_judged_by_what_comes_to_each() {
    let mut day = Day::new(10, 3);
    day.start(HOTLINE, Level::Normal, FREE);
    day.start(SHOP, Level::Normal, FREE);
    day.until(HOUR + 900, HOTLINE, wave(0.7, 10.0));
    assert_eq!(day.engine.recall(RECALL).expect("in force").level, Level::Critical);
    assert_eq!(day.moves(RecallId(2)), [], "nobody came to the shop");
    let look = |id| day.engine.look(day.engine.recall(id).expect("in force"), day.clock);
    assert!(look(RECALL).wait > 60_000 && look(RECALL).certain[2] > 1_000, "{:?}", look(RECALL));
    let quiet = look(RecallId(2));
    assert_eq!((quiet.wait, quiet.load, quiet.certain), (0, [0; 3], [0; 3]));
}

#[test]
fn why_it_moved_can_be_read() {
    let mut day = Day::new(3, 1);
    day.start(HOTLINE, Level::Normal, FREE);
    day.until(HOUR + 900, HOTLINE, wave(0.3, 25.0));
    let cause = day.journal.iter().find_map(|(_, event)| match event {
        Event::LevelChanged { cause, .. } => Some(*cause),
        _ => None,
    });
    let Some(LevelCause::Pressed { by, lasting }) = cause else { panic!("{cause:?}") };
    assert!(by.value > by.threshold && lasting >= Span::seconds(60), "{cause:?}");
    let told = cause.map(|c| c.to_string()).unwrap_or_default();
    let begins = if by.of == Pressure::Wait { "wait " } else { "load of at least " };
    assert!(told.starts_with(begins) && told.ends_with(" s"), "{told}");
    assert_eq!(ControlPlan::default().look_every(), Span::seconds(5));
}
