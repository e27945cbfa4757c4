//! How the demo looks: tables of queues, agents and contacts in 100 columns.
//!
//! It turns what was seen into lines and reads nothing itself.

use std::net::SocketAddr;
use std::time::Duration;

use super::audit::Counts;
use super::scenario::GATEWAYS;
use super::watch::{Agents, Snapshot};
use crate::cli::out::{Ink, Palette, Table};
use crate::cli::queue::{HEADER, LEGEND, NUMBERS, painted};
use crate::cli::recall::text::{measured, moves, standing};
use crate::cli::words::{share, word};
use crate::grpc::unix_ms;
use crate::pb::v1::{QueueRow, RecallLevel, RecallStatus, TierStatus};

/// Widest line.
const COLUMNS: usize = 100;
/// Looks in the curve of contacts waiting.
const CURVE: usize = 60;

/// Characters of a playbook's title.
const TITLE: usize = 40;

/// Where the demo's router listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) grpc: SocketAddr,
    pub(super) http: SocketAddr,
}

/// Everything that is shown at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// Until nobody comes any more; none: work in hand is being finished.
    pub(super) left: Option<Duration>,
    pub(super) addresses: Addresses,
    pub(super) seed: u64,
    /// Contacts waiting at each look, oldest first.
    pub(super) waiting: &'a [u64],
    pub(super) audit: Counts,
}

impl Frame<'_> {
    /// The live view.
    pub(super) fn lines(&self, palette: Palette) -> Vec<String> {
        let Addresses { grpc, http } = self.addresses;
        let left = self.left.map_or_else(
            || "finishing".to_owned(),
            |left| format!("{}s left", left.as_millis().div_ceil(1000)),
        );
        let gateways = GATEWAYS.len();
        let title =
            format!("Surgeline demo: a router, {gateways} gateways and their customers, over gRPC");
        let space = COLUMNS.saturating_sub(title.len());
        let mut lines = vec![palette.paint(Ink::Bold, &format!("{title}{left:>space$}"))];
        let where_from = format!(
            "gRPC {grpc}   http://{http}/metrics   seed {}   Ctrl-C ends it early",
            self.seed
        );
        lines.push(palette.paint(Ink::Dim, &where_from));
        lines.push(String::new());
        lines.extend(self.tables(palette));
        lines
    }

    /// Queues, agents, contacts and the curve.
    pub(super) fn tables(&self, palette: Palette) -> Vec<String> {
        let mut lines = queues(&self.snapshot.queues, palette);
        lines.extend(LEGEND.iter().map(|line| palette.paint(Ink::Dim, line)));
        lines.push(String::new());
        lines.extend(agents(self.snapshot, palette));
        lines.push(String::new());
        lines.extend(contacts(self.snapshot, self.audit, palette));
        lines.push(String::new());
        lines.extend(recall(self.snapshot, self.audit, palette));
        lines.push(String::new());
        lines.push(format!("waiting  {}", curve(self.waiting)));
        lines
    }

    /// One line for a log.
    pub(super) fn progress(&self) -> String {
        let c = &self.snapshot.contacts;
        let left = self
            .left
            .map_or_else(|| "finishing".to_owned(), |left| format!("{} s left", left.as_secs()));
        let level = self.snapshot.recalls.first().map_or_else(|| "normal".to_owned(), level);
        let abandoned: u64 = self.snapshot.queues.iter().map(|q| q.abandoned).sum();
        format!(
            "demo: {left}, level {level}, accepted {}, waiting {}, with agents {}, pending {}, \
             self-service {}, closed {}, abandoned {abandoned}, load {}, difference {}, double reservations {}",
            c.accepted,
            c.queued,
            c.reserved + c.connecting + c.assigned,
            c.pending,
            c.self_service,
            c.closed,
            share(self.snapshot.load()),
            self.snapshot.difference(),
            self.audit.double_reservations,
        )
    }
}

fn queues(rows: &[QueueRow], palette: Palette) -> Vec<String> {
    // One apart: with two, the columns would not fit.
    let table = Table::new(&HEADER, &NUMBERS, 1).steady(&[9, 8, 7, 8, 9, 10, 6, 7, 8, 7, 7, 11]);
    painted(table, rows, palette)
}

fn agents(snapshot: &Snapshot, palette: Palette) -> Vec<String> {
    let Agents { ready, reserved, busy, wrap_up, not_ready, lost, signed_out, .. } =
        snapshot.agents;
    let header = [
        "AGENTS",
        "READY",
        "RESERVED",
        "BUSY",
        "WRAP-UP",
        "NOT READY",
        "LOST",
        "SIGNED OUT",
        "OCCUPIED",
        "LOAD",
    ];
    let table = Table::new(&header, &[1, 2, 3, 4, 5, 6, 7, 8, 9], 2);
    let mut table = table.steady(&[9, 8, 10, 7, 9, 11, 7, 12, 10, 8]);
    let counts = [ready, reserved, busy, wrap_up, not_ready, lost, signed_out];
    let total: u64 = counts.iter().sum();
    let mut row = vec![total.to_string()];
    row.extend(counts.iter().map(ToString::to_string));
    row.push(share(snapshot.occupancy()));
    row.push(share(snapshot.load()));
    table.row(row);
    let away = snapshot.agents.away.iter().map(|(reason, n)| format!("{reason} {n}"));
    let mut away: Vec<_> = away.collect();
    if snapshot.agents.phone_unreachable > 0 {
        away.push(format!("phone unreachable {}", snapshot.agents.phone_unreachable));
    }
    let away = if away.is_empty() { "nobody".to_owned() } else { away.join(", ") };
    let mut text = headed(&table, palette);
    text.push(palette.paint(Ink::Dim, &format!("away: {away}")));
    text
}

