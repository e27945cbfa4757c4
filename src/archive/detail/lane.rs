//! Safety contacts that nobody answers, the calling in of people and amended recalls, as an
//! analyst reads them.

use super::Fields;
use crate::engine::event::{AlarmNews, Amended, Event, Rechecked, SafetyNews};
use crate::engine::recall::AlarmStep;

/// The word for one of these events, and what it says; none of others.
pub(super) fn of(event: &Event) -> Option<(&'static str, Fields)> {
    let f = Fields::new();
    Some(match event {
        Event::Safety(SafetyNews { step, lane, .. }) => (
            "safety",
            f.number("recall", lane.recall)
                .text("step", step.name())
                .number("since_us", lane.since.0),
        ),
        Event::Alarm(AlarmNews { recall, step }) => {
            let f = f.number("recall", recall);
            let f = match step {
                AlarmStep::Asked { page, .. } => f
                    .text("step", "asked")
                    .number("page", page.number)
                    .number("incident", page.incident)
                    .number("waiting", page.waiting),
                AlarmStep::Settled { number, how, .. } => {
                    f.text("step", "settled").number("page", number).text("how", how.name())
                }
                AlarmStep::Over => f.text("step", "over"),
            };
            ("alarm", f)
        }
        Event::Amended(Amended { recall, plan, expires }) => {
            let version: String = plan.version.iter().map(|b| format!("{b:02x}")).collect();
            let f = f.number("recall", recall).text("version", &version);
            ("amended", f.number("expires_us", expires.0))
        }
        Event::Rechecked(Rechecked { recall, affected, .. }) => {
            ("rechecked", f.number("recall", recall).number("affected", affected.len()))
        }
        _ => return None,
    })
}
