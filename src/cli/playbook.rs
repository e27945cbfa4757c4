//! `surgeline playbook check FILE`: whether a playbook can be used on the day.
//!
//! It prints nothing itself and starts nothing; what it tells is told as `config check` does.

use std::path::Path;

use serde_json::{Value, json};

use super::config::{CLEAN, CheckOutcome, broken, counted, rows, unreadable};
use crate::config::Report;
use crate::recall::{self, Kind, Playbook, PlaybookError, Slot};

/// Checks a file. `colours` says whether `text` goes to a terminal. The JSON is that of
/// `config check` with `playbook` in place of `tables`: `{"title", "version", "kind",
/// "severity", "languages", "open_slots", "messages", "faq", "products", "lots",
/// "expires_after_days"}` of a usable file, else null.
#[must_use]
pub fn check(path: &Path, colours: bool) -> CheckOutcome {
    let file = path.display().to_string();
    let mut outcome = match recall::load(path) {
        Ok(loaded) => clean(&file, &loaded.playbook, &loaded.warnings, colours),
        Err(PlaybookError::Invalid(report)) => broken(&file, &report, colours),
        Err(error @ PlaybookError::Read { .. }) => unreadable(&file, &error),
    };
    if let Some(fields) = outcome.json.as_object_mut() {
        let playbook = fields.remove("tables").unwrap_or(Value::Null);
        fields.insert("playbook".to_owned(), playbook);
    }
    outcome
}

fn clean(file: &str, playbook: &Playbook, warnings: &Report, colours: bool) -> CheckOutcome {
    let slots: Vec<&str> = playbook.open_slots.iter().copied().map(Slot::name).collect();
    let languages: Vec<&str> = playbook.languages.iter().map(|l| l.code()).collect();
    let kind = match playbook.kind {
        Kind::Generic => "generic",
        Kind::Specific => "specific",
    };
    let version = playbook.version();
    let has = [
        counted(playbook.messages.len(), "message"),
        counted(playbook.faq.len(), "FAQ answer"),
        counted(playbook.scope.products.len(), "product"),
        counted(playbook.scope.lots.len(), "lot rule"),
    ];
    let mut text = warnings.render(colours);
    text.push_str(&format!(
        "{file} is sound: {kind}, in {}, {}; {}\nversion {version}\n",
        languages.join(" and "),
        has.join(", "),
        counted(warnings.warnings(), "warning"),
    ));
    if !slots.is_empty() {
        text.push_str(&format!("to be filled on the day: {}\n", slots.join(", ")));
    }
    let summary = json!({
        "title": playbook.title,
        "version": version.to_string(),
        "kind": kind,
        "severity": playbook.severity.name(),
        "languages": languages,
        "open_slots": slots,
        "messages": playbook.messages.len(),
        "faq": playbook.faq.len(),
        "products": playbook.scope.products.len(),
        "lots": playbook.scope.lots.len(),
        "expires_after_days": playbook.expires_after_days,
    });
    CheckOutcome { exit_code: CLEAN, text, json: rows(file, warnings, &summary) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::USAGE;

    fn example(name: &str) -> CheckOutcome {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
        check(&folder.join(name), false)
    }

    #[test]
    fn a_generic_playbook_says_what_it_must_be_told() {
        let outcome = example("generic.toml");
        assert_eq!(outcome.exit_code, CLEAN, "{}", outcome.text);
        assert!(outcome.text.contains("to be filled on the day: product, company, hazard"));
        assert_eq!(outcome.json["playbook"]["open_slots"][0], "product");
        assert!(outcome.json.get("tables").is_none());
    }

    #[test]
    fn a_broken_playbook_is_exit_code_2_with_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, "title = \"T\"\nkind = \"specifc\"\n").unwrap();
        let outcome = check(&path, false);
        assert_eq!(outcome.exit_code, USAGE);
        assert_eq!(outcome.json["playbook"], Value::Null);
        let rows = outcome.json["problems"].as_array().unwrap();
        let kind = rows.iter().find(|r| r["path"] == "kind").unwrap();
        assert_eq!((&kind["line"], &kind["column"]), (&json!(2), &json!(8)));
        assert!(outcome.text.contains("expected one of `generic`, `specific`"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_exit_code_2() {
        let outcome = check(Path::new("/no/such.toml"), false);
        assert_eq!((outcome.exit_code, &outcome.json["ok"]), (USAGE, &json!(false)));
    }
}
