//! The night roster: `simulate/night.toml`, and what must hold in it whoever comes.

use super::*;

const NIGHT: &str = include_str!("../../../simulate/night.toml");

fn night(change: &[(&str, &str)], seed: u64) -> Outcome {
    let mut text = NIGHT.to_owned();
    for (from, to) in change {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let scenario = Scenario::parse("night", &text, Path::new("")).unwrap();
    simulate(&scenario.with(Some(seed), Some(4)).unwrap(), &mut |_| {}).unwrap()
}

fn figure(outcome: &Outcome, measure: Measure) -> f64 {
    outcome.all().unwrap().figure(measure).unwrap().mean
}

fn wronged(outcome: &Outcome) -> f64 {
    outcome.tiers.iter().find(|(t, _)| *t == Tiers::Wronged).unwrap().1.mean
}

/// Everybody is in one figure, and nobody is in none.
fn everybody_is_somewhere(outcome: &Outcome, what: &str) {
    let sum: f64 = [
        Measure::Answered,
        Measure::Abandoned,
        Measure::Contained,
        Measure::CalledBack,
        Measure::HandedOutside,
        Measure::Otherwise,
    ]
    .map(|m| figure(outcome, m))
    .iter()
    .sum();
    assert!((sum - figure(outcome, Measure::Offered)).abs() < 1e-9, "{what}: {sum}");
    assert_eq!(figure(outcome, Measure::Otherwise), 0.0, "{what}");
    assert_eq!(figure(outcome, Measure::Blocked), 0.0, "{what}");
    assert_eq!(wronged(outcome), 0.0, "{what}");
    assert_eq!(outcome.refused, 0, "{what}: {:?}", outcome.first_refusal);
}

#[test]
fn who_is_hurt_has_a_person_in_time_and_everybody_else_is_served_promised_or_told() {
    let all_take_all = [("kept_pool = \"kept\"\n", "")];
    for seed in 1..=3 {
        for (what, change) in [("one kept", &[][..]), ("none kept", &all_take_all)] {
            let outcome = night(change, seed);
            let what = format!("{what}, seed {seed}");
            everybody_is_somewhere(&outcome, &what);
            assert!(figure(&outcome, Measure::Hurt) > 8.0, "{what}");
            assert_eq!(figure(&outcome, Measure::HurtInTarget), 1.0, "{what}");
            assert!(figure(&outcome, Measure::HurtLongest) <= 40.0, "{what}");
            // The line outside and every tier had something to do.
            assert!(figure(&outcome, Measure::HandedOutside) > 0.0, "{what}");
            assert!(figure(&outcome, Measure::CalledBack) > 0.0, "{what}");
            assert!(figure(&outcome, Measure::Contained) > 10.0, "{what}");
            assert_eq!(figure(&outcome, Measure::AbandonedUntold), 0.0, "{what}");
        }
    }
}

#[test]
fn a_line_outside_that_is_busy_is_tried_again_and_loses_nobody() {
    let none = [("kept_pool = \"kept\"\n", ""), ("takes = 1.0", "takes = 0.3")];
    let outcome = night(&none, 1);
    everybody_is_somewhere(&outcome, "busy");
    assert!(figure(&outcome, Measure::HandedOutside) > 0.0);
    // Half a minute later is too late for the target: the figure shows it.
    assert!(figure(&outcome, Measure::HurtInTarget) < 1.0);
    assert!(figure(&outcome, Measure::HurtLongest) > 60.0);
}
