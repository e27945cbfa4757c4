//! Customers' patience, told: places kept, links, silence, threads, and what they say afterwards.

use super::length;
use crate::engine::event::{
    Advanced, AdvancedBecause, Event, Feedback, HeldBack, Linked, PlaceKept, PresenceAsked,
};
use crate::engine::routing::Routing;

/// An event of this kind as a word and a sentence; none of any other.
pub(super) fn event(names: &Routing, event: &Event) -> Option<(&'static str, String)> {
    Some(match event {
        Event::ReplyCame(_) => ("reply_came", "the customer's next letter or message came".into()),
        Event::PlaceKept(kept) => ("place_kept", place_kept(names, kept)),
        Event::Advanced(Advanced { by, because, .. }) => {
            let whose = match because {
                AdvancedBecause::Returned { of, queue } => {
                    format!("who left {} as contact {of}", names.queue_name(*queue))
                }
                AdvancedBecause::Linked(with) => format!("who also waits as contact {with}"),
            };
            let by = length(*by);
            ("advanced", format!("got the place of the customer, {whose}: {by} earlier"))
        }
        Event::Linked(Linked { contact, with, .. }) => (
            "linked",
            format!("contact {contact} is linked with contact {with}: one customer, one matter"),
        ),
        Event::HeldBack(HeldBack { with, .. }) => (
            "held_back",
            format!("not offered while contact {with} is with an agent; keeps its place"),
        ),
        Event::HoldEnded(_) => ("hold_ended", "goes on at its place".into()),
        Event::FellSilent(_) => ("fell_silent", "the customer has said nothing for long".into()),
        Event::PresenceAsked(PresenceAsked { agent, .. }) => (
            "presence_asked",
            format!(
                "the customer is asked if they are still there, before {} is given it",
                names.agent_name(*agent)
            ),
        ),
        Event::PresenceAssumed(_) => {
            ("presence_assumed", "the customer could not be asked: offered as it is".into())
        }
        Event::WentSilent(_) => (
            "went_silent",
            "the customer did not answer: waits for their next word, keeping its place".into(),
        ),
        Event::FeedbackGiven(given) => ("feedback_given", feedback(given)),
        _ => return None,
    })
}

fn place_kept(names: &Routing, kept: &PlaceKept) -> String {
    let queue = names.queue_name(kept.queue);
    format!("the customer's place is kept, should they come back to {queue} in time")
}

fn feedback(given: &Feedback) -> String {
    let by = given.channel;
    match (given.score, given.words) {
        (Some(score), true) => {
            format!("the customer gave {score} of {} by {by}, with words", given.scale)
        }
        (Some(score), false) => format!("the customer gave {score} of {} by {by}", given.scale),
        (None, _) => format!("the customer said by {by} what they think"),
    }
}
