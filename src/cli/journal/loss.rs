//! `surgeline journal accept-loss`: shows what would go, and lets it go when told to, and cuts
//! the archive back to the same place.

use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use super::super::out::{Text, put, tell_line};
use super::super::{OK, USAGE};
use super::args::AcceptLoss;
use crate::archive::{self, ArchiveError};
use crate::journal::loss::{Acceptance, Plan, accept, plan};
use crate::time::WallTime;

pub(super) fn run(decided: &AcceptLoss) -> anyhow::Result<ExitCode> {
    let AcceptLoss { data, after, why, who, yes } = decided;
    if why.trim().is_empty() {
        tell_line("--why is empty: say for the record why this loss is accepted");
        return Ok(ExitCode::from(USAGE));
    }
    if !yes {
        let mut text = shown(&plan(data, *after)?);
        text.line("", "nothing was changed: run it again with --yes to do it");
        put(&text)?;
        return Ok(ExitCode::from(OK));
    }
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = WallTime(u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
    let (plan, lost) = accept(data, Acceptance { after: *after, who, why, at })?;
    let mut text = shown(&plan);
    text.line("", &format!("done: what does not stay is in {}", lost.display()));
    text.line("", "a router can be started; the record is in journal/losses.jsonl");
    text.line(
        "",
        "clients that hold receipts for what is lost are let in, counted, and logged once",
    );
    if let Some(said) = archive_cut(data) {
        text.line("", &said);
    }
    put(&text)?;
    Ok(ExitCode::from(OK))
}

/// Cuts the archive back, if there is one; what that came to, if anything.
fn archive_cut(data: &Path) -> Option<String> {
    if !archive::path(data).is_file() {
        return None;
    }
    let cut = || {
        let before = archive::status(data)?.position;
        Ok::<_, ArchiveError>((before, archive::Store::open(data)?.tip().sequence))
    };
    match cut() {
        Ok((before, now)) if now < before => Some(format!(
            "the archive had entries up to {before} and is cut back to {now}: what is behind is in archive/lost.sqlite"
        )),
        Ok(_) => None,
        Err(error) => {
            Some(format!("the archive was not cut back, a start tries it again: {error}"))
        }
    }
}

fn shown(plan: &Plan) -> Text {
    let mut text = Text::default();
    if let Some(refusal) = &plan.refusal {
        text.line("refused  ", refusal);
    }
    let end = plan.tip.sequence;
    text.line(
        "kept     ",
        &if end < plan.first {
            "nothing".to_owned()
        } else {
            format!("entries {} to {end}, the last at {}", plan.first, when(plan.kept_wall))
        },
    );
    text.line(
        "lost     ",
        &match plan.lost() {
            0 => "no entry that is known of".to_owned(),
            lost => format!(
                "{lost} entries, {} to {}, the last at {}",
                end + 1,
                plan.lost_to,
                when(plan.lost_wall)
            ),
        },
    );
    text.line(
        "of those ",
        &match plan.acknowledged {
            Some(acknowledged) => format!("{acknowledged} were acknowledged to clients"),
            None => "it is not known how many were acknowledged: the tip file is lost".to_owned(),
        },
    );
    for snapshot in &plan.snapshots {
        text.line("moved    ", &format!("{} is later than what is kept", snapshot.display()));
    }
    text
}

fn when(wall: Option<WallTime>) -> String {
    wall.and_then(|wall| Timestamp::from_millisecond(i64::try_from(wall.0).ok()?).ok())
        .map_or_else(|| "a time that is not known".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use rusqlite::Connection;

    use super::*;
    use crate::engine::entry::{Actor, Entry, Role};
    use crate::engine::event::Event;
    use crate::journal::follow::read_after;
    use crate::journal::sqlite::SqliteJournal;
    use crate::journal::{Batch, Journal as _, Tip};
    use crate::time::EngineTime;

    fn entry(sequence: u64) -> Entry {
        Entry {
            sequence,
            at: EngineTime(sequence),
            actor: Actor { role: Role::Router, name: "test".into() },
            request: None,
            events: vec![Event::Ordered { why: "test".into() }],
            sealed: None,
        }
    }

    fn damaged() -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        let (mut journal, _) =
            SqliteJournal::open(data.path(), Tip::default(), &mut |_, _| {}).unwrap();
        let mut tip = journal.acquire().unwrap();
        for sequence in 1..=3 {
            let wall = WallTime(sequence);
            let batch = Batch { entries: vec![entry(sequence)], mark: None, wall };
            tip = journal.append(tip.epoch, tip.sequence, &batch).unwrap();
        }
        drop(journal);
        let file = data.path().join("journal/segment-00000000000000000001.sqlite");
        let connection = Connection::open(file).unwrap();
        connection.execute_batch("UPDATE batch SET crc = 0 WHERE first_sequence = 2").unwrap();
        data
    }

    #[test]
    fn the_archive_is_cut_back_with_the_journal_and_follows_it_again() {
        let data = damaged();
        let data = data.path();
        // It had all three before the disk failed.
        let mut store = archive::Store::open(data).unwrap();
        let tip = Tip { epoch: 1, sequence: 3, hash: [3; 32] };
        for sequence in 1..=3 {
            let wall = WallTime(sequence);
            store.take(&Batch { entries: vec![entry(sequence)], mark: None, wall }, tip);
        }
        store.commit().unwrap();
        drop(store);
        run(&typed(data, true)).unwrap();
        assert_eq!(archive::status(data).unwrap().position, 1);
        assert_eq!(archive_cut(data), None, "there is nothing more to do");

        let (mut journal, _) = SqliteJournal::open(data, Tip::default(), &mut |_, _| {}).unwrap();
        let tip = journal.acquire().unwrap();
        let batch = Batch { entries: vec![entry(2)], mark: None, wall: WallTime(9) };
        journal.append(tip.epoch, tip.sequence, &batch).unwrap();
        let mut store = archive::Store::open(data).unwrap();
        let each = &mut |batch: &Batch, tip| {
            store.take(batch, tip);
            ControlFlow::Continue(())
        };
        read_after(data, &mut None, tip, 2, each).unwrap();
        store.commit().unwrap();
        assert_eq!(archive::status(data).unwrap().position, 2);
    }

    fn typed(data: &std::path::Path, yes: bool) -> AcceptLoss {
        let (why, who) = ("the disk failed".into(), "ada".into());
        AcceptLoss { data: data.into(), after: 1, why, who, yes }
    }

    #[test]
    fn it_shows_what_goes_and_does_it_only_when_told() {
        let data = damaged();
        let starts = || SqliteJournal::open(data.path(), Tip::default(), &mut |_, _| {}).is_ok();
        run(&typed(data.path(), false)).unwrap();
        assert!(!starts());
        let shown = shown(&plan(data.path(), 1).unwrap());
        for part in ["entries 1 to 1", "2 entries, 2 to 3", "2 were acknowledged", "checksum"] {
            assert!(shown.as_str().contains(part), "{part}: {}", shown.as_str());
        }
        let silent = AcceptLoss { why: " ".into(), ..typed(data.path(), true) };
        let code = format!("{:?}", run(&silent).unwrap());
        assert_eq!(code, format!("{:?}", ExitCode::from(USAGE)));
        assert!(!starts());
        run(&typed(data.path(), true)).unwrap();
        assert!(starts());
        assert!(run(&typed(data.path(), true)).unwrap_err().to_string().contains("whole"));
    }
}
