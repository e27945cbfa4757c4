//! `[server]`: where this process listens and where it keeps its data.
//!
//! Stays at the edge: it never enters the journal, because a replay elsewhere listens
//! elsewhere. Owned by `app`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::problem::{Expected, Fault};
use super::reader::{Table, Value};

const OF: &str = "grpc, http, data and allow_insecure_remote";

/// Where this process listens and where it keeps its data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Address of the gRPC services.
    pub grpc: SocketAddr,
    /// Address of the console, `/metrics`, `/healthz` and `/readyz`.
    pub http: SocketAddr,
    /// The folder that holds journal, archive and keys; made if it is not there.
    pub data: PathBuf,
    /// The folder of playbooks, from `[recall]`; it need not be there.
    pub playbooks: PathBuf,
    /// Contacts leave the archive so many days after they ended, from `[archive]`.
    pub keep_days: u32,
    /// Listen beyond loopback although nothing is encrypted and nobody has to say who they are.
    pub allow_insecure_remote: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            grpc: (Ipv4Addr::LOCALHOST, 50051).into(),
            http: (Ipv4Addr::LOCALHOST, 9464).into(),
            data: PathBuf::from("./surgeline-data"),
            playbooks: PathBuf::from(super::recall::PLAYBOOKS),
            keep_days: super::archive::KEEP_DAYS,
            allow_insecure_remote: false,
        }
    }
}

impl Config {
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
        playbooks: default.playbooks,
        keep_days: default.keep_days,
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
