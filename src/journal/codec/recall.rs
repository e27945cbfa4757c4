//! Recalls and self-service: what a recall is decided by, where a conversation is, what is
//! said and what was found.

use std::sync::Arc;

use super::field::{Field, Record, oneof, record, required, words};
use super::{CodecError, pb};
use crate::engine::recall::{
    Answer, Breaker, CallbackOffer, CallbackTier, Choice, Collect, FaqPlan, Found, Gate, Heed,
    IvrPlan, Level, LotVerdict, Outlook, PartnerTier, Partners, Plan, Question, ReturnedBecause,
    Say, SelfService, Step, Text, Tier, TriageClass, Want,
};
use crate::engine::words::Channel;
use crate::time::{EngineTime, Span};

words!(Level => Level { Normal, Tail, Elevated, Surge, Critical });
words!(Tier => Tier { Faq, Ivr, Callback, Partner });
words!(Question => Question { Injury, Lot, Options });
words!(Collect => Collect { None, Key, Lot });
words!(TriageClass => TriageClass { Safety, Affected, PersonWanted });
words!(LotVerdict => LotVerdict { Affected, NotAffected, CannotTell });
words!(Want => Want { Triage, Answer });
words!(ReturnedBecause => ReturnedBecause {
    Asked, Safety, NoAnswer, AnsweredEnough, Late, Silence, NoKey, CannotTell, TimeLimit, Gateway,
    Ended, Supervisor, Secret,
});

record!(Plan => Plan {
    title, version, playbook, scope, faq, ivr, callback, partner, safety, control; soon = soon_us
});
record!(CallbackTier => CallbackPlan {
    from, capacity;
    offer_after = offer_after_us, within = within_us, accept_within = accept_within_us
});
record!(PartnerTier => PartnerPlan { from, pools, share, capacity, channels, callbacks; lead = lead_us });
record!(Breaker => Breaker { outcomes, seen, opened, gate });
record!(CallbackOffer => CallbackOffer { recall; due = due_us, until = until_us });
record!(FaqPlan => FaqPlan {
    from, capacity, pacing, silence, time_limit, entries
});
record!(IvrPlan => IvrPlan {
    from, ports, repeats, yes, no, options;
    time_limit = time_limit_us, key_timeout = key_timeout_us
});
record!(SelfService => SelfService { recall, tier, answers, checked, step; until = until_us });
record!(Say => Say { recall, text, language, collect, outlook });
record!(Outlook => Outlook { ahead; wait = wait_us });
record!(Heed => Heed { recall, class });
record!(Found => Found { heed, answer });

oneof!(Gate => Gate in gate {
    Closed => GateClosed {}
    Open => GateOpen { until: until = until_us }
    Trying => GateTrying { probe: probe = probe }
});

// Before there were any they were away.
impl Field for Partners {
    type Pb = Option<pb::Partners>;
    fn put(&self) -> Option<pb::Partners> {
        let (joined, joins) = match self {
            Self::Away => (false, None),
            Self::Called { joins } => (false, Some(*joins)),
            Self::Joined => (true, None),
        };
        Some(pb::Partners { joined, joins_us: Field::put(&joins) })
    }
    fn take(pb: Option<pb::Partners>, _: &'static str) -> Result<Self, CodecError> {
        let pb = pb.unwrap_or_default();
        let joins: Option<EngineTime> = Field::take(pb.joins_us, "Partners.joins_us")?;
        Ok(match (pb.joined, joins) {
            (true, _) => Self::Joined,
            (false, Some(joins)) => Self::Called { joins },
            (false, None) => Self::Away,
        })
    }
}

impl Record for Arc<Plan> {
    type Pb = pb::Plan;
    fn put(&self) -> pb::Plan {
        Record::put(self.as_ref())
    }
    fn take(pb: pb::Plan) -> Result<Self, CodecError> {
        <Plan as Record>::take(pb).map(Arc::new)
    }
}

// By name, not by position: a channel that is added later must not move the others.
impl Field for [Span; 4] {
    type Pb = Vec<pb::ByChannel>;
    fn put(&self) -> Vec<pb::ByChannel> {
        Channel::ALL
            .into_iter()
            .filter(|c| self[c.index()] != Span::ZERO)
            .map(|c| pb::ByChannel { channel: Field::put(&c), span_us: self[c.index()].0 })
            .collect()
    }
    fn take(pb: Vec<pb::ByChannel>, name: &'static str) -> Result<Self, CodecError> {
        let mut spans = [Span::ZERO; 4];
        for share in pb {
            let channel = Channel::take(share.channel, name)?;
            spans[channel.index()] = Span(share.span_us);
        }
        Ok(spans)
    }
}

impl Record for (u8, Choice) {
    type Pb = pb::MenuOption;

    fn put(&self) -> pb::MenuOption {
        let (choice, entry) = match self.1 {
            Choice::Message => (pb::MenuChoice::Message, None),
            Choice::LotCheck => (pb::MenuChoice::LotCheck, None),
            Choice::Faq(entry) => (pb::MenuChoice::Faq, Some(entry.into())),
        };
        pb::MenuOption { key: self.0.into(), choice: choice.into(), entry }
    }

