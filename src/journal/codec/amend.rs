//! Amended recalls, and who was told what before.

use std::sync::Arc;

use smallvec::SmallVec;

use super::field::{Field, Record, record, words};
use super::{CodecError, pb};
use crate::engine::event::{Amended, Amends as Done, Rechecked};
use crate::engine::recall::{Amends, Reach, Told};
use crate::engine::words::Keys;
use crate::ids::ContactId;

words!(Done => Amends { Corrected, FollowUp, Unreachable });
record!(Amended => Amended { recall, plan; expires = expires_us });
record!(Rechecked => Rechecked { recall, upto, affected });
record!(Told => ToldState { contact, lots, reach });
record!(Reach => ReachState { customer, of });

impl Record for (ContactId, Done) {
    type Pb = pb::AmendsFor;
    fn put(&self) -> pb::AmendsFor {
        pb::AmendsFor { contact: Field::put(&self.0), amends: Field::put(&self.1) }
    }
    fn take(pb: pb::AmendsFor) -> Result<Self, CodecError> {
        Ok((
            Field::take(pb.contact, "AmendsFor.contact")?,
            Field::take(pb.amends, "AmendsFor.amends")?,
        ))
    }
}

impl Field for Arc<[(ContactId, Done)]> {
    type Pb = Vec<pb::AmendsFor>;
    fn put(&self) -> Vec<pb::AmendsFor> {
        self.iter().map(Record::put).collect()
    }
    fn take(pb: Vec<pb::AmendsFor>, _: &'static str) -> Result<Self, CodecError> {
        pb.into_iter().map(Record::take).collect()
    }
}

impl Field for SmallVec<[Keys; 1]> {
    type Pb = Vec<String>;
    fn put(&self) -> Vec<String> {
        self.iter().map(|keys| keys.to_string()).collect()
    }
    fn take(pb: Vec<String>, _: &'static str) -> Result<Self, CodecError> {
        Ok(pb.into_iter().map(Keys::from).collect())
    }
}

impl Field for Amends {
    type Pb = Option<pb::AmendsState>;
    fn put(&self) -> Option<pb::AmendsState> {
        Some(pb::AmendsState {
            times: self.times,
            recheck: Field::put(&self.recheck),
            follow_ups: self.follow_ups,
            corrected: self.corrected,
            unreachable: self.unreachable,
            forgotten: self.forgotten,
            told: self.told().map(Record::put).collect(),
        })
    }
    fn take(pb: Option<pb::AmendsState>, _: &'static str) -> Result<Self, CodecError> {
        let Some(pb) = pb else { return Ok(Self::default()) };
        let mut amends = Self {
            times: pb.times,
            recheck: Field::take(pb.recheck, "AmendsState.recheck")?,
            follow_ups: pb.follow_ups,
            corrected: pb.corrected,
            unreachable: pb.unreachable,
            forgotten: pb.forgotten,
            ..Self::default()
        };
        for told in pb.told {
            amends.remember(<Told as Record>::take(told)?);
        }
        Ok(amends)
    }
}
