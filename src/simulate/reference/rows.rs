//! From a line of a reference table to a scenario and what must come of it.
//!
//! Each model is written as a scenario file, from the line's own numbers: what can be played
//! is no list of known rows. Nothing is played here.

use super::overload;
use super::tables::Line;
use super::{Expected, Of, Row, Size, Tolerance, surge};
use crate::simulate::error::SimulateError;
use crate::simulate::figures::Measure;

/// Call types of the skills table, and its agents.
const TYPES: u32 = 6;
const SKILLED: u32 = 90;
/// Places of the skills table's block `ww`: its agents and 30 that wait.
const TRUNKS: u32 = SKILLED + 30;
/// Agents of each speed of the agents table, with the seconds that a call takes them.
const SPEEDS: [(&str, u32, f64); 2] = [("fast", 50, 240.0), ("slow", 50, 360.0)];
/// Their load.
const LOAD: f64 = 0.95;
/// The patience that the agents table does not say: the steady state of the rule `random` with
/// it has P_delay .3252, P_ab .0202 and utilizations .9212 and .9446, which are the table's.
const AGENTS_PATIENCE: f64 = 300.0;
/// Seconds of service, the unit of the delay table.
const SERVICE: f64 = 300.0;

/// What a line asks for. `all` are the lines of its table, among which bounds are looked up.
pub(super) fn of_line(line: &Line, all: &[Line], size: Size) -> Result<Vec<Row>, SimulateError> {
    let one = match line.table {
        "erlang" => erlang(line, size),
        "skills" => skills(line, all, size),
        "agents" => agents(line, all, size),
        "overload" => return overload::rows(line, all, size),
        "surge" | "surge_bars" => return surge::rows(line, size),
        _ => delay(line, size),
    };
    one.map(|row| vec![row])
}

/// Runs of `contacts` in all, the beginning left out: time until nothing is as it began.
pub(super) fn run(contacts: f64, per_hour: f64, slowest_s: f64, size: Size) -> String {
    let hours = contacts * size.share() / f64::from(size.runs()) / per_hour;
    let warm_up = (hours * 0.05 * 3600.0).max(20.0 * slowest_s);
    let duration = hours * 3600.0 + warm_up;
    let runs = size.runs();
    format!(
        "[run]\nduration = \"{duration:.0}s\"\nwarm_up = \"{warm_up:.0}s\"\nruns = {runs}\nseed = 1\n"
    )
}

pub(super) fn law(name: &str, seconds: f64) -> String {
    format!("{name} = {{ law = \"exponential\", mean = \"{}s\" }}\n", plain(seconds))
}

