//! The demo's day in numbers: who comes how often, how patient they are, how long work
//! takes, and what goes wrong how often.
//!
//! Everything random comes from a [`Dice`], seeded once for each gateway and for the
//! agents, so that one seed asks the same of the router every time. What it answers first
//! is up to sockets and threads: runs of one seed are alike, not identical.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, LogNormal};

use crate::pb::v1::Channel;

/// The demo's routing configuration.
pub(super) const CENTRE: &str = include_str!("centre.toml");
/// The demo's playbook, and what it is called.
pub(super) const PLAYBOOK: &str = include_str!("kettle.toml");
/// See [`PLAYBOOK`].
pub(super) const PLAYBOOK_NAME: &str = "kettle";

/// One way in, as a gateway serves it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) entry_point: &'static str,
    /// Arrivals a second, outside the burst.
    pub(super) rate: f64,
    /// Said to be about safety by the gateway itself.
    pub(super) safety: bool,
}

/// One simulated gateway.
#[derive(Clone, Copy, Debug)]
pub(super) struct GatewayPlan {
    pub(super) name: &'static str,
    pub(super) channel: Channel,
    pub(super) ways: &'static [Way],
    /// Mean patience before an answer, seconds; none: they never give up.
    pub(super) patience: Option<f64>,
}

const fn way(entry_point: &'static str, rate: f64, safety: bool) -> Way {
    Way { entry_point, rate, safety }
}

/// The gateways, one a channel.
pub(super) const GATEWAYS: [GatewayPlan; 4] = [
    GatewayPlan {
        name: "telephony",
        channel: Channel::Voice,
        ways: &[
            way("hotline", 14.0, false),
            way("refund-line", 3.0, false),
            way("safety-line", 0.6, true),
        ],
        patience: Some(4.0),
    },
    GatewayPlan {
        name: "webchat",
        channel: Channel::Chat,
        ways: &[
            way("site-chat", 17.0, false),
            way("refund-chat", 2.5, false),
            way("safety-chat", 0.3, true),
        ],
        patience: Some(5.0),
    },
    GatewayPlan {
        name: "mail",
        channel: Channel::Email,
        ways: &[
            way("support-mail", 10.0, false),
            way("refund-mail", 3.0, false),
            way("safety-mail", 0.2, true),
        ],
        patience: None,
    },
    GatewayPlan {
        name: "messenger",
        channel: Channel::Message,
        ways: &[way("messenger", 11.0, false), way("safety-text", 0.2, true)],
        patience: Some(20.0),
    },
];

/// When the recall is in force and when the wave of customers comes, as parts of the run: a
/// normal spell first, and at the end time to see it come back to normal.
pub(super) const RECALL: Range<f64> = 0.25..0.95;
/// See [`RECALL`].
pub(super) const WAVE: Range<f64> = 0.25..0.6;
/// How much busier the wave is than the rest.
const SURGE: f64 = 5.0;

/// Arrivals at this part of the run, 0 to 1, as a multiple of the plain rate.
pub(super) fn intensity(part: f64) -> f64 {
    if WAVE.contains(&part) { SURGE } else { 1.0 }
}

/// How long an agent has a contact, seconds: mean of a lognormal.
pub(super) fn handle_mean(channel: Channel) -> f64 {
    match channel {
        Channel::Voice => 0.75,
        Channel::Chat => 1.3,
        Channel::Email => 1.8,
        Channel::Message | Channel::Unspecified => 1.2,
    }
}

/// Chances, each 0 to 1.
pub(super) mod chance {
    /// An agent turns an offer down.
    pub(crate) const DECLINE: f64 = 0.02;
    /// An agent does not answer an offer.
    pub(crate) const NO_ANSWER: f64 = 0.006;
    /// Work ends in a transfer, in going back to the queue, in waiting for somebody.
    pub(crate) const TRANSFER: f64 = 0.03;
    pub(crate) const REQUEUE: f64 = 0.005;
    pub(crate) const PEND: f64 = 0.08;
    /// An agent asks a second one.
    pub(crate) const CONSULT: f64 = 0.04;
    /// A consult ends with the second agent taking over.
    pub(crate) const HAND_OVER: f64 = 0.6;
    /// An agent ends wrap-up before its time.
    pub(crate) const SHORT_WRAP_UP: f64 = 0.7;
    /// The customer of a call or chat leaves in the middle of it.
    pub(crate) const HANG_UP: f64 = 0.03;
    /// A customer who is waited for says something.
    pub(crate) const REPLY: f64 = 0.85;
    /// Someone comes back about what they came for before.
    pub(crate) const COME_BACK: f64 = 0.04;
    /// An agent's leg is busy, rings out, cannot be reached; the gateway fails.
    pub(crate) const BUSY: f64 = 0.01;
    pub(crate) const RINGS_OUT: f64 = 0.008;
    pub(crate) const UNREACHABLE: f64 = 0.005;
    pub(crate) const GATEWAY_FAILS: f64 = 0.004;
    /// Nobody ever says what became of the legs.
    pub(crate) const SILENCE: f64 = 0.002;
    /// In a recall, someone was hurt.
    pub(crate) const INJURED: f64 = 0.01;
    /// Someone wants a person, whatever the machine says.
    pub(crate) const INSISTS: f64 = 0.15;
    /// A caller checks their lot.
    pub(crate) const CHECKS: f64 = 0.7;
    /// A caller who has heard what the check says hangs up.
    pub(crate) const CONTENT: f64 = 0.75;
    /// A caller would rather be called than wait on.
    pub(crate) const CALL_ME: f64 = 0.6;
    /// Whoever is called back is on the telephone.
    pub(crate) const ENGAGED: f64 = 0.03;
    /// An answer was what they needed.
    pub(crate) const ACCEPTS: f64 = 0.6;
}

