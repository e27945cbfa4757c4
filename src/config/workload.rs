//! What contacts cost an agent and what may interrupt what: `capacity`, or `budget` and
//! `cost`, and `interrupts`.
//!
//! Of an agent, a group, and for those who do not say of `[settings]`. Owned by one reading
//! of one file; what comes of it with contacts in hand is the engine's business.

use super::problem::{Expected, Fault};
use super::queues::CHANNELS;
use super::reader::{Table, Value};
use crate::engine::policy::{Channels, Workload};
use crate::engine::words::Channel;

/// Contacts at once of those who do not say: one of any channel. Who has room for a second
/// chat never has empty hands on a busy day, and no call or safety contact reaches them.
const CAPACITY: [u8; 4] = [1, 1, 1, 1];
/// Most that a budget may be.
const MOST_BUDGET: i64 = 1_000;
/// What a channel that a cost does not name would cost.
const NOT_TAKEN: u16 = 0;

/// How many at once by channel, and what one costs.
pub(super) fn read(table: &Table<'_>, interrupts: [Channels; 4]) -> ([u8; 4], Workload) {
    let default = Workload::default();
    let budget = table.integer("budget", default.budget, (1, MOST_BUDGET));
    let capacity = table.field("capacity");
    let cost = table.field("cost");
    let own = table.field("interrupts").map(|at| read_interruptions(&at));
    let workload = Workload { budget, interrupts: own.unwrap_or(interrupts), ..default };
    match (capacity, cost) {
        (Some(_), Some(cost)) => {
            let (one, other) = ("capacity", "cost");
            cost.fault(Fault::Either { found: "both", one, other });
            (CAPACITY, workload)
        }
        (capacity, None) => (capacity.map_or(CAPACITY, |at| read_capacity(&at)), workload),
        (None, Some(at)) => {
            let cost = read_cost(&at, budget);
            let at_once = |cost| match cost {
                NOT_TAKEN => 0,
                cost => u8::try_from(budget / cost).unwrap_or(u8::MAX),
            };
            (cost.map(at_once), Workload { cost, ..workload })
        }
    }
}

/// A channel that a capacity does not name is one that the agent does not take.
fn read_capacity(at: &Value<'_>) -> [u8; 4] {
    at.table("capacity", "channels, each with a number from 0 to 100", |table| {
        let mut capacity = [0; 4];
        for (channel, of) in CHANNELS.iter().zip(&mut capacity) {
            *of = table.integer(channel, 0, (0, 100));
        }
        capacity
    })
    .unwrap_or(CAPACITY)
}

/// A channel that a cost does not name is one that the agent does not take.
fn read_cost(at: &Value<'_>, budget: u16) -> [u16; 4] {
    at.table("cost", "channels, each with what one contact costs of the budget", |table| {
        let mut cost = [NOT_TAKEN; 4];
        for (channel, of) in CHANNELS.iter().zip(&mut cost) {
            *of = table.integer(channel, NOT_TAKEN, (1, i64::from(budget)));
        }
        cost
    })
    .unwrap_or_default()
}

/// What may interrupt what with agents who do not say themselves; nothing if it is not there.
pub(super) fn read_interrupts(table: &Table<'_>) -> [Channels; 4] {
    table.field("interrupts").map(|at| read_interruptions(&at)).unwrap_or_default()
}

fn read_interruptions(at: &Value<'_>) -> [Channels; 4] {
    let of = "channels, each with a list of channels that it may interrupt";
    let read = |table: &Table<'_>| {
        let mut interrupts = [Channels::NONE; 4];
        for (channel, of) in CHANNELS.iter().zip(&mut interrupts) {
            let listed = table.list(channel, "channels that it may interrupt");
            let others = listed.iter().filter_map(|v| read_other(v, channel));
            *of = others.collect();
        }
        interrupts
    };
    at.table("interrupts", of, read).unwrap_or_default()
}

/// A channel other than this one: none can come before itself.
fn read_other(value: &Value<'_>, than: &str) -> Option<Channel> {
    let other = Channel::ALL.get(value.one_of(CHANNELS)?).copied()?;
    if other.name() == than {
        return value.mismatch(Expected::List("other channels than the one that interrupts"));
    }
    Some(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, parse};

    /// Capacity and workload, or each problem's field and what is wrong with it.
    type Read = Result<([u8; 4], Workload), Vec<(String, String)>>;

    fn agent(fields: &str) -> Read {
        let source = format!(
            "[[pools]]\nname = \"own\"\n[[agents]]\nname = \"ada\"\npool = \"own\"\n{fields}"
        );
        match parse("t", &source) {
            Ok(loaded) => {
                let agent = &loaded.config.routing.agents[0];
                Ok((agent.capacity, agent.workload))
            }
            Err(ConfigError::Invalid(report)) => {
                let row = |p: &crate::config::Problem| (p.path.to_string(), p.fault.to_string());
                Err(report.problems().iter().map(row).collect())
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn refused(fields: &str) -> (String, String) {
        let mut all = agent(fields).expect_err("wrong");
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn costs_say_what_capacities_say_and_more() {
        let plain = (CAPACITY, Workload::default());
        assert_eq!(agent(""), Ok(plain));
        let chats = agent("capacity = { voice = 1, chat = 3 }").unwrap();
        assert_eq!(chats, ([1, 3, 0, 0], Workload::default()));
        let (capacity, load) = agent("cost = { voice = 100, chat = 40, email = 1 }").unwrap();
        assert_eq!((capacity, load.cost), ([1, 2, 100, 0], [100, 40, 1, 0]));
        let (capacity, load) = agent("budget = 1000\ncost = { chat = 1 }").unwrap();
        assert_eq!((capacity, load.budget), ([0, 255, 0, 0], 1_000));
    }

    #[test]
    fn an_agent_says_what_interrupts_what_or_the_settings_do() {
        let letters: Channels = [Channel::Email, Channel::Message].into_iter().collect();
        let own = agent("interrupts = { voice = [\"email\", \"message\"] }").unwrap().1;
        assert_eq!(own.interrupts, [letters, Channels::NONE, Channels::NONE, Channels::NONE]);
        let all = "[settings]\ninterrupts = { voice = [\"email\"] }";
        let (_, from_settings) = agent(all).unwrap();
        assert!(from_settings.interrupts[0].has(Channel::Email));
        let none = agent(&format!("interrupts = {{}}\n{all}")).unwrap().1;
        assert!(!none.interrupts_any(), "who says none has none");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let (path, fault) = refused("capacity = { chat = 1 }\ncost = { chat = 50 }");
        assert_eq!(path, "agents[0].cost");
        assert_eq!(fault, "found both, expected one of `capacity` and `cost`");
        let (path, fault) = refused("budget = 10\ncost = { chat = 11 }");
        assert_eq!(path, "agents[0].cost.chat");
        assert_eq!(fault, "found the integer 11, expected a whole number from 1 to 10");
        assert_eq!(refused("budget = 0").0, "agents[0].budget");
        let (path, fault) = refused("interrupts = { voice = [\"voice\"] }");
        assert_eq!(path, "agents[0].interrupts.voice[0]");
        assert!(fault.ends_with("other channels than the one that interrupts"), "{fault}");
    }
}
