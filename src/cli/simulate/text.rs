//! What a simulation came to, as a table and as JSON.

use serde_json::{Map, Value, json};

use super::super::out::{Table, Text};
use crate::simulate::{Figure, Outcome, Scope, Unit};

/// Queues beside one another in one table.
const COLUMNS: usize = 5;

/// The outcome for people.
pub(super) fn text(outcome: &Outcome) -> Text {
    let mut text = Text::default();
    text.line("", &outcome.title);
    if !outcome.about.is_empty() {
        text.line("", &outcome.about);
    }
    let (runs, lasting) = (outcome.runs, hours(outcome.duration));
    let without = hours(outcome.warm_up);
    text.line("", &format!("{runs} runs of {lasting}, the first {without} left out, seed {}; ± is the 95 % confidence interval", outcome.seed));
    for scopes in outcome.queues.chunks(COLUMNS) {
        text.line("", "");
        text.lines(&queues(scopes).lines());
    }
    text.line("", "");
    let mut table = Table::new(&["OCCUPANCY", "AGENTS", "BUSY"], &[1, 2], 2);
    for group in &outcome.occupancy {
        let kind = if group.is_pool { "pool" } else { "profile" };
        let busy = Unit::Share.told(&group.busy);
        table.row([format!("{kind} {}", group.name), group.agents.to_string(), busy]);
    }
    text.lines(&table.lines());
    text.line("", "");
    if let Some([time, changes]) = &outcome.sharing {
        let (time, changes) = (Unit::Share.told(time), Unit::Number.told(changes));
        text.line(
            "",
            &format!("shared between queues: {time} of the time, {changes} changes an hour"),
        );
    }
    if let Some(switches) = &outcome.switches {
        text.line("", &format!("changes of level a run: {}", Unit::Contacts.told(switches)));
    }
    if !outcome.tiers.is_empty() {
        let mut table = Table::new(&["TIERS", "A RUN"], &[1], 2);
        for (what, found) in &outcome.tiers {
            table.row([what.words().to_owned(), Unit::Number.told(found)]);
        }
        text.lines(&table.lines());
        text.line("", "");
    }
    if let Some(first) = &outcome.first_refusal {
        text.line("", &format!("{} commands were refused; the first: {first}", outcome.refused));
    }
    text.line("", &speed(outcome));
    text
}

/// How fast it was.
pub(super) fn speed(outcome: &Outcome) -> String {
    let (contacts, took) = (grouped(outcome.contacts), outcome.took);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
    let rate = grouped(outcome.contacts_a_second().round() as u64);
    format!("{contacts} contacts in {took:.1} s: {rate} contacts a second")
}

fn queues(scopes: &[Scope]) -> Table {
    let name = |scope: &Scope| scope.queue.as_deref().unwrap_or("ALL QUEUES").to_owned();
    let names: Vec<String> = scopes.iter().map(name).collect();
    let header: Vec<&str> = std::iter::once("QUEUE").chain(names.iter().map(|n| &**n)).collect();
    let right: Vec<usize> = (1..header.len()).collect();
    let mut table = Table::new(&header, &right, 2);
    for measure in crate::simulate::Measure::ALL {
        let figures: Vec<_> = scopes.iter().map(|s| s.figure(measure)).collect();
        let telling = |f: &Option<Figure>| f.is_some_and(|f| !measure.is_rare() || f.mean > 0.0);
        if figures.iter().any(telling) {
            let cell = |f: &Option<Figure>| f.as_ref().map(|f| measure.unit().told(f));
            let cells = figures.iter().map(|f| cell(f).unwrap_or_else(|| "-".into()));
            table.row(std::iter::once(measure.words().to_owned()).chain(cells));
        }
    }
    table
}

fn hours(seconds: f64) -> String {
    if seconds >= 7200.0 {
        format!("{:.0} h", seconds / 3600.0)
    } else if seconds >= 120.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{seconds:.0} s")
    }
}

/// A count with commas.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The outcome for programs.
pub(super) fn rows(outcome: &Outcome) -> Value {
    let scope = |scope: &Scope| {
        let figures = scope.figures.iter().map(|(m, f)| (m.name().to_owned(), figure(f)));
        json!({ "queue": scope.queue, "figures": figures.collect::<Map<_, _>>() })
    };
    let occupancy = |group: &crate::simulate::Occupancy| {
        let kind = if group.is_pool { "pool" } else { "profile" };
        json!({ "of": kind, "name": group.name, "agents": group.agents, "busy": figure(&group.busy) })
    };
    json!({
        "title": outcome.title,
        "seed": outcome.seed,
        "runs": outcome.runs,
        "duration_s": outcome.duration,
        "warm_up_s": outcome.warm_up,
        "queues": outcome.queues.iter().map(scope).collect::<Vec<_>>(),
        "occupancy": outcome.occupancy.iter().map(occupancy).collect::<Vec<_>>(),
        "sharing": outcome.sharing.as_ref().map(|[time, changes]| json!({
            "time": figure(time),
            "changes_an_hour": figure(changes),
        })),
        "level_changes": outcome.switches.as_ref().map(figure),
        "tiers": outcome.tiers.iter().map(|(t, f)| (t.name().to_owned(), figure(f))).collect::<Map<_, _>>(),
        "contacts": outcome.contacts,
        "took_s": outcome.took,
        "contacts_a_second": outcome.contacts_a_second(),
        "refused": outcome.refused,
        "first_refusal": outcome.first_refusal,
    })
}

pub(super) fn figure(f: &Figure) -> Value {
    json!({ "mean": f.mean, "half_95": f.half, "standard_error": f.error, "runs": f.runs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_commas() {
        assert_eq!([7, 1_234, 1_234_567].map(grouped), ["7", "1,234", "1,234,567"]);
    }
}
