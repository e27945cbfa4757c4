//! `surgeline journal verify`: the chain, and that the events in it make the state they say.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::super::FAILED;
use super::super::out::{Text, put, tell_line};
use crate::engine::Engine;
use crate::engine::contact::StateKind;
use crate::journal;
use crate::journal::verify::VerifyReport;

/// Entries between two lines of progress: about two seconds' worth.
const PROGRESS_EVERY: u64 = 1_000_000;

pub(super) fn run(data: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut replay = Replay::default();
    let read = journal::verify::read(data, &mut |batch, _| replay.batch(&batch));
    let report = match read {
        Ok(report) => report,
        Err(error) => {
            if as_json {
                put(&Text::json(&json!({ "sound": false, "error": error.to_string() })))?;
                return Ok(ExitCode::from(FAILED));
            }
            anyhow::bail!("the journal in {} cannot be relied on: {error}", data.display());
        }
    };
    let broken = replay.engine.check().err().map(|violation| violation.to_string());
    let sound = replay.differing.is_empty() && broken.is_none();
    put(&if as_json {
        as_value(&report, &replay, broken.as_deref())
    } else {
        as_text(&report, &replay, broken.as_deref())
    })?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// What the journal's entries come to.
#[derive(Default)]
struct Replay {
    engine: Engine,
    /// After which entries the state is not what its mark says.
    differing: Vec<u64>,
    entries: u64,
    told: u64,
    /// Nothing was trimmed: else entries tell of what is in no entry any more.
    from_the_first: bool,
}

impl Replay {
    fn apply(&mut self, batch: &journal::Batch) {
        for entry in &batch.entries {
            self.engine.replay(entry);
        }
        if let Some(mark) = batch.mark
            && mark.differs(&self.engine)
        {
            self.differing.push(mark.sequence);
        }
    }

    fn batch(&mut self, batch: &journal::Batch) {
        let first = batch.entries.first().map_or(0, |entry| entry.sequence);
        self.from_the_first |= first == 1;
        if self.from_the_first {
            self.apply(batch);
        }
        self.entries += batch.entries.len() as u64;
        if self.entries - self.told >= PROGRESS_EVERY {
            self.told = self.entries;
            tell_line(&format!("{} entries checked", self.entries));
        }
    }
}

fn as_value(report: &VerifyReport, replay: &Replay, broken: Option<&str>) -> Text {
    Text::json(&json!({
        "sound": replay.differing.is_empty() && broken.is_none(),
        "segments": report.segments,
        "batches": report.batches,
        "entries": report.entries,
        "first_sequence": report.first_sequence,
        "last_sequence": report.last_sequence,
        "epoch": report.tip.epoch,
        "bytes": report.bytes,
        "marks": report.marks,
        "replayed": replay.from_the_first,
        "marks_differing": replay.differing,
        "violation": broken,
        "accepted": replay.engine.accepted(),
        "closed": replay.engine.in_state(StateKind::Closed),
        "state_hash": format!("{:016x}", replay.engine.state_hash()),
    }))
}

fn as_text(report: &VerifyReport, replay: &Replay, broken: Option<&str>) -> Text {
    let mut text = Text::default();
    let VerifyReport { batches, entries, first_sequence, last_sequence, bytes, segments, .. } =
        report;
    text.line(
        "",
        &format!(
            "{entries} entries in {batches} batches in {segments} files ({bytes} bytes), sequence {first_sequence} to \
             {last_sequence}, every hash as it should be"
        ),
    );
    if *first_sequence > 1 {
        text.line(
            "",
            &format!(
                "begins at entry {first_sequence} (earlier ones are in snapshots and the \
                 archive), so that no state can be replayed and no mark compared"
            ),
        );
        return text;
    }
    text.line(
        "",
        &format!(
            "replayed: {} contacts accepted, {} closed, {} of {} marks agree, state {:016x}",
            replay.engine.accepted(),
            replay.engine.in_state(StateKind::Closed),
            report.marks - replay.differing.len() as u64,
            report.marks,
            replay.engine.state_hash()
        ),
    );
    if let Some(sequence) = replay.differing.first() {
        text.line(
            "",
            &format!(
                "the state first differs from its mark after entry {sequence}: this binary reads \
                 the events otherwise than the one that wrote them"
            ),
        );
    }
    if let Some(violation) = broken {
        text.line("", &format!("the state does not hold together: {violation}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_journal_is_a_failure_in_both_forms() {
        let folder = tempfile::tempdir().unwrap();
        let told = run(folder.path(), false).unwrap_err().to_string();
        assert!(told.contains("cannot be relied on") && told.contains("no journal"), "{told}");
        let code = run(folder.path(), true).unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(FAILED)));
    }
}
