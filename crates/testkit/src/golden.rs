//! Golden values and gradients of PyTorch, which `golden/generate.py` wrote, and what holds Striate against them.

use std::collections::BTreeSet;

use ndarray::{ArrayD, Dimension};
use striate_formats::{AnyArray, Arrays, Limits, safetensors};
use striate_tensor::{GradOptions, Real, Tensor, grad};

/// How far a number may be off: by `absolute + relative · |expected|`.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// The part that does not depend on the expected number.
    pub absolute: f64,
    /// The share of the expected number.
    pub relative: f64,
}

/// Equal bounds: relative for large numbers, absolute below 1.
pub const fn within(bound: f64) -> Tolerance {
    Tolerance { absolute: bound, relative: bound }
}

/// What double precision must keep.
pub const F64: Tolerance = within(1e-12);

/// A golden file: arrays named `case:part`.
pub struct Golden {
    file: String,
    arrays: Arrays,
}

/// Where a golden file lies, for what reads files itself.
pub fn path(name: &str) -> String {
    format!("{}/golden/{name}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

/// Reads `golden/<name>.safetensors`.
#[track_caller]
pub fn load(name: &str) -> Golden {
    let file = path(name);
    match safetensors::read(&file, &Limits::default()) {
        Ok((arrays, _)) => Golden { file, arrays },
        Err(error) => panic!("{error}; write the golden files with: cargo xtask golden"),
    }
}

impl Golden {
    /// The array of that name.
    #[track_caller]
    pub fn get(&self, name: &str) -> &AnyArray {
        self.arrays.get(name).unwrap_or_else(|| panic!("{}: nothing is named {name:?}", self.file))
    }

    /// The array of that name, widened.
    #[track_caller]
    pub fn f64(&self, name: &str) -> ArrayD<f64> {
        self.get(name).to_f64()
    }

    /// The array of that name as a tensor.
    #[track_caller]
    pub fn tensor<E: Real>(&self, name: &str) -> Tensor<E> {
        self.f64(name).mapv(E::of).into()
    }

    /// The array of that name as labels or indices.
    #[track_caller]
    pub fn indices(&self, name: &str) -> ArrayD<usize> {
        indices(self.get(name)).unwrap_or_else(|| panic!("{}: {name} is no array of indices", self.file))
    }

    /// The arrays whose names start with `prefix`, under what follows it.
    pub fn under(&self, prefix: &str) -> Arrays {
        let rest =
            |(name, array): (&str, &AnyArray)| Some((name.strip_prefix(prefix)?.to_string(), array.clone()));
        self.arrays.iter().filter_map(rest).collect()
    }

    /// Whether there is an array of that name.
    pub fn has(&self, name: &str) -> bool {
        self.arrays.get(name).is_some()
    }

    /// The inputs x0, x1, … of a case as tensors that gradients are computed for; else its indices i0, i1, … as they are.
    pub fn inputs<E: Real>(&self, case: &str) -> Vec<Tensor<E>> {
        let tensor = |x: &AnyArray| Tensor::<E>::from(x.to_f64().mapv(E::of));
        let tracked: Vec<_> = self.numbered(case, "x").map(|x| tensor(x).requires_grad()).collect();
        if tracked.is_empty() { self.numbered(case, "i").map(tensor).collect() } else { tracked }
    }

    /// The names of all cases.
    pub fn cases(&self) -> BTreeSet<&str> {
        self.arrays.names().filter_map(|name| Some(name.rsplit_once(':')?.0)).collect()
    }

    /// `case:part0`, `case:part1`, … as long as there are any.
    fn numbered<'a>(&'a self, case: &'a str, part: &'a str) -> impl Iterator<Item = &'a AnyArray> {
        (0..).map_while(move |i| self.arrays.get(&format!("{case}:{part}{i}")))
    }
}

fn indices(array: &AnyArray) -> Option<ArrayD<usize>> {
    Some(ArrayD::from_shape_vec(array.shape(), array.to_indices()?).expect("as many as the array has"))
}

/// c in the loss Σ c·y that golden gradients are of: never 0, exact in every precision.
pub fn weights<E: Real>(shape: &[usize]) -> Tensor<E> {
    let count = shape.iter().product();
    Tensor::from_vec(shape, (0..count).map(|i| E::of(((7 * i % 11) as f64 - 4.5) / 4.0)).collect())
}

/// Indices as a tensor, to be compared as numbers.
pub fn places<E: Real>(indices: ArrayD<usize>) -> Tensor<E> {
    indices.mapv(|i| E::of(i as f64)).into()
}

