//! Bringing a new configuration into a running router: a name keeps its id for ever.
//!
//! Pure and deterministic. Owned by nobody; what comes out goes to the engine as one
//! command. It validates nothing: what it is given was read without errors.

use std::collections::BTreeMap;

use super::problem::Kind;
use crate::engine::day::Reason;
use crate::engine::queue_life::{Calendar, External, Notice, Overflow, Pools, Then};
use crate::engine::routing::{AgentProfile, EntryPoint, Listed, Name, Queue, Routing};
use crate::engine::sharing::Sharing;
use crate::engine::words::Need;
use crate::ids::{CalendarId, ExternalId, NoticeId, PoolId, QueueId, SkillId};

/// Why a configuration cannot follow another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MergeError {
    /// A table has had more names over its life than it has ids; retired ones count.
    #[error("found {found} {kind} names used over the router's life, expected at most {most}")]
    TableFull {
        /// Which table.
        kind: Kind,
        /// Names, with those retired.
        found: usize,
        /// Ids.
        most: usize,
    },
}

/// What has a name and can be retired.
trait Named: Clone {
    fn name(&self) -> &Name;
    fn retired(&mut self) -> &mut bool;
    fn is_retired(&self) -> bool;
}

macro_rules! named {
    ($($table:ty),*) => {$(
        impl Named for $table {
            fn name(&self) -> &Name {
                &self.name
            }
            fn retired(&mut self) -> &mut bool {
                &mut self.retired
            }
            fn is_retired(&self) -> bool {
                self.retired
            }
        }
    )*};
}
named!(Listed, Queue, AgentProfile, EntryPoint, Calendar, External, Reason, Sharing);

/// Wordings of one announcement that have ids at a time. A message that is being said is of the
/// last two; eight let somebody try out a few in a minute.
const VERSIONS: usize = 8;

/// A table in making.
struct Merged<T> {
    rows: Vec<T>,
    /// Where each position of what was wanted went.
    moved: Vec<usize>,
    /// Rows that were taken over, whose references are still those of what was wanted.
    fresh: Vec<bool>,
}

/// The configuration that follows `previous` when `wanted` is asked for.
///
/// Names keep their ids; new ones come after all others, in the order of `wanted`; those
/// not in it, or retired in it, are retired with what they last were, and come back when
/// they are named again. `merge(Some(&x), &x)` is `x`.
///
/// # Errors
/// [`MergeError::TableFull`] when ids have run out: 65,536 of each kind, 4,294,967,296
/// agents, retired ones included.
pub fn merge(previous: Option<&Routing>, wanted: &Routing) -> Result<Routing, MergeError> {
    let empty = Routing::default();
    let old = previous.unwrap_or(&empty);
    let skills = table(Kind::Skill, &old.skills, &wanted.skills)?;
    let pools = table(Kind::Pool, &old.pools, &wanted.pools)?;
    let mut queues = table(Kind::Queue, &old.queues, &wanted.queues)?;
    let mut agents = table(Kind::Agent, &old.agents, &wanted.agents)?;
    let mut entry_points = table(Kind::EntryPoint, &old.entry_points, &wanted.entry_points)?;
    let calendars = table(Kind::Calendar, &old.calendars, &wanted.calendars)?;
    let externals = table(Kind::External, &old.externals, &wanted.externals)?;
    let mut sharings = table(Kind::Sharing, &old.sharings, &wanted.sharings)?;
    let notices = notices(&old.notices, &wanted.notices)?;
    let life = Life { calendars: &calendars, externals: &externals, notices: &notices };
    let queue_ids = queues.moved.clone();
    let skill = |id: SkillId| SkillId(skills.id_of(id.index()));
    let pool = |id: PoolId| PoolId(pools.id_of(id.index()));
    for q in queues.fresh() {
        for needs in [&mut q.needs, &mut q.policy.preferred] {
            needs.iter_mut().for_each(|n: &mut Need| n.skill = skill(n.skill));
            needs.sort_unstable();
        }
        q.pools.iter_mut().for_each(|p| *p = pool(*p));
        q.pools.sort_unstable();
        let queue = |id: QueueId| QueueId(id_of(&queue_ids, id.index()));
        life.renumber(q, queue, pool);
    }
    let mut partners: Pools = wanted.partners.iter().map(|p| pool(*p)).collect();
    partners.sort_unstable();
    for a in agents.fresh() {
        a.pool = pool(a.pool);
        a.skills.iter_mut().for_each(|(s, _)| *s = skill(*s));
        a.skills.sort_unstable();
        a.primary = a.primary.map(skill);
    }
    for e in entry_points.fresh() {
        e.queue = QueueId(queues.id_of(e.queue.index()));
    }
    for s in sharings.fresh() {
        for queue in [&mut s.helped, &mut s.own] {
            *queue = QueueId(queues.id_of(queue.index()));
        }
        s.pools.iter_mut().for_each(|p| *p = pool(*p));
        s.pools.sort_unstable();
    }
    let languages = wanted.languages.iter().map(|(language, id)| (*language, skill(*id)));
    Ok(Routing {
        languages: languages.collect(),
        still_there: wanted.still_there.clone(),
        queues: queues.rows,
        agents: agents.rows,
        entry_points: entry_points.rows,
        not_ready_reasons: table(Kind::Reason, &old.not_ready_reasons, &wanted.not_ready_reasons)?
            .rows,
        dispositions: table(Kind::Disposition, &old.dispositions, &wanted.dispositions)?.rows,
        calendars: calendars.rows,
        externals: externals.rows,
        notices: notices.rows,
        sharings: sharings.rows,
        settings: wanted.settings.clone(),
        skills: skills.rows,
        pools: pools.rows,
        partners,
    })
}

