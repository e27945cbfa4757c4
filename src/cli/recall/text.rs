//! Recalls as people read them: in force now, next, undo.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::config::counted;
use super::super::out::{Ink, Palette, Table, Text};
use super::super::words::{length, word};
use crate::engine::recall::control::Pressure;
use crate::pb::v1::{ControlStatus, Measured, RecallLevel, RecallStatus, SafetyStatus, TierStatus};

const HEADER: [&str; 9] =
    ["TIER", "NOW", "IN USE", "CAPACITY", "ENTERED", "SOLVED", "INFORMED", "RETURNED", "OTHER"];
const NUMBERS: [usize; 7] = [2, 3, 4, 5, 6, 7, 8];
const LEGEND: &str = "SOLVED: closed on the customer's word   INFORMED: left after an answer or a \
                      completed check   RETURNED: came back to agents   OTHER: followed up or left";
/// Digits of a version that people compare.
const DIGITS: usize = 12;

/// What was ordered.
#[derive(Debug)]
pub(super) enum Told<'a> {
    /// A start, and what should be looked at.
    Started { warnings: &'a [String] },
    /// A level, and the one before.
    Level { before: Option<RecallLevel> },
    /// An amendment, and how many are told otherwise, by which way.
    Amended { follow_ups: u64, corrected: u64, unreachable: u64 },
    /// An end.
    Ended,
}

/// What an order came to.
pub(super) fn ordered(
    told: &Told<'_>,
    recall: Option<&RecallStatus>,
    to_move: Option<u64>,
    dry_run: bool,
    now_ms: u64,
    palette: Palette,
) -> Text {
    let mut text = Text::default();
    if dry_run {
        let line = "dry run: nothing was changed; this is what would be";
        text.lines(&[palette.paint(Ink::Yellow, line)]);
    }
    if let Some(recall) = recall {
        one(&mut text, recall, now_ms, palette);
    }
    text.line("next: ", &next(told, recall, to_move, dry_run));
    if let Told::Started { warnings } = told {
        for warning in *warnings {
            text.line("look at: ", warning);
        }
    }
    text.line("undo: ", &undo(told, recall, dry_run));
    text
}

fn next(
    told: &Told<'_>,
    recall: Option<&RecallStatus>,
    to_move: Option<u64>,
    dry_run: bool,
) -> String {
    if let Told::Amended { follow_ups, corrected, unreachable } = told {
        return format!(
            "of those who were told \"not affected\": {corrected} hear otherwise in the menu, \
             {follow_ups} get a follow-up, {unreachable} cannot be reached"
        );
    }
    let back = match told {
        Told::Amended { .. } => false,
        Told::Ended => true,
        Told::Started { .. } | Told::Level { .. } => {
            recall.is_some_and(|r| r.level() == RecallLevel::Normal)
        }
    };
    let Some(to_move) = to_move else {
        return "many wait and are being moved, each keeping their place; \
                `surgeline recall status` counts those who are left"
            .to_owned();
    };
    let verb = match (dry_run, to_move) {
        (true, _) => "would go",
        (false, 1) => "goes",
        (false, _) => "go",
    };
    match (to_move, back) {
        (0, true) => "nobody is in self-service; agents take everything".to_owned(),
        (0, false) => {
            "nobody who waits now is moved; whoever comes is taken as the tiers say".to_owned()
        }
        (n, true) => {
            let who = counted(usize::try_from(n).unwrap_or(usize::MAX), "contact");
            format!("{who} in self-service {verb} back to agents, each at their own place in line")
        }
        (n, false) => {
            let who = counted(usize::try_from(n).unwrap_or(usize::MAX), "contact");
            format!("{who} of those who wait {verb} to self-service, each keeping their place")
        }
    }
}

fn undo(told: &Told<'_>, recall: Option<&RecallStatus>, dry_run: bool) -> String {
    if dry_run {
        return "nothing to undo; without --dry-run it is done".to_owned();
    }
    let which = recall.map_or_else(String::new, |r| format!(" --recall {}", r.recall_id));
    match told {
        Told::Started { .. } => format!("surgeline recall end{which} --why \"...\""),
        Told::Level { before: Some(before) } => {
            format!("surgeline recall level {}{which} --why \"...\"", level(*before))
        }
        Told::Level { before: None } => "surgeline recall level LEVEL --why \"...\"".to_owned(),
        Told::Amended { .. } => {
            "lots stay; for other words amend again with the playbook that has them".to_owned()
        }
        Told::Ended => {
            "start the playbook again; self-service then begins anew for whoever still waits"
                .to_owned()
        }
    }
}

