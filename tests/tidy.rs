//! The house rules that no lint knows, held over the whole tree.
//!
//! Every rule is a function from source text to complaints, tried here on a bad sample
//! too, so that a rule that has gone blind fails. Shipped code is what is judged: modules
//! under `#[cfg(test)]` may name what they like.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// Most lines of a file.
const MOST_LINES: usize = 500;
/// One list has no seam: everything that can happen, with what each says.
const ONE_LIST: (&str, usize) = ("engine/event/mod.rs", 600);

/// Which modules a module may name: DESIGN.md's order, spelled out. A module that is not
/// here must be put here before it can be built.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("ids", &[]),
    ("time", &[]),
    ("pb", &[]),
    // Kill points: whoever has one dies by it.
    ("fault", &[]),
    ("engine", &["ids", "time"]),
    ("config", &["ids", "time", "engine"]),
    ("recall", &["ids", "time", "engine", "config"]),
    // Threads that give way to others.
    ("background", &[]),
    ("descriptors", &[]),
    // Where a test lets the process die.
    ("fault", &[]),
    ("journal", &["ids", "time", "engine", "fault"]),
    // What reports of two kinds are drawn by.
    ("plots", &[]),
    ("simulate", &["ids", "time", "engine", "config", "recall", "journal", "plots"]),
    ("shard", &["ids", "time", "engine", "config", "recall", "journal", "fault", "background"]),
    (
        "archive",
        &["ids", "time", "engine", "config", "recall", "journal", "shard", "fault", "background"],
    ),
    ("metrics", &["ids", "time", "engine", "config", "recall", "journal", "shard", "archive"]),
    ("space", &["time", "engine", "config", "journal", "shard", "metrics"]),
    // Calls people in.
    ("pager", &["ids", "time", "engine", "config", "shard"]),
    // The port that metrics and the console are read from.
    ("http", &["ids", "time", "engine", "config", "shard", "archive", "metrics", "console"]),
    ("grpc", &["ids", "time", "engine", "config", "recall", "journal", "shard", "archive", "pb"]),
    ("console", &["ids", "time", "engine", "config", "recall", "journal", "shard"]),
    (
        "app",
        &[
            "ids",
            "time",
            "engine",
            "config",
            "recall",
            "journal",
            "shard",
            "archive",
            "metrics",
            "grpc",
            "console",
            "http",
            "pb",
            "space",
            "pager",
            "background",
            "descriptors",
        ],
    ),
    (
        "cli",
        &[
            "ids", "time", "engine", "config", "recall", "journal", "shard", "archive", "metrics",
            "grpc", "console", "http", "pb", "app", "simulate",
        ],
    ),
];

/// What the engine must not name: it has no clock, no IO, no threads and no wire.
const NOT_IN_ENGINE: &[&str] = &[
    "tokio",
    "tokio_stream",
    "tokio_util",
    "tonic",
    "prost",
    "metrics",
    "dashmap",
    "crossbeam",
    "crossbeam_channel",
    "rusqlite",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "rand",
    "getrandom",
    "jiff",
];

/// What no finished source says.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "FIXME", "allow(dead_code)"];

// ---- reading source

/// Every path that shipped code names, from the crate's root or from another crate's.
struct Paths {
    module: Vec<String>,
    found: Vec<String>,
}

impl Paths {
    fn of(module: &[&str], source: &str) -> Vec<String> {
        let file = syn::parse_file(source).expect("source parses");
        let module = module.iter().map(ToString::to_string).collect();
        let mut paths = Self { module, found: Vec::new() };
        paths.visit_file(&file);
        paths.found
    }

    fn add(&mut self, path: &[String]) {
        let ups = path.iter().take_while(|s| *s == "super").count();
        let absolute = if ups > 0 {
            let base = self.module.len().saturating_sub(ups);
            let mut whole = vec!["crate".to_owned()];
            whole.extend_from_slice(&self.module[..base]);
            whole.extend_from_slice(&path[ups..]);
            whole
        } else {
            path.to_vec()
        };
        self.found.push(absolute.join("::"));
    }

