//! Shape rules of views, of joining and of padding.

use std::ops::{Bound, RangeBounds};

use super::{Dims, ShapeError, axis};

/// `shape` with axes `start` to `end`, both included, joined into one; a scalar becomes a vector.
pub fn flatten(shape: &[usize], start: isize, end: isize) -> Result<Dims, ShapeError> {
    let shape = if shape.is_empty() { &[1] } else { shape };
    let (first, last) = (axis("flatten", start, shape)?, axis("flatten", end, shape)?);
    if first > last {
        let rule = format!("the first axis {start} comes after the last, {end}");
        return Err(ShapeError::new("flatten", rule, &[("x", shape)]));
    }
    let mut joined: Dims = shape[..first].into();
    joined.push(shape[first..=last].iter().product());
    joined.extend_from_slice(&shape[last + 1..]);
    Ok(joined)
}

/// `shape` with a new axis of length 1 at `place`, counted in the result.
pub fn unsqueeze(op: &'static str, shape: &[usize], place: isize) -> Result<Dims, ShapeError> {
    let mut longer: Dims = shape.into();
    longer.push(1);
    let place = axis(op, place, &longer).map_err(|error| ShapeError::new(op, error.rule, &[("x", shape)]))?;
    longer.pop();
    longer.insert(place, 1);
    Ok(longer)
}

/// Some of the places along an axis: `start`, `start + step`, …, `count` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The axis, counted from the front.
    pub axis: usize,
    /// The first place.
    pub start: usize,
    /// How many places.
    pub count: usize,
    /// The distance between places.
    pub step: usize,
}

/// Every `step`-th place of a range along an axis; negative bounds count from the back.
pub fn slice(
    shape: &[usize],
    along: isize,
    range: impl RangeBounds<isize>,
    step: usize,
) -> Result<Steps, ShapeError> {
    let axis = axis("slice", along, shape)?;
    let n = shape[axis];
    let bounds = (range.start_bound().cloned(), range.end_bound().cloned());
    let fail = |rule: String| Err(ShapeError::new("slice", rule, &[("x", shape)]));
    let place = |i: isize| if i < 0 { n.checked_sub(i.unsigned_abs()) } else { Some(i as usize) };
    let after = |i: isize| place(i).and_then(|i| i.checked_add(1));
    let start = match bounds.0 {
        Bound::Unbounded => Some(0),
        Bound::Included(i) => place(i),
        Bound::Excluded(i) => after(i),
    };
    let end = match bounds.1 {
        Bound::Unbounded => Some(n),
        Bound::Included(i) => after(i),
        Bound::Excluded(i) => place(i),
    };
    if step == 0 {
        return fail("the step must be at least 1".into());
    }
    match (start, end) {
        (Some(start), Some(end)) if start <= end && end <= n => {
            Ok(Steps { axis, start, count: (end - start).div_ceil(step), step })
        }
        _ => fail(format!("range {:?} to {:?} is not within 0..{n} along axis {along}", bounds.0, bounds.1)),
    }
}

/// Places `start..start + count` along an axis.
pub fn narrow(
    op: &'static str,
    shape: &[usize],
    along: isize,
    start: usize,
    count: usize,
) -> Result<Steps, ShapeError> {
    let axis = axis(op, along, shape)?;
    let n = shape[axis];
    if start.checked_add(count).is_none_or(|end| end > n) {
        let rule = format!("{count} places from {start} on are not within 0..{n} along axis {along}");
        return Err(ShapeError::new(op, rule, &[("x", shape)]));
    }
    Ok(Steps { axis, start, count, step: 1 })
}

/// An index along an axis counted from the front, given one that counts from the back when negative.
pub fn index(op: &'static str, shape: &[usize], axis: usize, index: isize) -> Result<usize, ShapeError> {
    let n = shape[axis];
    let place = if index < 0 { n.checked_sub(index.unsigned_abs()) } else { Some(index as usize) };
    place.filter(|&i| i < n).ok_or_else(|| {
        ShapeError::new(op, format!("index {index} is outside 0..{n} along axis {axis}"), &[("x", shape)])
    })
}

