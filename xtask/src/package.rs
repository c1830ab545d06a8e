//! Packaging the crates as for publishing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::command::{cargo, metadata, run as run_program};
use crate::{Result, table::table};

/// Packages every publishable crate after the ones it depends on, then compiles each from its package.
///
/// Cargo lends the packages of this run to one another, so that works before any of them is on a registry.
pub(crate) fn run() -> Result {
    let crates = publishable(&metadata("Cargo.toml")?);
    let order = in_dependency_order(&crates)?;
    let mut package = cargo(&["package", "--allow-dirty"]);
    for name in &order {
        package.args(["-p", name]);
    }
    run_program(package)?;
    let rows: Vec<Vec<String>> = order
        .iter()
        .map(|name| match crates[name].as_slice() {
            [] => vec![name.clone(), "now".into()],
            needs => vec![name.clone(), format!("after {}", needs.join(", "))],
        })
        .collect();
    println!("Every crate builds from its own package. `cargo publish --dry-run -p CRATE` works alone:\n");
    print!("{}", table(&["crate", "when"], &rows));
    Ok(())
}

/// The publishable crates of the workspace, each with those of them that it is built from.
fn publishable(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: Vec<Value> =
        list(&metadata["packages"]).into_iter().filter(|package| package["publish"].is_null()).collect();
    let names: Vec<String> = packages.iter().map(|package| text(&package["name"])).collect();
    let needs = packages.iter().map(|package| {
        let built_from = list(&package["dependencies"]).into_iter().filter(|d| d["kind"] != "dev");
        built_from.map(|d| text(&d["name"])).filter(|name| names.contains(name)).collect()
    });
    names.iter().cloned().zip(needs).collect()
}

fn in_dependency_order(crates: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>> {
    let mut order: Vec<String> = Vec::new();
    while order.len() < crates.len() {
        let ready = crates
            .iter()
            .find(|(name, needs)| !order.contains(name) && needs.iter().all(|need| order.contains(need)));
        let Some((name, _)) = ready else {
            return Err(
                format!("the crates depend on one another in a circle; in order so far: {order:?}").into()
            );
        };
        order.push(name.clone());
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_comes_after_what_it_is_built_from() {
        let crates = |edges: &[(&str, &[&str])]| {
            let owned = edges.iter().map(|(name, needs)| {
                (name.to_string(), needs.iter().map(ToString::to_string).collect::<Vec<_>>())
            });
            owned.collect::<BTreeMap<_, _>>()
        };
        let order = in_dependency_order(&crates(&[("a", &["c"]), ("b", &[]), ("c", &["b"])])).unwrap();
        assert_eq!(order, ["b", "c", "a"]);
        assert!(in_dependency_order(&crates(&[("a", &["b"]), ("b", &["a"])])).is_err());
    }
}
