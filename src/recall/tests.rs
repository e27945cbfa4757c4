//! Tests of playbooks: what is refused and how it is said, what the examples are, and how
//! well triage and search do on the labelled sets of `tests/fixtures/recall`.

mod check;
mod figures;
mod plan;

use std::path::{Path, PathBuf};

use super::*;

/// The examples that are shipped.
const EXAMPLES: [&str; 3] = ["generic", "glucose-sensor-2024", "peanut-butter-2022"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file_of(name: &str) -> PathBuf {
    root().join("playbooks").join(name).with_extension("toml")
}

fn source_of(name: &str) -> String {
    std::fs::read_to_string(file_of(name)).unwrap()
}

fn example(name: &str) -> Loaded {
    load(&file_of(name)).unwrap_or_else(|e| panic!("{e}"))
}
