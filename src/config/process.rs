//! What of a configuration stays as it is until a restart, because it is the process's own.
//!
//! Addresses, folders, limits of the disk: they never enter the journal. Pure; it says what
//! differs and applies nothing.

use std::path::Path;

use super::diff::{FieldChange, lasting};
use super::{Config, journal, page, server, site};

/// What differs between what a process was started with and a newer configuration.
#[must_use]
pub fn needs_restart(started: &Config, wanted: &Config) -> Vec<FieldChange> {
    let (old, new) = (fields(started), fields(wanted));
    let differs = |((field, old), (_, new)): ((&'static str, String), (_, String))| {
        (old != new).then(|| FieldChange { field, old: old.into(), new: new.into() })
    };
    old.into_iter().zip(new).filter_map(differs).collect()
}

fn fields(config: &Config) -> Vec<(&'static str, String)> {
    let Config { server, journal, site, page, routing: _ } = config;
    let server::Config {
        grpc,
        http,
        data,
        receipt_key,
        playbooks,
        drain,
        keep_days,
        allow_insecure_remote,
    } = server;
    let journal::Config { snapshot_every_entries, snapshot_every, keep, space } = journal;
    let journal::Space { low, critical, ballast } = space;
    let site::Config { name, time_zone } = site;
    let page::Config { url, token_file, timeout, attempts } = page;
    let path = |path: &Path| path.display().to_string();
    vec![
        ("server.grpc", grpc.to_string()),
        ("server.http", http.to_string()),
        ("server.data", path(data)),
        ("server.receipt_key", receipt_key.as_deref().map_or("none".into(), path)),
        ("server.drain", lasting(*drain)),
        ("server.allow_insecure_remote", allow_insecure_remote.to_string()),
        ("recall.playbooks", path(playbooks)),
        ("archive.keep_days", keep_days.to_string()),
        ("journal.snapshot_every_entries", snapshot_every_entries.to_string()),
        ("journal.snapshot_every", lasting(*snapshot_every)),
        ("journal.keep", lasting(*keep)),
        ("journal.low_space_mib", (low >> 20).to_string()),
        ("journal.critical_space_mib", (critical >> 20).to_string()),
        ("journal.ballast_mib", (ballast >> 20).to_string()),
        ("site.name", name.to_string()),
        ("site.time_zone", time_zone.to_string()),
        ("page.url", url.clone().unwrap_or_else(|| "none".into())),
        ("page.token_file", token_file.as_deref().map_or("none".into(), path)),
        ("page.timeout", lasting(*timeout)),
        ("page.attempts", attempts.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn what_a_process_cannot_change_is_told_and_routing_is_not_its_business() {
        let read = |text: &str| parse("t", text).expect("it is sound").config;
        let old = read("skills = [\"a\"]\n");
        let new = read(
            "skills = [\"b\"]\n[server]\ngrpc = \"127.0.0.1:1\"\n[journal]\nkeep = \"2h\"\n\
             [site]\ntime_zone = \"Europe/Berlin\"\n",
        );
        let told: Vec<String> = needs_restart(&old, &new)
            .iter()
            .map(|f| format!("{}: {} -> {}", f.field, f.old, f.new))
            .collect();
        assert_eq!(
            told,
            [
                "server.grpc: 127.0.0.1:50051 -> 127.0.0.1:1",
                "journal.keep: 168h -> 2h",
                "site.time_zone: UTC -> Europe/Berlin",
            ]
        );
    }
}
