//! Whole scenarios, small ones, against what must come of them.

mod night;
mod record;
mod surge;

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
    let outcome = example("reference/surge-5-none.toml", 10);
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
        (run, &*sound.replace("60\n", "-1\n"), "streams[0].per_hour: expected contacts"),
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

#[test]
fn runs_to_which_nobody_came_count() {
    let stream = "queue = \"calls\"\nper_hour = 0.5\nhandle = { law = \"fixed\", mean = \"60s\" }";
    let outcome = played(&centre(1, "duration = \"1h\"\nruns = 40", stream));
    let offered = outcome.all().unwrap().figure(Measure::Offered).unwrap();
    // Half a contact a run: five standard errors of a Poisson count.
    assert_eq!(offered.runs, 40);
    assert!((offered.mean - 0.5).abs() < 5.0 * (0.5_f64 / 40.0).sqrt(), "{offered:?}");
    let wait = outcome.all().unwrap().figure(Measure::MeanWait).unwrap();
    assert!(wait.runs < 30, "who did not come did not wait: {wait:?}");
    let nobody = played(&centre(1, "duration = \"1h\"\nruns = 2", &stream.replace("0.5", "0")));
    assert_eq!(mean(&nobody, Measure::Offered), 0.0, "a queue with a stream is told of");
}

#[test]
fn who_did_not_answer_goes_home_when_their_shift_ends() {
    let text = centre(
        1,
        "duration = \"10m\"\nruns = 1",
        "queue = \"calls\"\nhandle = { law = \"fixed\", mean = \"60s\" }\n\
         patience = { law = \"fixed\", mean = \"5m\" }\n\
         arrivals = [{ shape = \"recorded\", times = [\"80s\"] }]",
    )
    .replace("wrap_up", "reservation_timeout = \"10s\"\nwrap_up");
    let staff = "[settings]\nring_no_answer_limit = 1\n[[staff]]\nagents = \"agent\"\n\
                 answers_after = { law = \"fixed\", mean = \"20s\" }\n\
                 shifts = [{ from = \"0s\", until = \"95s\" }]\n";
    let outcome = played(&(text + staff));
    assert_eq!(mean(&outcome, Measure::Abandoned), 1.0, "nobody is there after 95 s");
    // It rang from 80 s to 90 s; not ready from then on, and gone before they were back.
    let busy = outcome.occupancy[0].busy.mean;
    assert!((busy - 10.0 / 90.0).abs() < 1e-9, "{busy}");
    assert_eq!(
        outcome.refused, 0,
        "nobody answers what rings no more: {:?}",
        outcome.first_refusal
    );
}

#[test]
fn nobody_is_busy_for_longer_than_they_are_there() {
    let text = centre(
        5,
        "duration = \"4h\"\nruns = 4",
        "queue = \"calls\"\nper_hour = 100\nhandle = { law = \"exponential\", mean = \"3m\" }\n\
         patience = { law = \"exponential\", mean = \"2m\" }",
    )
    .replace("\"voice\"", "\"chat\"")
    .replace("pool = \"own\"\n", "pool = \"own\"\ncapacity = { chat = 3 }\n")
    .replace("wrap_up", "reservation_timeout = \"10s\"\nwrap_up");
    // Three of ten ring in vain: the agent is not ready then, and has other chats in hand.
    let staff = "[settings]\nring_no_answer_limit = 1\n[[staff]]\nagents = \"agent\"\n\
                 answers_after = { law = \"exponential\", mean = \"8s\" }\n";
    let outcome = played(&(text + staff));
    let busy = outcome.occupancy[0].busy.mean;
    assert!((0.5..=1.0).contains(&busy), "{busy}");
    assert_eq!(outcome.refused, 0, "{:?}", outcome.first_refusal);
}

#[test]
fn who_is_lost_counts_however_late_that_turns_out() {
    let outcome = played(&centre(
        1,
        "duration = \"1m\"\nruns = 1\ntrunks = 1",
        "queue = \"calls\"\nhandle = { law = \"fixed\", mean = \"200s\" }\n\
         redial = { share = 1.0, most = 1, after = { law = \"fixed\", mean = \"10s\" } }\n\
         arrivals = [{ shape = \"recorded\", times = [\"0s\", \"55s\"] }]",
    ));
    // The second comes again at 65 s, after the end of what counts, and in vain.
    assert_eq!(mean(&outcome, Measure::Blocked), 1.0, "contacts after the end do not count");
    assert_eq!((mean(&outcome, Measure::Lost), mean(&outcome, Measure::LostShare)), (1.0, 0.5));
}

#[test]
fn who_gave_up_is_not_taken_by_those_who_do_not_take_their_channel() {
    let chats = "queue = \"calls\"\nper_hour = 120\nhandle = { law = \"exponential\", mean = \"3m\" }\n\
                 patience = { law = \"exponential\", mean = \"5m\" }";
    let text = centre(5, "duration = \"40h\"\nwarm_up = \"2h\"\nruns = 2", chats)
        .replace("channels = [\"voice\"]", "channels = [\"voice\", \"chat\"]")
        .replace("channel = \"voice\"", "channel = \"chat\"")
        .replace("pool = \"own\"\n[[entry", "pool = \"own\"\ncapacity = { chat = 1 }\n[[entry");
    // Calls of the same queue, each with an agent idle soon after.
    let calls = "[[agent_groups]]\nprefix = \"caller\"\ncount = 2\npool = \"own\"\n\
                 capacity = { voice = 1 }\n[[streams]]\nname = \"short\"\nqueue = \"calls\"\n\
                 channel = \"voice\"\nper_hour = 300\nhandle = { law = \"fixed\", mean = \"1s\" }\n";
    let outcome = played(&(text + calls));
    let bias = mean(&outcome, Measure::EstimateBias);
    assert!(bias.abs() < 0.12, "{bias}");
}

