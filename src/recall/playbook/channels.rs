//! Channels by their names: the engine's words know no serialization.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use crate::engine::words::Channel;

pub(super) fn serialize<S: Serializer>(of: &[Channel], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(of.iter().map(|c| c.name()))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Channel>, D::Error> {
    let names = Vec::<Box<str>>::deserialize(from)?;
    let channel = |name: &str| Channel::ALL.into_iter().find(|c| c.name() == name);
    let unknown = || D::Error::custom("not a channel");
    names.iter().map(|name| channel(name).ok_or_else(unknown)).collect()
}
