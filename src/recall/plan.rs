//! From a playbook and a router's configuration to what the engine decides by: names
//! become ids, and what a playbook names that the router does not have is told.
//!
//! Plain functions of their arguments. Whether the recall may start is the engine's to say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::playbook::{
    CallbackTier, Choice, Control, FaqTier, FreeLevel, IvrTier, Kept, Late, Level, Menu,
    PartnerTier, Playbook, Slot,
};
use crate::config::Kind;
use crate::engine::queue_life::Pools;
use crate::engine::recall as engine;
use crate::engine::recall::control::{Bounds, ControlPlan};
use crate::engine::routing::{Name, Routing};
use crate::engine::words::Channel;
use crate::ids::{AgentId, EntryPointId, ExternalId, PoolId, QueueId};
use crate::time::Span;

/// Names listed of what the configuration has: enough to find the one that was meant.
const MOST_LISTED: usize = 24;
/// The longest that anything is put off for a safety contact.
const MOST_LATE: Span = Span::seconds(3_600);

/// Why a playbook cannot be put in force here.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// Slots were not filled.
    #[error("open slots: {}: each needs its text: {}", Slots(.0), Typed(.0))]
    OpenSlots(Box<[Slot]>),
    /// It is about no entry point, so that it would take nobody.
    #[error("scope.entry_points names none: name at least one, of {}", Listed(.has))]
    NoScope {
        /// What the configuration has.
        has: Box<[Name]>,
    },
    /// Names that the configuration does not have: every one.
    #[error("{}", Unknowns(.0))]
    Unknown(Box<[Unknown]>),
}

/// A name in a playbook that the configuration does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unknown {
    /// The playbook's field.
    pub field: &'static str,
    /// What it should name.
    pub kind: Kind,
    /// What it names.
    pub name: Box<str>,
    /// What the configuration has, in its order.
    pub has: Box<[Name]>,
}

impl PlanError {
    /// The playbook's fields that it is about, each once.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        match self {
            Self::OpenSlots(_) => vec!["slots"],
            Self::NoScope { .. } => vec!["scope.entry_points"],
            Self::Unknown(unknown) => {
                let mut fields: Vec<_> = unknown.iter().map(|u| u.field).collect();
                fields.dedup();
                fields
            }
        }
    }
}

/// What the engine decides a recall by.
///
/// # Errors
/// [`PlanError`] with every name that the configuration does not have.
pub fn plan(playbook: &Playbook, routing: &Routing) -> Result<engine::Plan, PlanError> {
    if !playbook.open_slots.is_empty() {
        return Err(PlanError::OpenSlots(playbook.open_slots.clone().into()));
    }
    let mut lookup = Lookup { routing, unknown: Vec::new() };
    let mut scope: Vec<_> =
        playbook.scope.entry_points.iter().filter_map(|name| lookup.entry_point(name)).collect();
    scope.sort_unstable();
    let queue = lookup.queue(&playbook.safety.queue);
    let mut kept = match &playbook.safety.kept {
        Kept::Pool(pool) => lookup.pool(pool),
        Kept::Agents(names) => lookup.agents(names),
    };
    kept.sort_unstable();
    let partner = playbook.tiers.partner.as_ref().map(|tier| partner(tier, &mut lookup));
    let external = playbook.safety.external.as_deref();
    let external = external.and_then(|to| lookup.outside(to));
    if playbook.scope.entry_points.is_empty() {
        let has = names(routing.entry_points.iter().map(|e| (&e.name, e.retired)));
        return Err(PlanError::NoScope { has });
    }
    let (Some(queue), []) = (queue, &lookup.unknown[..]) else {
        return Err(PlanError::Unknown(lookup.unknown.into()));
    };
    let canonical: Arc<[u8]> = playbook.canonical().into();
    let ivr = playbook.tiers.ivr.as_ref().zip(playbook.ivr.as_ref());
    Ok(engine::Plan {
        title: Arc::from(&*playbook.title),
        version: *blake3::hash(&canonical).as_bytes(),
        playbook: canonical,
        scope,
        faq: playbook.tiers.faq.as_ref().map(|tier| faq(tier, playbook.faq.len())),
        ivr: ivr.map(|(tier, menu)| ivr_plan(tier, menu, playbook)),
        callback: playbook.tiers.callback.as_ref().map(callback),
        partner,
        safety: engine::SafetyPlan { queue, kept, external, late: late(playbook.safety.late) },
        soon: Span::seconds(playbook.tiers.soon_s.into()),
        control: playbook.control.as_ref().map(control),
    })
}

fn callback(tier: &CallbackTier) -> engine::CallbackTier {
    engine::CallbackTier {
        from: level(tier.from),
        offer_after: Span::seconds(tier.offer_after_s.into()),
        within: Span::seconds(tier.within_s.into()),
        capacity: tier.capacity,
        accept_within: Span::seconds(tier.accept_within_s.into()),
    }
}