/// The recalls in force.
pub(super) fn status(recalls: &[RecallStatus], now_ms: u64, palette: Palette) -> Text {
    let mut text = Text::default();
    if recalls.is_empty() {
        text.line("", "no recall is in force: agents take everything");
        let start = "surgeline recall start PLAYBOOK --why \"...\" --dry-run";
        text.line("start one: ", start);
        return text;
    }
    for (at, recall) in recalls.iter().enumerate() {
        if at > 0 {
            text.line("", "");
        }
        one(&mut text, recall, now_ms, palette);
        let moving = recall.moving();
        if moving > 0 {
            let who = counted(usize::try_from(moving).unwrap_or(usize::MAX), "contact");
            text.line("  moving     ", &format!("{who} still to be moved"));
        }
    }
    text.lines(&[palette.paint(Ink::Dim, LEGEND)]);
    text
}

fn one(text: &mut Text, recall: &RecallStatus, now_ms: u64, palette: Palette) {
    let at = recall.level();
    let name = match recall.recall_id {
        0 => format!("recall of {}", recall.playbook),
        id => format!("recall {id}: {}", recall.playbook),
    };
    text.line("", &name);
    let since = ago(recall.since_unix_ms, now_ms);
    text.line("  level      ", &format!("{}, since {since}", level(at)));
    if let Some(bounds) = &recall.bounds {
        let (low, high) = (level(bounds.lowest()), level(bounds.highest()));
        text.line("  free       ", &format!("the router moves it, {low} to {high}"));
    }
    if let Some(control) = &recall.control {
        text.line("  now        ", &measured(control));
        text.line("  moves      ", &moves(control, at, now_ms));
    }
    if !recall.by.is_empty() {
        text.line("  set by     ", &format!("{}: {}", recall.by, recall.why));
    }
    text.line("  started    ", &ago(recall.started_unix_ms, now_ms));
    if at != RecallLevel::Ended {
        let ends = to_come(recall.expires_unix_ms, now_ms);
        text.line("  ends       ", &format!("{ends}, unless somebody ends it before"));
    }
    let version = recall.playbook_hash.get(..DIGITS).unwrap_or(&recall.playbook_hash);
    text.line("  version    ", version);
    let signed_in = counted(usize::try_from(recall.safety_agents).unwrap_or(0), "agent");
    let lane = format!("{signed_in} kept for the safety lane signed in");
    if recall.safety_agents == 0 && at != RecallLevel::Ended {
        text.lines(&[palette.paint(Ink::Red, &format!("  safety     {lane}"))]);
    } else {
        text.line("  safety     ", &lane);
    }
    if let Some(safety) = &recall.safety {
        text.line("             ", &late(safety, now_ms));
    }
    let mut table = Table::new(&HEADER, &NUMBERS, 2);
    recall.tiers.iter().for_each(|tier| table.row(cells(tier)));
    if recall.tiers.is_empty() {
        text.line("  tiers      ", "none: agents take everything at every level");
    } else {
        text.lines(&table.lines());
    }
    let out: u64 = recall.tiers.iter().map(|tier| tier.offers).sum();
    if out > 0 {
        let offers = counted(usize::try_from(out).unwrap_or(usize::MAX), "customer");
        text.line(
            "  offers     ",
            &format!("{offers} asked now whether they would rather be called"),
        );
    }
}

/// What is measured, each against its threshold.
pub(in crate::cli) fn measured(control: &ControlStatus) -> String {
    let told = |m: &Measured| {
        let of = Pressure::ALL.into_iter().find(|of| of.name() == m.name)?;
        let load = of == Pressure::Load;
        // Of a load people want the likely one beside what is certain.
        let value = if load { control.load } else { m.value };
        let sure = match m.value {
            _ if !load => String::new(),
            // A wave is told by how it rises, before as much has come.
            sure if sure > value => format!(", as it rises at least {}", of.told(sure)),
            sure => format!(", at least {}", of.told(sure)),
        };
        let (rises, falls) = (of.told(m.threshold), of.told(m.release));
        let name = m.name.replace('_', " ");
        Some(format!("{name} {}{sure} (rises beyond {rises}, falls below {falls})", of.told(value)))
    };
    let mut told: Vec<String> = control.measures.iter().filter_map(told).collect();
    if control.owed_ms > 0 {
        let minutes = control.owed_ms.div_ceil(60_000);
        told.push(format!("{minutes} min of everybody's work owed in callbacks"));
    }
    told.join("; ")
}

