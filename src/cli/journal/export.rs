//! `surgeline journal export`: entries as JSON lines, beside a router or without one.
//!
//! What is sealed stays sealed: this has no keys. Events are told as the router itself tells
//! them in its errors: their name, and all that they hold as text.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::OK;
use super::super::out::{Reader, Text, put};
use super::args::Export;
use crate::engine::entry::Entry;
use crate::engine::event::Event;
use crate::journal::{JournalReader, Tip};
use crate::time::WallTime;

pub(super) fn run(wanted: &Export) -> anyhow::Result<ExitCode> {
    let mut reader = JournalReader::at_beginning(&wanted.data)?;
    let begins = reader.at().sequence + 1;
    let from = wanted.from.unwrap_or(begins);
    let to = wanted.to.unwrap_or(u64::MAX);
    anyhow::ensure!(
        from >= begins,
        "entry {from} is no longer there: the journal begins at entry {begins}, earlier ones are \
         in snapshots and the archive"
    );
    anyhow::ensure!(from <= to, "--from {from} is after --to {to}");
    reader.skip_to(from)?;
    let mut failed = None;
    let mut gone = false;
    reader.read_while(&mut |batch, tip: Tip| {
        let entries = batch.entries.iter().filter(|e| (from..=to).contains(&e.sequence));
        for entry in entries {
            match put(&Text::json_line(&line(entry, batch.wall))) {
                Ok(Reader::Gone) => gone = true,
                Ok(_) => {}
                Err(error) => failed = Some(error),
            }
            if gone || failed.is_some() {
                return false;
            }
        }
        tip.sequence < to
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::from(OK)),
    }
}

fn line(entry: &Entry, wall: WallTime) -> Value {
    json!({
        "sequence": entry.sequence,
        "at_us": entry.at.0,
        "wall_ms": wall.0,
        "actor": { "role": format!("{:?}", entry.actor.role).to_lowercase(), "name": &*entry.actor.name },
        "request": entry.request.map(|request| format!("{:032x}", request.id)),
        "events": entry.events.iter().map(event).collect::<Vec<_>>(),
        "sealed": entry.sealed.as_ref().map(|sealed| json!({
            "customer": sealed.customer.map(|customer| format!("{customer:?}")),
            "bytes": sealed.bytes.len(),
        })),
    })
}

fn event(event: &Event) -> Value {
    let told = format!("{event:?}");
    let name = told.find(|c: char| !c.is_alphanumeric()).map_or(&*told, |end| &told[..end]);
    json!({ "kind": name, "told": told })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::entry::{Actor, Role};
    use crate::time::EngineTime;

    #[test]
    fn an_entry_is_one_object_with_its_events_named() {
        let entry = Entry {
            sequence: 7,
            at: EngineTime(1_500),
            actor: Actor { role: Role::OnCall, name: "ada".into() },
            request: None,
            events: vec![Event::Ordered { why: "a\u{1b}[31m recall".into() }],
            sealed: None,
        };
        let told = line(&entry, WallTime(9));
        assert_eq!((&told["sequence"], &told["wall_ms"]), (&json!(7), &json!(9)));
        assert_eq!(told["actor"], json!({ "role": "oncall", "name": "ada" }));
        assert_eq!(told["events"][0]["kind"], "Ordered");
        let printed = Text::json_line(&told);
        assert_eq!(printed.as_str().lines().count(), 1);
        assert!(!printed.as_str().contains('\u{1b}'), "{}", printed.as_str());
    }

    #[test]
    fn what_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = Export { data: folder.path().into(), from: None, to: None };
        let told = run(&wanted).unwrap_err().to_string();
        assert!(told.contains("no journal at"), "{told}");
    }
}