/// Checks that all `indices` are below the length of an axis.
pub fn indices(
    op: &'static str,
    shape: &[usize],
    axis: usize,
    indices: impl IntoIterator<Item = usize>,
) -> Result<(), ShapeError> {
    let n = shape[axis];
    match indices.into_iter().find(|&i| i >= n) {
        None => Ok(()),
        Some(i) => Err(ShapeError::new(
            op,
            format!("index {i} is outside 0..{n} along axis {axis}"),
            &[("x", shape)],
        )),
    }
}

/// Checks that pieces of `sizes` make up an axis, and counts it from the front.
pub fn split(shape: &[usize], along: isize, sizes: &[usize]) -> Result<usize, ShapeError> {
    let axis = axis("split", along, shape)?;
    let total = sizes.iter().try_fold(0usize, |sum, &n| sum.checked_add(n));
    if sizes.is_empty() || total != Some(shape[axis]) {
        let rule = format!("pieces {sizes:?} do not make up length {} of axis {along}", shape[axis]);
        return Err(ShapeError::new("split", rule, &[("x", shape)]));
    }
    Ok(axis)
}

/// Sizes of at most `pieces` pieces of an axis, all of one size save the last.
pub fn chunks(shape: &[usize], along: isize, pieces: usize) -> Result<Vec<usize>, ShapeError> {
    let n = shape[axis("chunks", along, shape)?];
    if pieces == 0 {
        return Err(ShapeError::new("chunks", "needs at least one piece", &[("x", shape)]));
    }
    let size = n.div_ceil(pieces);
    if size == 0 {
        return Ok(vec![0; pieces]);
    }
    Ok((0..n.div_ceil(size)).map(|i| size.min(n - i * size)).collect())
}

/// The shape of arrays joined along an axis, and that axis counted from the front; other lengths must be equal.
pub fn concat(shapes: &[&[usize]], along: isize) -> Result<(usize, Dims), ShapeError> {
    let Some(&first) = shapes.first() else {
        return Err(ShapeError::new("concat", "needs at least one operand", &[]));
    };
    let axis = axis("concat", along, first)?;
    let mut joined: Dims = first.into();
    for shape in &shapes[1..] {
        let fits = shape.len() == first.len()
            && (0..first.len()).all(|other| other == axis || shape[other] == first[other]);
        let length = if fits { joined[axis].checked_add(shape[axis]) } else { None };
        let Some(length) = length else {
            let rule = format!("operands must have equal lengths along all axes but {along}");
            return Err(ShapeError::new("concat", rule, &[("first", first), ("other", shape)]));
        };
        joined[axis] = length;
    }
    Ok((axis, joined))
}

/// The shape after padding each axis before and after by `padding`.
pub fn pad(shape: &[usize], padding: &[(usize, usize)]) -> Result<Dims, ShapeError> {
    let fail = |rule: String| ShapeError::new("pad", rule, &[("x", shape)]);
    if padding.len() != shape.len() {
        return Err(fail(format!("needs one (before, after) per axis, has {}", padding.len())));
    }
    let longer = |(&n, &(before, after)): (&usize, &(usize, usize))| {
        before.checked_add(after).and_then(|added| added.checked_add(n))
    };
    shape.iter().zip(padding).map(longer).collect::<Option<Dims>>().ok_or_else(|| fail("is too large".into()))
}

/// Checks an index of [`crate::Tensor::gather`]: as many axes as x, no longer than x along the other axes.
/// The axis counted from the front.
pub fn gather(op: &'static str, x: &[usize], along: isize, index: &[usize]) -> Result<usize, ShapeError> {
    let along = axis(op, along, x)?;
    let fits = index.len() == x.len() && (0..x.len()).all(|axis| axis == along || index[axis] <= x[axis]);
    if fits {
        return Ok(along);
    }
    let rule =
        format!("index must have as many axes as x, and no more places than x along all but axis {along}");
    Err(ShapeError::new(op, rule, &[("x", x), ("index", index)]))
}
