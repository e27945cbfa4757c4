//! What became of a recall's level, and what presses on one that is left free.

use super::Fields;
use crate::engine::event::Event;

pub(super) fn of(event: &Event) -> Option<(&'static str, Fields)> {
    let f = Fields::new();
    Some(match event {
        Event::LevelChanged { recall, level, cause } => (
            "level_changed",
            f.number("recall", recall)
                .text("level", level.name())
                .text("cause", cause.name())
                .texts("reason", cause.reading().map(|_| cause.to_string()).as_deref()),
        ),
        Event::LevelFreed { recall, bounds } => (
            "level_freed",
            f.number("recall", recall)
                .text("lowest", bounds.lowest.name())
                .text("highest", bounds.highest.name()),
        ),
        Event::LevelPressed { recall, pressing } => {
            let rungs = pressing.rungs.iter().rev().flatten();
            let by = rungs.map(|press| press.by.to_string()).next();
            // The lowest is left last.
            let calm = pressing.calm[0].is_some();
            (
                "level_pressed",
                f.number("recall", recall).texts("by", by.as_deref()).number("calm", calm),
            )
        }
        _ => return None,
    })
}