#[test]
fn a_run_in_which_nothing_is_left_to_happen_is_an_error_that_says_so() {
    let mut text = centre(
        1,
        "duration = \"10m\"\nruns = 1",
        "queue = \"calls\"\nper_hour = 60\nhandle = { law = \"fixed\", mean = \"60s\" }",
    );
    text += "[[staff]]\nagents = \"agent\"\nshifts = [{ from = \"0s\", until = \"1m\" }]\n";
    let scenario = Scenario::parse("test", &text, Path::new("")).unwrap();
    let error = simulate(&scenario, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("still open with nothing left to happen"), "{error}");
}

/// Two queues with the same 80 agents, a quarter too few; the second of them rarer.
fn two_queues(
    contact_choice: &str,
    (shares, targets): ([u32; 2], [u32; 2]),
    costs: [u32; 2],
) -> Outcome {
    let mut text = format!(
        "title = \"two\"\n[run]\nduration = \"8h\"\nwarm_up = \"2h\"\nruns = 2\n\
         [settings]\ncontact_choice = \"{contact_choice}\"\n[[pools]]\nname = \"own\"\n\
         [[agent_groups]]\nprefix = \"agent\"\ncount = 80\npool = \"own\"\n"
    );
    for (n, per_hour) in [840, 360].into_iter().enumerate() {
        let (share, cost, target) = (shares[n], costs[n], targets[n]);
        let share = if share > 0 { format!("share = {share}") } else { String::new() };
        text += &format!(
            "[[queues]]\nname = \"q{n}\"\nchannels = [\"voice\"]\nwrap_up = \"0s\"\n\
             target = \"{target}s\"\n{share}\ncost = {cost}\n[[streams]]\nname = \"q{n}\"\nqueue = \"q{n}\"\n\
             channel = \"voice\"\nper_hour = {per_hour}\n\
             handle = {{ law = \"exponential\", mean = \"5m\" }}\n\
             patience = {{ law = \"exponential\", mean = \"5m\" }}\n"
        );
    }
    played(&text)
}

#[test]
fn estimates_go_by_the_turns_that_queues_get() {
    // In the order of places one of the two would be 31 % too long, or 41, 63 and 22 % off.
    let mut found = Vec::new();
    let even = [20, 20];
    for (choice, shares, costs, most) in [
        ("fixed_queue_ratio", ([10, 10], even), [1, 1], 0.10),
        ("fixed_queue_ratio", ([10, 30], even), [1, 1], 0.15),
        ("fixed_queue_ratio", ([30, 10], even), [1, 1], 0.15),
        ("fixed_queue_ratio", ([0, 0], [20, 60]), [1, 1], 0.10),
        ("cmu_theta", ([10, 10], even), [3, 1], 0.20),
    ] {
        let outcome = two_queues(choice, shares, costs);
        for scope in outcome.queues.iter().filter(|s| s.queue.is_some()) {
            let of = |m| scope.figure(m).unwrap().mean;
            let (bias, within) = (of(Measure::EstimateBias), of(Measure::EstimateWithinP80));
            let (wait, error) = (of(Measure::MeanWait), of(Measure::EstimateError));
            let near = bias.abs() < most;
            found.push((near, choice, shares, wait, bias, error, within));
        }
    }
    assert!(found.iter().all(|f| f.0), "{found:#?}");
}

/// To the last digit: who is chosen, and what is estimated.
#[test]
fn with_equal_targets_the_default_policy_is_the_order_of_places() {
    let [default, oldest] = ["fixed_queue_ratio", "oldest_first"].map(|choice| {
        let outcome = two_queues(choice, ([0, 0], [20, 20]), [1, 1]);
        let figures = |s: &Scope| Measure::ALL.map(|m| s.figure(m).map(|f| f.mean));
        outcome.queues.iter().map(figures).collect::<Vec<_>>()
    });
    assert_eq!(default, oldest);
}

#[test]
fn who_has_a_head_start_does_not_hold_their_queue_back() {
    let mut text = "title = \"ahead\"\n[run]\nduration = \"6h\"\nwarm_up = \"1h\"\nruns = 2\n\
         [[pools]]\nname = \"own\"\n[[agent_groups]]\nprefix = \"agent\"\ncount = 50\n\
         pool = \"own\"\n"
        .to_owned();
    for queue in ["a", "b"] {
        text +=
            &format!("[[queues]]\nname = \"{queue}\"\nchannels = [\"voice\"]\nwrap_up = \"0s\"\n");
    }
    for (queue, per_hour, ahead) in [("a", 420, "0s"), ("a", 180, "10m"), ("b", 600, "0s")] {
        text += &format!(
            "[[streams]]\nname = \"{queue}{ahead}\"\nqueue = \"{queue}\"\nchannel = \"voice\"\n\
             per_hour = {per_hour}\nhead_start = \"{ahead}\"\n\
             handle = {{ law = \"exponential\", mean = \"5m\" }}\n\
             patience = {{ law = \"exponential\", mean = \"5m\" }}\n"
        );
    }
    let outcome = played(&text);
    let gave_up: Vec<f64> = outcome
        .queues
        .iter()
        .filter(|s| s.queue.is_some())
        .map(|s| s.figure(Measure::AbandonedShare).unwrap().mean)
        .collect();
    // Half of all give up. Were it left out, 70 % of the first queue would, and 31 % of the other.
    assert!(gave_up[0] < gave_up[1], "{gave_up:?}");
    let text = text.replace("10m", "25h");
    let error = Scenario::parse("test", &text, Path::new(""))
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(error.contains("streams[1].head_start") && error.contains("24 hours"), "{error}");
}
