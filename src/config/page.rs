//! `[page]`: where people are called in when somebody who is hurt waits too long.
//!
//! Stays at the edge: what is to be paged is the engine's to say. Owned by one reading of one
//! file; `pager` sends.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::problem::Expected;
use super::reader::Table;
use super::reader::Value;
use crate::engine::recall::PAGED_WITHIN;
use crate::time::Span;

/// Between the first two attempts; then twice that, and so on.
pub const FIRST_PAUSE: Span = Span::seconds(1);
/// Between two attempts at most, up to one of the first pause apart.
pub const LONGEST_PAUSE: Span = Span::seconds(30);
/// Most attempts at one page.
const MOST_ATTEMPTS: u32 = 20;
const OF: &str = "url, token_file, timeout and attempts";
/// Longest address.
const LONGEST: usize = 2_048;

/// Where pages go.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// The webhook; without one nobody is paged, which is told. With some services the address
    /// itself is the secret: it is not shown.
    pub url: Option<String>,
    /// A file with a token that is shown to it; read anew for each attempt.
    pub token_file: Option<PathBuf>,
    /// How long one attempt may take, 1 to 60 s.
    pub timeout: Span,
    /// How often one page is tried, 1 to 20, and no longer than anybody waits for its outcome.
    pub attempts: u32,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, token_file, timeout, attempts } = self;
        let url = url.as_ref().map(|_| "(not shown)");
        f.debug_struct("Config")
            .field("url", &url)
            .field("token_file", token_file)
            .field("timeout", timeout)
            .field("attempts", attempts)
            .finish()
    }
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
    let token_file = table.field("token_file").and_then(|v| v.words(LONGEST)).map(PathBuf::from);
    let url = |value: Value<'_>| {
        let text = value.words(LONGEST)?;
        let sound =
            ["https://", "http://"].iter().any(|s| text.len() > s.len() && text.starts_with(s));
        match text.strip_prefix("http://") {
            _ if !sound => value.mismatch(Expected::Url),
            Some(rest) if token_file.is_some() && !is_here(rest) => {
                value.mismatch(Expected::UrlForToken)
            }
            _ => Some(text.to_owned()),
        }
    };
    let url = table.field("url").and_then(url);
    let timeout = table.duration("timeout", default.timeout, (Span::seconds(1), Span::seconds(60)));
    let most = (2..=MOST_ATTEMPTS).take_while(|n| longest(timeout, *n) <= PAGED_WITHIN).last();
    let attempts = table.integer("attempts", default.attempts, (1, most.unwrap_or(1).into()));
    Config { url, token_file, timeout, attempts }
}

/// How long so many attempts take at most.
fn longest(timeout: Span, attempts: u32) -> Span {
    let pause = |n: u32| FIRST_PAUSE.0.saturating_mul(1 << n.min(32)).min(LONGEST_PAUSE.0);
    let pauses: u64 = (0..attempts.saturating_sub(1)).map(|n| pause(n) + FIRST_PAUSE.0).sum();
    Span(timeout.0.saturating_mul(attempts.into()).saturating_add(pauses))
}

/// Whether what follows `http://` is on this machine.
fn is_here(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
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
        assert!(!format!("{read:?}").contains("pager.example"), "it may be a secret: {read:?}");
    }

    #[test]
    fn a_token_is_sent_in_clear_to_this_machine_alone() {
        let page =
            |url: &str| parse("t", &format!("[page]\nurl = \"{url}\"\ntoken_file = \"token\"\n"));
        for here in ["http://127.0.0.1:80/x", "http://localhost/x", "http://[::1]:8/", "https://a"]
        {
            assert!(page(here).is_ok(), "{here}");
        }
        for out in ["http://pager.example/hook", "http://localhost.example", "http://10.0.0.1/"] {
            let told = page(out).expect_err("in clear").to_string();
            assert!(told.contains("the token"), "{out}: {told}");
        }
    }

    #[test]
    fn no_page_is_tried_for_longer_than_anybody_waits_for_it() {
        let page = |timeout: u32, attempts: u32| {
            parse("t", &format!("[page]\ntimeout = \"{timeout}s\"\nattempts = {attempts}\n"))
        };
        for (timeout, most) in [(1, 20), (10, 18), (60, 8)] {
            assert!(page(timeout, most).is_ok(), "{timeout}");
            if most < 20 {
                let told = page(timeout, most + 1).expect_err("too long").to_string();
                assert!(told.contains("page.attempts"), "{told}");
            }
        }
    }
}