    fn add_use(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            syn::UseTree::Path(p) => self.add_use(&with(p.ident.to_string()), &p.tree),
            syn::UseTree::Name(n) => self.add(&with(n.ident.to_string())),
            syn::UseTree::Rename(r) => self.add(&with(r.ident.to_string())),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(g) => g.items.iter().for_each(|t| self.add_use(before, t)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_test(&module.attrs) {
            return;
        }
        self.module.push(module.ident.to_string());
        syn::visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.add_use(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.add(&segments);
        syn::visit::visit_path(self, path);
    }

    // A macro's arguments are tokens, not paths: what looks like one is taken as one.
    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let text = mac.tokens.to_string().replace(' ', "");
        for (at, _) in text.match_indices("crate::") {
            let end = text[at..].find(|c: char| !(c.is_alphanumeric() || "_:".contains(c)));
            let path = &text[at..end.map_or(text.len(), |e| at + e)];
            self.add(&path.split("::").map(String::from).collect::<Vec<_>>());
        }
        syn::visit::visit_macro(self, mac);
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|a| {
        a.path().is_ident("cfg")
            && a.parse_args::<syn::Path>().is_ok_and(|argument| argument.is_ident("test"))
    })
}

/// The module that a file under `src/` is, from the crate's root.
fn module_of(file: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&"mod" | &"lib")) {
        parts.pop();
    }
    parts
}

// ---- the rules; `file` is a path below `src/`

fn upward_dependencies(file: &str, source: &str) -> Vec<String> {
    let module = module_of(file);
    let Some(top) = module.first().filter(|top| **top != "main") else { return Vec::new() };
    let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| name == top) else {
        return vec![format!("src/{file}: module {top} is not in the table of tests/tidy.rs")];
    };
    let named: BTreeSet<String> = Paths::of(&module, source)
        .iter()
        .filter_map(|path| path.strip_prefix("crate::"))
        .filter_map(|path| path.split("::").next().map(String::from))
        .collect();
    let wrong = named.iter().filter(|n| n != top && !allowed.contains(&n.as_str()));
    wrong.map(|n| format!("src/{file}: {top} must not name {n}")).collect()
}

fn forbidden_in_engine(file: &str, source: &str) -> Vec<String> {
    if !file.starts_with("engine/") {
        return Vec::new();
    }
    let named: BTreeSet<String> = Paths::of(&module_of(file), source).into_iter().collect();
    let is = |path: &str, bad: &str| path == bad || path.starts_with(&format!("{bad}::"));
    let wrong = named.iter().filter(|p| NOT_IN_ENGINE.iter().any(|bad| is(p, bad)));
    wrong.map(|path| format!("src/{file}: the engine must not name {path}")).collect()
}

fn too_long(file: &str, source: &str) -> Vec<String> {
    let lines = source.lines().count();
    let most = if file == ONE_LIST.0 { ONE_LIST.1 } else { MOST_LINES };
    let complaint = || format!("{file}: {lines} lines, at most {most}: look for the seam");
    (lines > most).then(complaint).into_iter().collect()
}

fn without_purpose(file: &str, source: &str) -> Vec<String> {
    let complaint = || format!("{file}: begin with //! and what the module is for");
    (!source.starts_with("//! ")).then(complaint).into_iter().collect()
}

fn unfinished(file: &str, source: &str) -> Vec<String> {
    let lines = source.lines().enumerate();
    let found = lines.flat_map(|(i, line)| {
        let words = UNFINISHED.iter().filter(move |word| line.contains(**word));
        words.map(move |word| format!("src/{file}:{}: {word}", i + 1))
    });
    found.collect()
}

/// Errors that carry a `String` where a typed field should be.
fn stringly_errors(file: &str, source: &str) -> Vec<String> {
    struct Errors<'f>(&'f str, Vec<String>);
    impl<'ast> Visit<'ast> for Errors<'_> {
        fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
            if item.attrs.iter().any(derives_error) {
                for variant in item.variants.iter().filter(|v| has_string(&v.fields)) {
                    let name = format!("{}::{}", item.ident, variant.ident);
                    self.1.push(format!("src/{}: {name} carries a String", self.0));
                }
            }
        }
    }
    let mut errors = Errors(file, Vec::new());
    errors.visit_file(&syn::parse_file(source).expect("source parses"));
    errors.1
}

