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

/// The names of the operations in a folder's sources: what stands in `const NAME: &'static str = "…"`.
///
/// An operation whose name is written otherwise would go unseen, and so a file must have as many names as
/// operations; one that takes its name from another (`F::NAME`) counts as named.
fn operations(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            operations(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let code = source.lines().map(str::trim).filter(|line| !line.starts_with("//"));
            let (mut operations, mut named) = (0, 0);
            for line in code {
                operations += usize::from(is_operation(line));
                let Some(value) = line.strip_prefix("const NAME: &'static str = ") else { continue };
                if let Some(name) = value.strip_prefix('"').and_then(|name| name.strip_suffix("\";")) {
                    names.insert(name.to_string());
                    named += 1;
                } else if value == "F::NAME;" {
                    named += 1;
                }
            }
            assert_eq!(
                operations,
                named,
                "{}: operations (left) and lines `const NAME: &'static str = \"…\";` (right) are not equally many",
                path.display()
            );
        }
    }
}

/// Whether a line implements an operation, or one of the traits that make one of an equation.
fn is_operation(line: &str) -> bool {
    let Some((head, _)) = line.split_once(" for ") else { return false };
    let implemented = head.rsplit("> ").next().unwrap();
    let implemented = implemented.strip_prefix("impl ").unwrap_or(implemented);
    let name = implemented.split('<').next().unwrap();
    implemented.contains('<')
        && matches!(name.rsplit("::").next(), Some("Op" | "Pointwise" | "Term" | "LinearMap"))
}

#[test]
fn operations_are_found() {
    for line in [
        "impl Op<f32> for Square {",
        "impl<E: Real> crate::Op<E> for Sum {",
        "impl<E: Real, F: Pointwise<E>> Op<E> for Map<F> {",
        "impl<E: Real, const N: usize> Term<E, N> for Squared",
        "Op<E> for Wrapped {",
    ] {
        assert!(is_operation(line), "{line}");
    }
    for line in ["impl<E: Real, O: Op<E>> Step<E> for Recorded<O> {", "fn f<O: Op<E>>(o: O) -> O"] {
        assert!(!is_operation(line), "{line}");
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
