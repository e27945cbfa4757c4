//! `surgeline config check FILE`: whether a configuration can be used.
//!
//! It prints nothing itself and starts nothing.

use std::path::Path;

use serde_json::{Value, json};

use crate::config::{self, Config, ConfigError, Problem, Report};

/// Exit code of a file that can be used.
pub const CLEAN: u8 = 0;
/// Exit code of a file that cannot be used.
pub const UNUSABLE: u8 = 2;

/// What a check came to.
#[derive(Clone, PartialEq, Debug)]
pub struct CheckOutcome {
    /// [`CLEAN`], with or without warnings, or [`UNUSABLE`].
    pub exit_code: u8,
    /// For people, ending with a line that sums up.
    pub text: String,
    /// For programs: `{"file", "ok", "errors", "warnings", "problems": [{"severity",
    /// "path", "line", "column", "message", "advice"}], "tables": {...}}`. `tables` counts
    /// what a usable file defines and is null otherwise; `line` and `column` are from 1,
    /// and null if the file could not be read; `advice` may be null.
    pub json: Value,
}

/// Checks a file. `colours` says whether `text` goes to a terminal.
#[must_use]
pub fn check(path: &Path, colours: bool) -> CheckOutcome {
    let file = path.display().to_string();
    match config::load(path) {
        Ok(loaded) => clean(&file, &loaded.config, &loaded.warnings, colours),
        Err(error) => unusable(&file, &error, colours),
    }
}

/// What to say of a file that cannot be used.
pub(super) fn unusable(file: &str, error: &ConfigError, colours: bool) -> CheckOutcome {
    match error {
        ConfigError::Invalid(report) => broken(file, report, colours),
        ConfigError::Read { .. } => unreadable(file, error),
    }
}

fn clean(file: &str, config: &Config, warnings: &Report, colours: bool) -> CheckOutcome {
    let r = &config.routing;
    let defines = [
        counted(r.queues.len(), "queue"),
        counted(r.agents.len(), "agent"),
        counted(r.skills.len(), "skill"),
        counted(r.pools.len(), "pool"),
        counted(r.entry_points.len(), "entry point"),
    ];
    let doubts = counted(warnings.warnings(), "warning");
    let sum = format!("{file} is sound: {}; {doubts}\n", defines.join(", "));
    let tables = json!({
        "queues": r.queues.len(),
        "agents": r.agents.len(),
        "skills": r.skills.len(),
        "pools": r.pools.len(),
        "entry_points": r.entry_points.len(),
        "not_ready_reasons": r.not_ready_reasons.len(),
        "dispositions": r.dispositions.len(),
    });
    CheckOutcome {
        exit_code: CLEAN,
        text: warnings.render(colours) + &sum,
        json: rows(file, warnings, &tables),
    }
}

pub(super) fn broken(file: &str, report: &Report, colours: bool) -> CheckOutcome {
    let (errors, warnings) = (report.errors(), report.warnings());
    let mut sum = format!("{file} cannot be used: {}", counted(errors, "error"));
    if warnings > 0 {
        sum = format!("{sum}, {}", counted(warnings, "warning"));
    }
    CheckOutcome {
        exit_code: UNUSABLE,
        text: format!("{}{sum}\n", report.render(colours)),
        json: rows(file, report, &Value::Null),
    }
}

pub(super) fn unreadable(file: &str, error: &dyn std::error::Error) -> CheckOutcome {
    let cause = error.source().map(|e| format!(": {e}")).unwrap_or_default();
    let message = format!("{error}{cause}");
    let advice = "give the path of a TOML file that you may read";
    CheckOutcome {
        exit_code: UNUSABLE,
        text: format!("error: {message}\n{advice}\n"),
        json: json!({
            "file": file, "ok": false, "errors": 1, "warnings": 0, "tables": null,
            "problems": [{
                "severity": "error", "path": "", "line": null, "column": null,
                "message": message, "advice": advice,
            }],
        }),
    }
}

pub(super) fn rows(file: &str, report: &Report, tables: &Value) -> Value {
    let row = |problem: &Problem| {
        let (line, column) = report.place(problem);
        json!({
            "severity": if problem.fault.is_warning() { "warning" } else { "error" },
            "path": problem.path,
            "line": line,
            "column": column,
            "message": problem.fault.to_string(),
            "advice": problem.fault.advice(),
        })
    };
    json!({
        "file": file,
        "ok": report.errors() == 0,
        "errors": report.errors(),
        "warnings": report.warnings(),
        "problems": report.problems().iter().map(row).collect::<Vec<_>>(),
        "tables": tables,
    })
}

pub(super) fn counted(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(source: &str) -> CheckOutcome {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("centre.toml");
        std::fs::write(&path, source).unwrap();
        check(&path, false)
    }

    #[test]
    fn a_sound_file_is_summed_up() {
        let outcome = checked("skills = [\"tech\"]\n");
        assert_eq!(outcome.exit_code, CLEAN);
        assert!(
            outcome.text.contains("centre.toml is sound: 0 queues, 0 agents, 1 skill, 0 pools")
        );
        assert_eq!(outcome.json["ok"], true);
        assert_eq!(outcome.json["tables"]["skills"], 1);
    }

    #[test]
    fn a_broken_file_is_exit_code_2_and_rows() {
        let outcome = checked("skills = [\"tech\"]\nskils = []\n[server]\nhttp = 1\n");
        assert_eq!(outcome.exit_code, UNUSABLE);
        assert!(outcome.text.ends_with("cannot be used: 2 errors\n"), "{}", outcome.text);
        let rows = outcome.json["problems"].as_array().unwrap();
        let places: Vec<_> = rows.iter().map(|r| (&r["path"], &r["line"], &r["column"])).collect();
        assert_eq!(
            places,
            [
                (&json!("skils"), &json!(2), &json!(1)),
                (&json!("server.http"), &json!(4), &json!(8)),
            ]
        );
        assert_eq!(rows[0]["advice"], "did you mean `skills`?");
        assert_eq!(outcome.json["tables"], Value::Null);
    }

    #[test]
    fn warnings_do_not_fail_it() {
        let outcome = checked("[[queues]]\nname = \"q\"\nchannels = [\"chat\"]\n");
        assert_eq!((outcome.exit_code, &outcome.json["warnings"]), (CLEAN, &json!(1)));
        assert!(outcome.text.starts_with("warning: queues[0]: no agent can take chat"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_exit_code_2() {
        let outcome = check(Path::new("/no/such.toml"), false);
        assert_eq!((outcome.exit_code, &outcome.json["ok"]), (UNUSABLE, &json!(false)));
        assert!(outcome.text.contains("/no/such.toml"));
    }
}