/// Six places, as the configuration's durations have, and no more zeros than it needs.
pub(super) fn plain(seconds: f64) -> String {
    let text = format!("{seconds:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// One queue, agents alike: M/M/n+M.
fn one_queue(per_hour: f64, aht: f64, patience: Option<f64>, agents: u32) -> String {
    let patience = patience.map(|p| law("patience", p)).unwrap_or_default();
    format!(
        "\n[[pools]]\nname = \"own\"\n\n[[queues]]\nname = \"calls\"\nchannels = [\"voice\"]\n\
         target = \"20s\"\nwrap_up = \"0s\"\n\n[[agent_groups]]\nprefix = \"agent\"\n\
         count = {agents}\npool = \"own\"\n\n[[streams]]\nname = \"calls\"\nqueue = \"calls\"\n\
         channel = \"voice\"\nper_hour = {per_hour}\n{}{patience}",
        law("handle", aht)
    )
}

pub(super) fn titled(name: &str, about: &str) -> String {
    format!("title = \"{name}\"\nabout = \"{about}\"\n\n")
}

fn expect(
    line: &Line,
    column: &'static str,
    of: Of,
    tolerance: Tolerance,
) -> Result<Option<Expected>, SimulateError> {
    let value = line.rounded(column)?;
    Ok(value.map(|(table, rounding)| Expected { what: column, of, table, rounding, tolerance }))
}

fn erlang(line: &Line, size: Size) -> Result<Row, SimulateError> {
    let (per_hour, aht) = (line.positive("lam_per_h")?, line.positive("aht_s")?);
    let (patience, agents) = (line.number("patience_s")?, line.count("n")?);
    let name = format!("erlang-{}", line.text("id"));
    let model = if patience.is_some() { "M/M/n+M" } else { "M/M/n" };
    let about =
        format!("Exact steady state of {model}: reference/erlang.csv, row {}.", line.text("id"));
    // Without abandonment queues take long to forget, so that more is needed for the same.
    let contacts = if patience.is_some() { 6e6 } else { 12e6 };
    let slowest = slowest(per_hour, aht, patience, agents);
    let scenario = titled(&name, &about)
        + &run(contacts, per_hour, slowest, size)
        + &one_queue(per_hour, aht, patience, agents);
    let close = size.exact();
    let columns = [
        ("P_wait", Measure::DelayedShare),
        ("P_ab", Measure::AbandonedShare),
        ("EW_s", Measure::MeanWait),
        ("ASA_served_s", Measure::SpeedOfAnswer),
        ("SL20_offered", Measure::ServiceLevel),
        ("SL20_excl_ab20", Measure::ServiceLevelLate),
    ];
    let mut expected = Vec::new();
    for (column, measure) in columns {
        expected.extend(expect(line, column, Of::All(measure, 1.0), close)?);
    }
    Ok(Row { name, scenario, expected })
}

/// The slowest thing that a row has to forget its beginning by, seconds.
fn slowest(per_hour: f64, aht: f64, patience: Option<f64>, agents: u32) -> f64 {
    let load = per_hour / 3600.0 * aht / f64::from(agents);
    match patience {
        Some(patience) => aht.max(patience),
        None => aht / (1.0 - load).max(0.01),
    }
}

fn skills(line: &Line, all: &[Line], size: Size) -> Result<Row, SimulateError> {
    let waits = line.text("block") == "ww";
    let load = line.positive("load_erlangs")?;
    let aht = if waits { 600.0 } else { 300.0 };
    let patience = (!waits).then_some(240.0);
    let per_hour = load * 3600.0 / aht;
    let pooled = line.text("skills") == "pooled_exact";
    let kind = if pooled { "pooled" } else { line.text("skills") };
    let name = format!("skills-{}-{}-{kind}", line.text("block"), line.text("load_erlangs"));
    let about = "Six call types, 90 agents with so many of the skills each: reference/skills.csv.";
    let mut scenario = titled(&name, about);
    if pooled {
        scenario += &run(6e6, per_hour, aht, size);
        scenario += &one_queue(per_hour, aht, patience, SKILLED);
    } else {
        let each = line.count("skills")?.min(TYPES);
        let listed: Vec<String> = (1..=TYPES).map(|t| format!("\"type-{t}\"")).collect();
        scenario += &format!("skills = [{}]\n\n", listed.join(", "));
        scenario += &run(6e6, per_hour, aht, size);
        scenario += "[settings]\ncontact_choice = \"oldest_first\"\n\n";
        scenario += &six_queues(per_hour, aht, patience, each);
    }
    if waits {
        scenario = scenario.replace("seed = 1\n", &format!("seed = 1\ntrunks = {TRUNKS}\n"));
    }
    let mut expected = Vec::new();
    // What is no closed formula was found by another simulation of the same rules. So was one
    // skill where all types share the trunks: by product form, the table's mean wait is 0.6 %
    // too short.
    let apart = line.text("skills") == "1" && !waits;
    let close = if pooled || apart { size.exact() } else { size.simulated() };
    for (column, measure, factor) in [
        ("blocking", Measure::BlockedShare, 1.0),
        ("P_delay", Measure::DelayedShare, 1.0),
        ("mean_wait_min", Measure::MeanWait, 1.0 / 60.0),
        ("P_ab", Measure::AbandonedShare, 1.0),
        ("ASA_s", Measure::SpeedOfAnswer, 1.0),
        ("SL20_offered", Measure::ServiceLevel, 1.0),
    ] {
        expected.extend(expect(line, column, Of::All(measure, factor), close)?);
    }
    let bound = all.iter().find(|l| {
        l.text("skills") == "pooled_exact"
            && l.text("block") == line.text("block")
            && l.text("load_erlangs") == line.text("load_erlangs")
    });
    let most = match line.text("skills") {
        "2" => Some(0.010),
        "3" => Some(0.003),
        _ => None,
    };
    if let (Some(bound), Some(most)) = (bound, most)
        && let Some((table, rounding)) = bound.rounded("P_ab")?
    {
        let of = Of::All(Measure::AbandonedShare, 1.0);
        let tolerance = size.points(most);
        expected.push(Expected { what: "P_ab of pooled", of, table, rounding, tolerance });
    }
    if !pooled && !waits {
        let of = Of::Spread(Measure::AbandonedShare);
        let tolerance = size.points(0.003);
        expected.push(Expected {
            what: "P_ab, classes apart",
            of,
            table: 0.0,
            rounding: 0.0,
            tolerance,
        });
    }
    Ok(Row { name, scenario, expected })
}

/// Six queues, each for a skill, and agents with so many skills. The first is their primary;
/// the others are the next ones of a round that begins elsewhere for each of the agents of a
/// primary, so that every pair of types is shared by as many. With one round for all of them
/// (type 1 always with type 2) neither the table nor Wallace and Whitt's figures come out.
fn six_queues(per_hour: f64, aht: f64, patience: Option<f64>, each: u32) -> String {
    let mut text = String::from("\n[[pools]]\nname = \"own\"\n");
    for t in 1..=TYPES {
        text += &format!(
            "\n[[queues]]\nname = \"type-{t}\"\nchannels = [\"voice\"]\nneeds = {{ type-{t} = 1 }}\n\
             target = \"20s\"\nwrap_up = \"0s\"\n"
        );
    }
    let others = TYPES - 1;
    for (t, begins) in (1..=TYPES).flat_map(|t| (0..others).map(move |b| (t, b))) {
        let next = (0..each - 1).map(|k| (t + (begins + k) % others) % TYPES + 1);
        let skills: Vec<String> =
            std::iter::once(t).chain(next).map(|s| format!("type-{s} = 5")).collect();
        text += &format!(
            "\n[[agent_groups]]\nprefix = \"agent-{t}-{begins}\"\ncount = {}\npool = \"own\"\n\
             skills = {{ {} }}\nprimary = \"type-{t}\"\n",
            SKILLED / TYPES / others,
            skills.join(", ")
        );
    }
    let patience = patience.map(|p| law("patience", p)).unwrap_or_default();
    for t in 1..=TYPES {
        text += &format!(
            "\n[[streams]]\nname = \"type-{t}\"\nqueue = \"type-{t}\"\nchannel = \"voice\"\n\
             per_hour = {}\n{}{patience}",
            plain(per_hour / f64::from(TYPES)),
            law("handle", aht)
        );
    }
    text
}

fn agents(line: &Line, all: &[Line], size: Size) -> Result<Row, SimulateError> {
    let rule = line.text("rule");
    let name = format!("agents-{rule}");
    let about = "50 fast agents and 50 slow ones, and whom a call goes to: reference/agents.csv.";
    // Speed is a skill, so that a rule can go by it.
    let choice = match rule {
        "fastest_first" => "agent_choice = \"most_proficient\"\n",
        "slowest_first" => "agent_choice = \"least_proficient\"\n",
        "random" => "agent_choice = \"random\"\n",
        _ => "",
    };
    let rate: f64 = SPEEDS.iter().map(|(_, n, aht)| f64::from(*n) / aht).sum();
    let per_hour = LOAD * rate * 3600.0;
    let mut scenario = titled(&name, about) + "skills = [\"speed\"]\n\n";
    scenario += &run(6e6, per_hour, 360.0, size);
    for (pool, _, _) in SPEEDS {
        scenario += &format!("\n[[pools]]\nname = \"{pool}\"\n");
    }
    scenario += &format!(
        "\n[[queues]]\nname = \"calls\"\nchannels = [\"voice\"]\nneeds = {{ speed = 1 }}\n{choice}\
         target = \"20s\"\nwrap_up = \"0s\"\n"
    );
    for ((pool, count, _), speed) in SPEEDS.into_iter().zip([5, 1]) {
        scenario += &format!(
            "\n[[agent_groups]]\nprefix = \"{pool}\"\ncount = {count}\npool = \"{pool}\"\n\
             skills = {{ speed = {speed} }}\n"
        );
    }
    for (pool, _, aht) in SPEEDS {
        scenario += &format!("\n[[staff]]\npool = \"{pool}\"\nspeed = {}\n", 300.0 / aht);
    }
    scenario += &format!(
        "\n[[streams]]\nname = \"calls\"\nqueue = \"calls\"\nchannel = \"voice\"\nper_hour = {}\n{}{}",
        plain(per_hour),
        law("handle", 300.0),
        law("patience", AGENTS_PATIENCE)
    );
    let close = size.simulated();
    let mut expected = Vec::new();
    expected.extend(expect(line, "P_delay", Of::All(Measure::DelayedShare, 1.0), close)?);
    expected.extend(expect(line, "P_ab", Of::All(Measure::AbandonedShare, 1.0), close)?);
    expected.extend(expect(line, "util_fast", Of::Busy("fast"), close)?);
    expected.extend(expect(line, "util_slow", Of::Busy("slow"), close)?);
    if rule == "longest_idle"
        && let Some(random) = all.iter().find(|l| l.text("rule") == "random")
        && let Some((table, rounding)) = random.rounded("P_ab")?
    {
        let of = Of::All(Measure::AbandonedShare, 1.0);
        let tolerance = size.points(0.002);
        expected.push(Expected { what: "P_ab of random", of, table, rounding, tolerance });
    }
    Ok(Row { name, scenario, expected })
}

fn delay(line: &Line, size: Size) -> Result<Row, SimulateError> {
    let (servers, theta, rho) = (line.count("s")?, line.positive("theta")?, line.positive("rho")?);
    let name = format!("delay-{}-{}-{}", line.text("s"), line.text("theta"), line.text("rho"));
    let about = "Estimates of the wait in M/M/s+M: reference/delay.csv; its unit is 300 s here.";
    let per_hour = rho * f64::from(servers) / SERVICE * 3600.0;
    let patience = SERVICE / theta;
    let scenario = titled(&name, about)
        + &run(3e6, per_hour, SERVICE.max(patience), size)
        + &one_queue(per_hour, SERVICE, Some(patience), servers);
    let mut expected = Vec::new();
    expected.push(Expected {
        what: "bias of QLm",
        of: Of::All(Measure::EstimateBias, 1.0),
        table: 0.0,
        rounding: 0.0,
        tolerance: size.points(0.01),
    });
    let most = Tolerance::Factor(size.root_error());
    expected.extend(expect(line, "QLm", Of::All(Measure::EstimateError, 1.0), most)?);
    Ok(Row { name, scenario, expected })
}
