//! What customers in self-service hear, read and do, by the scenario's chances.
//!
//! It belongs to the gateway's task. Customers know nothing of tiers: they react to what is
//! said to them.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use surgeline::pb::v1::gateway_directive::{Collect, Say};
use surgeline::pb::v1::gateway_report::{CustomerLeft, Input, Report};
use surgeline::pb::v1::{Person, Wish};
use tokio::time::Instant;

use super::{Again, Gateway, Held, Todo};
use crate::arrival::{PERSON, question, saying};
use crate::error::LoadError;
use crate::recall::Customers;
use crate::schedule::Says;

/// Keys of the playbook's menu.
const HURT: &str = "1";
const NOBODY_HURT: &str = "2";
const CHECK: &str = "1";
const ANSWER: &str = "2";
const LOT: &str = "2345#";
const A_PERSON: &str = "0";

/// What a customer does about what they heard or read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Does {
    Press(&'static str),
    Write(&'static str),
    Want(Wish),
    Leave,
}

/// A text that is being played.
#[derive(Debug)]
pub(super) struct Playing {
    contact: u64,
    id: String,
    collect: Collect,
}

/// A customer, as far as self-service is concerned.
#[derive(Debug, Default)]
pub(super) struct Customer {
    /// Somebody was hurt.
    hurt: bool,
    /// When they pressed so in the menu.
    pressed_us: Option<u64>,
    /// Since when they are in self-service.
    inside_us: Option<u64>,
    /// How often they entered it.
    times: u32,
    /// Patience that was left as they entered it.
    patience: Option<Duration>,
    /// What is played to them ends then.
    speaks_until: Option<Instant>,
    /// A call: their lot was checked, or an answer heard.
    informed: bool,
}

impl Customer {
    pub(super) fn new(says: Option<Says>) -> Self {
        Self { hurt: says == Some(Says::Hurt), ..Self::default() }
    }

    pub(super) const fn is_inside(&self) -> bool {
        self.inside_us.is_some()
    }
}

impl Gateway {
    fn customers(&self) -> Option<Customers> {
        self.shared.scenario.recall.as_ref().map(|r| r.customers)
    }

    fn happens(&mut self, chance: f64) -> bool {
        self.chance.random_bool(chance)
    }

    /// The contact is in self-service. Told again, it is no news.
    pub(super) fn in_self_service(&mut self, contact: u64) -> Result<(), LoadError> {
        let (now_us, order) = (self.shared.now_us(), self.shared.order());
        let Some(held) = self.held.get_mut(&contact).filter(|h| !h.customer.is_inside()) else {
            return Ok(());
        };
        let customer = &mut held.customer;
        customer.inside_us = Some(now_us);
        customer.times += 1;
        customer.patience =
            held.gives_up.take().map(|at| at.saturating_duration_since(Instant::now()));
        let ways = &mut self.book.served.ways;
        ways.entered += 1;
        ways.bounced_twice += u64::from(customer.times > 1);
        match order {
            Some((order, at)) if held.accepted_us < at => {
                self.book.served.went(order, now_us.saturating_sub(at))
            }
            _ => Ok(()),
        }
    }

    /// The contact waits in line or has somebody: if it was in self-service, it is back.
    pub(super) fn in_line(&mut self, contact: u64) -> Result<(), LoadError> {
        let (now_us, order) = (self.shared.now_us(), self.shared.order());
        let Some(held) = self.held.get_mut(&contact) else { return Ok(()) };
        let Some(since) = held.customer.inside_us.take() else { return Ok(()) };
        self.book.served.ways.returned += 1;
        if let Some(left) = held.customer.patience.take() {
            let at = Instant::now() + left;
            held.gives_up = Some(at);
            self.agenda.note(at, Todo::GiveUp(contact));
        }
        match order {
            Some((order, at)) if since < at => {
                self.book.served.came_back(order, now_us.saturating_sub(at))
            }
            _ => Ok(()),
        }
    }

    /// A person has the contact, for the first time.
    pub(super) fn person_has(&mut self, contact: u64, now_us: u64) {
        let recalled = self.shared.recalled_us();
        let Some(held) = self.held.get(&contact) else { return };
        let served = &mut self.book.served;
        served.ways.returned_and_answered += u64::from(held.customer.times > 0);
        let Some(recalled) = recalled.filter(|_| self.shared.scenario.is_recalled(held.kind))
        else {
            return;
        };
        let voice = self.shared.scenario.mix[held.kind].channel.is_voice();
        // A caller who was never asked has not said it.
        let said = if voice { held.customer.pressed_us } else { Some(held.due_us) };
        let (since, into) = match said.filter(|_| held.customer.hurt) {
            Some(said) => {
                served.ways.hurt += 1;
                (said.max(recalled), &mut served.safety)
            }
            None => (held.due_us, &mut served.others),
        };
        crate::book::record(into, now_us.saturating_sub(since));
    }

    /// A text is to be said: sent at once, or played after those before it.
    pub(super) fn say(&mut self, contact: u64, say: Say) {
        let Some(recall) = &self.shared.scenario.recall else { return };
        let Some(held) = self.held.get_mut(&contact) else { return };
        let collect = say.collect();
        let id = say.text.map(|text| text.message_id).unwrap_or_default();
        let voice = self.shared.scenario.mix[held.kind].channel.is_voice();
        self.saying.insert(say.effect_id, Playing { contact, id, collect });
        if !voice {
            return self.said(say.effect_id);
        }
        let now = Instant::now();
        let ends = held.customer.speaks_until.map_or(now, |until| until.max(now)) + recall.speaks;
        held.customer.speaks_until = Some(ends);
        self.agenda.note(ends, Todo::Said(say.effect_id));
    }

    /// A text was heard to the end; withdrawn ones were not.
    pub(super) fn said(&mut self, effect: u64) {
        let Some(Playing { contact, id, collect }) = self.saying.remove(&effect) else { return };
        self.insist(Again::Done(effect));
        let Some(held) = self.held.get_mut(&contact).filter(|h| h.customer.is_inside()) else {
            return;
        };
        held.customer.informed |= id.starts_with("ivr.lot.") || id.starts_with("faq.");
        let (informed, hurt) = (held.customer.informed, held.customer.hurt);
        let voice = self.shared.scenario.mix[held.kind].channel.is_voice();
        let does = if voice { self.hears(collect, &id, informed, hurt) } else { self.reads(&id) };
        if let (Some(does), Some(customers)) = (does, self.customers()) {
            let unit: f64 = Exp1.sample(&mut self.chance);
            let at = Instant::now() + customers.thinks.mul_f64(unit);
            self.agenda.note(at, Todo::Act(contact, does));
        }
    }

    /// A caller has heard something of the menu.
    fn hears(&mut self, collect: Collect, id: &str, informed: bool, hurt: bool) -> Option<Does> {
        let customers = self.customers()?;
        match collect {
            Collect::Key if id == "ivr.injury" && hurt => Some(Does::Press(HURT)),
            Collect::Key if id == "ivr.injury" => {
                let insists = self.happens(customers.insists);
                Some(Does::Press(if insists { A_PERSON } else { NOBODY_HURT }))
            }
            Collect::Key if informed => {
                let content = self.happens(customers.hangs_up_informed);
                Some(if content { Does::Leave } else { Does::Press(A_PERSON) })
            }
            Collect::Key => {
                let checks = self.happens(customers.checks);
                Some(Does::Press(if checks { CHECK } else { ANSWER }))
            }
            Collect::Lot => Some(Does::Press(LOT)),
            Collect::Unspecified => None,
        }
    }

    /// Somebody has read something.
    fn reads(&mut self, id: &str) -> Option<Does> {
        let customers = self.customers()?;
        if id == "acknowledgement" {
            return self.happens(customers.insists).then_some(Does::Write(PERSON));
        }
        if !id.starts_with("faq.") {
            return None;
        }
        let chance: f64 = self.chance.random();
        Some(if chance < customers.accepts {
            Does::Want(Wish::Solved)
        } else if chance < customers.accepts + customers.asks_more {
            Does::Write(question(self.chance.random_range(0..4)))
        } else {
            Does::Want(Wish::Person)
        })
    }

    /// A customer does something, if they are still in self-service.
    pub(super) fn act(&mut self, contact_id: u64, does: Does) {
        let now_us = self.shared.now_us();
        let Some(held) = self.held.get_mut(&contact_id).filter(|h| h.customer.is_inside()) else {
            return;
        };
        let input = |keys: &str, person: Option<Person>, wish: Wish| {
            let (keys, wish) = (keys.to_owned(), wish.into());
            Report::Input(Input { contact_id, person, keys, wish, sensitive: false })
        };
        let report = match does {
            Does::Press(keys) => {
                if keys == HURT && held.customer.hurt {
                    held.customer.pressed_us.get_or_insert(now_us);
                }
                // What was still to be played is of no interest any more.
                held.customer.speaks_until = None;
                input(keys, None, Wish::Unspecified)
            }
            Does::Write(words) => input("", Some(saying(words)), Wish::Unspecified),
            Does::Want(wish) => input("", None, wish),
            Does::Leave => Report::CustomerLeft(CustomerLeft { contact_id }),
        };
        self.report(report);
    }

    /// The conversation is another contact from now on; this one is ended next.
    pub(super) fn goes_on(&mut self, contact: u64, other: u64) -> Result<(), LoadError> {
        let Some(held) = self.held.get(&contact) else { return Ok(()) };
        let (kind, now_us) = (held.kind, self.shared.now_us());
        self.shared.counts.went_on.fetch_add(1, Relaxed);
        let held = Held {
            due_us: now_us,
            kind,
            answered: false,
            accepted_us: now_us,
            gives_up: None,
            customer: Customer::default(),
        };
        self.hold(other, held)
    }
}
