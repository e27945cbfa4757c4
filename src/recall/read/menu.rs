//! `[ivr]`: what callers hear, and which keys do what.
//!
//! The injury question has a section of its own and so cannot come late or be left out;
//! `0` is a person and cannot be given away. Owned by one reading.

use super::LONGEST_TITLE;
use super::texts::{LOT, NOTHING, Speech};
use crate::config::names::Names;
use crate::config::problem::{Expected, Fault, Kind};
use crate::config::reader::{Table, Value};
use crate::engine::routing::Name;
use crate::recall::playbook::{Choice, InjuryQuestion, LotQuestion, Menu, MenuOption, Texts};

/// Most characters of what is spoken: nobody listens longer.
const LONGEST_SPEECH: usize = 1_200;
const MOST_OPTIONS: usize = 9;
const DOES: &[&str] = &["message", "lot_check", "faq"];

/// Reads the section, which is there if the tier is.
pub(super) fn read(
    file: &Table<'_>,
    speech: &Speech<'_>,
    faq: &Names,
    needed: bool,
) -> Option<Menu> {
    const EXPECTED: Expected = Expected::Table("a menu's fields");
    let at = if needed { file.required("ivr", EXPECTED) } else { file.field("ivr") };
    at?.table("ivr", "a menu's fields", |table| read_menu(table, speech, faq)).flatten()
}

fn read_menu(table: &Table<'_>, speech: &Speech<'_>, faq: &Names) -> Option<Menu> {
    let says = |name| speech.required(table, name, LONGEST_SPEECH, NOTHING);
    let repeats = table.integer("repeats", 1, (0, 3));
    let key_timeout_s = table.integer("key_timeout_s", 8, (3, 30));
    let (greeting, person, goodbye) = (says("greeting"), says("person"), says("goodbye"));
    let injury = table
        .required("injury", Expected::Table("the injury question's fields"))
        .and_then(|v| v.table("injury", "the injury question's fields", |t| injury(t, speech)))
        .flatten();
    let lot_check = table
        .required("lot_check", Expected::Table("the lot check's fields"))
        .and_then(|v| v.table("lot_check", "the lot check's fields", |t| lot_check(t, speech)));
    let mut keys = Names::new(Kind::Key, MOST_OPTIONS);
    let mut options = Vec::new();
    for value in table.list("options", "options, as [[ivr.options]]") {
        let read =
            value.table("options", "an option's fields", |t| option(t, speech, faq, &mut keys));
        options.extend(read.flatten());
    }
    // Without one a caller who is not hurt would hear nothing more.
    let one = Expected::List("at least one option, as [[ivr.options]]");
    if let Some(at) = table.required("options", one)
        && at.value.as_array().is_some_and(|listed| listed.is_empty())
    {
        at.mismatch::<()>(one);
    }
    Some(Menu {
        repeats,
        key_timeout_s,
        greeting,
        injury: injury?,
        lot_check: lot_check?,
        options,
        person,
        goodbye,
    })
}

fn injury(table: &Table<'_>, speech: &Speech<'_>) -> Option<InjuryQuestion> {
    let mut keys = Names::new(Kind::Key, MOST_OPTIONS);
    let yes = required_key(table, "yes", &mut keys);
    let no = required_key(table, "no", &mut keys);
    let says = speech.required(table, "says", LONGEST_SPEECH, NOTHING);
    Some(InjuryQuestion { yes: yes?, no: no?, says })
}

fn lot_check(table: &Table<'_>, speech: &Speech<'_>) -> LotQuestion {
    let says = |name, stays| -> Texts { speech.required(table, name, LONGEST_SPEECH, stays) };
    LotQuestion {
        says: says("says", NOTHING),
        affected: says("affected", LOT),
        not_affected: says("not_affected", LOT),
        cannot_tell: says("cannot_tell", LOT),
    }
}

fn option(
    table: &Table<'_>,
    speech: &Speech<'_>,
    faq: &Names,
    keys: &mut Names,
) -> Option<MenuOption> {
    let key = required_key(table, "key", keys);
    let says = speech.required(table, "says", LONGEST_TITLE, NOTHING);
    let does = table.required("does", Expected::OneOf(DOES)).and_then(|v| v.one_of(DOES));
    let does = match does {
        Some(0) => Some(Choice::Message),
        Some(1) => Some(Choice::LotCheck),
        Some(_) => table.required("entry", Expected::Name).and_then(|v| {
            let id = v.name()?;
            faq.find_value::<usize>(&v).map(|_| Choice::Faq((&*id).into()))
        }),
        None => None,
    };
    Some(MenuOption { key: key?, does: does?, says })
}

fn required_key(table: &Table<'_>, name: &'static str, keys: &mut Names) -> Option<char> {
    let at = table.required(name, Expected::Key)?;
    let key = read_key(&at)?;
    keys.add(&at, &Name::from(key.to_string())).then_some(key)
}

fn read_key(at: &Value<'_>) -> Option<char> {
    let text = at.text(Expected::Key)?;
    match text.as_bytes() {
        b"0" => {
            at.fault(Fault::PersonsKey);
            None
        }
        [key @ b'1'..=b'9'] => Some(char::from(*key)),
        _ => at.mismatch(Expected::Key),
    }
}
