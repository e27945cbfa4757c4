//! Rows into tables: statements prepared once, everything of one transaction.

use rusqlite::{Connection, params};

use super::audit;
use super::project::Projection;
use super::record::table;
use super::rows::{AgentCell, AuditRow, Began, Cell, RecallChange, RecallRow, Rows, Stay, When};
use super::work::Work;
use crate::engine::entry::{Role, Sealed};
use crate::engine::event::Arrived;
use crate::engine::routing::Routing;
use crate::ids::{AgentId, ContactId, DispositionId, QueueId};

/// The word for a role.
pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Router => "router",
        Role::Gateway => "gateway",
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::OnCall => "on_call",
        Role::Admin => "admin",
        Role::Viewer => "viewer",
    }
}

/// Everything but contacts and the audit. Gives how many rows.
pub(super) fn tables(c: &Connection, rows: &Rows, routing: &Routing) -> rusqlite::Result<u64> {
    if let Some((_, routing)) = rows.routing.last() {
        references(c, routing)?;
    }
    for (id, name, sequence) in &rows.gateways {
        c.prepare_cached(
            "INSERT OR REPLACE INTO gateway (id, name, sequence) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![id.0, &**name, sequence])?;
    }
    timeline(c, rows)?;
    for (contact, sequence, sealed) in &rows.sealed {
        seal(c, *contact, *sequence, sealed)?;
    }
    for stay in &rows.stays {
        self_service(c, stay, routing)?;
    }
    for (given, when) in &rows.feedback {
        super::care::write(c, given, when, routing)?;
    }
    for change in &rows.recalls {
        recall(c, change)?;
    }
    for ((queue, start), cell) in &rows.cells {
        interval(c, routing.queue_name(*queue), *start, cell)?;
    }
    for ((agent, start), cell) in &rows.agent_cells {
        agent_interval(c, routing.agent_name(*agent), *start, cell)?;
    }
    let record = table::add(c, &rows.record, routing)? + table::spells(c, &rows.spells, routing)?;
    let lists = [rows.timeline.len(), rows.sealed.len(), rows.stays.len(), rows.recalls.len()];
    let cells = rows.cells.len() + rows.agent_cells.len() + rows.feedback.len();
    Ok((lists.iter().sum::<usize>() + cells) as u64 + record)
}

/// Queues and agents as a configuration has them.
pub(super) fn references(c: &Connection, routing: &Routing) -> rusqlite::Result<()> {
    let mut queue = c.prepare_cached(
        "INSERT OR REPLACE INTO queue (id, name, target_us, safety, retired)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (id, q) in routing.queues.iter().enumerate() {
        queue.execute(params![id as u64, &*q.name, q.target.0, q.safety, q.retired])?;
    }
    let mut agent = c.prepare_cached(
        "INSERT OR REPLACE INTO agent (id, name, pool, retired) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (id, a) in routing.agents.iter().enumerate() {
        let pool = routing.pools.get(a.pool.index()).map_or("?", |p| &p.name);
        agent.execute(params![id as u64, &*a.name, pool, a.retired])?;
    }
    Ok(())
}

fn timeline(c: &Connection, rows: &Rows) -> rusqlite::Result<()> {
    let mut insert = c.prepare_cached(
        "INSERT INTO timeline (contact, sequence, n, wall_ms, at_us, role, actor, kind, detail,
             became_ready, event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for row in &rows.timeline {
        let When { sequence, at, wall, actor } = &*row.when;
        insert.execute(params![
            row.contact.0,
            sequence,
            row.n as u64,
            wall.0,
            at.0,
            role(actor.role),
            &*actor.name,
            row.kind,
            row.detail,
            row.became_ready,
            row.event,
        ])?;
    }
    Ok(())
}

fn seal(c: &Connection, contact: ContactId, sequence: u64, s: &Sealed) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT INTO sealed (contact, sequence, customer, key, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        contact.0,
        sequence,
        s.customer.map(|customer| customer.0.to_le_bytes()),
        s.key.cast_signed(),
        &*s.bytes,
    ])?;
    Ok(())
}

fn self_service(c: &Connection, stay: &Stay, routing: &Routing) -> rusqlite::Result<()> {
    match stay {
        Stay::Entered { contact, when, recall, tier, queue } => c
            .prepare_cached(
                "INSERT INTO self_service (contact, entered_us, entered_ms, recall, tier, queue)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                contact.0,
                when.at.0,
                when.wall.0,
                recall.0,
                tier,
                queue.map(|q| routing.queue_name(q)),
            ])?,
        Stay::Left { contact, entered_us, when, outcome, because } => c
            .prepare_cached(
                "UPDATE self_service SET left_ms = ?3, left_us = ?4, outcome = ?5, because = ?6
                 WHERE contact = ?1 AND entered_us = ?2",
            )?
            .execute(params![contact.0, entered_us, when.wall.0, when.at.0, outcome, because])?,
    };
    Ok(())
}

