//! Reading values out of parsed TOML, each with its path and place, noting every fault.
//!
//! Not serde's derive: that stops at the first fault and forgets on which element it was.
//! Here a wrong value is noted and its default used, so that reading goes on and one
//! check tells everything. The list of a table's fields is what was asked of it, so it
//! cannot differ from what is read. Owned by one reading of one file.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::problem::{Expected, Fault, Found, Problem};
use crate::engine::routing::Name;
use crate::time::Span;

/// Suggestions cost a comparison with every name; past this many problems nobody reads them.
const MOST_SUGGESTIONS: usize = 100;
/// Characters of a wrong string that are repeated to the person who wrote it.
const MOST_SHOWN: usize = 64;
/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;
/// Longest prefix of names, in bytes: a dash and nine digits fit behind it.
const LONGEST_PREFIX: usize = 54;

/// What one reading has noted.
#[derive(Default)]
pub(crate) struct Notes {
    problems: RefCell<Vec<Problem>>,
    fields: RefCell<BTreeSet<(&'static str, &'static str)>>,
}

impl Notes {
    /// Everything noted, in the order of the file.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|p| p.span.start);
        problems
    }

    /// Whether nothing was noted so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// Every field that was asked for, as section and name.
    #[cfg(test)]
    pub(crate) fn into_fields(self) -> BTreeSet<(&'static str, &'static str)> {
        self.fields.into_inner()
    }

    /// Notes a fault.
    pub(crate) fn note(&self, path: &str, span: Range<usize>, fault: Fault) {
        self.problems.borrow_mut().push(Problem { path: path.into(), span, fault });
    }

    /// The one of `known` that `word` looks like.
    pub(crate) fn meant<'k>(
        &self,
        word: &str,
        known: impl Iterator<Item = &'k str>,
    ) -> Option<&'k str> {
        if self.problems.borrow().len() >= MOST_SUGGESTIONS || word.len() > LONGEST_NAME {
            return None;
        }
        known
            .map(|k| (strsim::damerau_levenshtein(word, k), k))
            .filter(|(distance, k)| *distance <= 1.max(k.len() / 3))
            .min()
            .map(|(_, k)| k)
    }
}

/// One value of the file.
pub(crate) struct Value<'a> {
    /// Where faults go.
    pub(crate) notes: &'a Notes,
    /// The value.
    pub(crate) value: &'a DeValue<'a>,
    /// Where it stands.
    pub(crate) span: Range<usize>,
    /// Its path.
    pub(crate) path: String,
}

