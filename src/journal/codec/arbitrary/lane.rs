//! Any way of a safety contact that nobody answers, and any calling in of people.

use super::{Any, Source};
use crate::engine::event::{AlarmNews, SafetyNews, SafetyStep};
use crate::engine::recall::{Alarm, AlarmStep, Lane, LatePlan, Outside, Page, Paged, SafetyPlan};

pick! {
    SafetyStep { Watched, AnyAgent, Late, OutsideAgain }
    Paged { Sent, Failed, Nowhere, Late, Superseded }
    Outside { Named(external), Number(number) }
}
alternatives! {
    AlarmStep { Asked { page, again } Settled { number, how, again } Over {} }
}
structs! {
    SafetyNews { contact, step, lane }
    AlarmNews { recall, step }
    Lane { recall, since, any_agent, outside, page }
    Page { number, incident, since, asked, waiting, by }
    SafetyPlan { queue, kept, external, late }
    LatePlan { any_agent, external, page, repeat }
    Alarm { incidents, pages, failed, since, again, pending, last }
}
