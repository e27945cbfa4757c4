//! `[[pools]]`: the groups that agents belong to: own staff, a partner.
//!
//! A table each, not a list of names, because what a pool may take and when it joins
//! comes with recalls. Owned by one reading of one file.

use super::names::{self, Names};
use super::problem::{Expected, Kind};
use super::reader::Value;
use crate::engine::queue_life::Pools;
use crate::engine::routing::Listed;
use crate::ids::PoolId;

/// Most pools of a router.
const MOST: usize = 1_024;

/// Reads the section.
pub(super) fn read(values: &[Value<'_>]) -> (Names, Vec<Listed>, Pools) {
    let mut names = Names::new(Kind::Pool, MOST);
    let (mut pools, mut partners) = (Vec::new(), Pools::new());
    for value in values {
        value.table("pools", "a pool's name, partner", |table| {
            let partner = table.field("partner").and_then(|v| v.boolean()).unwrap_or_default();
            if let Some(at) = table.required("name", Expected::Name)
                && let Some(name) = at.name()
                && names.add(&at, &name)
            {
                partners.extend(u16::try_from(pools.len()).ok().map(PoolId).filter(|_| partner));
                pools.push(names::new(name));
            }
        });
    }
    (names, pools, partners)
}
