//! The short comparison with the reference tables, and what it must be able to tell apart.

use std::path::Path;

use super::*;
use crate::simulate::{Scenario, simulate};

fn played(row: &Row) -> Outcome {
    let scenario = Scenario::parse(&row.name, &row.scenario, Path::new("")).unwrap();
    simulate(&scenario, &mut |_| {}).unwrap()
}

/// Rows whose scenario the engine cannot play yet are told by `--reference`, not here.
fn short(table: &str) {
    for row in rows(None, Size::Short).unwrap().iter().filter(|r| r.name.starts_with(table)) {
        let outcome = played(row);
        assert_eq!(outcome.refused, 0, "{}: {:?}", row.name, outcome.first_refusal);
        for c in row.judge(&outcome) {
            assert!(c.near, "{}: {c:?}", row.name);
        }
    }
}

#[test]
fn the_erlang_table_comes_out_of_the_engine() {
    short("erlang");
}

#[test]
fn the_skills_table_comes_out_of_the_engine() {
    short("skills");
}

#[test]
fn longest_idle_comes_out_as_the_agents_table_has_it() {
    short("agents-longest_idle");
}

#[test]
fn estimates_of_the_wait_come_out_as_the_delay_table_has_them() {
    short("delay");
}

#[test]
fn help_in_overload_comes_out_as_the_overload_table_has_it() {
    short("overload");
}

#[test]
fn a_row_that_is_wrong_is_told_apart() {
    let rows = rows(None, Size::Short).unwrap();
    let mut row = rows.into_iter().find(|r| r.name == "erlang-9").unwrap();
    let outcome = played(&row);
    for expected in &mut row.expected {
        expected.table *= 1.4;
    }
    assert!(row.judge(&outcome).iter().all(|c| !c.near), "{:?}", row.judge(&outcome));
}

#[test]
fn other_rows_than_those_built_in_can_be_tried() {
    let folder = tempfile::tempdir().unwrap();
    // M/M/1, load 0.5: P(wait) = 0.5, mean wait = 1 / (mu - lambda) - 1 / mu = 60 s.
    std::fs::write(
        folder.path().join("erlang.csv"),
        "id,lam_per_h,aht_s,patience_s,n,P_wait,EW_s\nmm1,30,60,inf,1,.5,60\n",
    )
    .unwrap();
    let rows = rows(Some(folder.path()), Size::Short).unwrap();
    assert_eq!(rows.len(), 1);
    let outcome = played(&rows[0]);
    assert!(rows[0].judge(&outcome).iter().all(|c| c.near), "{:?}", rows[0].judge(&outcome));
}

#[test]
fn the_scenarios_in_the_repository_are_those_of_the_tables() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulate/reference");
    for row in rows(None, Size::Whole).unwrap() {
        let path = folder.join(format!("{}.toml", row.name));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let again = "write them again: surgeline simulate --reference --write simulate/reference";
        assert!(text == row.scenario, "{}: {again}", path.display());
    }
}
