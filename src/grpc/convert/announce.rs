//! What queues tell customers, with what only the moment knows filled in.
//!
//! The words are the configuration's, in the version that the engine named; that they were
//! heard is the engine's to remember.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::engine::event::{Announce, Opens};
use crate::engine::routing::Routing;
use crate::pb::v1;
use crate::recall::{Language, wait_in_words};

/// Before an announcement's name in a message id.
const NOTICE: &str = "notice.";
/// Stands for a time that nobody knows.
const UNKNOWN: &str = "…";

/// An announcement as it is said to a customer now; none where its words are gone.
pub(crate) fn to_customer(routing: &Routing, announce: &Announce) -> Option<v1::Spoken> {
    let notice = routing.notice(announce.notice)?;
    let asked = notice.texts.iter().find(|(l, _)| Some(*l) == announce.language);
    let (language, words) = asked.or_else(|| notice.texts.first())?;
    let spoken = Language::known(*language).unwrap_or(Language::En);
    let position = announce
        .outlook
        .ahead
        .map_or_else(|| UNKNOWN.to_owned(), |ahead| u64::from(ahead).saturating_add(1).to_string());
    let opens = announce.opens.and_then(|opens| opening(routing, opens));
    let words = words
        .replace("{wait}", &wait_in_words(announce.outlook.wait, spoken))
        .replace("{position}", &position)
        .replace("{opens}", opens.as_deref().unwrap_or(UNKNOWN));
    Some(v1::Spoken {
        message_id: format!("{NOTICE}{}", notice.name),
        playbook_hash: String::new(),
        language: language.as_str().to_owned(),
        words,
        notice_version: notice.version,
    })
}

/// When a queue opens, by the clock where it is: day and time.
fn opening(routing: &Routing, opens: Opens) -> Option<String> {
    let zone = TimeZone::get(&routing.calendar(opens.calendar)?.zone).ok()?;
    let at = Timestamp::from_millisecond(i64::try_from(opens.at.0).ok()?).ok()?;
    Some(at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::queue_life::{Calendar, Notice};
    use crate::engine::recall::Outlook;
    use crate::engine::words;
    use crate::ids::{CalendarId, NoticeId};
    use crate::time::{Span, WallTime};

    #[test]
    fn what_only_the_moment_knows_is_filled_in_by_language_and_zone() {
        let german = words::Language(*b"de");
        let texts = vec![
            (words::Language(*b"en"), "You are {position}; {wait}. We open {opens}.".into()),
            (german, "Platz {position}, {wait}.".into()),
        ];
        let routing = Routing {
            notices: vec![Notice { name: "busy".into(), retired: true, texts, version: 3 }],
            calendars: vec![Calendar { zone: "Europe/Berlin".into(), ..Calendar::default() }],
            ..Routing::default()
        };
        let announce = Announce {
            notice: NoticeId(0),
            language: Some(german),
            outlook: Outlook { ahead: Some(2), wait: Some(Span::seconds(300)) },
            opens: Some(Opens { calendar: CalendarId(0), at: WallTime(1_774_828_800_000) }),
            ends: None,
        };
        let said = |announce: &Announce| to_customer(&routing, announce).expect("it is there");
        assert_eq!(said(&announce).words, "Platz 3, etwa 5 Minuten.");
        let french = Announce { language: Some(words::Language(*b"fr")), ..announce };
        let french = said(&french);
        // The clocks there went forward on the day before.
        assert_eq!(french.words, "You are 3; about 5 minutes. We open 2026-03-30 02:00.");
        assert_eq!((&*french.language, &*french.message_id), ("en", "notice.busy"));
        assert_eq!(french.notice_version, 3, "the wording's, not the id's");
        let unknown =
            Announce { language: None, opens: None, outlook: Outlook::default(), ..announce };
        assert_eq!(said(&unknown).words, "You are …; not known yet. We open ….");
    }
}
