//! Elementwise loops over several strided operands, in blocks that are contiguous for the function inside.

use striate_compute::{Real, isa, par};

use crate::array::Array;
use crate::nest::Nest;

/// Elements that are copied together, where an operand has gaps or repeats itself: a few kilobytes, for the first cache.
const BLOCK: usize = 1024;

/// Rows from this length on are cut at their ends, shorter ones are joined.
const LONG_ROW: usize = 128;

/// Writes `y`, contiguous and of `shape`: `f(elements of the operands, y)` for blocks in row-major order.
///
/// `f` is compiled once for all layouts, and its loop is long even where rows are short. Mark it
/// `#[inline(always)]`, so that it vectorises.
pub(crate) fn blocks<E: Real, const N: usize>(
    shape: &[usize],
    operands: [&Array<E>; N],
    y: &mut [E],
    f: impl Fn([&[E]; N], &mut [E]) + Sync + Send,
) {
    if y.is_empty() {
        return;
    }
    let nest = Nest::new(shape, operands.map(|x| x.strides()));
    let gapless = nest.steps == [1; N];
    par::pieces_mut(y, par::PIECE, |piece, mut y| {
        let mut cursor = nest.cursor(piece * par::PIECE);
        let mut copies: [Vec<E>; N] = std::array::from_fn(|_| Vec::new());
        while !y.is_empty() {
            let n = match nest.inner >= LONG_ROW {
                true if gapless => cursor.left(),
                true => cursor.left().min(BLOCK),
                false => BLOCK,
            };
            let block = y.split_off_mut(..n.min(y.len())).expect("it is not longer than y");
            let n = block.len();
            let start = cursor.offsets();
            let lent: [bool; N] = std::array::from_fn(|i| nest.steps[i] == 1 && cursor.left() >= n);
            copies.iter_mut().for_each(Vec::clear);
            let mut filled = 0;
            while filled < n {
                let part = cursor.left().min(n - filled);
                let offsets = cursor.offsets();
                for i in (0..N).filter(|&i| !lent[i]) {
                    copy(&operands[i].data()[offsets[i]..], nest.steps[i], part, &mut copies[i]);
                }
                cursor.advance(part);
                filled += part;
            }
            let x = std::array::from_fn(|i| match lent[i] {
                true => &operands[i].data()[start[i]..][..n],
                false => &copies[i][..],
            });
            call(&f, x, block);
        }
    });
}

/// Appends `n` elements of `x`, `step` apart.
fn copy<E: Real>(x: &[E], step: usize, n: usize, to: &mut Vec<E>) {
    match step {
        1 => to.extend_from_slice(&x[..n]),
        0 => to.extend(std::iter::repeat_n(x[0], n)),
        _ => to.extend(x.iter().step_by(step).take(n)),
    }
}

#[inline(never)]
fn call<E: Real, const N: usize>(f: &impl Fn([&[E]; N], &mut [E]), x: [&[E]; N], y: &mut [E]) {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || f(x, y),
    );
}
