//! Reductions of arrays along axes, in an order that depends on the shape alone.

use striate_compute::{Real, isa, map, par};

use crate::array::Array;
use crate::shape::{Dims, elements, reduced};

/// Combines all elements along `axes` (sorted) with an associative `f` whose neutral element is `init`;
/// the axes vanish.
pub(crate) fn fold<E: Real>(
    x: &Array<E>,
    axes: &[usize],
    init: E,
    f: impl Fn(E, E) -> E + Sync + Send + Copy,
) -> Array<E> {
    let mut y = x.contiguous();
    let mut end = axes.len();
    while end > 0 {
        let mut start = end - 1;
        while start > 0 && axes[start - 1] + 1 == axes[start] {
            start -= 1;
        }
        y = fold_middle(&y, axes[start], axes[end - 1] + 1, init, f);
        end = start;
    }
    y
}

/// Combines axes `first..last` of a contiguous array, seen as (outer, n, inner).
fn fold_middle<E: Real>(
    x: &Array<E>,
    first: usize,
    last: usize,
    init: E,
    f: impl Fn(E, E) -> E + Sync + Send + Copy,
) -> Array<E> {
    let shape = x.shape();
    let (outer, n, inner) =
        (elements(&shape[..first]), elements(&shape[first..last]), elements(&shape[last..]));
    let axes: Dims = (first..last).collect();
    let x = x.as_slice().expect("the operand is contiguous");
    Array::build(&reduced(shape, &axes, false), |y| {
        if y.is_empty() {
            return;
        }
        if n == 0 {
            y.fill(init);
        } else if outer == 1 && inner == 1 {
            y[0] = map::reduce(x, init, f);
        } else if n * inner > par::PIECE {
            y.chunks_exact_mut(inner)
                .zip(x.chunks_exact(n * inner))
                .for_each(|(y, x)| fold_columns(x, y, init, f));
        } else if inner == 1 {
            let rows = (par::PIECE / n).max(1);
            par::pieces_mut(y, rows, |piece, y| {
                let x = &x[piece * rows * n..];
                y.iter_mut().zip(x.chunks_exact(n)).for_each(|(y, x)| *y = map::reduce_piece(x, init, f));
            });
        } else if outer == 1 {
            fold_columns(x, y, init, f);
        } else {
            let blocks = (par::PIECE / (n * inner)).max(1);
            par::pieces_mut(y, blocks * inner, |piece, y| {
                let x = &x[piece * blocks * n * inner..];
                for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(n * inner)) {
                    add_rows(x, y, init, f);
                }
            });
        }
    })
}

/// y[j] = f over i of x[i, j], cut into pieces of rows whose results combine in order.
fn fold_columns<E: Real>(x: &[E], y: &mut [E], init: E, f: impl Fn(E, E) -> E + Sync + Send + Copy) {
    let inner = y.len();
    if inner == 1 {
        y[0] = map::reduce(x, init, f);
        return;
    }
    if inner > par::PIECE / 2 {
        let width = par::PIECE / 2;
        return par::pieces_mut(y, width, |piece, y| {
            y.fill(init);
            x.chunks_exact(inner).for_each(|row| accumulate(&row[piece * width..][..y.len()], y, f));
        });
    }
    let rows = par::PIECE / inner;
    if x.len() <= rows * inner {
        return add_rows(x, y, init, f);
    }
    let pieces = (x.len() / inner).div_ceil(rows);
    let partial = Array::build(&[pieces, inner], |partial| {
        par::pieces_mut(partial, inner, |piece, y| {
            add_rows(&x[piece * rows * inner..x.len().min((piece + 1) * rows * inner)], y, init, f);
        });
    });
    fold_columns(partial.as_slice().unwrap(), y, init, f);
}

/// Columns that are accumulated side by side at least: several rows are, where rows are shorter.
const WIDTH: usize = 64;

fn add_rows<E: Real>(x: &[E], y: &mut [E], init: E, f: impl Fn(E, E) -> E + Copy) {
    let inner = y.len();
    y.fill(init);
    if inner > WIDTH / 2 || x.len() < 2 * WIDTH {
        return accumulate(x, y, f);
    }
    let mut wide = [init; WIDTH];
    let wide = &mut wide[..WIDTH / inner * inner];
    accumulate(x, wide, f);
    accumulate(wide, y, f);
}

/// y[j] = f(y[j], x[i, j]) for all rows i; the last may be shorter.
fn accumulate<E: Real>(x: &[E], y: &mut [E], f: impl Fn(E, E) -> E + Copy) {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            for x in x.chunks(y.len()) {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = f(*y, x);
                }
            }
        },
    );
}

/// Sum along `axes` (sorted), which vanish.
pub(crate) fn sum<E: Real>(x: &Array<E>, axes: &[usize]) -> Array<E> {
    fold(x, axes, E::zero(), |a, b| a + b)
}
