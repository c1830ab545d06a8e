//! File lengths, lints, and nothing of the machine it was written on.

use super::files::{none, rust_files, text_files};

const LONGEST: usize = 600;

#[test]
fn rust_files_can_be_read_in_one_sitting() {
    let long: Vec<String> = rust_files()
        .map(|file| (file.text.lines().count(), file.path))
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    none(&format!("Rust files have at most {LONGEST} lines; split these by idea:"), &long);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let own: Vec<String> = text_files()
        .into_iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        // Workspaces of their own have no lints to take.
        .filter(|file| !file.path.starts_with("benches/peers/") && !file.path.contains("/fuzz/"))
        .filter(|file| !takes_lints(&file.text))
        .map(|file| file.path)
        .collect();
    none("these lack `[lints]` with `workspace = true`:", &own);
}

fn takes_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true")
}

#[test]
fn no_file_names_a_home_folder_or_a_private_registry() {
    let mut breaches = Vec::new();
    for file in text_files() {
        for (number, line) in file.text.lines().enumerate() {
            if let Some(found) = private(line) {
                breaches.push(format!("{}:{}: {found}", file.path, number + 1));
            }
        }
    }
    none("files name no folder of one machine and no registry but the public one:", &breaches);
}

/// The first thing in a line that only one machine has.
///
/// The words are put together here, because this file is checked too.
fn private(line: &str) -> Option<String> {
    let folders = ["home", "root", "work", "Users", "tmp/bash", "workspace"].map(|name| format!("/{name}/"));
    let absolute = |word: &String| {
        line.match_indices(word.as_str()).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + word.len()..].chars().next();
            !before.is_some_and(|c| c.is_alphanumeric() || "./-_~}*$>".contains(c))
                && after.is_some_and(|c| c.is_alphanumeric() || c == '.')
        })
    };
    let hosts = [
        ("://local", "host"),
        ("://127", "."),
        ("://10", "."),
        ("://192.", "168."),
        ("arti", "factory"),
        ("index", "-url"),
        ("replace", "-with"),
        ("sparse+", "http"),
    ];
    let host = hosts
        .map(|(start, end)| format!("{start}{end}"))
        .into_iter()
        .find(|word| line.contains(word.as_str()));
    let public = "registry+https://github.com/rust-lang/crates.io-index";
    let other = line.contains("source = \"registry+") && !line.contains(public);
    folders.into_iter().find(absolute).or(host).or(other.then(|| "a registry that is not crates.io".into()))
}

#[test]
fn the_search_for_private_words_finds_them() {
    let slash = |parts: &[&str]| parts.join("/");
    assert!(private(&slash(&["see ", "home", "me", "x"])).is_some());
    assert!(private(&slash(&["path = \"", "work", "main\""])).is_some());
    assert!(private(&slash(&["C:", "Users", "me"])).is_some());
    assert!(private("source = \"registry+https://example.org/index\"").is_some());
    assert!(private("source = \"registry+https://github.com/rust-lang/crates.io-index\"").is_none());
    assert!(private(&slash(&["https:", "", "example.org", "home", "x"])).is_none());
    assert!(private(&slash(&["a net", "work", "x"])).is_none());
    assert!(takes_lints("[lints]\nworkspace = true\n") && !takes_lints("[lints.rust]\nx = 1\n"));
}
