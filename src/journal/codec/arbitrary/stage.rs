//! Any life of a queue, and any way through it.

use super::{Any, Source};
use crate::engine::callback::Window;
use crate::engine::event::{Announce, HoursChanged, Opens, StepTaken, WaitAnnounced};
use crate::engine::event::{BreakerSet, PartnersSet, RecordingNoted};
use crate::engine::hours::Hours;
use crate::engine::queue_life::{
    Calendar, External, Fallback, Holiday, Notice, Opening, Overflow, QueueLife, QueueStep, Then,
};
use crate::engine::recall::{Breaker, CallbackOffer, CallbackTier, PartnerTier};
use crate::engine::stage::{Announced, Course, Filing, Stage};

pick! {
    Overflow { Queue(queue), External(external) }
    Then { Wait, Callback, Overflow(to), Close }
}
structs! {
    Breaker { outcomes, seen, opened, gate }
    CallbackOffer { recall, due, until }
    CallbackTier { from, offer_after, within, capacity, accept_within }
    PartnerTier { from, pools, lead, share, capacity, channels, callbacks }
    RecordingNoted { contact, reference, consent }
    PartnersSet { recall, now }
    BreakerSet { recall, tier, now }
    StepTaken { step, filing }
    HoursChanged { calendar, now }
    WaitAnnounced { contact, told, next }
    Stage { entered, stepped, due, update, pools, raised, again, turned_away, lane }
    Filing { contact, needs, preferred, place, stage }
    Announced { at, ahead, wait, longer }
    Course { been, announced }
    Hours { open, changes, ahead }
    Window { from, until }
    Announce { notice, language, outlook, opens, ends }
    Opens { calendar, at }
    QueueStep {
        after, lower_proficiency, drop_preferred, add_pools, raise_priority, overflow, tell,
    }
    QueueLife { hours, closed, most_waiting, full, updates }
    Fallback { tell, then }
    Calendar { name, retired, zone, week, holidays }
    Opening { from, to }
    Holiday { date, name, open }
    External { name, retired, numbers }
    Notice { name, retired, texts, version }
}

impl Any for i16 {
    fn any(from: &mut Source) -> Self {
        u16::any(from).cast_signed()
    }
}

impl<T: Any> Any for Box<T> {
    fn any(from: &mut Source) -> Self {
        Self::new(T::any(from))
    }
}
