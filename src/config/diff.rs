//! What differs between two routing configurations, for people: by name, field by field.
//!
//! Pure. It compares what the tables say, not ids: a name is what people know a thing by.
//! Every table is taken apart field by field, so that one which is added later cannot be
//! forgotten here. It does not judge a change; `preview` says whom it touches.

mod life;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::SignedDuration;

use crate::engine::policy::{
    AgentChoice, Channels, ContactChoice, LanguageRule, QueuePolicy, Workload,
};
use crate::engine::routing::{AgentProfile, EntryPoint, Listed, Name, Queue, Routing, Settings};
use crate::engine::words::{Channel, Need};
use crate::ids::{PoolId, SkillId};
use crate::time::Span;

/// A table of the configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Section {
    /// The router's settings.
    Settings,
    /// Languages.
    Languages,
    /// Skills.
    Skills,
    /// Pools.
    Pools,
    /// Queues.
    Queues,
    /// Agents.
    Agents,
    /// Entry points.
    EntryPoints,
    /// Reasons for not being ready.
    NotReadyReasons,
    /// Disposition codes.
    Dispositions,
    /// When queues are open.
    Calendars,
    /// Destinations outside the router.
    Externals,
    /// What queues tell.
    Announcements,
    /// What chats are asked that fell silent.
    StillThere,
    /// How promises are kept.
    Promises,
    /// Who helps whom.
    Sharing,
}

impl Section {
    /// What the file calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Languages => "languages",
            Self::Skills => "skills",
            Self::Pools => "pools",
            Self::Queues => "queues",
            Self::Agents => "agents",
            Self::EntryPoints => "entry_points",
            Self::NotReadyReasons => "not_ready_reasons",
            Self::Dispositions => "dispositions",
            Self::Calendars => "calendars",
            Self::Externals => "externals",
            Self::Announcements => "announcements",
            Self::StillThere => "still_there",
            Self::Promises => "promises",
            Self::Sharing => "sharing",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One field that says something else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldChange {
    /// What the file calls it.
    pub field: &'static str,
    /// What it said.
    pub old: Box<str>,
    /// What it says.
    pub new: Box<str>,
}

/// What becomes of one thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum How {
    /// It is new, or comes back.
    Added,
    /// It goes on, and these fields say something else.
    Changed(Vec<FieldChange>),
    /// It is no longer named.
    Retired,
}

impl How {
    /// The word for it in listings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed(_) => "changed",
            Self::Retired => "retired",
        }
    }
}

/// One thing that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// In which table.
    pub section: Section,
    /// Its name; of settings, which have none, the section's.
    pub name: Name,
    /// Its place in the table of the newer configuration; 0 for settings and languages.
    pub place: usize,
    /// What becomes of it.
    pub how: How,
}