fn contacts(snapshot: &Snapshot, audit: Counts, palette: Palette) -> Vec<String> {
    let c = &snapshot.contacts;
    let header = [
        "CONTACTS",
        "ACCEPTED",
        "=",
        "QUEUED",
        "RESERVED",
        "CONNECTING",
        "ASSIGNED",
        "PENDING",
        "TO CALL",
        "IN TIERS",
        "CLOSED",
    ];
    let table = Table::new(&header, &[1, 3, 4, 5, 6, 7, 8, 9, 10], 2);
    let mut table = table.steady(&[10, 10, 3, 8, 10, 12, 10, 9, 9, 10, 8]);
    let open = [
        c.queued,
        c.reserved,
        c.connecting,
        c.assigned,
        c.pending,
        c.callback_due,
        c.self_service,
        c.closed,
    ];
    let mut row = vec![String::new(), c.accepted.to_string(), String::new()];
    row.extend(open.iter().map(ToString::to_string));
    table.row(row);
    let mut text = headed(&table, palette);
    let (difference, doubles) = (snapshot.difference(), audit.double_reservations);
    let law = format!("difference {difference}, double reservations {doubles}: both must be 0");
    let ink = if difference == 0 && doubles == 0 { Ink::Dim } else { Ink::Red };
    text.push(palette.paint(ink, &law));
    text
}

/// The level and how the tiers stand.
fn recall(snapshot: &Snapshot, audit: Counts, palette: Palette) -> Vec<String> {
    let Some(recall) = snapshot.recalls.first() else {
        return vec![palette.paint(Ink::Dim, "no recall is in force")];
    };
    let level = level(recall);
    let title: String = recall.playbook.chars().take(TITLE).collect();
    let title = format!(
        "RECALL at {level}: {title}   safety agents {}   to be moved {}",
        recall.safety_agents,
        recall.moving()
    );
    let ink = if recall.level() == RecallLevel::Normal { Ink::Bold } else { Ink::Yellow };
    let mut lines = vec![palette.paint(ink, &title)];
    if let Some(control) = &recall.control {
        lines.extend(told("free    ", &format!("set by {}: {}", recall.by, recall.why)));
        lines.extend(told("now     ", &measured(control)));
        lines.extend(told("moves   ", &moves(control, recall.level(), unix_ms())));
    }
    let header = ["TIER", "NOW", "IN USE", "ENTERED", "SOLVED", "INFORMED", "RETURNED", "LEFT"];
    let table = Table::new(&header, &[2, 3, 4, 5, 6, 7], 2);
    let mut table = table.steady(&[10, 28, 8, 9, 8, 10, 10, 8]);
    for tier in &recall.tiers {
        let mut row = vec![word(tier.tier().as_str_name(), "TIER_"), standing(tier)];
        let counts =
            [tier.in_use, tier.entered, tier.solved, tier.informed, tier.returned, tier.left];
        row.extend(counts.iter().map(ToString::to_string));
        table.row(row);
    }
    lines.extend(headed(&table, palette));
    let out: u64 = recall.tiers.iter().map(|tier: &TierStatus| tier.offers).sum();
    let Counts { asked, wanted, called_back, .. } = audit;
    lines.push(format!(
        "calls   {asked} asked whether they would rather be called, {out} are thinking; \
         {wanted} said yes, {called_back} reached"
    ));
    lines
}

/// What is told under a name, part by part in as many lines as it takes.
fn told(name: &str, text: &str) -> Vec<String> {
    let mut lines = vec![name.to_owned()];
    for (at, part) in text.split("; ").enumerate() {
        let last = lines.last_mut().filter(|l| l.len() + part.len() + 2 <= COLUMNS || at == 0);
        match last {
            Some(line) => line.push_str(&format!("{}{part}", if at == 0 { "" } else { "; " })),
            None => lines.push(format!("{:w$}{part}", "", w = name.len())),
        }
    }
    lines.iter().map(|line| line.chars().take(COLUMNS).collect()).collect()
}

fn level(recall: &RecallStatus) -> String {
    word(recall.level().as_str_name(), "RECALL_LEVEL_")
}

fn headed(table: &Table, palette: Palette) -> Vec<String> {
    let mut text = table.lines();
    if let Some(header) = text.first_mut() {
        *header = palette.paint(Ink::Bold, header);
    }
    text
}

