//! Events of safety contacts that nobody answers, and how many there are.

use std::collections::BTreeMap;

use super::super::Engine;
use super::super::contact::{Contact, State};
use super::super::event::{AlarmNews, Event, SafetyNews};
use super::super::recall::{Alarm, AlarmStep, Paged};
use super::super::words::WaitsFor;
use crate::ids::RecallId;

/// By recall, safety contacts that wait too long. Made from contacts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::engine) struct Late(BTreeMap<RecallId, u32>);

impl Late {
    pub(in crate::engine) fn of(&self, recall: RecallId) -> u32 {
        self.0.get(&recall).copied().unwrap_or_default()
    }

    pub(in crate::engine) fn enter(&mut self, c: &Contact) {
        if let Some(recall) = waits_late(c) {
            *self.0.entry(recall).or_default() += 1;
        }
    }

    pub(in crate::engine) fn leave(&mut self, c: &Contact) {
        let Some(recall) = waits_late(c) else { return };
        if let Some(count) = self.0.get_mut(&recall) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&recall);
            }
        }
    }
}

/// The recall for which people are paged on account of a contact.
fn waits_late(c: &Contact) -> Option<RecallId> {
    let waits = match c.state {
        State::Queued | State::Reserved { .. } | State::Connecting { .. } => true,
        State::Pending { on, .. } => on == WaitsFor::External,
        State::CallbackDue => c.was_cut_off(),
        _ => false,
    };
    c.stage.lane.as_deref().filter(|l| waits && l.is_late()).map(|l| l.recall)
}

impl Engine {
    pub(super) fn apply_to_lane(&mut self, event: &Event) {
        match event {
            Event::Safety(SafetyNews { contact, lane, .. }) => {
                self.change(*contact, |c| c.stage.lane = Some(Box::new(*lane)));
            }
            Event::Alarm(AlarmNews { recall, step }) => {
                self.change_recall(*recall, |r| alarmed(&mut r.alarm, *step));
            }
            _ => {}
        }
    }
}

fn alarmed(alarm: &mut Alarm, step: AlarmStep) {
    match step {
        AlarmStep::Asked { page, again } => {
            (alarm.incidents, alarm.pages) = (page.incident, page.number);
            (alarm.since, alarm.again) = (Some(page.since), Some(again));
            alarm.pending.push(page);
        }
        AlarmStep::Settled { number, how, again } => {
            alarm.pending.retain(|p| p.number != number);
            alarm.again = again;
            alarm.failed += u32::from(!matches!(how, Paged::Sent | Paged::Superseded));
            alarm.last = Some(how);
        }
        AlarmStep::Over => (alarm.since, alarm.again) = (None, None),
    }
}
