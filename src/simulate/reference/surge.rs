//! The recall day of `surge.csv`: nothing done, levels set by one who knows what comes, and
//! the engine's own controller, which is held against the table's `reference`.
//!
//! What the table does not say is in `docs/simulate.md`.

use super::rows::{plain, titled};
use super::tables::Line;
use super::{Expected, Of, Row, Size, Tolerance};
use crate::simulate::error::SimulateError;
use crate::simulate::figures::Measure;
use crate::simulate::surge::Tiers;

/// Calls an hour of a normal day, and minutes until the ramp.
const NORMAL: f64 = 840.0;
const RAMP_AT_MIN: f64 = 60.0;
const RAMP_MIN: f64 = 15.0;
/// Agents, and calls in service that are a normal day.
const AGENTS: f64 = 100.0;
const ERLANGS: f64 = 70.0;
/// The load from which on those who know what comes need no tier.
const CALM: f64 = 0.85;
/// How far ours may be from the table's reference, as a share.
const WORSE: f64 = 0.005;
/// How far the clairvoyant may be from the table's, as a share.
const NEARLY: f64 = 0.003;
/// From which multiple on tier 1 has to be open within so many minutes.
const ON_WITHIN: [(f64, f64); 3] = [(3.0, 8.0), (5.0, 6.0), (10.0, 4.0)];
/// Up to this multiple nobody is to panic.
const NO_PANIC: f64 = 1.3;

/// What is done about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    Nothing,
    Clairvoyant,
    Ours,
}

/// The row of a line; none for a policy of the table's own that is not played.
pub(super) fn rows(line: &Line, size: Size) -> Result<Vec<Row>, SimulateError> {
    let multiple = line.positive("peak_multiple")?;
    let (policy, called) = match line.text("policy") {
        "none" => (Policy::Nothing, "none"),
        "clairvoyant" => (Policy::Clairvoyant, "clairvoyant"),
        "reference" | "ours" => (Policy::Ours, "ours"),
        _ => return Ok(Vec::new()),
    };
    let contained = line.number("contained")?.unwrap_or(0.6);
    let accept = line.number("accept")?.unwrap_or(0.37);
    let name = format!("surge-{}-{called}", line.text("peak_multiple"));
    let about = "A recall day on 100 agents, calls in its peak so many times as normal: reference/surge.csv.";
    let mut scenario = titled(&name, about) + &run(size);
    scenario += &centre(policy);
    scenario += &streams(policy, multiple, contained, accept);
    if policy != Policy::Nothing {
        let ahead = line.number("tier1_on_after_min")?.unwrap_or(0.0);
        scenario += &recall(policy, multiple, ahead);
    }
    let expected = match policy {
        Policy::Ours => ours(line, multiple, size)?,
        _ => modelled(line, size)?,
    };
    Ok(vec![Row { name, scenario, expected }])
}

fn run(size: Size) -> String {
    // A surge is one run, however short the comparison is: only their number makes it shorter.
    let runs = if size == Size::Whole { 40 } else { 3 };
    format!("[run]\nduration = \"12h\"\nruns = {runs}\nseed = 1\n\n")
}

fn centre(policy: Policy) -> String {
    // The table's agents take who has waited longest, of both queues.
    let choice = match policy {
        Policy::Ours => "fixed_queue_ratio",
        _ => "oldest_first",
    };
    let mut text =
        format!("[settings]\ncontact_choice = \"{choice}\"\n\n[[pools]]\nname = \"own\"\n\n");
    if policy != Policy::Nothing {
        text += "[[pools]]\nname = \"partner\"\npartner = true\n\n";
    }
    for (queue, target, pools) in
        [("support", "20s", "\"own\""), ("recall", "2m", "\"own\", \"partner\"")]
    {
        text +=
            &format!("[[queues]]\nname = \"{queue}\"\nchannels = [\"voice\"]\nwrap_up = \"0s\"\n");
        if policy != Policy::Nothing {
            text += &format!("target = \"{target}\"\npools = [{pools}]\n");
        }
        text += "\n";
    }
    if policy != Policy::Nothing {
        // Ours promises less than it could, so that partners can leave when the load has fallen.
        let share = if policy == Policy::Clairvoyant { 100 } else { 44 };
        text += &format!(
            "[queues.callback]\nshare = {share}\n\n[[entry_points]]\nname = \"recall-line\"\nqueue = \"recall\"\n\n"
        );
    }
    text += "[[agent_groups]]\nprefix = \"agent\"\ncount = 100\npool = \"own\"\n";
    if policy != Policy::Nothing {
        text += "\n[[agent_groups]]\nprefix = \"partner\"\ncount = 50\npool = \"partner\"\n\n\
                 [[staff]]\npool = \"partner\"\nspeed = 0.8\n";
    }
    text
}

