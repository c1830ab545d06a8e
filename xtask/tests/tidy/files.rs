//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders and endings that `.gitignore` names, and git's own folder.
const SKIPPED: [&str; 4] = [".git", "target", "runs", "__pycache__"];

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the workspace")
}

/// A text file: its path from the workspace's folder, with `/`, and its text.
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every file of the repository that is UTF-8 text, in order of path.
pub(crate) fn text_files() -> Vec<TextFile> {
    let mut paths = Vec::new();
    collect(root(), &mut paths);
    paths.sort();
    let file = |path: PathBuf| {
        let text = String::from_utf8(fs::read(&path).ok()?).ok()?;
        let parts: Vec<_> =
            path.strip_prefix(root()).ok()?.iter().map(|part| part.to_string_lossy()).collect();
        Some(TextFile { path: parts.join("/"), text })
    };
    paths.into_iter().filter_map(file).collect()
}

/// The Rust files among them.
pub(crate) fn rust_files() -> impl Iterator<Item = TextFile> {
    text_files().into_iter().filter(|file| file.path.ends_with(".rs"))
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let entry = entry.expect("an entry of the repository");
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("the kind of an entry");
        if SKIPPED.contains(&name.as_str()) || name.ends_with(".tmp") {
            continue;
        }
        if kind.is_dir() {
            collect(&entry.path(), paths);
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
}

/// Fails with one line for each breach, if there is one.
pub(crate) fn none(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}\n  {}\n", breaches.join("\n  "));
}
