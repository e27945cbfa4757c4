//! Whole scenarios, small ones, against what must come of them.

use std::path::Path;

use super::*;

/// A queue of `agents`, one kind of call.
pub(super) fn centre(agents: u32, run: &str, stream: &str) -> String {
    format!(
        "title = \"test\"\n[run]\n{run}\n[[pools]]\nname = \"own\"\n\
         [[queues]]\nname = \"calls\"\nchannels = [\"voice\"]\nwrap_up = \"0s\"\n\
         [[agent_groups]]\nprefix = \"agent\"\ncount = {agents}\npool = \"own\"\n\
         [[entry_points]]\nname = \"line\"\nqueue = \"calls\"\n\
         [[streams]]\nname = \"calls\"\nchannel = \"voice\"\n{stream}\n"
    )
}

fn played(text: &str) -> Outcome {
    let scenario = Scenario::parse("test", text, Path::new("")).unwrap();
    simulate(&scenario, &mut |_| {}).unwrap()
}

fn mean(outcome: &Outcome, measure: Measure) -> f64 {
    outcome.all().unwrap().figure(measure).unwrap().mean
}

#[test]
fn one_agent_serves_one_after_the_other() {
    let outcome = played(&centre(
        1,
        "duration = \"1m\"\nruns = 1",
        "queue = \"calls\"\nhandle = { law = \"fixed\", mean = \"10s\" }\n\
         arrivals = [{ shape = \"recorded\", times = [\"0s\", \"1s\", \"2s\", \"50s\"] }]",
    ));
    let figure = |m| mean(&outcome, m);
    assert_eq!((figure(Measure::Offered), figure(Measure::Answered)), (4.0, 4.0));
    // Waits are 0, 9, 18 and 0 seconds.
    assert!((figure(Measure::MeanWait) - 6.75).abs() < 1e-9, "{}", figure(Measure::MeanWait));
    assert_eq!(figure(Measure::DelayedShare), 0.5);
    assert_eq!(figure(Measure::ServiceLevel), 1.0);
    // 40 s of work in the minute that counts.
    assert!((outcome.occupancy[0].busy.mean - 40.0 / 60.0).abs() < 1e-9);
    assert_eq!(outcome.refused, 0, "{:?}", outcome.first_refusal);
}