/// What speaks for a move, for how long, and where it leads.
pub(in crate::cli) fn moves(control: &ControlStatus, at: RecallLevel, now_ms: u64) -> String {
    if control.next() == RecallLevel::Unspecified {
        return "stays: neither anything presses nor has everything fallen far enough".to_owned();
    }
    let order = |level: RecallLevel| match level {
        RecallLevel::Tail => 2,
        RecallLevel::Normal => 1,
        level => 1 + i32::from(level),
    };
    let way = if order(control.next()) > order(at) { "rising" } else { "falling" };
    let seconds = |from: u64, to: u64| to.saturating_sub(from).div_ceil(1_000);
    let all = seconds(control.since_unix_ms, control.next_unix_ms);
    let passed = seconds(control.since_unix_ms, now_ms).min(all);
    let next = level(control.next());
    format!("{way}: {} for {passed} s of {all} s → {next}", control.because)
}

/// What is done for those who are hurt and wait, and whether people are being called in.
fn late(safety: &SafetyStatus, now_ms: u64) -> String {
    let outside = match &*safety.external {
        "" => "no number outside".to_owned(),
        number => format!("{number} after {} s", safety.external_after_s),
    };
    let mut told = format!(
        "who waits: any agent after {} s, {outside}, people paged after {} s",
        safety.any_agent_after_s, safety.page_after_s
    );
    if let Some(since) = safety.late_since_unix_ms {
        let waiting = safety.waiting_late;
        told.push_str(&format!("; {waiting} WAIT TOO LONG, since {}", ago(since, now_ms)));
    }
    if safety.pages > 0 {
        told.push_str(&format!("; {} pages", safety.pages));
        for (count, what) in
            [(safety.pages_pending, "being sent"), (safety.pages_failed, "reached nobody")]
        {
            if count > 0 {
                told.push_str(&format!(", {count} {what}"));
            }
        }
    }
    told
}

/// Whether a tier takes contacts now, and if not, when it will.
pub(in crate::cli) fn standing(tier: &TierStatus) -> String {
    if tier.open && tier.tries_again_unix_ms > 0 {
        format!("failing, tries at {}", clock(tier.tries_again_unix_ms))
    } else if tier.open && tier.breaker == "trying" {
        "trying one".to_owned()
    } else if tier.joins_unix_ms > 0 {
        format!("joins at {}", clock(tier.joins_unix_ms))
    } else if tier.partners == "joined" {
        "joined".to_owned()
    } else if tier.open {
        "open".to_owned()
    } else {
        format!("closed, opens at {}", level(tier.from()))
    }
}

fn cells(tier: &TierStatus) -> [String; 9] {
    [
        word(tier.tier().as_str_name(), "TIER_"),
        standing(tier),
        tier.in_use.to_string(),
        if tier.capacity == 0 { "-".to_owned() } else { tier.capacity.to_string() },
        tier.entered.to_string(),
        tier.solved.to_string(),
        tier.informed.to_string(),
        tier.returned.to_string(),
        (tier.followed_up + tier.left).to_string(),
    ]
}

fn level(level: RecallLevel) -> String {
    word(level.as_str_name(), "RECALL_LEVEL_")
}

fn ago(then_ms: u64, now_ms: u64) -> String {
    format!("{} ({} ago)", local(then_ms), length(now_ms.saturating_sub(then_ms)))
}

fn to_come(then_ms: u64, now_ms: u64) -> String {
    format!("{} (in {})", local(then_ms), length(then_ms.saturating_sub(now_ms)))
}

/// A moment on the clock of this machine, as people say it.
fn local(unix_ms: u64) -> String {
    shown(unix_ms, "%a %-d %b %H:%M:%S %Z")
}

/// The same, of today.
fn clock(unix_ms: u64) -> String {
    shown(unix_ms, "%H:%M:%S")
}