fn partner(tier: &PartnerTier, lookup: &mut Lookup<'_>) -> engine::PartnerTier {
    let mut pools: Pools = tier.pools.iter().filter_map(|name| lookup.partner(name)).collect();
    pools.sort_unstable();
    engine::PartnerTier {
        from: level(tier.from),
        pools,
        lead: Span::seconds(tier.lead_s.into()),
        share: tier.share,
        capacity: tier.capacity,
        channels: Channel::ALL.map(|c| tier.takes.contains(&c)),
        callbacks: tier.callbacks,
    }
}

fn control(written: &Control) -> ControlPlan {
    let seconds = |s: u32| Span::seconds(s.into());
    let level = |level: FreeLevel| engine::Level::ALL[level as usize];
    ControlPlan {
        wait: written.wait_s.map(seconds),
        held: written.held_s.map(seconds),
        load: written.load_thousandths,
        release: written.release_thousandths,
        gateway: written.gateway_thousandths,
        leave_after: seconds(written.leave_after_s),
        bounds: Bounds { lowest: level(written.lowest), highest: level(written.highest) },
    }
}

/// What is done for safety contacts that wait; what is not said follows from the target.
fn late(said: Late) -> engine::LatePlan {
    let seconds = |s: u32| Span::seconds(s.into());
    let default = engine::LatePlan::default();
    let target = said.target_s.map_or(default.any_agent, seconds);
    let external = said.external_after_s.map_or(Span(2 * target.0).min(MOST_LATE), seconds);
    engine::LatePlan {
        any_agent: said.any_agent_after_s.map_or(target, seconds),
        external,
        page: said.page_after_s.map_or(external, seconds),
        repeat: said.page_repeat_s.map_or(default.repeat, seconds),
    }
}

fn faq(tier: &FaqTier, entries: usize) -> engine::FaqPlan {
    engine::FaqPlan {
        from: level(tier.from),
        capacity: tier.capacity,
        pacing: written(tier.chat_pacing_s, tier.email_pacing_s, tier.message_pacing_s),
        silence: written(tier.chat_silence_s, tier.email_silence_s, tier.message_silence_s),
        time_limit: written(
            tier.chat_time_limit_s,
            tier.email_time_limit_s,
            tier.message_time_limit_s,
        ),
        entries: u16::try_from(entries).unwrap_or(u16::MAX),
    }
}

/// Seconds of the channels that the faq tier is on, by channel; calls are not among them.
fn written(chat: u32, email: u32, message: u32) -> [Span; 4] {
    let mut by_channel = [Span::ZERO; 4];
    for (channel, seconds) in
        [(Channel::Chat, chat), (Channel::Email, email), (Channel::Message, message)]
    {
        by_channel[channel.index()] = Span::seconds(seconds.into());
    }
    by_channel
}

fn ivr_plan(tier: &IvrTier, menu: &Menu, playbook: &Playbook) -> engine::IvrPlan {
    let position = |id: &str| {
        let at = playbook.faq.iter().position(|e| &*e.id == id)?;
        u16::try_from(at).ok()
    };
    let options = menu.options.iter().filter_map(|option| {
        let choice = match &option.does {
            Choice::Message => engine::Choice::Message,
            Choice::LotCheck => engine::Choice::LotCheck,
            // Always there: the reading of the file has looked.
            Choice::Faq(id) => engine::Choice::Faq(position(id)?),
        };
        Some((digit(option.key), choice))
    });
    engine::IvrPlan {
        from: level(tier.from),
        ports: tier.ports,
        time_limit: Span::seconds(tier.time_limit_s.into()),
        repeats: menu.repeats,
        key_timeout: Span::seconds(menu.key_timeout_s.into()),
        yes: digit(menu.injury.yes),
        no: digit(menu.injury.no),
        options: options.collect(),
    }
}

/// A key as the engine has it; keys are digits, which the reading of the file has seen to.
fn digit(key: char) -> u8 {
    u8::try_from(key).unwrap_or(b'?')
}

const fn level(level: Level) -> engine::Level {
    match level {
        Level::Elevated => engine::Level::Elevated,
        Level::Surge => engine::Level::Surge,
        Level::Critical => engine::Level::Critical,
    }
}

/// Names to ids, and those that lead nowhere.
struct Lookup<'r> {
    routing: &'r Routing,
    unknown: Vec<Unknown>,
}