fn table<T: Named>(kind: Kind, old: &[T], wanted: &[T]) -> Result<Merged<T>, MergeError> {
    let mut rows = old.to_vec();
    let mut fresh = vec![false; old.len()];
    let mut ids = BTreeMap::new();
    for (id, row) in rows.iter_mut().enumerate() {
        *row.retired() = true;
        ids.insert(row.name().clone(), id);
    }
    let mut moved = Vec::with_capacity(wanted.len());
    for row in wanted {
        let id = *ids.entry(row.name().clone()).or_insert(rows.len());
        if id == rows.len() {
            rows.push(row.clone());
            fresh.push(true);
        } else if !row.is_retired() {
            rows[id] = row.clone();
            fresh[id] = true;
        }
        moved.push(id);
    }
    let most = match kind {
        Kind::Agent => usize::try_from(u64::from(u32::MAX) + 1).unwrap_or(usize::MAX),
        _ => usize::from(u16::MAX) + 1,
    };
    if rows.len() > most {
        return Err(MergeError::TableFull { kind, found: rows.len(), most });
    }
    Ok(Merged { rows, moved, fresh })
}

impl<T> Merged<T> {
    fn fresh(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut().zip(&self.fresh).filter_map(|(row, fresh)| fresh.then_some(row))
    }

    /// The id of what stood at a position in `wanted`.
    fn id_of(&self, position: usize) -> u16 {
        id_of(&self.moved, position)
    }
}

fn id_of(moved: &[usize], position: usize) -> u16 {
    let id = moved.get(position).copied().unwrap_or(position);
    u16::try_from(id).unwrap_or(u16::MAX)
}

/// Announcements: other words under a name are another version, with an id of its own, so
/// that what somebody was told can be shown. Words that were retired by an earlier
/// configuration are let go: nobody is being told them any more. Of a name the last
/// [`VERSIONS`] keep ids; beyond that the oldest one's goes to the newest words, so that
/// editing never runs out of them. An effect that still names it says what its announcement
/// says now.
fn notices(old: &[Notice], wanted: &[Notice]) -> Result<Merged<Notice>, MergeError> {
    let mut rows = old.to_vec();
    let mut newest = old.iter().chain(wanted).map(|n| n.version).max().unwrap_or_default();
    for row in &mut rows {
        let said = |w: &Notice| (&w.name, &w.texts) == (&row.name, &row.texts);
        if row.retired && !wanted.iter().any(said) {
            row.texts.clear();
        }
        row.retired = true;
    }
    let mut moved = Vec::with_capacity(wanted.len());
    for row in wanted {
        let same = |(_, r): &(usize, &Notice)| (&r.name, &r.texts) == (&row.name, &row.texts);
        let found = rows.iter().enumerate().rfind(same).map(|(i, _)| i);
        let version = match found {
            Some(id) => rows[id].version,
            None if row.version > 0 => row.version,
            None => {
                newest = newest.saturating_add(1);
                newest
            }
        };
        let id = found.or_else(|| reusable(&rows, row)).unwrap_or(rows.len());
        let row = Notice { version, ..row.clone() };
        match rows.get_mut(id) {
            Some(before) => *before = row,
            None => rows.push(row),
        }
        moved.push(id);
    }
    let (kind, most, found) = (Kind::Announcement, usize::from(u16::MAX) + 1, rows.len());
    if found > most {
        return Err(MergeError::TableFull { kind, found, most });
    }
    Ok(Merged { fresh: vec![false; found], rows, moved })
}