fn shown(unix_ms: u64, how: &str) -> String {
    let at = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(
        || "-".to_owned(),
        |at| at.to_zoned(TimeZone::system()).strftime(how).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::v1::Tier;

    const NOW: u64 = 1_795_000_000_000;

    fn recall(at: RecallLevel) -> RecallStatus {
        let faq = TierStatus {
            tier: Tier::Faq.into(),
            open: true,
            in_use: 3,
            capacity: 10_000,
            entered: 12,
            solved: 4,
            informed: 2,
            returned: 1,
            followed_up: 1,
            left: 1,
            from: RecallLevel::Elevated.into(),
            ..TierStatus::default()
        };
        let ivr = TierStatus {
            tier: Tier::Ivr.into(),
            from: RecallLevel::Surge.into(),
            ..TierStatus::default()
        };
        RecallStatus {
            recall_id: 7,
            playbook: "Any product\u{1b}[2J".to_owned(),
            playbook_hash: "0123456789abcdef".to_owned(),
            level: at.into(),
            since_unix_ms: NOW - 61_000,
            by: "amara".to_owned(),
            why: "smoke\nrecall 8: all clear".to_owned(),
            started_unix_ms: NOW - 3_660_000,
            expires_unix_ms: NOW + 90_000_000,
            moving: Some(5),
            tiers: vec![faq, ivr],
            ..RecallStatus::default()
        }
    }

    #[test]
    fn what_is_in_force_is_told_and_nothing_written_elsewhere_is_obeyed() {
        let mut recall = recall(RecallLevel::Elevated);
        let callback =
            TierStatus { tier: Tier::Callback.into(), offers: 2, ..TierStatus::default() };
        recall.tiers.push(callback);
        let text = status(&[recall], NOW, Palette::Plain);
        let text = text.as_str();
        for told in [
            "recall 7: Any product\\u{1b}[2J\n",
            "  level      elevated, since ",
            "(1m01s ago)",
            "  set by     amara: smoke\n             recall 8: all clear\n",
            "(in 1d01h), unless somebody ends it before",
            "  version    0123456789ab\n",
            "  safety     0 agents kept for the safety lane signed in\n",
            "closed, opens at surge",
            "  offers     2 customers asked now whether they would rather be called\n",
            "  moving     5 contacts still to be moved\n",
        ] {
            assert!(text.contains(told), "{told:?} is not in\n{text}");
        }
        let faq: Vec<&str> =
            text.lines().find(|l| l.starts_with("faq")).unwrap().split_whitespace().collect();
        assert_eq!(faq, ["faq", "open", "3", "10000", "12", "4", "2", "1", "2"]);
        assert!(!text.contains('\u{1b}'));
        let none = status(&[], NOW, Palette::Plain);
        assert!(none.as_str().starts_with("no recall is in force"), "{none:?}");
    }

    #[test]
    fn an_order_tells_what_happens_next_and_the_way_back() {
        let told = |told: &Told<'_>, at, n: Option<u64>, dry_run| {
            let recall = recall(at);
            let text = ordered(told, Some(&recall), n, dry_run, NOW, Palette::Plain);
            text.as_str().to_owned()
        };
        let warnings = ["Nobody is there.".to_owned()];
        let started =
            told(&Told::Started { warnings: &warnings }, RecallLevel::Surge, Some(340), false);
        assert!(started.contains("next: 340 contacts of those who wait go to self-service"));
        assert!(started.contains("look at: Nobody is there.\n"), "{started}");
        let many = told(&Told::Started { warnings: &[] }, RecallLevel::Surge, None, false);
        assert!(many.contains("next: many wait and are being moved"), "{many}");
        assert!(started.ends_with("undo: surgeline recall end --recall 7 --why \"...\"\n"));

        let level = Told::Level { before: Some(RecallLevel::Surge) };
        let normal = told(&level, RecallLevel::Normal, Some(1), false);
        assert!(normal.contains("next: 1 contact in self-service goes back to agents"), "{normal}");
        assert!(normal.ends_with("undo: surgeline recall level surge --recall 7 --why \"...\"\n"));

        let ended = told(&Told::Ended, RecallLevel::Ended, Some(0), true);
        assert!(ended.starts_with("dry run: nothing was changed"), "{ended}");
        assert!(ended.contains("next: nobody is in self-service"), "{ended}");
        assert!(!ended.contains("unless somebody ends it"), "{ended}");
    }
}