impl Lookup<'_> {
    fn entry_point(&mut self, name: &str) -> Option<EntryPointId> {
        let table = self.routing.entry_points.iter().map(|e| (&e.name, e.retired));
        self.find("scope.entry_points", Kind::EntryPoint, name, table).map(EntryPointId)
    }

    fn queue(&mut self, name: &str) -> Option<QueueId> {
        let table = self.routing.queues.iter().map(|q| (&q.name, q.retired));
        self.find("safety.queue", Kind::Queue, name, table).map(QueueId)
    }

    /// One of the configuration's numbers outside by its name, or a telephone number.
    fn outside(&mut self, to: &str) -> Option<engine::Outside> {
        let table = self.routing.externals.iter().map(|e| (&e.name, e.retired));
        let known = table.clone().position(|(name, retired)| !retired && **name == *to);
        let is_number = |c: char| c.is_ascii_digit() || "+*#()-./, ".contains(c);
        if known.is_none() && to.chars().all(is_number) && to.contains(|c: char| c.is_ascii_digit())
        {
            return Some(engine::Outside::Number(to.into()));
        }
        let id = self.find("safety.external", Kind::External, to, table);
        id.map(|id| engine::Outside::Named(ExternalId(id)))
    }

    fn pool(&mut self, name: &str) -> Vec<AgentId> {
        let table = self.routing.pools.iter().map(|p| (&p.name, p.retired));
        let pool = self.find("safety.pool", Kind::Pool, name, table).map(PoolId);
        let of_pool = self.routing.agents.iter().enumerate();
        let of_pool = of_pool.filter(|(_, a)| !a.retired && Some(a.pool) == pool);
        of_pool.filter_map(|(at, _)| u32::try_from(at).ok().map(AgentId)).collect()
    }

    fn partner(&mut self, name: &str) -> Option<PoolId> {
        let partners = &self.routing.partners;
        let is_partner = |id: u16| partners.contains(&PoolId(id));
        let table = (0..).zip(&self.routing.pools);
        let table = table.map(|(id, p)| (&p.name, p.retired || !is_partner(id)));
        self.find("tiers.partner.pools", Kind::Pool, name, table).map(PoolId)
    }

    /// Those listed; who is retired has a name here and takes nothing.
    fn agents(&mut self, listed: &[Box<str>]) -> Vec<AgentId> {
        let mut wanted: BTreeMap<&str, bool> = listed.iter().map(|n| (&**n, false)).collect();
        let mut kept = Vec::new();
        for (at, agent) in self.routing.agents.iter().enumerate() {
            let Some(found) = wanted.get_mut(&*agent.name) else { continue };
            *found = true;
            kept.extend(u32::try_from(at).ok().map(AgentId).filter(|_| !agent.retired));
        }
        for (name, _) in wanted.into_iter().filter(|(_, found)| !found) {
            let has = names(self.routing.agents.iter().map(|a| (&a.name, a.retired)));
            self.miss("safety.agents", Kind::Agent, name, has);
        }
        kept
    }

    fn find<'n, I: TryFrom<usize>>(
        &mut self,
        field: &'static str,
        kind: Kind,
        name: &str,
        table: impl Iterator<Item = (&'n Name, bool)> + Clone,
    ) -> Option<I> {
        let at = table.clone().position(|(known, retired)| !retired && **known == *name);
        if at.is_none() {
            self.miss(field, kind, name, names(table));
        }
        at.and_then(|at| I::try_from(at).ok())
    }

    fn miss(&mut self, field: &'static str, kind: Kind, name: &str, has: Box<[Name]>) {
        self.unknown.push(Unknown { field, kind, name: name.into(), has });
    }
}

/// The names in use.
fn names<'n>(table: impl Iterator<Item = (&'n Name, bool)>) -> Box<[Name]> {
    table.filter(|(_, retired)| !retired).map(|(name, _)| Arc::clone(name)).collect()
}

struct Slots<'a>(&'a [Slot]);

impl fmt::Display for Slots<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|s| s.name()).collect();
        f.write_str(&names.join(", "))
    }
}

/// How each is filled, to be copied.
struct Typed<'a>(&'a [Slot]);

impl fmt::Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed: Vec<String> =
            self.0.iter().map(|s| format!("--slot {}=\"...\"", s.name())).collect();
        f.write_str(&typed.join(" "))
    }
}

struct Listed<'a>(&'a [Name]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<&str> = self.0.iter().take(MOST_LISTED).map(|n| &**n).collect();
        f.write_str(if shown.is_empty() { "none" } else { "" })?;
        f.write_str(&shown.join(", "))?;
        match self.0.len() - shown.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

struct Unknowns<'a>(&'a [Unknown]);

impl fmt::Display for Unknowns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, group) in self.0.chunk_by(|a, b| a.field == b.field).enumerate() {
            let named: Vec<String> = group.iter().map(|u| format!("{:?}", u.name)).collect();
            let (first, between) = (&group[0], if at > 0 { "; " } else { "" });
            write!(
                f,
                "{between}{}: the configuration has no {} {}; it has {}",
                first.field,
                first.kind,
                named.join(", "),
                Listed(&first.has)
            )?;
        }
        Ok(())
    }
}