fn recall(c: &Connection, change: &RecallChange) -> rusqlite::Result<()> {
    let When { at, wall, actor, .. } = &*change.when;
    let (by, why) = (role(actor.role), change.why.as_deref());
    match &change.row {
        RecallRow::Started { recall, plan, scope, level, expires } => {
            let version: String = plan.version.iter().map(|b| format!("{b:02x}")).collect();
            c.prepare_cached(
                "INSERT OR REPLACE INTO recall (id, title, version, scope, level, expires_us,
                     started_ms, started_us, started_role, started_by, started_why)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                recall.0,
                &*plan.title,
                version,
                scope,
                level.name(),
                expires.0,
                wall.0,
                at.0,
                by,
                &*actor.name,
                why,
            ])?;
            recall_level(c, change, recall.0, level.name())?;
        }
        RecallRow::Level { recall, level } => {
            c.prepare_cached("UPDATE recall SET level = ?2 WHERE id = ?1")?
                .execute(params![recall.0, level.name()])?;
            recall_level(c, change, recall.0, level.name())?;
        }
        RecallRow::Ended { recall, expired } => {
            c.prepare_cached(
                "UPDATE recall SET level = 'normal', ended_ms = ?2, ended_us = ?3,
                     ended_role = ?4, ended_by = ?5, ended_why = ?6, expired = ?7 WHERE id = ?1",
            )?
            .execute(params![
                recall.0,
                wall.0,
                at.0,
                by,
                &*actor.name,
                why,
                expired
            ])?;
            recall_level(c, change, recall.0, "ended")?;
        }
    }
    Ok(())
}

fn recall_level(
    c: &Connection,
    change: &RecallChange,
    id: u16,
    level: &str,
) -> rusqlite::Result<()> {
    let When { sequence, at, wall, actor } = &*change.when;
    c.prepare_cached(
        "INSERT INTO recall_level (recall, sequence, n, wall_ms, at_us, level, role, actor, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        id,
        sequence,
        change.n as u64,
        wall.0,
        at.0,
        level,
        role(actor.role),
        &*actor.name,
        change.why.as_deref(),
    ])?;
    Ok(())
}

fn interval(c: &Connection, queue: &str, start: u64, cell: &Cell) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT INTO interval VALUES
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT DO UPDATE SET
             offered = offered + excluded.offered, answered = answered + excluded.answered,
             answered_in_target = answered_in_target + excluded.answered_in_target,
             abandoned = abandoned + excluded.abandoned,
             abandoned_after_target = abandoned_after_target + excluded.abandoned_after_target,
             answered_wait_us = answered_wait_us + excluded.answered_wait_us,
             abandoned_wait_us = abandoned_wait_us + excluded.abandoned_wait_us,
             wait_max_us = max(wait_max_us, excluded.wait_max_us),
             talk_us = talk_us + excluded.talk_us, hold_us = hold_us + excluded.hold_us,
             wrap_up_us = wrap_up_us + excluded.wrap_up_us,
             self_service_entered = self_service_entered + excluded.self_service_entered,
             self_service_returned = self_service_returned + excluded.self_service_returned,
             self_service_solved = self_service_solved + excluded.self_service_solved",
    )?
    .execute(params![
        queue,
        start,
        cell.offered,
        cell.answered,
        cell.answered_in_target,
        cell.abandoned,
        cell.abandoned_after_target,
        cell.answered_wait_us,
        cell.abandoned_wait_us,
        cell.wait_max_us,
        cell.talk_us,
        cell.hold_us,
        cell.wrap_up_us,
        cell.entered,
        cell.returned,
        cell.solved,
    ])?;
    Ok(())
}

fn agent_interval(c: &Connection, agent: &str, start: u64, a: &AgentCell) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT INTO agent_interval VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET
             offered = offered + excluded.offered, not_taken = not_taken + excluded.not_taken,
             handled = handled + excluded.handled, talk_us = talk_us + excluded.talk_us,
             hold_us = hold_us + excluded.hold_us, wrap_up_us = wrap_up_us + excluded.wrap_up_us",
    )?
    .execute(params![
        agent,
        start,
        a.offered,
        a.not_taken,
        a.handled,
        a.talk_us,
        a.hold_us,
        a.wrap_up_us
    ])?;
    Ok(())
}

/// Contacts that began, and those whose rows are others now. Gives how many rows.
pub(super) fn contacts(
    c: &Connection,
    rows: &Rows,
    projection: &Projection,
) -> rusqlite::Result<u64> {
    let routing = &projection.routing;
    for (began, when) in &rows.began {
        match began {
            Began::Arrived { arrived, follow_up } => arrive(c, arrived, *follow_up, when, routing)?,
            Began::Consult { child, parent } => consult(c, *child, *parent, when)?,
        }
    }
    for contact in &rows.dirty {
        let Some(work) = projection.open.get(contact) else { continue };
        update(c, *contact, work, routing)?;
        if work.is_over() {
            c.prepare_cached("DELETE FROM work WHERE contact = ?1")?.execute([contact.0])?;
        } else {
            let state = serde_json::to_string(work)
                .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
            c.prepare_cached("INSERT OR REPLACE INTO work (contact, state) VALUES (?1, ?2)")?
                .execute(params![contact.0, state])?;
        }
    }
    for (contact, disposition) in &rows.codes {
        c.prepare_cached("UPDATE contact SET disposition = ?2 WHERE id = ?1")?
            .execute(params![contact.0, routing.disposition_name(*disposition)])?;
    }
    Ok((rows.began.len() + rows.dirty.len() + rows.codes.len()) as u64)
}

