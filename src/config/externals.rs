//! `[[externals]]`: numbers and addresses outside the router that contacts can be sent to.
//!
//! Owned by one reading of one file.

use std::sync::Arc;

use super::names::Names;
use super::problem::{Expected, Kind};
use super::queues::CHANNELS;
use super::reader::{Table, Value};
use crate::engine::queue_life::External;

/// Most destinations of a router.
const MOST: usize = 1_024;
/// Longest number or address.
const LONGEST: usize = 128;
/// What a destination has to have.
const NUMBERS: Expected = Expected::Table("channels, each with a number or address");

/// Reads the section.
pub(super) fn read(values: &[Value<'_>]) -> (Names, Vec<External>) {
    let mut names = Names::new(Kind::External, MOST);
    let mut externals = Vec::new();
    for value in values {
        let read = value.table("externals", "a destination's fields", |t| read_one(t, &mut names));
        externals.extend(read.flatten());
    }
    (names, externals)
}

fn read_one(table: &Table<'_>, names: &mut Names) -> Option<External> {
    let name_at = table.required("name", Expected::Name);
    let numbers_at = table.required("numbers", NUMBERS);
    let numbers = numbers_at.and_then(|at| at.table("numbers", "channels", read_numbers));
    let at = name_at?;
    let name = at.name()?;
    // Of a file with errors nothing is used but the names.
    let numbers = numbers.unwrap_or_default();
    let external = External { name: name.clone(), retired: false, numbers };
    names.add(&at, &name).then_some(external)
}

fn read_numbers(table: &Table<'_>) -> [Option<Arc<str>>; 4] {
    let mut numbers: [Option<Arc<str>>; 4] = Default::default();
    for (number, channel) in numbers.iter_mut().zip(CHANNELS) {
        *number = table.field(channel).and_then(|v| v.words(LONGEST)).map(Arc::from);
    }
    numbers
}
