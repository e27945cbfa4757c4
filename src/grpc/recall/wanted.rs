//! The playbook that a start asks for: found, filled, held against the version that is
//! meant and against the configuration. Reads files, so it runs on a thread that may wait.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::convert::check;
use super::super::status::Fault;
use super::fault::RecallFault;
use crate::config::Report;
use crate::engine::recall::Plan;
use crate::engine::routing::Routing;
use crate::pb::v1;
use crate::recall::{
    Fill, Folder, Kind, Language, Loaded, Playbook, PlaybookError, Prepared, Slot, Version, plan,
};

/// Hexadecimal digits that name a version: all of them, or enough of the first.
const DIGITS: std::ops::RangeInclusive<usize> = 12..=64;
/// Most characters that fill a slot.
const LONGEST_TEXT: usize = 600;
/// Slots that a request may fill: each in every language.
const MOST_SLOTS: usize = Slot::ALL.len() * (Language::ALL.len() + 1);

/// What a request asks for.
pub(super) struct Wanted {
    name: Box<str>,
    version: Box<str>,
    fills: Vec<(Slot, Option<Language>, Box<str>)>,
}

/// The playbook that is to be put in force.
#[derive(Debug)]
pub(super) struct Found {
    /// The playbook.
    pub(super) playbook: Playbook,
    /// What is decided by.
    pub(super) plan: Arc<Plan>,
    /// What is doubtful about the file, in sentences.
    pub(super) warnings: Vec<String>,
}

impl Wanted {
    /// What a request says, looked at by itself.
    pub(super) fn read(asked: &v1::StartRecallRequest) -> Result<Self, RecallFault> {
        check::bytes("playbook", &asked.playbook, 1, 64, "1 to 64 bytes")?;
        let hash = &asked.playbook_hash;
        let names_one = DIGITS.contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if !(hash.is_empty() || names_one) {
            let expected = "12 to 64 hexadecimal digits, as `surgeline playbook check` shows";
            return Err(Fault::Invalid { field: "playbook_hash", expected }.into());
        }
        if asked.slots.len() > MOST_SLOTS {
            return Err(Fault::Invalid { field: "slots", expected: "at most 35" }.into());
        }
        let mut fills = Vec::new();
        let mut named = BTreeSet::new();
        for asked in &asked.slots {
            let (slot, language) = read_slot(&asked.name)?;
            let name = || asked.name.as_str().into();
            if !named.insert((slot, language)) {
                return Err(RecallFault::SlotTwice { name: name() });
            }
            let text = asked.text.trim();
            let long = text.is_empty() || text.chars().count() > LONGEST_TEXT;
            if long || text.contains(['{', '}']) || text.chars().any(char::is_control) {
                return Err(RecallFault::SlotText { name: name() });
            }
            fills.push((slot, language, text.into()));
        }
        // What is said for one language goes before what is said for all.
        fills.sort_by_key(|(slot, language, _)| (*slot, language.is_some()));
        let version = hash.to_ascii_lowercase().into();
        Ok(Self { name: asked.playbook.as_str().into(), version, fills })
    }

    /// Reads the playbook as it is now, and holds it against what is meant and what is there.
    pub(super) fn find(self, folder: &Folder, routing: &Routing) -> Result<Found, RecallFault> {
        let source = folder.find(&self.name)?;
        let written = source.parse(&[]).map_err(|e| invalid(e, RecallFault::Playbook))?;
        let loaded = if self.fills.is_empty() {
            written.clone()
        } else if written.playbook.kind == Kind::Specific {
            return Err(RecallFault::NotGeneric);
        } else {
            source.parse(&self.fills()).map_err(|e| invalid(e, RecallFault::Fills))?
        };
        self.check_version(&written.playbook, &loaded.playbook)?;
        let Loaded { playbook, warnings } = loaded;
        let plan = Arc::new(plan(&playbook, routing)?);
        Ok(Found { playbook, plan, warnings: sentences(&warnings) })
    }

    fn fills(&self) -> Vec<Fill<'_>> {
        let mut fills = Vec::with_capacity(self.fills.len());
        for (slot, language, text) in &self.fills {
            fills.push(Fill { slot: *slot, language: *language, text });
        }
        fills
    }

    /// Either what lies there is meant or, of a playbook with slots, what it becomes filled.
    fn check_version(&self, written: &Playbook, filled: &Playbook) -> Result<(), RecallFault> {
        let meant = |version: Version| version.to_string().starts_with(&*self.version);
        if self.version.is_empty() || meant(written.version()) || meant(filled.version()) {
            return Ok(());
        }
        let there = written.version().to_string().into();
        Err(RecallFault::OtherVersion { wanted: self.version.clone(), there })
    }
}

impl Found {
    /// Everything that is built from the playbook: tens of milliseconds of work.
    pub(super) fn prepared(&self) -> Result<Arc<Prepared>, RecallFault> {
        Ok(Arc::new(Prepared::new(self.playbook.clone())?))
    }
}

fn invalid(error: PlaybookError, fault: fn(Box<Report>) -> RecallFault) -> RecallFault {
    match error {
        PlaybookError::Invalid(report) => fault(report),
        // Its text was at hand.
        PlaybookError::Read { path, source } => {
            crate::recall::FolderError::Read { path, source }.into()
        }
    }
}

/// `product`, or `product.es` for one language.
fn read_slot(name: &str) -> Result<(Slot, Option<Language>), RecallFault> {
    let (bare, code) = match name.split_once('.') {
        Some((bare, code)) => (bare, Some(code)),
        None => (name, None),
    };
    let none = || RecallFault::NoSlot { name: name.chars().take(64).collect() };
    let slot = Slot::ALL.into_iter().find(|s| s.name() == bare).ok_or_else(none)?;
    let language = |code| Language::ALL.into_iter().find(|l| l.code() == code).ok_or_else(none);
    Ok((slot, code.map(language).transpose()?))
}

fn sentences(report: &Report) -> Vec<String> {
    let told = |problem: &crate::config::Problem| {
        let advice = problem.fault.advice().map(|a| format!(" ({a})")).unwrap_or_default();
        format!("The playbook's {}: {}{advice}.", problem.path, problem.fault)
    };
    report.problems().iter().map(told).collect()
}