/// What a thing's fields say.
type Fields = Vec<(&'static str, String)>;

/// Everything that `new` says otherwise than `old`, in the order of the file. `new` has to
/// follow `old` as [`super::merge()`] makes it: the same names at the same places.
#[must_use]
pub fn changes(old: &Routing, new: &Routing) -> Vec<Change> {
    let mut all = Vec::new();
    let whole = [
        (Section::Settings, compare(settings(&old.settings), settings(&new.settings))),
        (
            Section::Promises,
            compare(life::promises(old.settings.promises), life::promises(new.settings.promises)),
        ),
        (Section::StillThere, compare(life::still_there(old), life::still_there(new))),
    ];
    for (section, fields) in whole.into_iter().filter(|(_, fields)| !fields.is_empty()) {
        let how = How::Changed(fields);
        all.push(Change { section, name: section.name().into(), place: 0, how });
    }
    languages(old, new, &mut all);
    let listed = |l: &Listed, _: &Routing| (l.name.clone(), l.retired, Vec::new());
    table(Section::Skills, (old, &old.skills), (new, &new.skills), listed, &mut all);
    table(Section::Pools, (old, &pools(old)), (new, &pools(new)), pool, &mut all);
    let codes = ((old, &*old.dispositions), (new, &*new.dispositions));
    table(Section::Dispositions, codes.0, codes.1, listed, &mut all);
    let reasons = ((old, &*old.not_ready_reasons), (new, &*new.not_ready_reasons));
    table(Section::NotReadyReasons, reasons.0, reasons.1, life::reason, &mut all);
    let calendars = ((old, &*old.calendars), (new, &*new.calendars));
    table(Section::Calendars, calendars.0, calendars.1, life::calendar, &mut all);
    let externals = ((old, &*old.externals), (new, &*new.externals));
    table(Section::Externals, externals.0, externals.1, life::external, &mut all);
    table(Section::Announcements, (old, &old.notices), (new, &new.notices), life::notice, &mut all);
    let sharings = ((old, &*old.sharings), (new, &*new.sharings));
    table(Section::Sharing, sharings.0, sharings.1, life::sharing, &mut all);
    table(Section::Queues, (old, &old.queues), (new, &new.queues), queue, &mut all);
    table(Section::Agents, (old, &old.agents), (new, &new.agents), agent, &mut all);
    let points = ((old, &*old.entry_points), (new, &*new.entry_points));
    table(Section::EntryPoints, points.0, points.1, entry_point, &mut all);
    all
}

/// Pools, and whether they are partners'.
fn pools(r: &Routing) -> Vec<(Listed, bool)> {
    let is_partner = |id: u16| r.partners.contains(&PoolId(id));
    (0..).zip(&r.pools).map(|(id, pool)| (pool.clone(), is_partner(id))).collect()
}

fn pool((pool, partner): &(Listed, bool), _: &Routing) -> (Name, bool, Fields) {
    (pool.name.clone(), pool.retired, vec![("partner", partner.to_string())])
}

fn table<T: PartialEq>(
    section: Section,
    (old, before): (&Routing, &[T]),
    (new, after): (&Routing, &[T]),
    read: impl Fn(&T, &Routing) -> (Name, bool, Fields),
    all: &mut Vec<Change>,
) {
    for (place, now) in after.iter().enumerate() {
        // Ids mean the same in both, so that what is equal says the same.
        if before.get(place) == Some(now) {
            continue;
        }
        let (name, retired, says) = read(now, new);
        let was = before.get(place).map(|was| read(was, old));
        let how = match was {
            Some((_, false, _)) if retired => How::Retired,
            Some((_, false, said)) => How::Changed(compare(said, says)),
            _ if retired => continue,
            _ => How::Added,
        };
        if !matches!(&how, How::Changed(fields) if fields.is_empty()) {
            all.push(Change { section, name, place, how });
        }
    }
}

fn compare(old: Fields, new: Fields) -> Vec<FieldChange> {
    let differs = |((field, old), (_, new)): ((&'static str, String), (_, String))| {
        (old != new).then(|| FieldChange { field, old: old.into(), new: new.into() })
    };
    old.into_iter().zip(new).filter_map(differs).collect()
}

fn languages(old: &Routing, new: &Routing, all: &mut Vec<Change>) {
    let says = |r: &Routing, at: usize| skill(r, r.languages[at].1).to_owned();
    let mut push = |name: &str, how| {
        all.push(Change { section: Section::Languages, name: name.into(), place: 0, how });
    };
    for (at, (language, _)) in old.languages.iter().enumerate() {
        match new.languages.iter().position(|(l, _)| l == language) {
            None => push(language.as_str(), How::Retired),
            Some(now) => {
                let fields =
                    compare(vec![("skill", says(old, at))], vec![("skill", says(new, now))]);
                if !fields.is_empty() {
                    push(language.as_str(), How::Changed(fields));
                }
            }
        }
    }
    for (language, _) in &new.languages {
        if !old.languages.iter().any(|(l, _)| l == language) {
            push(language.as_str(), How::Added);
        }
    }
}

fn settings(s: &Settings) -> Fields {
    let Settings {
        ring_no_answer_limit,
        pass_over,
        named_wait,
        agent_grace,
        async_share,
        most_contacts,
        contact_choice,
        promises: _,
        tell_listening,
        outside_lasts,
        short_abandon,
    } = s;
    let choice = ContactChoice::ALL.iter().position(|c| c == contact_choice);
    vec![
        ("ring_no_answer_limit", ring_no_answer_limit.to_string()),
        ("pass_over", lasting(*pass_over)),
        ("named_wait", lasting(*named_wait)),
        ("agent_grace", lasting(*agent_grace)),
        ("async_share", async_share.to_string()),
        ("most_contacts", most_contacts.to_string()),
        ("contact_choice", word(ContactChoice::WORDS, choice)),
        ("tell_listening", tell_listening.to_string()),
        ("outside_lasts", lasting(*outside_lasts)),
        ("short_abandon", lasting(*short_abandon)),
    ]
}

fn queue(q: &Queue, r: &Routing) -> (Name, bool, Fields) {
    let Queue {
        name,
        retired,
        needs,
        pools,
        channels,
        safety,
        target,
        head_start,
        reservation_timeout,
        connect_timeout,
        wrap_up,
        wrap_up_most,
        policy,
        steps,
        life,
        callback,
        care,
    } = q;
    let QueuePolicy {
        preferred,
        language,
        sticky,
        agent_choice,
        share,
        cost,
        handle_time,
        patience,
    } = policy;
    let language = LanguageRule::ALL.iter().position(|l| l == language);
    let choice = AgentChoice::ALL.iter().position(|c| c == agent_choice);
    let pools = pools.iter().map(|p| r.pools.get(p.index()).map_or("?", |p| &p.name));
    let channels = Channel::ALL.into_iter().filter(|c| channels[c.index()]).map(Channel::name);
    let mut fields = vec![
        ("channels", list(channels)),
        ("needs", need(needs, r)),
        ("pools", list(pools)),
        ("preferred", need(preferred, r)),
        ("language", word(LanguageRule::WORDS, language)),
        ("sticky", lasting(*sticky)),
        ("agent_choice", word(AgentChoice::WORDS, choice)),
        ("share", if *share == 0 { "none".into() } else { share.to_string() }),
        ("safety", safety.to_string()),
        ("target", lasting(*target)),
        ("head_start", lasting(*head_start)),
        ("reservation_timeout", lasting(*reservation_timeout)),
        ("connect_timeout", lasting(*connect_timeout)),
        ("wrap_up", lasting(*wrap_up)),
        ("wrap_up_most", lasting(*wrap_up_most)),
        ("cost", cost.to_string()),
        ("handle_time", lasting(*handle_time)),
        ("patience", lasting(*patience)),
        ("steps", life::steps(steps, r)),
        ("callback", life::callback(callback.as_deref())),
    ];
    fields.extend(life::life(life, r));
    fields.extend(life::care(care));
    (name.clone(), *retired, fields)
}

fn agent(a: &AgentProfile, r: &Routing) -> (Name, bool, Fields) {
    let AgentProfile { name, retired, pool, skills, primary, capacity, workload, authority } = a;
    let Workload { budget, cost, interrupts } = workload;
    let skills = skills.iter().map(|(id, level)| format!("{} = {level}", skill(r, *id)));
    let by_channel = |of: &dyn Fn(Channel) -> String| {
        let each = Channel::ALL.into_iter().map(|c| (c, of(c))).filter(|(_, v)| v != "0");
        table_of(each.map(|(c, v)| format!("{} = {v}", c.name())))
    };
    let over = |of: Channels| of.each().map(Channel::name).collect::<Vec<_>>().join(" ");
    let interrupts = Channel::ALL.into_iter().filter(|c| !interrupts[c.index()].is_empty());
    let interrupts =
        interrupts.map(|c| format!("{} = {}", c.name(), over(workload.interrupts[c.index()])));
    let fields = vec![
        ("pool", r.pools.get(pool.index()).map_or("?", |p| &p.name).to_owned()),
        ("skills", table_of(skills)),
        ("primary", primary.map_or("none", |id| skill(r, id)).to_owned()),
        ("capacity", by_channel(&|c| capacity[c.index()].to_string())),
        ("budget", budget.to_string()),
        ("cost", by_channel(&|c| cost[c.index()].to_string())),
        ("interrupts", table_of(interrupts)),
        ("authority", authority.to_string()),
    ];
    (name.clone(), *retired, fields)
}

fn entry_point(e: &EntryPoint, r: &Routing) -> (Name, bool, Fields) {
    let EntryPoint { name, retired, queue } = e;
    (name.clone(), *retired, vec![("queue", r.queue_name(*queue).to_owned())])
}

fn skill(r: &Routing, id: SkillId) -> &str {
    r.skills.get(id.index()).map_or("?", |s| &s.name)
}

fn need(needs: &[Need], r: &Routing) -> String {
    table_of(needs.iter().map(|n| format!("{} = {}", skill(r, n.skill), n.at_least)))
}

/// In the order of names: ids, and with them the order of the tables, mean nothing to people.
fn table_of(entries: impl Iterator<Item = String>) -> String {
    let mut entries: Vec<String> = entries.collect();
    entries.sort_unstable();
    if entries.is_empty() { "{}".into() } else { format!("{{ {} }}", entries.join(", ")) }
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    format!("[{}]", names.collect::<Vec<_>>().join(", "))
}

fn word(words: &[&'static str], at: Option<usize>) -> String {
    at.and_then(|at| words.get(at)).map_or_else(|| "?".into(), |w| (*w).to_owned())
}

/// As the file writes it.
pub(super) fn lasting(span: Span) -> String {
    let micros = i64::try_from(span.0).unwrap_or(i64::MAX);
    format!("{:#}", SignedDuration::from_micros(micros))
}