fn streams(policy: Policy, multiple: f64, contained: f64, accept: f64) -> String {
    let people = "channel = \"voice\"\nhandle = { law = \"exponential\", mean = \"5m\" }\n\
                  patience = { law = \"exponential\", mean = \"4m\" }\n\
                  redial = { share = 0.4, after = { law = \"exponential\", mean = \"10m\" }, most = 1000 }\n";
    let peak = plain((multiple - 1.0) * NORMAL);
    // The table's menu takes no time; ours is a real one.
    let menu = if policy == Policy::Clairvoyant { "1s" } else { "90s" };
    let (to, tiers) = match policy {
        Policy::Nothing => ("queue = \"recall\"\n", String::new()),
        _ => (
            "entry_point = \"recall-line\"\n",
            format!(
                "self_service = {{ contained = {contained:?}, lasting = {{ law = \"exponential\", mean = \"{menu}\" }} }}\n\
                 callback = {{ accept = {accept:?} }}\n"
            ),
        ),
    };
    format!(
        "\n[[streams]]\nname = \"support\"\nqueue = \"support\"\nper_hour = {}\n{people}\n\
         [[streams]]\nname = \"recall\"\n{to}{people}{tiers}arrivals = [\n  \
         {{ shape = \"constant\", per_hour = 0, lasting = \"{}m\" }},\n  \
         {{ shape = \"ramp\", from_per_hour = 0, to_per_hour = {peak}, lasting = \"{}m\" }},\n  \
         {{ shape = \"halving\", from_per_hour = {peak}, every = \"1h\" }},\n]\n",
        plain(NORMAL),
        plain(RAMP_AT_MIN),
        plain(RAMP_MIN)
    )
}

fn recall(policy: Policy, multiple: f64, ahead_min: f64) -> String {
    // Who knows what comes has called partners ahead. Ours promises calls only where there is
    // room for them twice over: with an hour more, as many as the table promises.
    let (lead, within) = match policy {
        Policy::Clairvoyant => ("1m", "5h"),
        _ => ("20m", "4h"),
    };
    let moves = match policy {
        Policy::Clairvoyant => {
            let on = RAMP_AT_MIN + ahead_min;
            let off = calm_min(multiple);
            format!(
                "level = \"normal\"\nlevels = [{{ at = \"{}s\", level = \"critical\" }}, {{ at = \"{}s\", level = \"normal\" }}]\n",
                plain(on * 60.0),
                plain((off * 60.0).round())
            )
        }
        _ => "free = { lowest = \"normal\", highest = \"critical\" }\n".to_owned(),
    };
    format!(
        "\n[[recalls]]\nstart = \"1s\"\n{moves}\n[recalls.plan]\nentry_points = [\"recall-line\"]\n\
         safety_queue = \"support\"\nsoon = \"0s\"\n\
         ivr = {{ from = \"elevated\", ports = 100000, time_limit = \"1h\" }}\n\
         callback = {{ from = \"surge\", offer_after = \"2m\", within = \"{within}\", capacity = 100000 }}\n\
         partner = {{ from = \"critical\", pools = [\"partner\"], lead = \"{lead}\" }}\n"
    )
}

/// The minute from which on all calls are less than 0.85 of what the agents can take.
fn calm_min(multiple: f64) -> f64 {
    let peak = (multiple - 1.0) * ERLANGS;
    let halvings = (peak / (CALM * AGENTS - ERLANGS)).log2().max(0.0);
    RAMP_AT_MIN + RAMP_MIN + 60.0 * halvings
}

/// Where the table has what must come of the model itself.
fn modelled(line: &Line, size: Size) -> Result<Vec<Expected>, SimulateError> {
    let mut expected = Vec::new();
    for (what, of) in [
        ("lost_all", Of::All(Measure::LostShare, 1.0)),
        ("lost_recall", Of::Queue("recall", Measure::LostShare)),
    ] {
        if let Some((table, rounding)) = line.rounded(what)? {
            // One who knows what comes is not quite the table's, which has none of our rules.
            let tolerance = match line.text("policy") {
                "none" => size.simulated(),
                _ => size.points(NEARLY),
            };
            expected.push(Expected { what, of, table, rounding, tolerance });
        }
    }
    if let Some((table, rounding)) = line.rounded("ASA_s")?
        && line.text("policy") == "none"
    {
        let (of, tolerance) = (Of::All(Measure::SpeedOfAnswer, 1.0), size.simulated());
        expected.push(Expected { what: "ASA_s", of, table, rounding, tolerance });
    }
    Ok(expected)
}

/// What ours has to keep.
fn ours(line: &Line, multiple: f64, size: Size) -> Result<Vec<Expected>, SimulateError> {
    let most = |what, of, table| {
        let tolerance = Tolerance::Most { more: 0.0 };
        Expected { what, of, table, rounding: 0.0, tolerance }
    };
    let mut expected = Vec::new();
    if let Some((table, rounding)) = line.rounded("lost_all")? {
        let of = Of::All(Measure::LostShare, 1.0);
        let tolerance = Tolerance::Most { more: size.worse(WORSE) };
        expected.push(Expected { what: "lost_all", of, table, rounding, tolerance });
    }
    expected.push(most("tier_switches", Of::Tiers(Tiers::Switches), 8.0));
    let within = ON_WITHIN.iter().rev().find(|(from, _)| multiple >= *from);
    if let Some((_, minutes)) = within {
        expected.push(most("tier1_on_after_min", Of::Tiers(Tiers::OnAfter), *minutes));
    }
    if multiple <= NO_PANIC {
        expected.push(most("tier 1 used", Of::Tiers(Tiers::FirstUsed), 0.2));
        expected.push(most("callback used", Of::Tiers(Tiers::CallbackUsed), 0.0));
        expected.push(most("partner used", Of::Tiers(Tiers::PartnerUsed), 0.0));
    } else {
        expected.push(most("last tier off after", Of::Tiers(Tiers::OffAfter), 20.0));
    }
    expected.push(most("callbacks late", Of::All(Measure::CalledLateShare, 1.0), 0.01));
    expected.push(most("wronged", Of::Tiers(Tiers::Wronged), 0.0));
    Ok(expected)
}
