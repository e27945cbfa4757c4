//! `[[messages]]`: the recall message by channel and language.
//!
//! Owned by one reading.

use std::collections::BTreeSet;

use super::LONGEST_TEXT;
use super::texts::{NOTHING, Speech};
use crate::config::names::Names;
use crate::config::problem::{Expected, Fault, Kind};
use crate::config::reader::Table;
use crate::engine::words::Channel;
use crate::recall::language::Language;
use crate::recall::playbook::Message;

const MOST: usize = 256;
const CHANNELS: &[&str] = &["voice", "chat", "email", "message"];

/// Reads the section; a channel without words of its own in some language is warned of.
pub(super) fn read(file: &Table<'_>, speech: &Speech<'_>) -> Vec<Message> {
    const EXPECTED: Expected = Expected::List("messages, as [[messages]]");
    let Some(at) = file.required("messages", EXPECTED) else { return Vec::new() };
    let mut names = Names::new(Kind::Message, MOST);
    let mut covered = BTreeSet::new();
    let mut messages = Vec::new();
    for value in at.list("messages, as [[messages]]") {
        let read = value.table("messages", "a message's fields", |t| {
            read_one(t, speech, &mut names, &mut covered)
        });
        messages.extend(read.flatten());
    }
    for language in speech.languages {
        for channel in Channel::ALL {
            if !covered.contains(&(channel.index(), *language)) {
                let (channel, language) = (channel.name(), language.code());
                at.fault(Fault::WithoutMessage { channel, language });
            }
        }
        if !covered.iter().any(|(_, l)| l == language) {
            at.fault(Fault::WithoutLanguage { language: language.code() });
        }
    }
    messages
}

fn read_one(
    table: &Table<'_>,
    speech: &Speech<'_>,
    names: &mut Names,
    covered: &mut BTreeSet<(usize, Language)>,
) -> Option<Message> {
    let id_at = table.required("id", Expected::Name);
    let language = table
        .required("language", Expected::OneOf(Language::CODES))
        .and_then(|v| v.one_of(Language::CODES))
        .map(|at| Language::ALL[at]);
    const CHANNEL_LIST: Expected =
        Expected::List("channels, at least one of voice, chat, email, message");
    let channels_at = table.required("channels", CHANNEL_LIST);
    let mut channels: Vec<Channel> = Vec::new();
    for value in channels_at.iter().flat_map(|v| v.list("channels")) {
        let channel = value.one_of(CHANNELS).map(|at| Channel::ALL[at]);
        channels.extend(channel.filter(|c| !channels.contains(c)));
    }
    if let Some(at) = channels_at.filter(|v| v.value.as_array().is_some_and(|a| a.is_empty())) {
        at.mismatch::<()>(CHANNEL_LIST);
    }
    let part = |name| {
        let at = table.required(name, Expected::Text(LONGEST_TEXT))?;
        speech.text(&at, language?, LONGEST_TEXT, NOTHING)
    };
    let parts = [part("known"), part("not_yet_known"), part("do_now"), part("next_update")];
    if let Some(language) = language {
        covered.extend(channels.iter().map(|c| (c.index(), language)));
    }
    let at = id_at?;
    let id = at.name()?;
    if !names.add(&at, &id) {
        return None;
    }
    let [known, not_yet_known, do_now, next_update] = parts;
    Some(Message {
        id: (&*id).into(),
        channels,
        language: language?,
        known: known?,
        not_yet_known: not_yet_known?,
        do_now: do_now?,
        next_update: next_update?,
    })
}
