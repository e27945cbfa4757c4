//! The simulation sees: known bugs are put back, and it must find each.
//!
//! These are bugs of a journal, or of how the writer uses one, so that they fit into the stand-ins.
//! Bugs in shipped code are patches in `tests/faults/bugs/`, which its `run` puts back.

use super::disk::Bug;
use super::{Broken, history};

/// Histories within which a bug must be found.
const WITHIN: u64 = 200;

/// Finds it, for one of these reasons.
fn finds(bug: Bug, says: &[&str]) {
    let found = (1..=WITHIN).find_map(|seed| match history(seed, Some(bug), false) {
        Err(Broken(what)) => Some((seed, what)),
        Ok(_) => None,
    });
    let Some((seed, what)) = found else { panic!("{bug:?} is not found in {WITHIN} histories") };
    println!("{bug:?}: found by seed {seed}: {what}");
    let says = says.iter().any(|says| what.contains(says));
    assert!(says, "{bug:?}: found by seed {seed} for another reason: {what}");
}

#[test]
fn answers_before_the_append_are_found() {
    finds(Bug::AnswersFirst, &["after the journal failed"]);
}

#[test]
fn a_compare_that_is_left_out_is_found() {
    // Two entries have one number: they are met one after the other, or one hides the other.
    finds(Bug::CompareLeftOut, &["belongs", "gone"]);
}

#[test]
fn a_journal_that_takes_everything_is_found() {
    finds(Bug::NothingCompared, &["belongs", "gone"]);
}

#[test]
fn a_failed_sync_that_is_ignored_is_found() {
    finds(Bug::PoisonIgnored, &["gone"]);
}

#[test]
fn a_journal_that_is_trimmed_too_far_is_found() {
    finds(Bug::TrimsTooFar, &["was trimmed"]);
}

#[test]
fn a_sync_that_is_left_out_is_found() {
    finds(Bug::SyncLeftOut, &["gone"]);
}
