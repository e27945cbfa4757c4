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
    assert_eq!(figure(Measure::P50), 0.0);
    // Percentiles have three digits.
    let p90 = figure(Measure::P90);
    assert!((p90 - 18.0).abs() < 0.018, "{p90}");
    // 40 s of work in the minute that counts.
    assert!((outcome.occupancy[0].busy.mean - 40.0 / 60.0).abs() < 1e-9);
    assert_eq!(outcome.refused, 0, "{:?}", outcome.first_refusal);
}

#[test]
fn the_same_seed_gives_the_same_figures_and_another_seed_others() {
    let text = centre(
        5,
        "duration = \"4h\"\nwarm_up = \"10m\"\nruns = 4",
        "queue = \"calls\"\nper_hour = 60\nhandle = { law = \"lognormal\", mean = \"5m\", cv = 1.0 }\n\
         patience = { law = \"exponential\", mean = \"3m\" }",
    );
    let figures = |seed| {
        let scenario = Scenario::parse("test", &text, Path::new("")).unwrap();
        let scenario = scenario.with(Some(seed), None).unwrap();
        format!("{:?}", simulate(&scenario, &mut |_| {}).unwrap().queues)
    };
    assert_eq!(figures(1), figures(1));
    assert_ne!(figures(1), figures(2));
}

#[test]
fn who_finds_no_trunk_is_blocked_and_comes_again_or_is_lost() {
    let outcome = played(&centre(
        1,
        "duration = \"10m\"\nruns = 1\ntrunks = 1",
        "queue = \"calls\"\nhandle = { law = \"fixed\", mean = \"60s\" }\n\
         redial = { share = 1.0, most = 1, after = { law = \"fixed\", mean = \"10s\" } }\n\
         arrivals = [{ shape = \"recorded\", times = [\"0s\", \"1s\", \"55s\"] }]",
    ));
    // The second comes again at 11 s, in vain; the third at 65 s, and is served.
    let figure = |m| mean(&outcome, m);
    assert_eq!((figure(Measure::Blocked), figure(Measure::Lost)), (3.0, 1.0));
    assert_eq!((figure(Measure::Offered), figure(Measure::Answered)), (2.0, 2.0));
    assert!((figure(Measure::LostShare) - 1.0 / 3.0).abs() < 1e-12);
    assert!((figure(Measure::BlockedShare) - 0.6).abs() < 1e-12);
}

#[test]
fn agents_work_at_their_speed_in_their_shifts() {
    let staff = "[[staff]]\nagents = \"agent\"\nspeed = 0.5\nshifts = [{ from = \"1m\", until = \"3m\" }, { from = \"5m\" }]\n";
    let text = centre(
        1,
        "duration = \"10m\"\nruns = 1",
        "queue = \"calls\"\nhandle = { law = \"fixed\", mean = \"60s\" }\n\
         arrivals = [{ shape = \"recorded\", times = [\"0s\", \"30s\"] }]",
    );
    let outcome = played(&(text + staff));
    // The first is served from minute 1 to 3, when the shift ends; the second from minute 5.
    assert_eq!(mean(&outcome, Measure::Answered), 2.0);
    assert!((mean(&outcome, Measure::MeanWait) - (60.0 + 270.0) / 2.0).abs() < 1e-9);
    // At work for 2 + 5 minutes, of which 2 + 2 with a call.
    assert!((outcome.occupancy[0].busy.mean - 4.0 / 7.0).abs() < 1e-9, "{:?}", outcome.occupancy);
}

/// A recall over the queue of [`centre`]; `contained` of those who enter its tier.
fn recall(channel: &str, contained: f64) -> Outcome {
    let text = centre(
        1,
        "duration = \"2h\"\nruns = 2",
        &format!(
            "entry_point = \"line\"\nper_hour = 300\nhandle = {{ law = \"fixed\", mean = \"60s\" }}\n\
             patience = {{ law = \"exponential\", mean = \"2m\" }}\n\
             self_service = {{ contained = {contained:.1}, lasting = {{ law = \"fixed\", mean = \"30s\" }} }}"
        ),
    );
    let plan = "[[recalls]]\nstart = \"10m\"\nlevel = \"surge\"\nend = \"100m\"\n\
                levels = [{ at = \"90m\", level = \"tail\" }]\n[recalls.plan]\n\
                entry_points = [\"line\"]\nsafety_queue = \"calls\"\nsoon = \"0s\"\n\
                faq = { from = \"elevated\", capacity = 1000, silence = \"5m\", time_limit = \"30m\" }\n\
                ivr = { from = \"elevated\", ports = 1000, time_limit = \"8m\" }\n";
    let text = (text + plan).replace("\"voice\"", &format!("\"{channel}\""));
    played(&text)
}

