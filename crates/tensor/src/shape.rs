//! Shape rules as pure functions: what fits, and what comes out.

use std::fmt;

use smallvec::SmallVec;

mod einsum;
mod views;

pub use einsum::{Einsum, einsum};
pub use views::{
    Steps, chunks, concat, flatten, gather, index, indices, narrow, pad, slice, split, unsqueeze,
};

/// A shape or strides: up to six axes without an allocation.
pub type Dims = SmallVec<[usize; 6]>;

/// Shapes that do not fit: which operation, which operands, and the rule that they break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The operation, as a user calls it.
    pub op: &'static str,
    /// What was expected and what came.
    pub rule: String,
    /// Names and shapes of the operands.
    pub operands: Vec<(&'static str, Vec<usize>)>,
}

impl ShapeError {
    /// An error of `op` on named operands.
    pub fn new(op: &'static str, rule: impl Into<String>, operands: &[(&'static str, &[usize])]) -> Self {
        let operands = operands.iter().map(|&(name, shape)| (name, shape.to_vec())).collect();
        ShapeError { op, rule: rule.into(), operands }
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.op, self.rule)?;
        let mut sign = " (";
        for (name, shape) in &self.operands {
            write!(f, "{sign}{name} {shape:?}")?;
            sign = ", ";
        }
        if self.operands.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl std::error::Error for ShapeError {}

/// Unwraps a shape rule inside an operation: a shape that does not fit is the caller's mistake.
///
/// # Panics
/// With the error's text, at the caller's line.
#[track_caller]
pub fn expect<T>(result: Result<T, ShapeError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// Number of elements.
pub fn elements(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// Strides of a row-major array without gaps.
pub fn contiguous_strides(shape: &[usize]) -> Dims {
    let mut strides: Dims = SmallVec::from_elem(1, shape.len());
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1);
    }
    strides
}

/// The shape that `a` and `b` broadcast to: axes align at the right, and an axis of length 1 repeats.
pub fn broadcast(op: &'static str, a: &[usize], b: &[usize]) -> Result<Dims, ShapeError> {
    let rank = a.len().max(b.len());
    let length =
        |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    (0..rank)
        .map(|axis| match (length(a, axis), length(b, axis)) {
            (p, q) if p == q => Ok(p),
            (1, q) => Ok(q),
            (p, 1) => Ok(p),
            (p, q) => Err(ShapeError::new(
                op,
                format!("lengths {p} and {q} do not broadcast: aligned at the right, each pair must be equal or have a 1"),
                &[("a", a), ("b", b)],
            )),
        })
        .collect()
}

/// An axis counted from the front, or from the back when negative, as an index below `shape.len()`.
pub fn axis(op: &'static str, axis: isize, shape: &[usize]) -> Result<usize, ShapeError> {
    let rank = shape.len() as isize;
    let index = if axis < 0 { axis + rank } else { axis };
    if (0..rank).contains(&index) {
        return Ok(index as usize);
    }
    Err(ShapeError::new(op, format!("axis {axis} is outside −{rank}..{rank}"), &[("x", shape)]))
}

/// Several axes, sorted, each at most once; none given means all.
pub fn axes(op: &'static str, given: &[isize], shape: &[usize]) -> Result<Dims, ShapeError> {
    if given.is_empty() {
        return Ok((0..shape.len()).collect());
    }
    let mut axes = given.iter().map(|&a| axis(op, a, shape)).collect::<Result<Dims, _>>()?;
    axes.sort_unstable();
    if axes.windows(2).any(|w| w[0] == w[1]) {
        return Err(ShapeError::new(op, format!("axes {given:?} name an axis twice"), &[("x", shape)]));
    }
    Ok(axes)
}

/// `shape` after a reduction over `axes`.
pub fn reduced(shape: &[usize], axes: &[usize], keepdim: bool) -> Dims {
    shape
        .iter()
        .enumerate()
        .filter_map(|(axis, &n)| match axes.contains(&axis) {
            true if keepdim => Some(1),
            true => None,
            false => Some(n),
        })
        .collect()
}

/// The shape of a matrix product: (…, m, k) × (…, k, n) → (…, m, n), batch axes broadcast.
///
/// A vector on the left is a row, on the right a column, and its axis vanishes from the result.
pub fn matmul(a: &[usize], b: &[usize]) -> Result<Dims, ShapeError> {
    let fail = |rule: String| Err(ShapeError::new("matmul", rule, &[("a", a), ("b", b)]));
    if a.is_empty() || b.is_empty() {
        return fail("operands need at least one axis".into());
    }
    let (k_a, k_b) = (a[a.len() - 1], if b.len() == 1 { b[0] } else { b[b.len() - 2] });
    if k_a != k_b {
        return fail(format!("inner dimensions differ: a has {k_a} columns, b has {k_b} rows"));
    }
    let mut shape = broadcast("matmul", &a[..a.len().max(2) - 2], &b[..b.len().max(2) - 2])?;
    shape.extend(a.iter().nth_back(1).copied());
    if b.len() > 1 {
        shape.push(b[b.len() - 1]);
    }
    Ok(shape)
}

/// `to` with at most one −1 replaced by what the number of elements leaves.
pub fn reshape(from: &[usize], to: &[isize]) -> Result<Dims, ShapeError> {
    let fail = |rule: String| Err(ShapeError::new("reshape", rule, &[("x", from)]));
    let free = to.iter().filter(|&&n| n == -1).count();
    if free > 1 || to.iter().any(|&n| n < -1) {
        return fail(format!("target {to:?} must hold lengths and at most one −1"));
    }
    let total = elements(from);
    let lengths = to.iter().filter(|&&n| n != -1);
    let Some(known) = lengths.map(|&n| n as usize).try_fold(1usize, usize::checked_mul) else {
        return fail(format!("{total} elements do not fill {to:?}"));
    };
    if (free == 0 && known != total) || (free == 1 && (known == 0 || !total.is_multiple_of(known))) {
        return fail(format!("{total} elements do not fill {to:?}"));
    }
    Ok(to.iter().map(|&n| if n == -1 { total / known } else { n as usize }).collect())
}

/// `order` as axes counted from the front, each once.
pub fn permutation(order: &[isize], shape: &[usize]) -> Result<Dims, ShapeError> {
    let order_axes = order.iter().map(|&a| axis("permute", a, shape)).collect::<Result<Dims, _>>()?;
    let mut sorted = order_axes.clone();
    sorted.sort_unstable();
    if sorted.iter().copied().eq(0..shape.len()) {
        return Ok(order_axes);
    }
    Err(ShapeError::new("permute", format!("{order:?} must name every axis once"), &[("x", shape)]))
}

/// Whether `from` broadcasts to just `to`.
pub fn expand(from: &[usize], to: &[usize]) -> Result<(), ShapeError> {
    match broadcast("expand", from, to) {
        Ok(shape) if shape[..] == *to => Ok(()),
        _ => Err(ShapeError::new("expand", format!("does not broadcast to {to:?}"), &[("x", from)])),
    }
}
