//! Recalls in a surge: calls that are offered, and what the figures of tiers say.

use super::*;
use crate::simulate::reference::{Size, rows};

/// One agent under twice the calls that they can take, all of a recall; its tiers open and
/// close as `levels` say.
fn surge(accept: f64, levels: &str) -> Outcome {
    let stream = format!(
        "entry_point = \"line\"\nhandle = {{ law = \"fixed\", mean = \"60s\" }}\n\
         patience = {{ law = \"exponential\", mean = \"20m\" }}\ncallback = {{ accept = {accept:?} }}\n\
         self_service = {{ contained = 0.2, lasting = {{ law = \"fixed\", mean = \"30s\" }} }}\n\
         arrivals = [{{ shape = \"constant\", per_hour = 12, lasting = \"10m\" }},\n\
         {{ shape = \"ramp\", from_per_hour = 12, to_per_hour = 228, lasting = \"20m\" }},\n\
         {{ shape = \"constant\", per_hour = 12 }}]"
    );
    let text = centre(1, "duration = \"3h\"\nruns = 2", &stream).replace(
        "[[agent_groups]]",
        "[queues.callback]\nshare = 100\nper_hour = 60\n[[agent_groups]]",
    );
    let plan = format!(
        "[[recalls]]\nstart = \"1m\"\nlevel = \"normal\"\n{levels}\n[recalls.plan]\n\
         entry_points = [\"line\"]\nsafety_queue = \"calls\"\nsoon = \"0s\"\n\
         ivr = {{ from = \"elevated\", ports = 1000, time_limit = \"8m\" }}\n\
         callback = {{ from = \"surge\", offer_after = \"1m\", within = \"4h\", capacity = 1000 }}\n"
    );
    played(&(text + &plan))
}

const LEVELS: &str = "levels = [{ at = \"12m\", level = \"elevated\" }, \
     { at = \"15m\", level = \"surge\" }, { at = \"40m\", level = \"elevated\" }, \
     { at = \"50m\", level = \"normal\" }]";

fn tiers(outcome: &Outcome, which: Tiers) -> f64 {
    outcome.tiers.iter().find(|(t, _)| *t == which).unwrap().1.mean
}

#[test]
fn who_accepts_a_call_is_called_back_and_nobody_is_lost_for_being_asked() {
    let (some, none) = (surge(0.9, LEVELS), surge(0.0, LEVELS));
    assert_eq!((some.refused, none.refused), (0, 0), "{:?}", some.first_refusal);
    let called = mean(&some, Measure::CalledBack);
    assert!(called >= 5.0, "{called}");
    assert_eq!(mean(&none, Measure::CalledBack), 0.0);
    for outcome in [&some, &none] {
        let sum: f64 =
            [Measure::Answered, Measure::Abandoned, Measure::Contained, Measure::CalledBack]
                .map(|m| mean(outcome, m))
                .iter()
                .sum();
        assert!((sum - mean(outcome, Measure::Offered)).abs() < 1e-9, "{sum}");
        assert_eq!(tiers(outcome, Tiers::Wronged), 0.0);
    }
    assert!(mean(&some, Measure::Lost) < mean(&none, Measure::Lost));
}

#[test]
fn figures_of_tiers_are_by_the_levels_and_the_load() {
    let outcome = surge(0.5, LEVELS);
    for (which, expected) in [
        (Tiers::Switches, 4.0),
        (Tiers::ManySwitches, 0.0),
        (Tiers::FirstUsed, 1.0),
        (Tiers::CallbackUsed, 1.0),
        (Tiers::PartnerUsed, 0.0),
        // The ramp begins at 10 min and ends, above 0.85, at 30.
        (Tiers::OnAfter, 2.0),
        (Tiers::OffAfter, 20.0),
    ] {
        let found = tiers(&outcome, which);
        assert!((found - expected).abs() < 0.02, "{which:?}: {found}");
    }
}

#[test]
fn a_tier_that_never_opens_is_no_tier_that_opens_in_time() {
    let outcome = surge(0.5, "");
    assert!(tiers(&outcome, Tiers::OnAfter) > 160.0);
    assert_eq!(tiers(&outcome, Tiers::Switches), 0.0);
    assert!(outcome.tiers.iter().all(|(t, _)| *t != Tiers::OffAfter), "none was open");
}

#[test]
fn the_wave_of_the_surge_table_is_that_of_its_rates() {
    for row in rows(None, Size::Short).unwrap() {
        let after = match &*row.name {
            // (multiple - 1) · 70 erlangs halve every hour until 15 are left.
            "surge-2-clairvoyant" | "surge-2-none" => (70.0_f64 / 15.0).log2(),
            "surge-5-clairvoyant" => (280.0_f64 / 15.0).log2(),
            "surge-25-clairvoyant" => (1680.0_f64 / 15.0).log2(),
            _ => continue,
        };
        let wave = Scenario::parse(&row.name, &row.scenario, Path::new("")).unwrap().wave.unwrap();
        assert_eq!(wave.begins, 3600.0, "{}", row.name);
        let calm = 75.0 * 60.0 + 3600.0 * after;
        assert!((wave.calm - calm).abs() < 2.0, "{}: {wave:?}, {calm}", row.name);
    }
}
