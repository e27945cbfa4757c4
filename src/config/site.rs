//! `[site]`: where the people are for whom this router works.
//!
//! Stays at the edge: it says how times are told in reports. Owned by one reading of one file.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::problem::Expected;
use super::reader::Value;

const OF: &str = "time_zone";
/// The time zone of a site that names none.
const TIME_ZONE: &str = "UTC";

/// Where the people are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The time zone of reports, by its IANA name.
    pub time_zone: Arc<str>,
}

impl Default for Config {
    fn default() -> Self {
        Self { time_zone: TIME_ZONE.into() }
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
    value
        .table("site", OF, |table| table.field("time_zone").and_then(zone))
        .flatten()
        .map(|time_zone| Config { time_zone })
        .unwrap_or_default()
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
}
