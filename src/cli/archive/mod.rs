//! `surgeline archive` and `audit`: the archive beside a running router, or without one.
//!
//! Only holds are written, and these to a file of their own; everything else is read.

pub mod args;

use std::process::ExitCode;
use std::time::SystemTime;

use args::{ArchiveCommand, AuditCommand, HoldCommand, On, Said, Stored};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::FAILED;
use super::out::{Table, Text, put};
use crate::archive::hold::{Held, Hold, Holds, Order};
use crate::archive::{self, Answer, Audited};
use crate::ids::{ContactId, RecallId};
use crate::journal::keys::KeyStore;
use crate::time::WallTime;

pub(super) fn run(command: &ArchiveCommand) -> anyhow::Result<ExitCode> {
    let text = match command {
        ArchiveCommand::Status(stored) => status(stored)?,
        ArchiveCommand::Query { sql, stored } => {
            let answer = archive::query(&stored.data, sql)?;
            if stored.json { as_objects(&answer) } else { as_table(&answer) }
        }
        ArchiveCommand::Hold(HoldCommand::Add { on, said }) => add(on, said)?,
        ArchiveCommand::Hold(HoldCommand::List(stored)) => list(stored)?,
        ArchiveCommand::Hold(HoldCommand::Release { id, said }) => {
            Holds::open(&said.stored.data)?.release(*id, order(said))?;
            done(&said.stored, &json!({ "released": id }), &format!("hold {id} is released"))
        }
    };
    put(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn audit(command: &AuditCommand) -> anyhow::Result<ExitCode> {
    let AuditCommand::Verify(stored) = command;
    let audit = archive::verify_audit(&stored.data)?;
    let acts = Holds::open(&stored.data)?.verify()?;
    let sound = audit.broken.is_none() && acts.broken.is_none();
    let hex = |found: &Audited| found.last.iter().map(|b| format!("{b:02x}")).collect::<String>();
    put(&if stored.json {
        let of = |found: &Audited| json!({ "rows": found.rows, "broken": found.broken, "last": hex(found) });
        Text::json(&json!({ "sound": sound, "audit": of(&audit), "archive_acts": of(&acts) }))
    } else {
        let mut text = Text::default();
        for (what, found) in [("audit", &audit), ("archive's own acts", &acts)] {
            text.line(
                "",
                &format!("{what}: {} rows as they were written, last {}", found.rows, hex(found)),
            );
            if let Some(broken) = found.broken {
                text.line(
                    "",
                    &format!(
                        "{what}: row {broken} is not what was written, or one before it is gone"
                    ),
                );
            }
        }
        text
    })?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn status(stored: &Stored) -> anyhow::Result<Text> {
    let found = archive::status(&stored.data)?;
    let behind = found.journal.saturating_sub(found.position);
    if stored.json {
        let tables: Map<_, _> =
            found.tables.iter().map(|(name, rows)| (name.clone(), json!(rows))).collect();
        return Ok(Text::json(&json!({
            "position": found.position,
            "journal": found.journal,
            "behind": behind,
            "newest_unix_ms": found.wall.0,
            "bytes": found.bytes,
            "rows": tables,
        })));
    }
    let mut text = Text::default();
    let (position, journal) = (found.position, found.journal);
    text.line(
        "",
        &format!("entry {position} of {journal}, {behind} behind; newest {}", told(found.wall)),
    );
    text.line("", &format!("{} bytes", found.bytes));
    let mut table = Table::new(&["TABLE", "ROWS"], &[1], 2);
    for (name, rows) in found.tables {
        table.row([name, rows.to_string()]);
    }
    text.lines(&table.lines());
    Ok(text)
}

fn as_objects(answer: &Answer) -> Text {
    let object = |row: &Vec<Value>| -> Value {
        answer.columns.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>().into()
    };
    Text::json(&answer.rows.iter().map(object).collect())
}

fn as_table(answer: &Answer) -> Text {
    let header: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
    let numbers = |place: &usize| {
        let cell = |row: &Vec<Value>| row.get(*place).is_some_and(|v| v.is_number() || v.is_null());
        !answer.rows.is_empty() && answer.rows.iter().all(cell)
    };
    let right: Vec<usize> = (0..header.len()).filter(numbers).collect();
    let mut table = Table::new(&header, &right, 2);
    for row in &answer.rows {
        table.row(row.iter().map(|value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }));
    }
    let mut text = Text::default();
    text.lines(&table.lines());
    text
}

fn add(on: &On, said: &Said) -> anyhow::Result<Text> {
    let data = &said.stored.data;
    let held = match (on.contact, &on.customer, on.recall) {
        (Some(contact), ..) => Held::Contact(ContactId(contact)),
        (_, Some(identity), _) => Held::Customer(KeyStore::customer_in(data, identity)?),
        (.., Some(recall)) => Held::Recall(RecallId(recall)),
        (None, None, None) => anyhow::bail!("say what to hold: --contact, --customer or --recall"),
    };
    let id = Holds::open(data)?.add(held, order(said))?;
    Ok(done(&said.stored, &json!({ "hold": id }), &format!("hold {id} is in force")))
}

fn list(stored: &Stored) -> anyhow::Result<Text> {
    let holds = Holds::open(&stored.data)?.list()?;
    if stored.json {
        return Ok(Text::json(&holds.iter().map(as_value).collect()));
    }
    let mut table = Table::new(&["HOLD", "ON", "PLACED", "BY", "RELEASED", "WHY"], &[0], 2);
    for hold in holds {
        let released = hold.released.map_or_else(String::new, told);
        let placed = told(hold.placed);
        table.row([hold.id.to_string(), on(hold.on), placed, hold.actor, released, hold.why]);
    }
    let mut text = Text::default();
    text.lines(&table.lines());
    Ok(text)
}

fn as_value(hold: &Hold) -> Value {
    json!({
        "hold": hold.id,
        "on": on(hold.on),
        "why": hold.why,
        "actor": hold.actor,
        "placed_unix_ms": hold.placed.0,
        "released_unix_ms": hold.released.map(|at| at.0),
    })
}

/// A customer's name is not kept: the hash says whether two holds are on the same one.
fn on(held: Held) -> String {
    match held {
        Held::Contact(contact) => format!("contact {contact}"),
        Held::Customer(customer) => format!("customer {:08x}", customer.0 >> 96),
        Held::Recall(recall) => format!("recall {recall}"),
    }
}

fn order(said: &Said) -> Order<'_> {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let wall = WallTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    Order { actor: &said.actor, why: &said.why, wall }
}

fn done(stored: &Stored, value: &Value, line: &str) -> Text {
    if stored.json {
        return Text::json(value);
    }
    let mut text = Text::default();
    text.line("", line);
    text
}

fn told(at: WallTime) -> String {
    let at = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "?".to_owned(), |at| format!("{at:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_table_or_objects() {
        let answer = Answer {
            columns: vec!["queue".into(), "n".into()],
            rows: vec![vec!["a".into(), 7.into()], vec!["bc".into(), Value::Null]],
        };
        assert_eq!(as_table(&answer).as_str(), "queue  n\na      7\nbc\n");
        let read: Value = serde_json::from_str(as_objects(&answer).as_str()).unwrap();
        assert_eq!(read, json!([{ "queue": "a", "n": 7 }, { "queue": "bc", "n": null }]));
    }

    #[test]
    fn holds_are_placed_listed_and_released_and_the_chain_of_acts_is_whole() {
        let data = tempfile::tempdir().unwrap();
        let stored = Stored { data: data.path().to_owned(), json: false };
        let said =
            |why: &str| Said { why: why.into(), actor: "nadia".into(), stored: stored.clone() };
        let on = On { contact: None, customer: None, recall: Some(3) };
        let told = add(&on, &said("claim 17")).unwrap();
        assert_eq!(told.as_str(), "hold 1 is in force\n");
        let told = list(&stored).unwrap();
        assert!(
            told.as_str().contains("recall 3") && told.as_str().contains("claim 17"),
            "{told:?}"
        );
        let release = |id, why| ArchiveCommand::Hold(HoldCommand::Release { id, said: said(why) });
        run(&release(1, "settled")).unwrap();
        let again = run(&release(1, "again")).unwrap_err();
        assert_eq!(
            format!("{:?}", super::super::exit_code(&again)),
            format!("{:?}", ExitCode::from(4))
        );
        let acts = Holds::open(data.path()).unwrap().verify().unwrap();
        assert_eq!((acts.rows, acts.broken), (2, None), "what failed is no act");
    }
}