fn derives_error(attribute: &syn::Attribute) -> bool {
    let mut found = false;
    if attribute.path().is_ident("derive") {
        let looked = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|s| s.ident == "Error");
            Ok(())
        });
        looked.expect("a derive is a list of paths");
    }
    found
}

fn has_string(fields: &syn::Fields) -> bool {
    fields.iter().any(|field| match &field.ty {
        syn::Type::Path(t) => t.path.segments.last().is_some_and(|s| s.ident == "String"),
        _ => false,
    })
}

/// Metrics that a dashboard or a rule asks for and that nothing makes.
fn unknown_metrics(file: &str, text: &str, names: &str) -> Vec<String> {
    let known = metric_tokens(names);
    let made = |token: &str| {
        known.contains(token)
            || ["_bucket", "_sum", "_count"]
                .iter()
                .any(|s| token.strip_suffix(s).is_some_and(|base| known.contains(base)))
    };
    let asked = metric_tokens(text);
    let wrong = asked.iter().filter(|token| !made(token));
    wrong.map(|t| format!("{file}: {t} is not in src/metrics/names.rs")).collect()
}

fn metric_tokens(text: &str) -> BTreeSet<&str> {
    let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.split(|c: char| !part(c))
        .filter(|token| token.strip_prefix("surgeline_").is_some_and(|rest| !rest.is_empty()))
        .collect()
}

// ---- the tree

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder of the repository, as paths relative to it, with their text; what
/// is not text is left out, as is what tools and fixtures leave there.
fn files(folder: &str) -> Vec<(String, String)> {
    let base = root().join(folder);
    let mut found = Vec::new();
    let mut folders = vec![base.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path: PathBuf = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                let skipped = ["fixtures", "__pycache__", "node_modules"];
                if !skipped.iter().any(|s| path.ends_with(s)) {
                    folders.push(path);
                }
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let name = path.strip_prefix(&base).expect("it is below").display().to_string();
                found.push((name, text));
            }
        }
    }
    found.sort();
    found
}

