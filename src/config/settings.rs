//! `[settings]`: what holds for the whole router. Goes to the engine.
//!
//! Owned by one reading of one file; what the settings mean is the engine's business.

use super::reader::{Table, Value};
use super::workload::read_interrupts;
use crate::engine::policy::{Channels, ContactChoice};
use crate::engine::routing::Settings;
use crate::time::Span;

const OF: &str = "the router's settings";

/// Longest that somebody may have waited and not count as having waited.
const MINUTE: Span = Span::seconds(60);
/// Longest that a contact passes over an agent, or is kept for one.
const HOUR: Span = Span::seconds(3_600);
/// Longest that contacts wait for a lost agent: beyond it, customers are better off elsewhere.
const LONGEST_GRACE: Span = Span::seconds(900);
/// Shortest and longest that a call outside the router is believed to last.
const OUTSIDE: (Span, Span) = (Span::seconds(60), Span::seconds(24 * 3_600));
/// Most open contacts that may be allowed: the engine's memory for each is under 1 KiB.
const MOST_CONTACTS: i64 = 10_000_000;

/// Reads the section; with it what may interrupt what with agents who do not say.
pub(super) fn read(value: &Value<'_>) -> (Settings, [Channels; 4]) {
    value.table("settings", OF, |t| (read_fields(t), read_interrupts(t))).unwrap_or_default()
}

fn read_fields(table: &Table<'_>) -> Settings {
    let default = Settings::default();
    let hour = (Span::ZERO, HOUR);
    let grace = (Span::ZERO, LONGEST_GRACE);
    Settings {
        ring_no_answer_limit: table.integer(
            "ring_no_answer_limit",
            default.ring_no_answer_limit,
            (1, 10),
        ),
        pass_over: table.duration("pass_over", default.pass_over, hour),
        named_wait: table.duration("named_wait", default.named_wait, hour),
        agent_grace: table.duration("agent_grace", default.agent_grace, grace),
        async_share: table.integer("async_share", default.async_share, (0, 50)),
        most_contacts: table.integer("most_contacts", default.most_contacts, (1, MOST_CONTACTS)),
        contact_choice: table.word(
            "contact_choice",
            default.contact_choice,
            ContactChoice::ALL,
            ContactChoice::WORDS,
        ),
        promises: default.promises,
        tell_listening: table
            .field("tell_listening")
            .and_then(|v| v.boolean())
            .unwrap_or(default.tell_listening),
        outside_lasts: table.duration("outside_lasts", default.outside_lasts, OUTSIDE),
        short_abandon: table.duration("short_abandon", default.short_abandon, (Span::ZERO, MINUTE)),
    }
}
