//! `surgeline simulate --reference`: every row of the reference tables played and compared.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::out::{Table, Text, put, tell_line};
use super::super::{FAILED, NOT_FOUND, OK};
use super::args::Simulate;
use super::text::figure;
use super::{progress, unusable};
use crate::simulate::reference::{Comparison, Row, Size, rows};
use crate::simulate::{Outcome, Scenario, SimulateError, simulate};

/// Plays and compares.
///
/// # Errors
/// What cannot be read, played or written.
pub(super) fn run(asked: &Simulate, folder: Option<&Path>) -> anyhow::Result<ExitCode> {
    let size = if asked.short { Size::Short } else { Size::Whole };
    let mut rows = match rows(folder, size) {
        Ok(rows) => rows,
        Err(error) => return unusable(&error),
    };
    rows.retain(|row| asked.only.as_ref().is_none_or(|only| row.name.contains(&**only)));
    if rows.is_empty() {
        tell_line("no row of the tables is called so; names are such as erlang-1, skills-ab-84-2");
        return Ok(ExitCode::from(NOT_FOUND));
    }
    if let Some(folder) = &asked.write {
        return write(&rows, folder);
    }
    let mut played = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let of = format!("{} ({} of {}): ", row.name, index + 1, rows.len());
        let outcome = play(row, asked, &of);
        if let Err(error) = &outcome {
            tell_line(&format!("{}: {error}", row.name));
        }
        let compared = outcome.as_ref().map(|o| row.judge(o)).unwrap_or_default();
        if outcome.is_ok() {
            let near = compared.iter().filter(|c| c.near).count();
            tell_line(&format!("{of}{near} of {} figures near enough", compared.len()));
        }
        played.push((row, outcome, compared));
    }
    let far = |(_, outcome, compared): &(&Row, Result<Outcome, SimulateError>, Vec<Comparison>)| {
        outcome.is_err() || compared.iter().any(|c| !c.near)
    };
    let failed = played.iter().filter(|p| far(p)).count();
    put(&if asked.json { json_of(&played) } else { table_of(&played, failed) })?;
    Ok(ExitCode::from(if failed == 0 { OK } else { FAILED }))
}

/// Plays as many runs as the row says, and where these cannot tell what is asked, as many as
/// can.
fn play(row: &Row, asked: &Simulate, of: &str) -> Result<Outcome, SimulateError> {
    let parsed = || Scenario::parse(&row.name, &row.scenario, Path::new(""));
    let scenario = parsed()?.with(asked.seed, asked.runs)?;
    let outcome = simulate(&scenario, &mut progress(scenario.runs(), of.to_owned()))?;
    let runs = row.runs_needed(&outcome);
    if asked.short || asked.runs.is_some() || runs == outcome.runs {
        return Ok(outcome);
    }
    let scenario = parsed()?.with(asked.seed, Some(runs))?;
    simulate(&scenario, &mut progress(runs, of.to_owned()))
}

fn write(rows: &[Row], folder: &Path) -> anyhow::Result<ExitCode> {
    let failed = |path: &Path, source| SimulateError::Write { path: path.into(), source };
    std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    for row in rows {
        let path = folder.join(format!("{}.toml", row.name));
        std::fs::write(&path, &row.scenario).map_err(|source| failed(&path, source))?;
    }
    put(&Text::own(format!("{} scenarios written\n", rows.len())))?;
    Ok(ExitCode::from(OK))
}

type Played<'a> = (&'a Row, Result<Outcome, SimulateError>, Vec<Comparison>);

fn table_of(played: &[Played<'_>], failed: usize) -> Text {
    let header = ["ROW", "WHAT", "TABLE", "FOUND", "±95 %", "OFF", "ALLOWED", "VERDICT"];
    let mut table = Table::new(&header, &[2, 3, 4, 5], 2);
    let mut contacts = 0;
    let mut took = 0.0;
    for (row, outcome, compared) in played {
        if let Ok(outcome) = outcome {
            contacts += outcome.contacts;
            took += outcome.took;
        } else {
            let cells = [&*row.name, "", "", "", "", "", "", "NOT PLAYED"];
            table.row(cells.map(ToOwned::to_owned));
        }
        for c in compared {
            let off = |found: f64| match c.table {
                0.0 => format!("{found:+.5}"),
                table => format!("{:+.2} %", (found / table - 1.0) * 100.0),
            };
            let half = c.found.and_then(|f| f.half);
            table.row([
                row.name.clone(),
                c.what.to_owned(),
                format!("{:.5}", c.table),
                c.found.map_or_else(|| "-".into(), |f| format!("{:.5}", f.mean)),
                half.map_or_else(|| "-".into(), |h| format!("{h:.5}")),
                c.found.map_or_else(|| "-".into(), |f| off(f.mean)),
                c.allowed.clone(),
                if c.near { "near" } else { "FAR" }.to_owned(),
            ]);
        }
    }
    let mut text = Text::default();
    text.lines(&table.lines());
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = contacts as f64 / f64::max(took, 1e-9);
    text.line("", &format!(
        "{} rows, {failed} of them not near enough; {} contacts in {took:.0} s, {rate:.0} a second",
        played.len(),
        super::text::grouped(contacts)
    ));
    text
}

fn json_of(played: &[Played<'_>]) -> Text {
    let row = |(row, outcome, compared): &Played<'_>| {
        let comparison = |c: &Comparison| {
            json!({
                "what": c.what,
                "table": c.table,
                "found": c.found.as_ref().map(figure),
                "allowed": c.allowed,
                "near": c.near,
            })
        };
        json!({
            "row": row.name,
            "error": outcome.as_ref().err().map(ToString::to_string),
            "contacts": outcome.as_ref().ok().map(|o| o.contacts),
            "took_s": outcome.as_ref().ok().map(|o| o.took),
            "comparisons": compared.iter().map(comparison).collect::<Vec<_>>(),
        })
    };
    Text::json(&Value::Array(played.iter().map(row).collect()))
}