    fn take(pb: pb::MenuOption) -> Result<Self, CodecError> {
        const CHOICE: &str = "MenuOption.choice";
        let choice = match pb::MenuChoice::try_from(pb.choice) {
            Ok(pb::MenuChoice::Message) => Choice::Message,
            Ok(pb::MenuChoice::LotCheck) => Choice::LotCheck,
            Ok(pb::MenuChoice::Faq) => Choice::Faq(required(pb.entry, "MenuOption.entry")?),
            Ok(pb::MenuChoice::Unspecified) => return Err(CodecError::Missing { field: CHOICE }),
            Err(_) => return Err(CodecError::UnknownWord { field: CHOICE, value: pb.choice }),
        };
        Ok((Field::take(pb.key, "MenuOption.key")?, choice))
    }
}

/// Every step and its message, with the names of its fields in both.
macro_rules! steps {
    ($($step:ident => $pb:ident { $($f:ident = $p:ident),* })*) => {
        impl Record for Step {
            type Pb = pb::Step;

            fn put(&self) -> pb::Step {
                use pb::step::Kind;
                let kind = match self {
                    $(Self::$step { $($f),* } => {
                        Kind::$step(pb::$pb { $($p: Field::put($f)),* })
                    })*
                };
                pb::Step { kind: Some(kind) }
            }

            fn take(pb: pb::Step) -> Result<Self, CodecError> {
                use pb::step::Kind;
                Ok(match pb.kind.ok_or(CodecError::Missing { field: "Step.kind" })? {
                    $(Kind::$step(m) => Self::$step {
                        $($f: Field::take(m.$p, concat!(stringify!($pb), ".", stringify!($p)))?),*
                    },)*
                })
            }
        }
    };
}
steps! {
    Reading => ReadingStep { ask = ask, deadline = deadline_us }
    Answering => AnsweringStep { entry = entry, at = at_us }
    Listening => ListeningStep { until = until_us }
    Asked => AskedStep { question = question, repeats = repeats, until = until_us }
    Leaving => LeavingStep { at = at_us }
    Entering => EnteringStep { at = at_us }
}

impl Record for Text {
    type Pb = pb::Text;

    fn put(&self) -> pb::Text {
        use pb::TextKind;
        let (kind, entry, key) = match *self {
            Self::Acknowledgement => (TextKind::Acknowledgement, None, None),
            Self::Message => (TextKind::Message, None, None),
            Self::Faq(entry) => (TextKind::Faq, Some(entry.into()), None),
            Self::Greeting => (TextKind::Greeting, None, None),
            Self::Injury => (TextKind::Injury, None, None),
            Self::Lot => (TextKind::Lot, None, None),
            Self::Affected => (TextKind::Affected, None, None),
            Self::NotAffected => (TextKind::NotAffected, None, None),
            Self::CannotTell => (TextKind::CannotTell, None, None),
            Self::Option(key) => (TextKind::Option, None, Some(key.into())),
            Self::Person => (TextKind::Person, None, None),
            Self::Goodbye => (TextKind::Goodbye, None, None),
        };
        pb::Text { kind: kind.into(), entry, key }
    }

    fn take(pb: pb::Text) -> Result<Self, CodecError> {
        use pb::TextKind;
        const KIND: &str = "Text.kind";
        Ok(match TextKind::try_from(pb.kind) {
            Ok(TextKind::Acknowledgement) => Self::Acknowledgement,
            Ok(TextKind::Message) => Self::Message,
            Ok(TextKind::Faq) => Self::Faq(required(pb.entry, "Text.entry")?),
            Ok(TextKind::Greeting) => Self::Greeting,
            Ok(TextKind::Injury) => Self::Injury,
            Ok(TextKind::Lot) => Self::Lot,
            Ok(TextKind::Affected) => Self::Affected,
            Ok(TextKind::NotAffected) => Self::NotAffected,
            Ok(TextKind::CannotTell) => Self::CannotTell,
            Ok(TextKind::Option) => Self::Option(required(pb.key, "Text.key")?),
            Ok(TextKind::Person) => Self::Person,
            Ok(TextKind::Goodbye) => Self::Goodbye,
            Ok(TextKind::Unspecified) => return Err(CodecError::Missing { field: KIND }),
            Err(_) => return Err(CodecError::UnknownWord { field: KIND, value: pb.kind }),
        })
    }
}

impl Record for Answer {
    type Pb = pb::Answer;

    fn put(&self) -> pb::Answer {
        let (kind, entry, score) = match *self {
            Self::NoWords => (pb::AnswerKind::NoWords, None, None),
            Self::None => (pb::AnswerKind::None, None, None),
            Self::Entry { entry, score } => {
                (pb::AnswerKind::Entry, Some(entry.into()), Some(score.into()))
            }
        };
        pb::Answer { kind: kind.into(), entry, score }
    }

    fn take(pb: pb::Answer) -> Result<Self, CodecError> {
        const KIND: &str = "Answer.kind";
        match pb::AnswerKind::try_from(pb.kind) {
            Ok(pb::AnswerKind::NoWords) => Ok(Self::NoWords),
            Ok(pb::AnswerKind::None) => Ok(Self::None),
            Ok(pb::AnswerKind::Entry) => Ok(Self::Entry {
                entry: required(pb.entry, "Answer.entry")?,
                score: required(pb.score, "Answer.score")?,
            }),
            Ok(pb::AnswerKind::Unspecified) => Err(CodecError::Missing { field: KIND }),
            Err(_) => Err(CodecError::UnknownWord { field: KIND, value: pb.kind }),
        }
    }
}
