//! The overload table: two pools, of which one gets more than it can do, and the other helps.
//!
//! The table's unit of time is a service; here it is 300 s. What is compared of our sharing is
//! the cost of the overload with the best of the table, and how seldom it goes on and off.

use super::rows::{law, plain, run, titled};
use super::tables::Line;
use super::{Expected, Of, Row, Size, Tolerance};
use crate::simulate::error::SimulateError;
use crate::simulate::figures::Measure;

/// A service, seconds.
const SERVICE: f64 = 300.0;
/// Agents of each pool.
const AGENTS: u32 = 100;
/// Speed of the helpers at the other pool's work, and services that a customer is patient for.
const SHARING_RATE: f64 = 0.8;
const PATIENCE: f64 = 5.0;
/// Arrivals a service at each pool as ever, and at the first one when it is too much.
const NORMAL: f64 = 90.0;
const OVERLOAD: f64 = 130.0;
/// Contacts of a row, all runs together.
const CONTACTS: f64 = 16e6;
/// The table counts changes in so many services.
const SERVICES: f64 = 35.0;
/// After the table: about 4·√n to begin, the ratio of the two speeds; and an end well below.
const SHARING: &str = "\n[[sharing]]\nname = \"help\"\nqueue = \"first\"\nown = \"second\"\n\
     pools = [\"second\"]\nratio = 1.25\nactivate = 40\nrelease = 10\n";

/// What a line asks for: of the policies that were compared, nothing without sharing, and ours
/// in their place.
pub(super) fn rows(line: &Line, all: &[Line], size: Size) -> Result<Vec<Row>, SimulateError> {
    match line.text("policy") {
        "none" => Ok(vec![none(line, size)?]),
        "FQR-ART_k40" => Ok(vec![shared(line, all, size)?, calm(line, size)?]),
        _ => Ok(Vec::new()),
    }
}

fn none(line: &Line, size: Size) -> Result<Row, SimulateError> {
    let name = "overload-none".to_owned();
    let scenario = scenario(&name, "nobody helps", OVERLOAD, "", size);
    let (table, rounding) = line.rounded("overload_cost")?.unwrap_or_default();
    let of = Of::All(Measure::SquaredBacklog, 1.0);
    let expected =
        vec![Expected { what: "overload_cost", of, table, rounding, tolerance: size.simulated() }];
    Ok(Row { name, scenario, expected })
}

fn shared(line: &Line, all: &[Line], size: Size) -> Result<Row, SimulateError> {
    let name = "overload-shared".to_owned();
    let scenario = scenario(&name, "the second pool helps", OVERLOAD, SHARING, size);
    let mut best: Option<(f64, f64)> = None;
    for line in all {
        let cost = line.rounded("overload_cost")?;
        best = best.into_iter().chain(cost).min_by(|a, b| a.0.total_cmp(&b.0));
    }
    let mut expected = Vec::new();
    expected.extend(best.map(|(table, rounding)| Expected {
        what: "best overload_cost",
        of: Of::All(Measure::SquaredBacklog, 1.0),
        table,
        rounding,
        tolerance: Tolerance::Factor(if size == Size::Whole { 1.02 } else { 1.15 }),
    }));
    let changes = line.rounded("switches_per_35_units")?;
    expected.extend(changes.map(|(table, rounding)| Expected {
        what: "switches_per_35_units",
        of: Of::SharingChanges(SERVICES * SERVICE / 3600.0),
        table,
        rounding,
        tolerance: Tolerance::Factor(1.0),
    }));
    Ok(Row { name, scenario, expected })
}

fn calm(line: &Line, size: Size) -> Result<Row, SimulateError> {
    let name = "overload-calm".to_owned();
    let scenario = scenario(&name, "nobody needs help", NORMAL, SHARING, size);
    let time = line.rounded("normal_share_time")?;
    let expected = time.map(|(table, rounding)| Expected {
        what: "normal_share_time",
        of: Of::SharingTime,
        table,
        rounding,
        tolerance: Tolerance::Factor(1.0),
    });
    Ok(Row { name, scenario, expected: expected.into_iter().collect() })
}

fn scenario(name: &str, how: &str, first: f64, sharing: &str, size: Size) -> String {
    let per_hour = |a_service: f64| a_service * 3600.0 / SERVICE;
    let about = format!("Two pools, and {how}: reference/overload.csv; its unit is 300 s here.");
    let mut text = titled(name, &about)
        + &run(CONTACTS, per_hour(first + NORMAL), PATIENCE * SERVICE, size)
        + "\n[settings]\ncontact_choice = \"oldest_first\"\n";
    let helpers = if sharing.is_empty() { "" } else { ", \"second\"" };
    for (queue, rate, pools) in
        [("first", first, format!("\"first\"{helpers}")), ("second", NORMAL, "\"second\"".into())]
    {
        text += &format!(
            "\n[[pools]]\nname = \"{queue}\"\n\n[[queues]]\nname = \"{queue}\"\n\
             channels = [\"voice\"]\npools = [{pools}]\ntarget = \"20s\"\nwrap_up = \"0s\"\n\n\
             [[agent_groups]]\nprefix = \"{queue}\"\ncount = {AGENTS}\npool = \"{queue}\"\n\n\
             [[streams]]\nname = \"{queue}\"\nqueue = \"{queue}\"\nchannel = \"voice\"\n\
             per_hour = {}\n{}{}",
            plain(per_hour(rate)),
            law("handle", SERVICE),
            law("patience", PATIENCE * SERVICE)
        );
    }
    text += &format!(
        "\n[[staff]]\npool = \"second\"\nspeeds = {{ first = {SHARING_RATE} }}\n{sharing}"
    );
    text
}
