//! Every operation against numerical derivatives, and every operation has a row.

use std::collections::BTreeSet;
use std::path::Path;

use testkit::{cases, gradcheck};

#[test]
fn first_order() {
    cases::all().iter().for_each(gradcheck::first_order);
}

#[test]
fn second_order() {
    cases::all().iter().filter(|case| case.second_order).for_each(gradcheck::second_order);
}

/// Names in `const NAME: &'static str = "…"` lines of all crates' sources.
fn operations(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            operations(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
            names.extend(code.filter_map(|line| {
                let name = line.trim().strip_prefix("const NAME: &'static str = \"")?;
                Some(name.trim_end_matches("\";").to_string())
            }));
        }
    }
}

#[test]
fn every_operation_has_a_row() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() && !source.starts_with(crates.join("compute")) {
            operations(&source, &mut names);
        }
    }
    let rows: BTreeSet<String> = cases::all().iter().map(|case| case.op.to_string()).collect();
    let missing: Vec<_> = names.difference(&rows).collect();
    let unknown: Vec<_> = rows.difference(&names).collect();
    assert!(missing.is_empty(), "operations without a gradient check in testkit::cases: {missing:?}");
    assert!(unknown.is_empty(), "gradient checks of operations that do not exist: {unknown:?}");
}
