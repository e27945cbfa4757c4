//! How one value becomes one protobuf field: the traits and the plain values.
//!
//! The macros write both directions from one list of fields, and name every field of
//! both sides: one that is added to either and forgotten here does not compile.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{CodecError, pb};
use crate::engine::words::Language;
use crate::ids::{
    AgentId, AskId, CalendarId, ContactId, CustomerId, DispositionId, EffectId, EntryPointId,
    ExternalId, GatewayId, NoticeId, OrderId, PoolId, PromiseId, QueueId, ReasonId, RecallId,
    RecoveryId, ReservationId, SessionId, SharingId, SkillId,
};
use crate::time::{EngineTime, Place, Span, WallTime};

/// A value that is one field of a message. `name` is message and field, for errors.
pub(super) trait Field: Sized {
    /// What prost calls it.
    type Pb;
    /// As a field.
    fn put(&self) -> Self::Pb;
    /// From a field.
    fn take(pb: Self::Pb, name: &'static str) -> Result<Self, CodecError>;
}

/// A value that is a message of its own.
pub(super) trait Record: Sized {
    /// The message.
    type Pb;
    /// As a message.
    fn put(&self) -> Self::Pb;
    /// From a message.
    fn take(pb: Self::Pb) -> Result<Self, CodecError>;
}

impl<R: Record> Field for R {
    type Pb = Option<R::Pb>;
    fn put(&self) -> Self::Pb {
        Some(Record::put(self))
    }
    fn take(pb: Self::Pb, name: &'static str) -> Result<Self, CodecError> {
        pb.ok_or(CodecError::Missing { field: name }).and_then(R::take)
    }
}

impl<R: Record> Field for Option<R> {
    type Pb = Option<R::Pb>;
    fn put(&self) -> Self::Pb {
        self.as_ref().map(Record::put)
    }
    fn take(pb: Self::Pb, _: &'static str) -> Result<Self, CodecError> {
        pb.map(R::take).transpose()
    }
}

impl<R: Record> Field for Vec<R> {
    type Pb = Vec<R::Pb>;
    fn put(&self) -> Self::Pb {
        self.iter().map(Record::put).collect()
    }
    fn take(pb: Self::Pb, _: &'static str) -> Result<Self, CodecError> {
        pb.into_iter().map(R::take).collect()
    }
}

impl<R: Record> Field for SmallVec<[R; 4]> {
    type Pb = Vec<R::Pb>;
    fn put(&self) -> Self::Pb {
        self.iter().map(Record::put).collect()
    }
    fn take(pb: Self::Pb, _: &'static str) -> Result<Self, CodecError> {
        pb.into_iter().map(R::take).collect()
    }
}

impl<R: Record> Field for SmallVec<[R; 9]> {
    type Pb = Vec<R::Pb>;
    fn put(&self) -> Self::Pb {
        self.iter().map(Record::put).collect()
    }
    fn take(pb: Self::Pb, _: &'static str) -> Result<Self, CodecError> {
        pb.into_iter().map(R::take).collect()
    }
}

/// Lists of ids.
macro_rules! ids {
    ($($list:ty),* $(,)?) => { $(
        impl Field for $list {
            type Pb = Vec<u32>;
            fn put(&self) -> Self::Pb {
                self.iter().map(Field::put).collect()
            }
            fn take(pb: Self::Pb, name: &'static str) -> Result<Self, CodecError> {
                pb.into_iter().map(|id| Field::take(id, name)).collect()
            }
        }
    )* };
}

ids!(SmallVec<[PoolId; 4]>, Vec<EntryPointId>, Vec<AgentId>);

/// The value of an optional field that another field's word requires.
pub(super) fn required<F: Field>(pb: Option<F::Pb>, name: &'static str) -> Result<F, CodecError> {
    F::take(pb.ok_or(CodecError::Missing { field: name })?, name)
}

impl Field for Option<Language> {
    type Pb = Option<String>;
    fn put(&self) -> Self::Pb {
        self.map(|l| l.as_str().to_owned())
    }
    fn take(pb: Self::Pb, name: &'static str) -> Result<Self, CodecError> {
        // As it is written, and no other way: two spellings would be one value.
        let known = |tag: String| {
            let language = Language::of_tag(&tag).filter(|l| l.as_str() == tag);
            language.ok_or(CodecError::NoLanguage { field: name })
        };
        pb.map(known).transpose()
    }
}

/// Newtypes whose inside is the field as it is.
macro_rules! same {
    ($($name:ident($inner:ty)),* $(,)?) => { $(
        impl Field for $name {
            type Pb = $inner;
            fn put(&self) -> $inner {
                self.0
            }
            fn take(pb: $inner, _: &'static str) -> Result<Self, CodecError> {
                Ok(Self(pb))
            }
        }
        impl Field for Option<$name> {
            type Pb = Option<$inner>;
            fn put(&self) -> Self::Pb {
                self.map(|v| v.0)
            }
            fn take(pb: Self::Pb, _: &'static str) -> Result<Self, CodecError> {
                Ok(pb.map($name))
            }
        }
    )* };
}

same!(
    ContactId(u64),
    ReservationId(u64),
    EffectId(u64),
    SessionId(u64),
    AskId(u64),
    PromiseId(u64),
    RecoveryId(u64),
    OrderId(u64),
    AgentId(u32),
    EngineTime(u64),
    Span(u64),
    Place(i64),
    WallTime(u64),
);

/// Newtypes of 16 bits, for which protobuf has no field.
macro_rules! narrow {
    ($($name:ident),* $(,)?) => { $(
        impl Field for $name {
            type Pb = u32;
            fn put(&self) -> u32 {
                u32::from(self.0)
            }
            fn take(pb: u32, name: &'static str) -> Result<Self, CodecError> {
                u16::take(pb, name).map(Self)
            }
        }
        impl Field for Option<$name> {
            type Pb = Option<u32>;
            fn put(&self) -> Self::Pb {
                self.map(|v| u32::from(v.0))
            }
            fn take(pb: Self::Pb, name: &'static str) -> Result<Self, CodecError> {
                pb.map(|v| Field::take(v, name)).transpose()
            }
        }
    )* };
}

narrow!(
    QueueId,
    SkillId,
    PoolId,
    EntryPointId,
    ReasonId,
    DispositionId,
    GatewayId,
    RecallId,
    CalendarId,
    ExternalId,
    SharingId,
    NoticeId,
);

/// Small numbers.
macro_rules! small {
    ($($name:ident),*) => { $(
        impl Field for $name {
            type Pb = u32;
            fn put(&self) -> u32 {
                u32::from(*self)
            }
            fn take(pb: u32, name: &'static str) -> Result<Self, CodecError> {
                Self::try_from(pb)
                    .map_err(|_| CodecError::OutOfRange { field: name, value: u64::from(pb) })
            }
        }
    )* };
}

small!(u8, u16);

/// Numbers that protobuf has as they are.
macro_rules! plain {
    ($($name:ident),*) => { $(
        impl Field for $name {
            type Pb = $name;
            fn put(&self) -> $name {
                *self
            }
            fn take(pb: $name, _: &'static str) -> Result<Self, CodecError> {
                Ok(pb)
            }
        }
    )* };
}

plain!(u32, u64, bool);

impl Field for Option<u32> {
    type Pb = Option<u32>;
    fn put(&self) -> Self::Pb {
        *self
    }
    fn take(pb: Self::Pb, _: &'static str) -> Result<Self, CodecError> {
        Ok(pb)
    }
}

impl Field for [u8; 32] {
    type Pb = Vec<u8>;
    fn put(&self) -> Vec<u8> {
        self.to_vec()
    }
    fn take(pb: Vec<u8>, name: &'static str) -> Result<Self, CodecError> {
        let found = pb.len();
        Self::try_from(pb).map_err(|_| CodecError::Length { field: name, expected: 32, found })
    }
}

impl Field for Arc<str> {
    type Pb = String;
    fn put(&self) -> String {
        self.to_string()
    }
    fn take(pb: String, _: &'static str) -> Result<Self, CodecError> {
        Ok(pb.into())
    }
}

impl Field for Arc<[u8]> {
    type Pb = Vec<u8>;
    fn put(&self) -> Vec<u8> {
        self.to_vec()
    }
    fn take(pb: Vec<u8>, _: &'static str) -> Result<Self, CodecError> {
        Ok(pb.into())
    }
}

impl Record for u128 {
    type Pb = pb::Id128;
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
    fn put(&self) -> pb::Id128 {
        pb::Id128 { high: (*self >> 64) as u64, low: *self as u64 }
    }
    fn take(pb: pb::Id128) -> Result<Self, CodecError> {
        Ok((Self::from(pb.high) << 64) | Self::from(pb.low))
    }
}

impl Record for CustomerId {
    type Pb = pb::Id128;
    fn put(&self) -> pb::Id128 {
        Record::put(&self.0)
    }
    fn take(pb: pb::Id128) -> Result<Self, CodecError> {
        <u128 as Record>::take(pb).map(Self)
    }
}

/// A struct whose fields are a message's, those after `;` under another name there.
macro_rules! record {
    ($name:ident => $pb:ident { $($f:ident),* $(; $($g:ident = $p:ident),*)? }) => {
        impl $crate::journal::codec::field::Record for $name {
            type Pb = pb::$pb;
            fn put(&self) -> pb::$pb {
                pb::$pb {
                    $($f: $crate::journal::codec::field::Field::put(&self.$f),)*
                    $($($p: $crate::journal::codec::field::Field::put(&self.$g),)*)?
                }
            }
            fn take(pb: pb::$pb) -> Result<Self, $crate::journal::codec::CodecError> {
                Ok(Self {
                    $($f: $crate::journal::codec::field::Field::take(
                        pb.$f,
                        concat!(stringify!($pb), ".", stringify!($f)),
                    )?,)*
                    $($($g: $crate::journal::codec::field::Field::take(
                        pb.$p,
                        concat!(stringify!($pb), ".", stringify!($p)),
                    )?,)*)?
                })
            }
        }
    };
}

/// Enums whose every variant is a message of its own; `0` names the value of a variant that
/// has one without a name, those after `whole` hold a record.
macro_rules! oneof {
    ($name:ident => $pb:ident in $module:ident {
        $($variant:ident => $message:ident { $($f:tt: $v:ident = $p:ident),* })*
        $(; whole $($whole:ident)*)?
    }) => {
        impl $crate::journal::codec::field::Record for $name {
            type Pb = pb::$pb;

            fn put(&self) -> pb::$pb {
                use pb::$module::Kind;
                let kind = match self {
                    $(Self::$variant { $($f: $v),* } => {
                        Kind::$variant(pb::$message { $($p: $crate::journal::codec::field::Field::put($v)),* })
                    })*
                    $($(Self::$whole(record) => Kind::$whole($crate::journal::codec::field::Record::put(record)),)*)?
                };
                pb::$pb { kind: Some(kind) }
            }

            fn take(pb: pb::$pb) -> Result<Self, CodecError> {
                use pb::$module::Kind;
                const KIND: &str = concat!(stringify!($pb), ".kind");
                Ok(match pb.kind.ok_or(CodecError::Missing { field: KIND })? {
                    $(Kind::$variant(pb::$message { $($p),* }) => Self::$variant {
                        $($f: $crate::journal::codec::field::Field::take(
                            $p,
                            concat!(stringify!($message), ".", stringify!($p)),
                        )?),*
                    },)*
                    $($(Kind::$whole(record) => Self::$whole($crate::journal::codec::field::Record::take(record)?),)*)?
                })
            }
        }
    };
}

/// An enum of words whose names are the same on both sides.
macro_rules! words {
    ($name:ident => $pb:ident { $($word:ident),* $(,)? }) => {
        impl $crate::journal::codec::field::Field for $name {
            type Pb = i32;
            fn put(&self) -> i32 {
                let word = match self {
                    $(Self::$word => pb::$pb::$word,)*
                };
                word.into()
            }
            fn take(value: i32, name: &'static str) -> Result<Self, CodecError> {
                match pb::$pb::try_from(value) {
                    $(Ok(pb::$pb::$word) => Ok(Self::$word),)*
                    Ok(pb::$pb::Unspecified) => Err(CodecError::Missing { field: name }),
                    Err(_) => Err(CodecError::UnknownWord { field: name, value }),
                }
            }
        }
        impl $crate::journal::codec::field::Field for Option<$name> {
            type Pb = Option<i32>;
            fn put(&self) -> Option<i32> {
                self.as_ref().map($crate::journal::codec::field::Field::put)
            }
            fn take(pb: Option<i32>, name: &'static str) -> Result<Self, CodecError> {
                pb.map(|word| $crate::journal::codec::field::Field::take(word, name)).transpose()
            }
        }
    };
}

pub(super) use {oneof, record, words};