/// A table of the file that is being asked for its fields.
pub(crate) struct Table<'a> {
    /// Where faults go.
    pub(crate) notes: &'a Notes,
    /// Where it stands.
    pub(crate) span: Range<usize>,
    /// Its path.
    pub(crate) path: String,
    table: &'a DeTable<'a>,
    section: &'static str,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Value<'a> {
    /// Notes a fault of this value.
    pub(crate) fn fault(&self, fault: Fault) {
        self.notes.note(&self.path, self.span.clone(), fault);
    }

    /// Notes that something else was expected here.
    pub(crate) fn mismatch<T>(&self, expected: Expected) -> Option<T> {
        self.fault(Fault::Mismatch { found: found(self.value), expected });
        None
    }

    /// A string.
    pub(crate) fn text(&self, expected: Expected) -> Option<&'a str> {
        self.value.as_str().or_else(|| self.mismatch(expected))
    }

    /// A name.
    pub(crate) fn name(&self) -> Option<Name> {
        let text = self.text(Expected::Name)?;
        if is_name(text, LONGEST_NAME) { Some(text.into()) } else { self.mismatch(Expected::Name) }
    }

    /// The beginning of names.
    pub(crate) fn prefix(&self) -> Option<&'a str> {
        let text = self.text(Expected::Prefix)?;
        if is_name(text, LONGEST_PREFIX) { Some(text) } else { self.mismatch(Expected::Prefix) }
    }

    /// An integer between two, both included.
    pub(crate) fn integer<T: TryFrom<i64>>(&self, least: i64, most: i64) -> Option<T> {
        self.value
            .as_integer()
            .and_then(|i| i64::from_str_radix(i.as_str(), i.radix()).ok())
            .filter(|i| (least..=most).contains(i))
            .and_then(|i| T::try_from(i).ok())
            .or_else(|| self.mismatch(Expected::Integer(least, most)))
    }

    /// A duration between two, both included.
    pub(crate) fn duration(&self, least: Span, most: Span) -> Option<Span> {
        let parser = jiff::fmt::friendly::SpanParser::new();
        self.value
            .as_str()
            .and_then(|text| parser.parse_unsigned_duration(text).ok())
            .map(Span::from)
            .filter(|span| (least..=most).contains(span))
            .or_else(|| self.mismatch(Expected::Duration(least, most)))
    }

    /// Words for people, without the white space around them.
    pub(crate) fn words(&self, most: usize) -> Option<&'a str> {
        let text = self.text(Expected::Text(most))?.trim();
        if (1..=most).contains(&text.chars().count()) {
            Some(text)
        } else {
            self.mismatch(Expected::Text(most))
        }
    }

    /// A load from 0 to 60, in thousandths.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 60,000")]
    pub(crate) fn load(&self) -> Option<u16> {
        self.number()
            .filter(|x| (0.0..=60.0).contains(x))
            .map(|x| (x * 1000.0).round() as u16)
            .or_else(|| self.mismatch(Expected::Load))
    }

    /// A share from 0 to 1, in thousandths.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    pub(crate) fn share(&self) -> Option<u16> {
        self.number()
            .filter(|x| (0.0..=1.0).contains(x))
            .map(|x| (x * 1000.0).round() as u16)
            .or_else(|| self.mismatch(Expected::Share))
    }

    /// A ratio from 0.01 to 100, in hundredths.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10000")]
    pub(crate) fn hundredths(&self) -> Option<u16> {
        self.number()
            .filter(|x| (0.01..=100.0).contains(x))
            .map(|x| (x * 100.0).round() as u16)
            .or_else(|| self.mismatch(Expected::Ratio))
    }

    fn number(&self) -> Option<f64> {
        let written = match self.value {
            DeValue::Float(x) => x.as_str(),
            DeValue::Integer(i) => i.as_str(),
            _ => return None,
        };
        written.replace('_', "").parse().ok()
    }

    /// A boolean.
    pub(crate) fn boolean(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.mismatch(Expected::Boolean))
    }

    /// An address and a port.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.text(Expected::Address)?.parse().ok().or_else(|| self.mismatch(Expected::Address))
    }

    /// The position of a word among some.
    pub(crate) fn one_of(&self, words: &'static [&'static str]) -> Option<usize> {
        let text = self.text(Expected::OneOf(words))?;
        words.iter().position(|w| *w == text).or_else(|| self.mismatch(Expected::OneOf(words)))
    }

    /// The elements of a list.
    pub(crate) fn list(&self, of: &'static str) -> Vec<Value<'a>> {
        let Some(array) = self.value.as_array() else {
            self.mismatch::<()>(Expected::List(of));
            return Vec::new();
        };
        let element = |(i, v): (usize, &'a toml::Spanned<DeValue<'a>>)| Value {
            notes: self.notes,
            value: v.get_ref(),
            span: v.span(),
            path: format!("{}[{i}]", self.path),
        };
        array.iter().enumerate().map(element).collect()
    }

    /// The entries of a table whose keys the writer chose; each with its key and the
    /// key's place.
    pub(crate) fn entries(&self, of: &'static str) -> Vec<(&'a str, Range<usize>, Value<'a>)> {
        let Some(table) = self.value.as_table() else {
            self.mismatch::<()>(Expected::Table(of));
            return Vec::new();
        };
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, v)| {
                let key_text: &'a str = key.get_ref();
                let path = format!("{}.{key_text}", self.path);
                let value = Value { notes: self.notes, value: v.get_ref(), span: v.span(), path };
                (key_text, key.span(), value)
            })
            .collect();
        entries.sort_by_key(|(_, at, _)| at.start);
        entries
    }

    /// Reads this value as a table of fields; unknown ones are faults.
    pub(crate) fn table<T>(
        &self,
        section: &'static str,
        of: &'static str,
        read: impl FnOnce(&Table<'a>) -> T,
    ) -> Option<T> {
        let Some(table) = self.value.as_table() else {
            return self.mismatch(Expected::Table(of));
        };
        let table = Table {
            notes: self.notes,
            span: self.span.clone(),
            path: self.path.clone(),
            table,
            section,
            asked: RefCell::default(),
        };
        let out = read(&table);
        table.unknown_fields();
        Some(out)
    }
}