fn arrive(
    c: &Connection,
    a: &Arrived,
    follow_up: bool,
    when: &When,
    routing: &Routing,
) -> rusqlite::Result<()> {
    let customer = a.customer.map(|customer| customer.0.to_le_bytes());
    if let Some(hash) = customer {
        c.prepare_cached("INSERT OR IGNORE INTO customer (hash) VALUES (?1)")?.execute([hash])?;
    }
    c.prepare_cached(
        "INSERT INTO contact (id, gateway, key, channel, entry_point, language, customer,
             continues, follow_up, arrived_ms, arrived_us, waited_before_us)
         VALUES (?1, coalesce((SELECT name FROM gateway WHERE id = ?2), '?'), ?3, ?4, ?5, ?6,
             (SELECT id FROM customer WHERE hash = ?7), ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        a.contact.0,
        a.gateway.0,
        &*a.key,
        a.channel.name(),
        a.entry_point.and_then(|e| routing.entry_point(e)).map(|e| &*e.name),
        a.language.as_ref().map(|l| l.as_str()),
        customer,
        a.continues.map(|of| of.0),
        follow_up,
        when.wall.0,
        when.at.0,
        a.waited.0,
    ])?;
    Ok(())
}

fn consult(c: &Connection, child: ContactId, of: ContactId, when: &When) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT INTO contact (id, gateway, key, channel, consult_of, follow_up, arrived_ms,
             arrived_us, waited_before_us)
         SELECT ?1, coalesce(max(gateway), '?'), '', coalesce(max(channel), '?'), ?2, 0, ?3, ?4, 0
         FROM contact WHERE id = ?2",
    )?
    .execute(params![child.0, of.0, when.wall.0, when.at.0])?;
    Ok(())
}

fn update(c: &Connection, id: ContactId, w: &Work, routing: &Routing) -> rusqlite::Result<()> {
    let queue = |id: Option<u16>| id.map(|id| routing.queue_name(QueueId(id)));
    let agent = |id: Option<u32>| id.map(|id| routing.agent_name(AgentId(id)));
    let n = &w.counts;
    c.prepare_cached(
        "UPDATE contact SET recall = ?2, queue_first = ?3, queue_last = ?4, service = ?5,
             attributes = ?6, answered_ms = ?7, answered_us = ?8, answered_queue = ?9,
             ended_ms = ?10, ended_us = ?11, end_reason = ?12, disposition = ?13, wait_us = ?14,
             talk_us = ?15, hold_us = ?16, wrap_up_us = ?17, agent_first = ?18, agent_last = ?19,
             offers = ?20, not_taken = ?21, connect_failures = ?22, transfers = ?23,
             requeues = ?24, moves = ?25, pends = ?26, hand_overs = ?27,
             self_service_entered = ?28, self_service_returned = ?29, self_service_solved = ?30,
             callback_wait_us = ?31
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        w.recall,
        queue(w.queue_first),
        queue(w.queue),
        w.service().map(|s| s.name()),
        w.attributes,
        w.answered.map(|a| a.ms),
        w.answered.map(|a| a.us),
        queue(w.answered_queue),
        w.ended.map(|e| e.ms),
        w.ended.map(|e| e.us),
        w.reason().map(|r| r.name()),
        w.disposition.map(|d| routing.disposition_name(DispositionId(d))),
        w.wait_us,
        w.talk_us,
        w.hold_us,
        w.wrap_up_us,
        agent(w.agent_first),
        agent(w.agent_last),
        n.offers,
        n.not_taken,
        n.connect_failures,
        n.transfers,
        n.requeues,
        n.moves,
        n.pends,
        n.hand_overs,
        n.entered,
        n.returned,
        n.solved,
        w.callback_wait_us,
    ])?;
    Ok(())
}

/// Rows of the audit, each with the hash of the one before it.
pub(super) fn audit(
    c: &Connection,
    rows: &[AuditRow],
    hash: &mut [u8; 32],
) -> rusqlite::Result<u64> {
    let mut insert = c.prepare_cached(
        "INSERT INTO audit (sequence, wall_ms, at_us, role, actor, what, detail, contact, why,
             previous, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for row in rows {
        let When { sequence, at, wall, actor } = &*row.when;
        let act = audit::Act {
            sequence: *sequence,
            wall_ms: wall.0,
            at_us: at.0,
            texts: [role(actor.role), &actor.name, row.what, &row.detail],
            contact: row.contact.map(|c| c.0),
            why: row.why.as_deref(),
        };
        let previous = std::mem::replace(hash, act.hash(hash));
        insert.execute(params![
            sequence,
            wall.0,
            at.0,
            act.texts[0],
            act.texts[1],
            row.what,
            row.detail,
            act.contact,
            act.why,
            previous,
            *hash,
        ])?;
    }
    Ok(rows.len() as u64)
}