/// The id of the oldest wording of an announcement that has had so many.
fn reusable(rows: &[Notice], wanted: &Notice) -> Option<usize> {
    let of = || rows.iter().enumerate().filter(|(_, r)| r.name == wanted.name);
    let gone = |(_, r): &(usize, &Notice)| r.retired && r.texts.is_empty();
    let full = !wanted.retired && of().count() >= VERSIONS;
    of().filter(gone).filter(|_| full).min_by_key(|(_, r)| r.version).map(|(id, _)| id)
}

/// What a queue's life refers to.
struct Life<'a> {
    calendars: &'a Merged<Calendar>,
    externals: &'a Merged<External>,
    notices: &'a Merged<Notice>,
}

impl Life<'_> {
    fn renumber(
        &self,
        q: &mut Queue,
        queue: impl Fn(QueueId) -> QueueId,
        pool: impl Fn(PoolId) -> PoolId,
    ) {
        let notice = |id: NoticeId| NoticeId(self.notices.id_of(id.index()));
        let overflow = |to: Overflow| match to {
            Overflow::Queue(id) => Overflow::Queue(queue(id)),
            Overflow::External(id) => {
                Overflow::External(ExternalId(self.externals.id_of(id.index())))
            }
        };
        q.life.hours = q.life.hours.map(|id| CalendarId(self.calendars.id_of(id.index())));
        for fallback in [&mut q.life.closed, &mut q.life.full] {
            fallback.tell = fallback.tell.map(notice);
            if let Then::Overflow(to) = fallback.then {
                fallback.then = Then::Overflow(overflow(to));
            }
        }
        for step in &mut q.steps {
            step.add_pools.iter_mut().for_each(|p| *p = pool(*p));
            step.add_pools.sort_unstable();
            step.overflow = step.overflow.map(overflow);
            step.tell = step.tell.map(notice);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::names;

    /// A configuration of some of eight names a table, in an order that differs, whose
    /// references can be told by name.
    fn wanted(picks: &[u8]) -> Routing {
        let mut order: Vec<u8> = Vec::new();
        for p in picks.iter().map(|p| p % 8) {
            if !order.contains(&p) {
                order.push(p);
            }
        }
        let of = |kind: &str| -> Vec<Listed> {
            order.iter().map(|i| names::new(format!("{kind}{i}").into())).collect()
        };
        let source: String = order
            .iter()
            .map(|i| {
                format!(
                    "[[pools]]\nname = \"pool{i}\"\n\
                     [[queues]]\nname = \"queue{i}\"\nchannels = [\"voice\"]\n\
                     needs = {{ skill{i} = 2 }}\npools = [\"pool{i}\"]\n\
                     [[agents]]\nname = \"agent{i}\"\npool = \"pool{i}\"\n\
                     skills = {{ skill{i} = 3 }}\nprimary = \"skill{i}\"\n\
                     [[entry_points]]\nname = \"entry{i}\"\nqueue = \"queue{i}\"\n"
                )
            })
            .collect();
        let skills: Vec<String> = order.iter().map(|i| format!("\"skill{i}\"")).collect();
        let source = format!("skills = [{}]\n{source}", skills.join(", "));
        let mut routing = crate::config::parse("t", &source).unwrap().config.routing;
        routing.dispositions = of("disposition");
        routing
    }

    fn digits(name: &str) -> &str {
        name.trim_start_matches(|c: char| !c.is_ascii_digit())
    }

    /// Whether every reference still goes to the thing of the same number.
    fn references_hold(r: &Routing) -> bool {
        let skill = |id: SkillId| digits(&r.skills[id.index()].name);
        let pool = |id: PoolId| digits(&r.pools[id.index()].name);
        r.queues.iter().all(|q| {
            let own = digits(&q.name);
            q.needs.iter().all(|n| skill(n.skill) == own) && q.pools.iter().all(|p| pool(*p) == own)
        }) && r.agents.iter().all(|a| {
            let own = digits(&a.name);
            pool(a.pool) == own
                && a.skills.iter().all(|(s, _)| skill(*s) == own)
                && a.primary.is_some_and(|s| skill(s) == own)
        }) && r.entry_points.iter().all(|e| digits(r.queue_name(e.queue)) == digits(&e.name))
    }

    fn names_of<T: Named>(rows: &[T]) -> Vec<Name> {
        rows.iter().map(|row| row.name().clone()).collect()
    }

    proptest! {
        #[test]
        fn names_keep_their_ids(series in prop::collection::vec(
            prop::collection::vec(any::<u8>(), 0..12), 1..8,
        )) {
            let mut now: Option<Routing> = None;
            for picks in series {
                let wanted = wanted(&picks);
                let next = merge(now.as_ref(), &wanted).unwrap();
                if let Some(before) = &now {
                    prop_assert!(names_of(&next.queues).starts_with(&names_of(&before.queues)));
                    prop_assert!(names_of(&next.agents).starts_with(&names_of(&before.agents)));
                    prop_assert!(names_of(&next.skills).starts_with(&names_of(&before.skills)));
                    let (new, old) = (names_of(&next.dispositions), names_of(&before.dispositions));
                    prop_assert!(new.starts_with(&old));
                }
                for queue in &next.queues {
                    let named = wanted.queues.iter().any(|q| q.name == queue.name);
                    prop_assert_eq!(queue.retired, !named);
                }
                for agent in &next.agents {
                    let named = wanted.agents.iter().any(|a| a.name == agent.name);
                    prop_assert_eq!(agent.retired, !named);
                }
                prop_assert!(references_hold(&next));
                prop_assert_eq!(&merge(Some(&next), &next).unwrap(), &next);
                prop_assert_eq!(&merge(None, &next).unwrap(), &next);
                now = Some(next);
            }
        }
    }

    #[test]
    fn what_comes_back_is_as_it_is_wanted_now() {
        let first = wanted(&[1, 2]);
        let without = merge(Some(&first), &wanted(&[2])).unwrap();
        assert!(without.queues[0].retired && without.agents[0].retired);
        assert_eq!(without.queues[0].needs, first.queues[0].needs);
        let mut again = wanted(&[2, 1]);
        again.queues[1].needs[0].at_least = 5;
        let back = merge(Some(&without), &again).unwrap();
        assert!(!back.queues[0].retired);
        assert_eq!(back.queues[0].needs[0].at_least, 5);
        assert!(references_hold(&back));
    }

    #[test]
    fn an_announcement_is_worded_anew_a_hundred_thousand_times() {
        let says = |words: String| {
            let texts = vec![(crate::engine::words::Language(*b"en"), words.into())];
            let notice = Notice { name: "busy".into(), retired: false, texts, version: 0 };
            let other = Notice { name: "closed".into(), texts: Vec::new(), ..notice.clone() };
            Routing { notices: vec![other, notice], ..Routing::default() }
        };
        let mut now = merge(None, &says("at first".into())).unwrap();
        let mut versions = std::collections::BTreeSet::new();
        for n in 0..100_000 {
            let wanted = says(format!("wait {n}"));
            let next = merge(Some(&now), &wanted).unwrap();
            let (before, said) = (&now.notices, |r: &Routing| {
                let of = |(_, n): &(usize, &Notice)| !n.retired && &*n.name == "busy";
                let (id, notice) = r.notices.iter().enumerate().find(of).unwrap();
                (id, notice.version)
            });
            let (id, version) = said(&next);
            assert_eq!(next.notices[id].texts, wanted.notices[1].texts);
            assert!(versions.insert(version), "no two wordings have a version in common");
            let last = said(&now).0;
            assert_eq!(next.notices[last].texts, before[last].texts, "it may still be said");
            now = next;
        }
        assert!(now.notices.len() <= 1 + VERSIONS, "{} rows", now.notices.len());
        assert_eq!(merge(Some(&now), &now).unwrap(), now);
    }

    #[test]
    fn ids_run_out_with_an_error() {
        let many = |from: u32, n: u32| Routing {
            skills: (from..from + n).map(|i| names::new(format!("s{i}").into())).collect(),
            ..Routing::default()
        };
        let full = merge(Some(&many(0, 40_000)), &many(40_000, 25_536)).unwrap();
        let error = merge(Some(&full), &many(70_000, 1)).unwrap_err();
        let expected = MergeError::TableFull { kind: Kind::Skill, found: 65_537, most: 65_536 };
        assert_eq!(error, expected);
        assert!(merge(Some(&full), &many(3, 1)).is_ok());
    }
}