impl<'a> Table<'a> {
    /// A field, if it is there.
    pub(crate) fn field(&self, name: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(name);
        self.notes.fields.borrow_mut().insert((self.section, name));
        let value = self.table.get(name)?;
        let path = self.path_of(name);
        Some(Value { notes: self.notes, value: value.get_ref(), span: value.span(), path })
    }

    /// A field that must be there.
    pub(crate) fn required(&self, name: &'static str, expected: Expected) -> Option<Value<'a>> {
        let value = self.field(name);
        if value.is_none() {
            let fault = Fault::Missing { name, expected };
            self.notes.note(&self.path_of(name), self.span.clone(), fault);
        }
        value
    }

    /// A duration, or its default.
    pub(crate) fn duration(&self, name: &'static str, default: Span, range: (Span, Span)) -> Span {
        self.field(name).and_then(|v| v.duration(range.0, range.1)).unwrap_or(default)
    }

    /// An integer, or its default.
    pub(crate) fn integer<T: TryFrom<i64>>(
        &self,
        name: &'static str,
        default: T,
        range: (i64, i64),
    ) -> T {
        self.field(name).and_then(|v| v.integer(range.0, range.1)).unwrap_or(default)
    }

    /// One of some words, or its default; `all` stand for `words` in the same order.
    pub(crate) fn word<T: Copy, const N: usize>(
        &self,
        name: &'static str,
        default: T,
        all: [T; N],
        words: &'static [&'static str],
    ) -> T {
        let at = self.field(name).and_then(|v| v.one_of(words));
        at.and_then(|at| all.get(at).copied()).unwrap_or(default)
    }

    /// The elements of a list, none if it is not there.
    pub(crate) fn list(&self, name: &'static str, of: &'static str) -> Vec<Value<'a>> {
        self.field(name).map(|v| v.list(of)).unwrap_or_default()
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn unknown_fields(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !asked.contains(&name) {
                let fault = Fault::UnknownField {
                    name: name.into(),
                    allowed: asked.as_slice().into(),
                    meant: self
                        .notes
                        .meant(name, asked.iter().copied())
                        .and_then(|meant| asked.iter().copied().find(|a| *a == meant)),
                };
                self.notes.note(&self.path_of(name), key.span(), fault);
            }
        }
    }
}

fn is_name(text: &str, longest: usize) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= longest
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|b| plain(b) || b"_-.@".contains(&b))
}

fn found(value: &DeValue<'_>) -> Found {
    match value {
        DeValue::String(s) => Found::Text(s.chars().take(MOST_SHOWN).collect()),
        DeValue::Integer(i) => Found::Plain("integer", i.to_string().into()),
        DeValue::Float(x) => Found::Plain("float", x.to_string().into()),
        DeValue::Boolean(b) => Found::Plain("boolean", b.to_string().into()),
        DeValue::Datetime(d) => Found::Plain("date", d.to_string().into()),
        DeValue::Array(a) => Found::Array(a.len()),
        DeValue::Table(_) => Found::Table,
    }
}