/// The last looks as a curve, scaled to the most.
fn curve(waiting: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let recent = &waiting[waiting.len().saturating_sub(CURVE)..];
    let most = recent.iter().copied().max().unwrap_or_default();
    let bar = |n: u64| {
        let step = usize::try_from((n * 7).div_ceil(most.max(1))).unwrap_or_default();
        BARS[step.min(7)]
    };
    let bars: String = recent.iter().map(|n| bar(*n)).collect();
    format!("{bars}  now {}, most {most}", recent.last().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::v1::{ContactCounts, ControlStatus, Measured, Tier};

    fn snapshot() -> Snapshot {
        let row = |queue: &str, waiting, oldest_wait_ms| QueueRow {
            queue: queue.to_owned(),
            waiting,
            oldest_wait_ms,
            offered: 1_200,
            answered: 1_100,
            answered_in_target: 1_000,
            abandoned: 40,
            abandoned_after_target: 30,
            target_ms: 1_000,
            service_level_all_abandoned: Some(0.86),
            service_level_late_abandoned: Some(0.885),
            average_speed_of_answer_ms: Some(431.7),
            agents_able: 33,
            agents_ready: 2,
            ..QueueRow::default()
        };
        Snapshot {
            queues: vec![row("calls", 14, 2_340), row("letters", 0, 0)],
            contacts: ContactCounts {
                accepted: 2_920,
                queued: 14,
                reserved: 3,
                connecting: 2,
                assigned: 41,
                pending: 5,
                closed: 2_335,
                self_service: 500,
                callback_due: 20,
            },
            agents: Agents {
                ready: 2,
                reserved: 2,
                busy: 30,
                wrap_up: 4,
                not_ready: 4,
                load_permille: 33_000,
                away: [("lunch".to_owned(), 3), ("ring-no-answer".to_owned(), 1)].into(),
                ..Agents::default()
            },
            recalls: vec![recall()],
        }
    }

    fn recall() -> RecallStatus {
        let tier = |tier: Tier, in_use, entered| TierStatus {
            tier: tier.into(),
            open: true,
            in_use,
            entered,
            returned: 120,
            solved: 80,
            informed: 61,
            left: 4,
            ..TierStatus::default()
        };
        RecallStatus {
            recall_id: 1,
            playbook: "Kettle K2: the base may overheat".to_owned(),
            level: RecallLevel::Surge.into(),
            moving: Some(12),
            safety_agents: 4,
            by: "router".to_owned(),
            why: "wait 2 s > 1 s for 1 s".to_owned(),
            control: Some(ControlStatus {
                measures: vec![Measured {
                    name: "wait".to_owned(),
                    value: 2_400,
                    threshold: 2_000,
                    release: 1_000,
                    ..Measured::default()
                }],
                ..ControlStatus::default()
            }),
            tiers: vec![
                tier(Tier::Faq, 460, 700),
                tier(Tier::Ivr, 40, 300),
                TierStatus { offers: 5, ..tier(Tier::Callback, 20, 50) },
                TierStatus { partners: "joined".to_owned(), ..tier(Tier::Partner, 6, 30) },
            ],
            ..RecallStatus::default()
        }
    }

    fn frame(snapshot: &Snapshot) -> Frame<'_> {
        Frame {
            snapshot,
            left: Some(Duration::from_millis(17_200)),
            addresses: Addresses {
                grpc: SocketAddr::from(([127, 0, 0, 1], 40_001)),
                http: SocketAddr::from(([127, 0, 0, 1], 40_002)),
            },
            seed: 7,
            waiting: &[0, 2, 8, 14],
            audit: Counts { asked: 90, wanted: 50, called_back: 30, ..Counts::default() },
        }
    }

    #[test]
    fn the_view_is_this() {
        let snapshot = snapshot();
        let text = frame(&snapshot).lines(Palette::Plain).join("\n");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/demo/view.txt");
        let expected = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, expected.trim_end_matches('\n'), "\n{text}\n");
    }

    #[test]
    fn it_fits_in_100_columns_however_large_the_numbers() {
        let mut snapshot = snapshot();
        snapshot.contacts.accepted = 1_234_567;
        snapshot.contacts.closed = 1_234_002;
        snapshot.queues[0].oldest_wait_ms = 700_000;
        for line in frame(&snapshot).lines(Palette::Plain) {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
    }

    #[test]
    fn colours_are_for_terminals_only() {
        let snapshot = snapshot();
        let ansi = frame(&snapshot).lines(Palette::Ansi).join("\n");
        assert!(ansi.contains("\x1b[31m"), "an overdue queue is red");
        assert!(!frame(&snapshot).lines(Palette::Plain).join("\n").contains('\x1b'));
    }

    #[test]
    fn progress_is_one_line() {
        let snapshot = snapshot();
        let line = frame(&snapshot).progress();
        assert!(!line.contains('\n'));
        assert!(line.contains("level surge, accepted 2920, waiting 14, with agents 46"), "{line}");
    }
}
