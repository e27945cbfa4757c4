//! How values look: words for enums, short lengths of time, shares.

use jiff::Timestamp;

use crate::pb::v1::{Availability, AvailabilityKind};

/// A protobuf enum's value as a word: `CONTACT_STATE_QUEUED` is `queued`.
pub(super) fn word(name: &str, prefix: &str) -> String {
    let bare = name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase();
    if bare == "unspecified" { "-".to_owned() } else { bare }
}

/// A length of time in its two largest units at most.
pub(super) fn length(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0 => format!("{ms}ms"),
        1..60 => format!("{s}.{}s", ms % 1000 / 100),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        3600..86400 => format!("{}h{:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d{:02}h", s / 86400, s / 3600 % 24),
    }
}

/// A share as per cent, `-` where there is none.
pub(super) fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{:.1}%", v * 100.0))
}

/// A moment in UTC, to the millisecond.
pub(super) fn moment(unix_ms: u64) -> String {
    i64::try_from(unix_ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .map_or_else(|| "-".to_owned(), |t| format!("{t:.3}"))
}

/// A word for what an agent says they are, and the reason if they are not ready.
pub(super) fn availability(a: Option<&Availability>) -> (String, Option<&str>) {
    let Some(a) = a else { return ("-".to_owned(), None) };
    let reason = (a.kind() == AvailabilityKind::NotReady).then_some(a.reason.as_str());
    (word(a.kind().as_str_name(), "AVAILABILITY_KIND_"), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (1_550, "1.5s"),
            (61_000, "1m01s"),
            (3_660_000, "1h01m"),
            (90_000_000, "1d01h"),
        ] {
            assert_eq!(length(ms), text);
        }
    }

    #[test]
    fn words_of_enums() {
        assert_eq!(word("CONTACT_STATE_QUEUED", "CONTACT_STATE_"), "queued");
        assert_eq!(word("END_REASON_UNSPECIFIED", "END_REASON_"), "-");
        assert_eq!(moment(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(share(Some(0.8113)), "81.1%");
    }
}
