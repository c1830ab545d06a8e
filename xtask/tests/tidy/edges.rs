//! Which crate may depend on which: the table of crates, as a test.

use std::process::Command;

use serde_json::Value;

use super::files::{none, root};

/// Each crate and the crates of the workspace that it may be built from.
const EDGES: [(&str, &[&str]); 13] = [
    ("striate-compute", &[]),
    ("striate-tensor", &["striate-compute"]),
    ("striate-formats", &[]),
    ("striate-nn", &["striate-compute", "striate-tensor", "striate-formats"]),
    ("striate-conv", &["striate-compute", "striate-tensor", "striate-nn"]),
    ("striate-recurrent", &["striate-compute", "striate-tensor", "striate-nn"]),
    ("striate-vision", &["striate-tensor", "striate-nn", "striate-conv", "striate-recurrent"]),
    ("striate-generative", &["striate-tensor", "striate-nn", "striate-conv", "striate-recurrent"]),
    ("striate-datasets", &["striate-compute", "striate-formats"]),
    ("striate-train", &["striate-tensor", "striate-nn", "striate-datasets"]),
    ("striate", &EVERY_LIBRARY),
    ("striate-testkit", &EVERY_LIBRARY),
    ("striate-peer-protocol", &[]),
];
const EVERY_LIBRARY: [&str; 11] = [
    "striate-compute",
    "striate-tensor",
    "striate-formats",
    "striate-nn",
    "striate-conv",
    "striate-recurrent",
    "striate-vision",
    "striate-generative",
    "striate-datasets",
    "striate-train",
    "striate",
];
/// Crates for the terminal, the command line and plots.
const TERMINAL: [&str; 13] = [
    "anstream",
    "clap",
    "comfy-table",
    "console",
    "crossterm",
    "env_logger",
    "indicatif",
    "owo-colors",
    "plotters",
    "ratatui",
    "terminal_size",
    "tracing-subscriber",
    "prettytable-rs",
];
/// Unpublished crates that nothing is built from: they may use anything.
const PROGRAMS: [&str; 2] = ["xtask", "striate-benches"];

/// One line of a `[dependencies]` table.
struct Edge {
    from: String,
    to: String,
    dev: bool,
    optional: bool,
}

#[test]
fn crates_depend_only_in_the_directions_of_the_table() {
    let (members, edges) = workspace();
    let mut breaches: Vec<String> = members
        .iter()
        .filter(|member| allowed(member).is_none() && !is_program(member))
        .map(|member| format!("{member} does not stand in the table"))
        .collect();
    for edge in edges.iter().filter(|edge| members.contains(&edge.to)) {
        if forbidden(edge) {
            breaches.push(format!("{} → {}{}", edge.from, edge.to, if edge.dev { " (dev)" } else { "" }));
        }
    }
    none("the table of crates (EDGES in this test) forbids:", &breaches);
}

fn allowed(from: &str) -> Option<&'static [&'static str]> {
    EDGES.iter().find(|(name, _)| *name == from).map(|(_, to)| *to)
}

fn is_program(name: &str) -> bool {
    PROGRAMS.contains(&name)
}

/// The testkit only helps tests; any other edge stands in the table, also for tests, because a published crate's
/// dev-dependencies must be on the registry before it.
fn forbidden(edge: &Edge) -> bool {
    if edge.to == "striate-testkit" {
        return !edge.dev;
    }
    !is_program(&edge.from) && !allowed(&edge.from).is_some_and(|to| to.contains(&edge.to.as_str()))
}

#[test]
fn terminal_and_plotting_crates_stay_in_train() {
    let (_, edges) = workspace();
    let breaches: Vec<String> = edges
        .iter()
        .filter(|edge| TERMINAL.contains(&edge.to.as_str()) && !edge.dev && !is_program(&edge.from))
        .filter(|edge| !(edge.from == "striate-train" && edge.optional))
        .map(|edge| format!("{} → {}", edge.from, edge.to))
        .collect();
    none("only train has them, and optional; programs and tests may:", &breaches);
}

#[test]
fn no_library_brings_terminal_or_plotting_crates_along() {
    let (members, _) = workspace();
    let mut breaches = Vec::new();
    for member in members.iter().filter(|name| !is_program(name) && *name != "striate") {
        let mut tree = vec!["tree", "--edges=normal", "--prefix=none", "--format={p}", "-p", member];
        if member == "striate-train" {
            tree.push("--no-default-features");
        }
        for line in cargo(&tree).lines() {
            let name = line.split(' ').next().unwrap_or_default();
            if TERMINAL.contains(&name) {
                breaches.push(format!("{member} brings {name} along"));
            }
        }
    }
    breaches.dedup();
    none("libraries without terminal and plotting crates:", &breaches);
}

#[test]
fn the_table_forbids_what_it_should() {
    let edge = |from: &str, to: &str, dev| Edge { from: from.into(), to: to.into(), dev, optional: false };
    assert!(!forbidden(&edge("striate-tensor", "striate-compute", false)));
    assert!(forbidden(&edge("striate-compute", "striate-tensor", false)));
    assert!(forbidden(&edge("striate-datasets", "striate-tensor", false)));
    assert!(forbidden(&edge("striate-nn", "striate-conv", true)));
    assert!(!forbidden(&edge("striate-nn", "striate-testkit", true)));
    assert!(forbidden(&edge("striate-nn", "striate-testkit", false)));
    assert!(!forbidden(&edge("striate-benches", "striate-nn", false)));
    assert!(forbidden(&edge("striate-nn", "striate-benches", true)));
}

/// The names of the workspace's crates, and what each depends on.
fn workspace() -> (Vec<String>, Vec<Edge>) {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps"]))
        .expect("JSON of cargo");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (mut members, mut edges) = (Vec::new(), Vec::new());
    for package in list(&metadata["packages"]) {
        for dependency in list(&package["dependencies"]) {
            edges.push(Edge {
                from: text(&package["name"]),
                to: text(&dependency["name"]),
                dev: dependency["kind"] == "dev",
                optional: dependency["optional"] == true,
            });
        }
        members.push(text(&package["name"]));
    }
    (members, edges)
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text of cargo")
}
