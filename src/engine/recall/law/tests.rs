//! The law in tables: what presses, what is calm, and the way of a level through both.

use super::*;

const BOUNDS: Bounds = Bounds { lowest: Level::Normal, highest: Level::Critical };

fn at(s: u64) -> EngineTime {
    EngineTime::ZERO + Span::seconds(s)
}

/// Seconds of wait, load and certain load in hundredths.
fn look(wait: u32, load: u32, certain: u32) -> Look {
    Look {
        wait: wait * 1_000,
        load: [load * 10; 3],
        certain: [certain * 10; 3],
        doubtful: [load * 10; 3],
        ..Look::default()
    }
}

/// The level through looks at times, and when it moved.
fn moves(from: Level, bounds: Bounds, looks: &[(u64, Look)], until: u64) -> Vec<(u64, Level)> {
    let plan = ControlPlan::default();
    let (mut level, mut control, mut all) = (from, Control::new(bounds), Vec::new());
    for now in (0..=until).step_by(5) {
        let look = looks.iter().rev().find(|(from, _)| *from <= now).expect("a first look").1;
        control.pressing = pressing(&plan, &control.pressing, &look, at(now));
        if let Some((to, _)) = step(&plan, level, &control, &look, at(now)) {
            moved(&plan, level, to, &mut control, at(now));
            level = to;
            control.pressing = pressing(&plan, &control.pressing, &look, at(now));
            all.push((now, to));
        }
    }
    all
}

#[test]
fn what_a_rung_is_wanted_by() {
    let plan = ControlPlan::default();
    let wait = |value, threshold| Some(Reading { of: Pressure::Wait, value, threshold });
    let load = |value| Some(Reading { of: Pressure::Load, value, threshold: 1_000 });
    let full = Look { sessions: 851, ..Look::default() };
    let ports = Look { ports: 900, ..Look::default() };
    for (looked, expected) in [
        (look(120, 100, 100), [None, None, None]),
        (look(121, 0, 0), [wait(121_000, 120_000), None, None]),
        (look(241, 0, 0), [wait(241_000, 120_000), wait(241_000, 240_000), None]),
        (look(0, 130, 99), [None, None, None]),
        (look(0, 130, 101), [load(1_010); 3]),
        (full, [Some(Reading { of: Pressure::Sessions, value: 851, threshold: 850 }); 3]),
        (ports, [Some(Reading { of: Pressure::IvrPorts, value: 900, threshold: 850 }); 3]),
    ] {
        let found = [0, 1, 2].map(|rung| looked.presses(&plan, rung));
        assert_eq!(found, expected, "{looked:?}");
    }
}

#[test]
fn what_lets_a_rung_be_left() {
    let plan = ControlPlan::default();
    let owed = |s| Look { owed: Span::seconds(s), ..Look::default() };
    for (looked, expected) in [
        (look(59, 87, 0), [true; 3]),
        (look(60, 87, 0), [false, true, true]),
        (look(120, 87, 0), [false, false, true]),
        (look(0, 88, 0), [false, true, true]),
        (look(0, 93, 0), [false, true, true]),
        (look(0, 94, 0), [false; 3]),
        (Look { ports: 700, ..Look::default() }, [true; 3]),
        (Look { ports: 701, ..Look::default() }, [false; 3]),
        (Look { sessions: 701, ..Look::default() }, [false; 3]),
        (owed(900), [true; 3]),
        (owed(901), [true, false, false]),
    ] {
        let found = [0, 1, 2].map(|rung| looked.is_calm(&plan, rung, false));
        assert_eq!(found, expected, "{looked:?}");
    }
    let noisy = Look { load: [950; 3], doubtful: [840; 3], ..Look::default() };
    assert!(!noisy.is_calm(&plan, 0, false), "it begins when the load is low");
    assert!(noisy.is_calm(&plan, 0, true), "and chance does not end it");
}

#[test]
fn rungs_are_climbed_one_by_one_while_their_dwells_run_beside_each_other() {
    use Level::{Critical, Elevated, Normal, Surge};
    let wave = [(0, look(0, 50, 0)), (100, look(300, 900, 900))];
    let all = vec![(160, Elevated), (165, Surge), (220, Critical)];
    assert_eq!(moves(Normal, BOUNDS, &wave, 5_000), all);
    let most = Bounds { highest: Surge, ..BOUNDS };
    assert_eq!(moves(Normal, most, &wave, 5_000), all[..2]);
    // A break, however short, and the dwell begins anew.
    let broken = [(0, look(130, 0, 0)), (50, look(0, 0, 0)), (55, look(130, 0, 0))];
    assert_eq!(moves(Normal, BOUNDS, &broken, 5_000), [(115, Elevated)]);
    assert_eq!(moves(Normal, BOUNDS, &[(0, look(179, 0, 0))], 5_000), [(60, Elevated)]);
}

