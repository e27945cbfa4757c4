//! `[site]`: where the people are for whom this router works.
//!
//! Stays at the edge: it says how times are told in reports. Owned by one reading of one file.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::problem::Expected;
use super::reader::{Table, Value};

const OF: &str = "name and time_zone";
/// Longest name.
const LONGEST_NAME: usize = 64;
/// The time zone of a site that names none.
const TIME_ZONE: &str = "UTC";

/// Where the people are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// What people call it, in pages; empty where it has no name.
    pub name: Arc<str>,
    /// The time zone of reports, by its IANA name.
    pub time_zone: Arc<str>,
}

impl Default for Config {
    fn default() -> Self {
        Self { name: "".into(), time_zone: TIME_ZONE.into() }
    }
}

/// Reads the section.
pub(super) fn read(value: &Value<'_>) -> Config {
    let zone = |value: Value<'_>| -> Option<Arc<str>> {
        let text = value.text(Expected::TimeZone)?;
        if TimeZone::get(text).is_ok() {
            Some(text.into())
        } else {
            value.mismatch(Expected::TimeZone)
        }
    };
    let fields = |table: &Table<'_>| {
        let default = Config::default();
        let name = table.field("name").and_then(|v| v.words(LONGEST_NAME));
        let time_zone = table.field("time_zone").and_then(zone);
        Config {
            name: name.map_or(default.name, Into::into),
            time_zone: time_zone.unwrap_or(default.time_zone),
        }
    };
    value.table("site", OF, fields).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[test]
    fn a_time_zone_is_one_that_the_router_knows() {
        let zone = |text: &str| parse("t", &format!("[site]\ntime_zone = \"{text}\"\n"));
        let read = zone("Asia/Kathmandu").expect("it is known without the system's help");
        assert_eq!(&*read.config.site.time_zone, "Asia/Kathmandu");
        let wrong = zone("Mars/Olympus").expect_err("there is none").to_string();
        assert!(wrong.contains("expected the IANA name of a time zone"), "{wrong}");
        assert_eq!(&*parse("t", "").expect("it may be empty").config.site.time_zone, "UTC");
    }

    #[test]
    fn a_name_is_what_people_call_it() {
        let read = parse("t", "[site]\nname = \"Hotline Berlin\"\n").expect("a name");
        assert_eq!(&*read.config.site.name, "Hotline Berlin");
        assert_eq!(&*read.config.site.time_zone, "UTC");
    }
}
