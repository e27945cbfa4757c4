//! `[tiers.callback]` and `[tiers.partner]`: calls that are offered, and partners who join.
//!
//! Owned by one reading.

use super::tiers::{level, seconds};
use crate::config::names::Names;
use crate::config::problem::{Expected, Kind};
use crate::config::reader::Table;
use crate::engine::words::Channel;
use crate::recall::playbook::{CallbackTier, Level, PartnerTier};

const MOST_POOLS: usize = 16;
/// Channels in the order of [`Channel::ALL`].
const NAMES: &[&str] = &["voice", "chat", "email", "message"];
const POOLS: &str = "names of pools, at least one";
const CHANNELS: &str = "channels, at least one";
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// Reads the callback tier.
pub(super) fn callback(table: &Table<'_>) -> Option<CallbackTier> {
    let from = level(table, Level::Surge);
    let capacity = Expected::Integer(1, 1_000_000);
    let capacity = table.required("capacity", capacity).and_then(|v| v.integer(1, 1_000_000));
    let offer_after_s = seconds(table, "offer_after", 2 * MINUTE, (0, 2 * HOUR));
    let within_s = seconds(table, "within", 4 * HOUR, (15 * MINUTE, DAY));
    let accept_within_s = seconds(table, "accept_within", 30, (5, 5 * MINUTE));
    let capacity = capacity?;
    Some(CallbackTier { from: from?, offer_after_s, within_s, capacity, accept_within_s })
}

/// Reads the partner tier.
pub(super) fn partner(table: &Table<'_>) -> Option<PartnerTier> {
    let from = level(table, Level::Critical);
    let lead_s = seconds(table, "lead", 20 * MINUTE, (0, DAY));
    let share = table.integer("share", 100, (1, 100));
    let capacity = table.integer("capacity", 0, (0, 1_000_000));
    let callbacks = table.field("callbacks").and_then(|v| v.boolean()).unwrap_or(true);
    let takes = takes(table);
    let pools = pools(table)?;
    Some(PartnerTier { from: from?, pools, lead_s, share, capacity, takes: takes?, callbacks })
}

fn pools(table: &Table<'_>) -> Option<Vec<Box<str>>> {
    let at = table.required("pools", Expected::List(POOLS))?;
    let mut names = Names::new(Kind::Pool, MOST_POOLS);
    let mut pools: Vec<Box<str>> = Vec::new();
    for value in at.list(POOLS) {
        if let Some(name) = value.name().filter(|n| names.add(&value, n)) {
            pools.push((&*name).into());
        }
    }
    if at.value.as_array().is_some_and(|a| a.is_empty()) {
        return at.mismatch(Expected::List(POOLS));
    }
    (!pools.is_empty()).then_some(pools)
}

/// The channels that they take; all, if the playbook does not say.
fn takes(table: &Table<'_>) -> Option<Vec<Channel>> {
    let Some(at) = table.field("takes") else { return Some(Channel::ALL.into()) };
    let named = at.list(CHANNELS).into_iter().filter_map(|v| v.one_of(NAMES));
    let mut channels: Vec<Channel> = named.map(|at| Channel::ALL[at]).collect();
    channels.sort_unstable_by_key(|c| c.index());
    channels.dedup();
    if at.value.as_array().is_some_and(|a| a.is_empty()) {
        return at.mismatch(Expected::List(CHANNELS));
    }
    (!channels.is_empty()).then_some(channels)
}
