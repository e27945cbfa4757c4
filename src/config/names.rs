//! The names of one table: each once, found again by those who refer to them.
//!
//! Owned by one reading of one file; ids that outlive it are given by [`super::merge`].

use std::collections::BTreeMap;
use std::ops::Range;

use super::problem::{Fault, Kind};
use super::reader::{Notes, Value};
use crate::engine::routing::{Listed, Name};

/// The names of one table so far, with their positions in it.
pub(crate) struct Names {
    kind: Kind,
    most: usize,
    of: BTreeMap<Name, (usize, Range<usize>)>,
    full: bool,
}

impl Names {
    /// An empty table of at most `most`.
    pub(crate) fn new(kind: Kind, most: usize) -> Self {
        Self { kind, most, of: BTreeMap::new(), full: false }
    }

    /// The table that these names will make.
    pub(crate) fn foreseen(kind: Kind, names: impl Iterator<Item = (Name, Range<usize>)>) -> Self {
        let mut table = Self::new(kind, usize::MAX);
        for (name, at) in names {
            let next = table.of.len();
            table.of.entry(name).or_insert((next, at));
        }
        table
    }

    /// Takes a name into the table unless it is there or the table is full, which are
    /// faults of `value`. The second beyond the limit and all after it go unsaid.
    pub(crate) fn add(&mut self, value: &Value<'_>, name: &Name) -> bool {
        if let Some((_, first)) = self.of.get(name) {
            let (kind, first) = (self.kind, first.clone());
            value.fault(Fault::Duplicate { kind, name: (&**name).into(), first });
            return false;
        }
        if self.of.len() >= self.most {
            if !self.full {
                value.fault(Fault::TooMany { kind: self.kind, most: self.most });
            }
            self.full = true;
            return false;
        }
        self.of.insert(name.clone(), (self.of.len(), value.span.clone()));
        true
    }

    /// Whether the table has reached its limit.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// The position of a name that is referred to at `path` and `span`, where its absence is a fault.
    pub(crate) fn find<Id: TryFrom<usize>>(
        &self,
        notes: &Notes,
        path: &str,
        span: Range<usize>,
        name: &str,
    ) -> Option<Id> {
        if let Some((position, _)) = self.of.get(name) {
            return Id::try_from(*position).ok();
        }
        let meant = notes.meant(name, self.of.keys().map(|n| &**n)).map(Into::into);
        notes.note(path, span, Fault::Unknown { kind: self.kind, name: name.into(), meant });
        None
    }

    /// As [`Names::find`], of a value that is the name.
    pub(crate) fn find_value<Id: TryFrom<usize>>(&self, value: &Value<'_>) -> Option<Id> {
        let name = value.name()?;
        self.find(value.notes, &value.path, value.span.clone(), &name)
    }
}

/// Reads a list of plain names into a table, after those that are always there.
pub(crate) fn read(
    values: &[Value<'_>],
    always: &[&str],
    kind: Kind,
    most: usize,
) -> (Names, Vec<Listed>) {
    let mut names = Names::new(kind, most);
    let mut listed: Vec<Listed> = always.iter().map(|name| new((*name).into())).collect();
    for value in values {
        // A list that spells out what is always there says nothing wrong.
        if let Some(name) = value.name().filter(|n| !always.contains(&&**n))
            && names.add(value, &name)
        {
            listed.push(new(name));
        }
    }
    (names, listed)
}

/// A name that is in use.
pub(crate) fn new(name: Name) -> Listed {
    Listed { name, retired: false }
}
