//! `surgeline journal verify`: the chain, and that the events in it make the state they say.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::FAILED;
use crate::engine::Engine;
use crate::engine::contact::StateKind;
use crate::journal;

/// Entries between two lines of progress: about two seconds' worth.
const PROGRESS_EVERY: u64 = 1_000_000;

pub(super) fn verify(data: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut engine = Engine::default();
    let mut differing: Vec<u64> = Vec::new();
    let (mut entries, mut told) = (0u64, 0u64);
    let report = journal::verify::read(data, &mut |batch| {
        for entry in &batch.entries {
            engine.replay(entry);
        }
        if let Some(mark) = batch.mark
            && mark.differs(&engine)
        {
            differing.push(mark.sequence);
        }
        entries += batch.entries.len() as u64;
        if entries - told >= PROGRESS_EVERY {
            told = entries;
            eprintln!("{entries} entries checked");
        }
    })
    .with_context(|| format!("the journal in {} cannot be relied on", data.display()))?;

    let broken = engine.check().err();
    let sound = differing.is_empty() && broken.is_none();
    if as_json {
        let shown = json!({
            "sound": sound,
            "batches": report.batches,
            "entries": report.entries,
            "first_sequence": report.first_sequence,
            "last_sequence": report.last_sequence,
            "epoch": report.tip.epoch,
            "bytes": report.bytes,
            "marks": report.marks,
            "marks_differing": differing,
            "violation": broken.as_ref().map(ToString::to_string),
            "accepted": engine.accepted(),
            "closed": engine.in_state(StateKind::Closed),
            "state_hash": format!("{:016x}", engine.state_hash()),
        });
        println!("{shown:#}");
    } else {
        println!(
            "{} entries in {} batches ({} bytes), sequence {} to {}, every hash as it should be",
            report.entries,
            report.batches,
            report.bytes,
            report.first_sequence,
            report.last_sequence
        );
        println!(
            "replayed: {} contacts accepted, {} closed, {} of {} marks agree, state {:016x}",
            engine.accepted(),
            engine.in_state(StateKind::Closed),
            report.marks - differing.len() as u64,
            report.marks,
            engine.state_hash()
        );
        if let Some(sequence) = differing.first() {
            println!(
                "the state first differs from its mark after entry {sequence}: this binary reads the events otherwise than the one that wrote them"
            );
        }
        if let Some(violation) = broken {
            println!("the state does not hold together: {violation}");
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}