#[test]
fn rungs_are_left_in_reverse_order_while_their_calms_run_beside_each_other() {
    use Level::{Critical, Elevated, Normal, Surge, Tail};
    let over = [(0, look(0, 40, 0))];
    let all = [(600, Surge), (720, Elevated), (840, Normal)];
    assert_eq!(moves(Critical, BOUNDS, &over, 9_000), all);
    for (lowest, expected) in [
        (Tail, [(600, Surge), (720, Elevated), (840, Tail)].to_vec()),
        (Elevated, [(600, Surge), (720, Elevated)].to_vec()),
        (Critical, Vec::new()),
    ] {
        let bounds = Bounds { lowest, ..BOUNDS };
        assert_eq!(moves(Critical, bounds, &over, 9_000), expected, "{lowest:?}");
    }
    assert_eq!(moves(Tail, BOUNDS, &over, 9_000), [(600, Normal)]);
    // Between entering and leaving lies what moves nothing.
    for between in [look(80, 50, 0), look(10, 95, 99)] {
        assert_eq!(moves(Elevated, BOUNDS, &[(0, between)], 9_000), [], "{between:?}");
    }
    // The lowest is left by a load that the higher ones are left above.
    let falls = [(0, look(0, 90, 0)), (1_000, look(0, 80, 0))];
    assert_eq!(
        moves(Critical, BOUNDS, &falls, 9_000),
        [(600, Surge), (720, Elevated), (1_600, Normal)]
    );
    // One that presses is not calm, whatever a longer while says.
    let sudden = [(0, look(0, 40, 0)), (595, look(0, 40, 101)), (600, look(0, 40, 0))];
    assert_eq!(moves(Elevated, BOUNDS, &sudden, 9_000), [(1_200, Normal)]);
    let again = [(0, look(0, 40, 0)), (595, look(200, 40, 0)), (600, look(0, 40, 0))];
    assert_eq!(moves(Elevated, BOUNDS, &again, 9_000), [(1_200, Normal)]);
}

#[test]
fn what_comes_next_is_known_before_it_comes() {
    let plan = ControlPlan::default();
    let control = |look: &Look| Control {
        pressing: pressing(&plan, &Pressing::default(), look, at(50)),
        ..Control::new(BOUNDS)
    };
    let by = Reading { of: Pressure::Wait, value: 253_000, threshold: 240_000 };
    let rises = next(&plan, Level::Elevated, &control(&look(253, 0, 0)));
    let expected = Next { to: Level::Surge, since: at(50), due: at(110), by: Some(by) };
    assert_eq!(rises, Some(expected));
    assert_eq!(by.to_string(), "wait 253 s > 240 s");
    let falls = next(&plan, Level::Elevated, &control(&look(0, 0, 0)));
    let expected = Next { to: Level::Normal, since: at(50), due: at(650), by: None };
    assert_eq!(falls, Some(expected));
    assert_eq!(next(&plan, Level::Normal, &control(&look(0, 0, 0))), None);
}

#[test]
fn of_a_limit_that_is_not_said_nothing_is_used() {
    for (now, most, expected) in [(0, 10, 0), (17, 20, 850), (30, 20, 1_500), (9, 0, 0)] {
        assert_eq!(used(now, most), expected, "{now} of {most}");
    }
}

#[test]
fn a_rung_that_had_to_be_entered_again_is_left_later_each_time() {
    use Level::{Elevated, Normal};
    // Presses for 100 s in every hour, and not at all.
    let waves: Vec<(u64, Look)> = (0..6u64)
        .flat_map(|n| [(n * 3_000, look(130, 0, 0)), (n * 3_000 + 100, look(0, 0, 0))])
        .collect();
    let found = moves(Normal, BOUNDS, &waves, 17_999);
    let expected = [
        (60, Elevated),
        (700, Normal),
        (3_060, Elevated),
        (4_300, Normal),
        (6_060, Elevated),
        (8_500, Normal),
        (9_060, Elevated),
        // Now 80 minutes, which the next ones break.
    ];
    assert_eq!(found, expected);
    let far = [
        (0, look(130, 0, 0)),
        (100, look(0, 0, 0)),
        (8_000, look(130, 0, 0)),
        (8_100, look(0, 0, 0)),
    ];
    let found = moves(Normal, BOUNDS, &far, 12_000);
    assert_eq!(found.last(), Some(&(8_700, Normal)), "long after it is no relapse");
}