/// Seeded chance.
#[derive(Debug)]
pub(super) struct Dice {
    rng: Xoshiro256PlusPlus,
}

impl Dice {
    /// `stream` keeps the dice of one player independent of the others'.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        // An odd constant far from small numbers, so that neighbouring seeds share no stream.
        let mixed = seed ^ stream.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { rng: Xoshiro256PlusPlus::seed_from_u64(mixed) }
    }

    /// Whether something with this chance, 0 to 1, happens.
    pub(super) fn happens(&mut self, chance: f64) -> bool {
        self.rng.random_bool(chance)
    }

    /// 0 to 1.
    pub(super) fn part(&mut self) -> f64 {
        self.rng.random()
    }

    /// Between two times, milliseconds.
    pub(super) fn between_ms(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(least..=most))
    }

    /// Exponential with this mean, seconds.
    pub(super) fn exponential(&mut self, mean: f64) -> Duration {
        let unit: f64 = Exp1.sample(&mut self.rng);
        Duration::from_secs_f64(mean * unit)
    }

    /// Lognormal with this mean, seconds, and a coefficient of variation of 0.6, as
    /// handle times have; 8 means at most, so that a short run has an end.
    pub(super) fn handle_time(&mut self, mean: f64) -> Duration {
        let variance = (1.0 + 0.6_f64 * 0.6).ln();
        let sample = LogNormal::new(mean.ln() - variance / 2.0, variance.sqrt())
            .map_or(mean, |law| law.sample(&mut self.rng));
        Duration::from_secs_f64(sample.min(8.0 * mean))
    }

    /// One of them; none of nothing.
    pub(super) fn one_of<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        match of.len() {
            0 => None,
            n => of.get(self.rng.random_range(0..n)),
        }
    }

    /// One of the ways in, by their rates.
    pub(super) fn way<'a>(&mut self, ways: &'a [Way]) -> Option<&'a Way> {
        let mut left = self.part() * ways.iter().map(|w| w.rate).sum::<f64>();
        let hit = ways.iter().find(|w| {
            left -= w.rate;
            left < 0.0
        });
        hit.or(ways.last())
    }

    /// Time to the next arrival that is due at `SURGE` times the plain rate, and whether it
    /// comes at this intensity: thinning, so that the wave may begin between two arrivals.
    pub(super) fn next_arrival(&mut self, rate: f64) -> Duration {
        self.exponential(1.0 / (rate * SURGE))
    }

    /// See [`Self::next_arrival`].
    pub(super) fn comes(&mut self, part: f64) -> bool {
        self.happens(intensity(part) / SURGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_is_sound_and_every_way_in_is_in_it() {
        let loaded = crate::config::parse("the demo's configuration", CENTRE).unwrap();
        assert_eq!(loaded.warnings.warnings(), 0, "{}", loaded.warnings.render(false));
        let routing = loaded.config.routing;
        assert_eq!((routing.queues.len(), routing.agents.len()), (6, 54));
        for way in GATEWAYS.iter().flat_map(|g| g.ways) {
            assert!(routing.entry_points.iter().any(|e| &*e.name == way.entry_point));
        }
    }

    #[test]
    fn one_seed_throws_the_same_and_another_does_not() {
        let throw = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            (0..20).map(|_| dice.exponential(1.0)).collect::<Vec<_>>()
        };
        assert_eq!(throw(7, 1), throw(7, 1));
        assert_ne!(throw(7, 1), throw(8, 1));
        assert_ne!(throw(7, 1), throw(7, 2));
    }

    #[test]
    fn samples_have_the_means_they_are_named_for() {
        let mut dice = Dice::new(1, 0);
        let mean = |of: &mut dyn FnMut() -> Duration| {
            (0..20_000).map(|_| of().as_secs_f64()).sum::<f64>() / 20_000.0
        };
        let patience = mean(&mut || dice.exponential(4.0));
        assert!((patience - 4.0).abs() < 0.15, "{patience}");
        let handle = mean(&mut || dice.handle_time(0.75));
        assert!((handle - 0.75).abs() < 0.02, "{handle}");
    }

    #[test]
    fn arrivals_are_five_times_as_many_in_the_wave_only() {
        let mut dice = Dice::new(3, 0);
        let mut counts = [0_u32; 2];
        for _ in 0..20_000 {
            counts[0] += u32::from(dice.comes(0.1));
            counts[1] += u32::from(dice.comes(0.5));
        }
        assert_eq!(counts[1], 20_000);
        assert!((3_800..4_200).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn ways_are_taken_by_their_rates() {
        let mut dice = Dice::new(4, 0);
        let ways = GATEWAYS[0].ways;
        let safety = (0..17_600).filter(|_| dice.way(ways).is_some_and(|w| w.safety)).count();
        assert!((450..750).contains(&safety), "{safety}");
    }
}