#[test]
fn tiers_contain_whom_they_can_and_give_back_the_others() {
    for channel in ["voice", "chat", "email"] {
        let (all, none) = (recall(channel, 1.0), recall(channel, 0.0));
        assert_eq!((all.refused, none.refused), (0, 0), "{channel}: {:?}", all.first_refusal);
        assert_eq!(all.switches.unwrap().mean, 3.0);
        // Of 600 in two hours, some 450 come while it is on; the agent has time for 90 of them.
        let contained = mean(&all, Measure::Contained);
        assert!(contained > 250.0, "{channel}: {contained}");
        assert_eq!(mean(&none, Measure::Contained), 0.0, "{channel}");
        let sum = |o: &Outcome| {
            [Measure::Answered, Measure::Abandoned, Measure::Contained].map(|m| mean(o, m))
        };
        for outcome in [&all, &none] {
            let offered = mean(outcome, Measure::Offered);
            let accounted: f64 = sum(outcome).iter().sum();
            assert!((offered - accounted).abs() < 1e-9, "{channel}: {offered}, {accounted}");
        }
    }
}

fn example(name: &str, runs: u32) -> Outcome {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulate").join(name);
    let scenario = Scenario::load(&path).unwrap().with(None, Some(runs)).unwrap();
    let outcome = simulate(&scenario, &mut |_| {}).unwrap();
    assert_eq!(outcome.refused, 0, "{name}: {:?}", outcome.first_refusal);
    outcome
}

#[test]
fn a_recall_day_can_be_played_and_is_shown_on_a_page() {
    let outcome = example("recall-day.toml", 1);
    assert!(mean(&outcome, Measure::Contained) > 100.0);
    let page = html(&outcome).unwrap();
    assert_eq!(page.matches("<svg").count(), 2);
    assert!(page.ends_with("</body></html>\n"));
}

#[test]
fn a_surge_without_tiers_comes_out_as_the_surge_table_has_it() {
    let outcome = example("surge-5-none.toml", 10);
    // surge.csv, row "5, none": rounding, 3 % for what its own simulation may be off, and chance.
    for (measure, table) in [(Measure::LostShare, 0.2270), (Measure::SpeedOfAnswer, 66.3)] {
        let found = outcome.all().unwrap().figure(measure).unwrap();
        let most = 4.1 * found.error.unwrap() + 0.03 * table;
        assert!((found.mean - table).abs() < most, "{measure:?}: {found:?}, {table}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_field_and_what_was_expected() {
    let sound = "queue = \"calls\"\nper_hour = 60\nhandle = { law = \"fixed\", mean = \"60s\" }";
    let run = "duration = \"10m\"";
    for (run, stream, told) in [
        (
            run,
            &*sound.replace("60\n", "-1\n"),
            "streams[0].arrivals[0].per_hour: expected contacts",
        ),
        (run, &sound.replace("\"calls\"", "\"cals\""), "streams[0].queue: found `cals`"),
        (
            run,
            "queue = \"calls\"\nhandle = { law = \"fixed\", mean = \"1s\" }",
            "streams[0].per_hour: expected exactly one",
        ),
        ("duration = \"10m\"\nwarm_up = \"10m\"", sound, "run.warm_up: expected a duration below"),
        ("duration = \"10m\"\nruns = 0", sound, "run.runs: expected 1 to 10,000"),
        ("duration = \"10 parsecs\"", sound, "expected a duration such as"),
        ("duration = \"10m\"\nlength = 1", sound, "unknown field `length`"),
        (run, &format!("{sound}\n[nonsense]"), "found an unknown field `nonsense`"),
        (
            run,
            &format!("{sound}\n[[staff]]\nagents = \"nobody\""),
            "staff[0].agents: expected an agent",
        ),
        (
            run,
            &format!("{sound}\n[[staff]]\npool = \"own\"\nspeed = 0"),
            "staff[0].speed: expected",
        ),
        (
            run,
            &format!(
                "{sound}\nredial = {{ share = 2.0, after = {{ law = \"fixed\", mean = \"1s\" }} }}"
            ),
            "streams[0].redial.share: expected a share",
        ),
    ] {
        let text = centre(1, run, stream);
        let error = Scenario::parse("test", &text, Path::new("")).unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
    let both = format!("routing = \"x.toml\"\n{}", centre(1, run, sound));
    let error = Scenario::parse("test", &both, Path::new("")).unwrap_err().to_string();
    assert!(error.starts_with("routing: expected"), "{error}");
}

#[test]
fn a_run_that_cannot_end_is_an_error() {
    let text = centre(
        1,
        "duration = \"10m\"\nruns = 1\ndrain = \"1h\"",
        "queue = \"calls\"\nper_hour = 6000\nhandle = { law = \"fixed\", mean = \"60s\" }",
    );
    let scenario = Scenario::parse("test", &text, Path::new("")).unwrap();
    let error = simulate(&scenario, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("contacts were still open 1 h after"), "{error}");
}
