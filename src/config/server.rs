//! `[server]`: where this process listens and where it keeps its data.
//!
//! Stays at the edge: it never enters the journal, because a replay elsewhere listens
//! elsewhere. Owned by `app`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::problem::{Expected, Fault};
use super::reader::{Table, Value};
use crate::time::Span;

const OF: &str = "grpc, http, data, receipt_key, drain and allow_insecure_remote";
/// Longer than that whoever told the router to stop kills it.
const MOST_DRAIN: Span = Span::seconds(60);

/// Where this process listens and where it keeps its data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Address of the gRPC services.
    pub grpc: SocketAddr,
    /// Address of the console, `/metrics`, `/healthz` and `/readyz`.
    pub http: SocketAddr,
    /// The folder that holds journal, archive and keys; made if it is not there.
    pub data: PathBuf,
    /// The file with the key of receipts; beside the data directory, never in it, unless a
    /// place is named.
    pub receipt_key: Option<PathBuf>,
    /// The folder of playbooks, from `[recall]`; it need not be there.
    pub playbooks: PathBuf,
    /// How long those who are connected have, once the router is told to stop, to finish what
    /// they are saying; 0 to 60 s.
    pub drain: Span,
    /// Listen beyond loopback although nothing is encrypted and nobody has to say who they are.
    pub allow_insecure_remote: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            grpc: (Ipv4Addr::LOCALHOST, 50051).into(),
            http: (Ipv4Addr::LOCALHOST, 9464).into(),
            data: PathBuf::from("./surgeline-data"),
            receipt_key: None,
            playbooks: PathBuf::from(super::recall::PLAYBOOKS),
            drain: Span::millis(500),
            allow_insecure_remote: false,
        }
    }
}

impl Config {
    /// Where the key of receipts is: what is copied back with the data would agree with it.
    #[must_use]
    pub fn receipt_key(&self) -> PathBuf {
        let beside = || {
            let mut name = self.data.file_name().unwrap_or_default().to_owned();
            name.push(".receipt-key");
            self.data.with_file_name(name)
        };
        self.receipt_key.clone().unwrap_or_else(beside)
    }

    /// Checks addresses that came from elsewhere, such as the command line, by the rule
    /// of the file.
    ///
    /// # Errors
    /// [`Fault::Exposed`] with the first address that other machines can reach, unless
    /// that is allowed.
    pub fn check_exposure(&self) -> Result<(), Fault> {
        let exposed =
            [self.grpc, self.http].into_iter().find(|a| !a.ip().to_canonical().is_loopback());
        match exposed {
            Some(address) if !self.allow_insecure_remote => Err(Fault::Exposed { address }),
            _ => Ok(()),
        }
    }
}

/// Reads the section.
pub(super) fn read(value: &Value<'_>) -> Config {
    value.table("server", OF, read_fields).unwrap_or_default()
}

fn read_fields(table: &Table<'_>) -> Config {
    let default = Config::default();
    let allowed = table.field("allow_insecure_remote").and_then(|v| v.boolean()).unwrap_or(false);
    let address = |name, default| {
        let Some(value) = table.field(name) else { return default };
        let Some(address) = value.address() else { return default };
        if !address.ip().to_canonical().is_loopback() && !allowed {
            value.fault(Fault::Exposed { address });
        }
        address
    };
    Config {
        grpc: address("grpc", default.grpc),
        http: address("http", default.http),
        data: table.field("data").and_then(|v| path(&v)).unwrap_or(default.data),
        receipt_key: table.field("receipt_key").and_then(|v| path(&v)),
        playbooks: default.playbooks,
        drain: table.duration("drain", default.drain, (Span::ZERO, MOST_DRAIN)),
        allow_insecure_remote: allowed,
    }
}

/// Reads a path.
pub(super) fn path(value: &Value<'_>) -> Option<PathBuf> {
    let text = value.text(Expected::Path)?;
    if text.is_empty() { value.mismatch(Expected::Path) } else { Some(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_receipts_lies_beside_the_data() {
        let data = PathBuf::from("/var/lib/surgeline");
        let server = Config { data, ..Config::default() };
        assert_eq!(server.receipt_key(), PathBuf::from("/var/lib/surgeline.receipt-key"));
        let server = Config { receipt_key: Some("elsewhere".into()), ..server };
        assert_eq!(server.receipt_key(), PathBuf::from("elsewhere"));
    }

    #[test]
    fn only_loopback_is_listened_on_unless_that_is_allowed() {
        let table = [
            ("127.0.0.1:50051", true),
            ("127.9.9.9:1", true),
            ("[::1]:50051", true),
            ("[::ffff:127.0.0.1]:50051", true),
            ("0.0.0.0:50051", false),
            ("[::]:50051", false),
            ("192.168.1.4:50051", false),
            ("[::ffff:10.0.0.1]:50051", false),
        ];
        for (address, loopback) in table {
            let grpc = address.parse().expect("an address");
            let listening = Config { grpc, ..Config::default() };
            assert_eq!(listening.check_exposure().is_ok(), loopback, "{address}");
            let allowed = Config { allow_insecure_remote: true, ..listening };
            assert!(allowed.check_exposure().is_ok(), "{address}");
        }
    }
}