/// A call with the tensors and the arrays of indices of a case.
type Call<E> = Box<dyn Fn(&[Tensor<E>], &[ArrayD<usize>]) -> Tensor<E>>;

/// One way to call a function: the row of a table that is held against a golden file.
pub struct Row<E: Real> {
    case: String,
    f32_bound: f64,
    call: Call<E>,
}

/// A row: `call` gets the case's tensors and its arrays of indices. In f32 numbers must agree within 1e-6.
pub fn row<E: Real>(
    case: impl Into<String>,
    call: impl Fn(&[Tensor<E>], &[ArrayD<usize>]) -> Tensor<E> + 'static,
) -> Row<E> {
    Row { case: case.into(), f32_bound: 1e-6, call: Box::new(call) }
}

impl<E: Real> Row<E> {
    /// The row for a case of another name.
    pub fn named(self, name: impl FnOnce(&str) -> String) -> Self {
        Row { case: name(&self.case), ..self }
    }

    /// The row with another bound for f32.
    pub fn f32_within(self, bound: f64) -> Self {
        Row { f32_bound: bound, ..self }
    }
}

/// Holds values and gradients of every row against a golden file, which must have just these cases.
///
/// # Panics
/// With all differences, one per line.
#[track_caller]
pub fn check<E: Real>(file: &str, rows: &[Row<E>]) {
    let golden = load(file);
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.case.as_str()).collect();
    assert_eq!(listed.len(), rows.len(), "{file}: a case has two rows");
    assert_eq!(listed, golden.cases(), "{file}: the rows (left) are not the cases of the file (right)");
    let failures: Vec<String> = rows.iter().flat_map(|row| differences(&golden, row)).collect();
    assert!(failures.is_empty(), "{file}, {}:\n{}", E::NAME, failures.join("\n"));
}

/// The first difference in y and in each dx.
fn differences<E: Real>(golden: &Golden, row: &Row<E>) -> Vec<String> {
    let case = &row.case;
    let tolerance = if E::NAME == "f64" { F64 } else { within(row.f32_bound) };
    let x: Vec<Tensor<E>> = golden.inputs(case);
    let i: Vec<_> = golden.numbered(case, "i").map(|i| indices(i).expect("integers")).collect();
    let y = (row.call)(&x, &i);
    let compare = |part: &str, actual: &Tensor<E>| {
        let name = format!("{case}:{part}");
        let expected = golden.arrays.get(&name)?.to_f64();
        difference(&format!("{case}: {part}"), actual, &expected, tolerance)
    };
    let mut found: Vec<String> = compare("y", &y).into_iter().collect();
    if golden.arrays.names().any(|name| name.starts_with(&format!("{case}:dx"))) {
        let loss = (&y * weights(y.shape())).sum();
        let gradients = grad(&loss, &x.iter().collect::<Vec<_>>(), GradOptions::default());
        found.extend((0..).zip(&gradients).filter_map(|(k, dx)| compare(&format!("dx{k}"), dx)));
    }
    found
}

/// Panics unless the numbers agree: NaN with NaN, an infinity with itself, others within `tolerance`.
///
/// # Panics
/// Naming what was compared, the index, both numbers and the tolerance; or both shapes.
#[track_caller]
pub fn assert_close<E: Real>(name: &str, actual: &Tensor<E>, expected: &ArrayD<f64>, tolerance: Tolerance) {
    if let Some(difference) = difference(name, actual, expected, tolerance) {
        panic!("{difference}");
    }
}

fn difference<E: Real>(
    name: &str,
    actual: &Tensor<E>,
    expected: &ArrayD<f64>,
    tolerance: Tolerance,
) -> Option<String> {
    if actual.shape() != expected.shape() {
        return Some(format!("{name}: the shape is {:?}, expected {:?}", actual.shape(), expected.shape()));
    }
    let actual = actual.to_ndarray();
    let ((index, &expected), actual) = expected
        .indexed_iter()
        .zip(actual.iter())
        .find(|&((_, &e), a)| !close(a.f64(), E::of(e).f64(), tolerance))?;
    let Tolerance { absolute, relative } = tolerance;
    Some(format!(
        "{name}{:?}: is {actual:?}, expected {expected:e}, tolerance {absolute:e} + {relative:e}·|expected|",
        index.slice()
    ))
}

fn close(actual: f64, expected: f64, tolerance: Tolerance) -> bool {
    actual == expected
        || actual.is_nan() && expected.is_nan()
        || expected.is_finite()
            && (actual - expected).abs() <= tolerance.absolute + tolerance.relative * expected.abs()
}
