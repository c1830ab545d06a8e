//! Running other programs, with errors that name them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Result, root};

/// The cargo that runs this task, in the workspace's folder.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs a program to its end; its output goes to the terminal.
pub(crate) fn run(mut command: Command) -> Result {
    let status = command.status().map_err(|e| format!("cannot start {}: {e}", name(&command)))?;
    if !status.success() {
        return Err(format!("{} failed ({status})", name(&command)).into());
    }
    Ok(())
}

/// Whether a program can be started and ends well; its output goes nowhere.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What a program writes to standard output.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot start {}: {e}", name(&command)))?;
    if !output.status.success() {
        return Err(format!("{} failed ({})", name(&command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What cargo knows about a workspace, its dependencies left out. `manifest` is relative to the workspace's folder.
pub(crate) fn metadata(manifest: &str) -> Result<Value> {
    let args = ["metadata", "--format-version=1", "--no-deps", "--manifest-path", manifest];
    Ok(serde_json::from_str(&output(cargo(&args))?)?)
}

/// Where cargo builds the workspace of `manifest`.
pub(crate) fn target_directory(manifest: &str) -> Result<PathBuf> {
    let metadata = metadata(manifest)?;
    Ok(metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?.into())
}

fn name(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|w| w.to_string_lossy())
        .collect();
    format!("`{}`", words.join(" "))
}
