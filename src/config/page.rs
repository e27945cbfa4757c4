//! `[page]`: where people are called in when somebody who is hurt waits too long.
//!
//! Stays at the edge: what is to be paged is the engine's to say. Owned by one reading of one
//! file; `pager` sends.

use std::path::PathBuf;

use super::problem::Expected;
use super::reader::Table;
use super::reader::Value;
use crate::time::Span;

const OF: &str = "url, token_file, timeout and attempts";
/// Longest address.
const LONGEST: usize = 2_048;

/// Where pages go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The webhook; without one nobody is paged, which is told.
    pub url: Option<String>,
    /// A file with a token that is shown to it; read anew for each attempt.
    pub token_file: Option<PathBuf>,
    /// How long one attempt may take, 1 to 60 s.
    pub timeout: Span,
    /// How often one page is tried, 1 to 20.
    pub attempts: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: None, token_file: None, timeout: Span::seconds(10), attempts: 5 }
    }
}

/// Reads the section.
pub(super) fn read(value: &Value<'_>) -> Config {
    value.table("page", OF, read_fields).unwrap_or_default()
}

fn read_fields(table: &Table<'_>) -> Config {
    let default = Config::default();
    let url = |value: Value<'_>| {
        let text = value.words(LONGEST)?;
        let sound =
            ["https://", "http://"].iter().any(|s| text.len() > s.len() && text.starts_with(s));
        if sound { Some(text.to_owned()) } else { value.mismatch(Expected::Url) }
    };
    Config {
        url: table.field("url").and_then(url),
        token_file: table.field("token_file").and_then(|v| v.words(LONGEST)).map(PathBuf::from),
        timeout: table.duration("timeout", default.timeout, (Span::seconds(1), Span::seconds(60))),
        attempts: table.integer("attempts", default.attempts, (1, 20)),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[test]
    fn an_address_is_one_that_can_be_posted_to() {
        let page = |url: &str| parse("t", &format!("[page]\nurl = \"{url}\"\n"));
        let read = page("https://pager.example/hook").expect("it is one").config.page;
        assert_eq!(read.url.as_deref(), Some("https://pager.example/hook"));
        assert_eq!(read.attempts, 5);
        for wrong in ["pager.example", "ftp://pager.example", "https://"] {
            let told = page(wrong).expect_err("it is none").to_string();
            assert!(told.contains("expected an address"), "{wrong}: {told}");
        }
        assert_eq!(parse("t", "").expect("it may be empty").config.page.url, None);
    }
}