fn hold(rule: fn(&str, &str) -> Vec<String>, folder: &str, judged: impl Fn(&str) -> bool) {
    let files: Vec<_> = files(folder).into_iter().filter(|(name, _)| judged(name)).collect();
    assert!(!files.is_empty(), "nothing to judge in {folder}");
    let wrong: Vec<String> = files.iter().flat_map(|(name, text)| rule(name, text)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn rust(name: &str) -> bool {
    name.ends_with(".rs")
}

/// Rust that is shipped: `mod tests;` lives in files of that name.
fn shipped(name: &str) -> bool {
    rust(name) && !name.ends_with("tests.rs") && !name.contains("tests/")
}

#[test]
fn dependencies_run_one_way() {
    hold(upward_dependencies, "src", shipped);
    for bad in [
        "use crate::shard::Handle;",
        "use crate::{ids::QueueId, shard::Handle};",
        "fn f() { crate::shard::go(); }",
        "fn f() { println!(\"{}\", crate::shard::X); }",
        "use super::super::shard::Handle;",
        "mod inner { use super::super::super::shard::Handle; }",
    ] {
        let complaints = upward_dependencies("engine/agent.rs", bad);
        assert_eq!(complaints, ["src/engine/agent.rs: engine must not name shard"], "{bad}");
    }
    for good in [
        "use crate::ids::AgentId;",
        "use super::words;",
        "#[cfg(test)] mod t { use crate::shard::X; }",
    ] {
        assert!(upward_dependencies("engine/agent.rs", good).is_empty(), "{good}");
    }
    assert_eq!(upward_dependencies("novel/mod.rs", "").len(), 1);
}

#[test]
fn the_engine_is_pure() {
    hold(forbidden_in_engine, "src", shipped);
    for bad in [
        "use tokio::sync::Mutex;",
        "use std::time::{Duration, Instant};",
        "fn f() { let _ = std::time::SystemTime::now(); }",
        "use {metrics::counter};",
    ] {
        assert_eq!(forbidden_in_engine("engine/x.rs", bad).len(), 1, "{bad}");
        assert!(forbidden_in_engine("shard/x.rs", bad).is_empty());
    }
    assert!(forbidden_in_engine("engine/x.rs", "use std::time::Duration;").is_empty());
}

// The lists are in clippy.toml, which holds for the whole crate, so they are switched on here.
#[test]
fn the_engine_denies_clocks_and_hash_maps() {
    const LINE: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";
    let engine = std::fs::read_to_string(root().join("src/engine/mod.rs")).expect("it is there");
    assert!(engine.contains(LINE), "src/engine/mod.rs must have {LINE}");
}

#[test]
fn files_are_short() {
    let source =
        |name: &str| [".rs", ".py", ".js", ".html", "run"].iter().any(|end| name.ends_with(end));
    hold(too_long, "src", source);
    hold(too_long, "tests", source);
    assert!(too_long("x", &"\n".repeat(500)).is_empty());
    assert_eq!(too_long("x", &"\n".repeat(501)).len(), 1);
    assert_eq!(too_long(ONE_LIST.0, &"\n".repeat(601)).len(), 1);
}

#[test]
fn modules_say_what_they_are_for() {
    hold(without_purpose, "src", rust);
    hold(without_purpose, "tests", rust);
    assert_eq!(without_purpose("x", "use std::fmt;\n//! Late.").len(), 1);
}

#[test]
fn nothing_is_left_unfinished() {
    hold(unfinished, "src", rust);
    for word in UNFINISHED {
        assert_eq!(unfinished("x", &format!("fn f() {{\n    {word}\n}}")).len(), 1);
    }
}

#[test]
fn errors_are_typed() {
    hold(stringly_errors, "src", rust);
    for bad in [
        "#[derive(Debug, thiserror::Error)] enum E { A(String) }",
        "use thiserror::Error; #[derive(Error)] enum E { A { what: std::string::String } }",
        "mod inner { #[derive(thiserror::Error)] pub enum E { B(u8), A(String) } }",
    ] {
        assert_eq!(stringly_errors("x", bad).len(), 1, "{bad}");
    }
    let good = "#[derive(thiserror::Error)] enum E { A(Box<str>) } enum Plain { A(String) }";
    assert!(stringly_errors("x", good).is_empty());
}

#[test]
fn dashboards_ask_for_metrics_that_exist() {
    let names = std::fs::read_to_string(root().join("src/metrics/names.rs")).unwrap_or_default();
    let judged = |name: &str| [".json", ".yml", ".yaml"].iter().any(|end| name.ends_with(end));
    let wrong: Vec<String> = files("dashboards")
        .iter()
        .filter(|(name, _)| judged(name))
        .flat_map(|(name, text)| unknown_metrics(name, text, &names))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));

    let known = "const WAIT: &str = \"surgeline_wait_seconds\";";
    let ask = |text| unknown_metrics("d.json", text, known);
    assert!(ask("rate(surgeline_wait_seconds_bucket[5m]) + surgeline_wait_seconds").is_empty());
    assert_eq!(
        ask("sum(surgeline_wait_second)"),
        ["d.json: surgeline_wait_second is not in src/metrics/names.rs"]
    );
    assert_eq!(ask("surgeline_gone_total{queue=\"a\"}").len(), 1);
}

#[test]
fn the_comparison_names_tests_that_exist() {
    let text = std::fs::read_to_string(root().join("docs/compare.md")).expect("it is there");
    let (mut file, mut named) = (String::new(), 0);
    for span in text.split('`').skip(1).step_by(2) {
        let Some((path, function)) = span.split_once("::") else { continue };
        if !path.is_empty() {
            path.clone_into(&mut file);
        }
        let source = std::fs::read_to_string(root().join("src").join(&file)).unwrap_or_default();
        assert!(source.contains(&format!("fn {function}(")), "src/{file} has no {function}");
        named += 1;
    }
    assert!(named > 10, "{named} are named");
}
