//! Elementwise loops over slices, vectorised and, when long, parallel.

use crate::{Real, isa, par};

/// `y[i] = f(x[i])`
///
/// # Panics
/// When the lengths differ; so do all functions here.
pub fn map<E: Real>(x: &[E], y: &mut [E], f: impl Fn(E) -> E + Sync + Send) {
    assert_eq!(x.len(), y.len(), "map: slices of different lengths");
    par::pieces_mut(y, par::PIECE, |i, y| {
        let x = &x[i * par::PIECE..][..y.len()];
        isa::vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = f(x);
                }
            },
        );
    });
}

/// `y[i] = f(a[i], b[i])`
pub fn zip<E: Real>(a: &[E], b: &[E], y: &mut [E], f: impl Fn(E, E) -> E + Sync + Send) {
    assert!(a.len() == y.len() && b.len() == y.len(), "zip: slices of different lengths");
    par::pieces_mut(y, par::PIECE, |i, y| {
        let a = &a[i * par::PIECE..][..y.len()];
        let b = &b[i * par::PIECE..][..y.len()];
        isa::vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
                    *y = f(a, b);
                }
            },
        );
    });
}

/// `y[i] = f(y[i], x[i])`
pub fn update<E: Real>(y: &mut [E], x: &[E], f: impl Fn(E, E) -> E + Sync + Send) {
    assert_eq!(x.len(), y.len(), "update: slices of different lengths");
    par::pieces_mut(y, par::PIECE, |i, y| {
        let x = &x[i * par::PIECE..][..y.len()];
        isa::vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = f(*y, x);
                }
            },
        );
    });
}

/// `y[i] = f(y[i], a[i], b[i])`
pub fn update2<E: Real>(y: &mut [E], a: &[E], b: &[E], f: impl Fn(E, E, E) -> E + Sync + Send) {
    assert!(a.len() == y.len() && b.len() == y.len(), "update2: slices of different lengths");
    par::pieces_mut(y, par::PIECE, |i, y| {
        let a = &a[i * par::PIECE..][..y.len()];
        let b = &b[i * par::PIECE..][..y.len()];
        isa::vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
                    *y = f(*y, a, b);
                }
            },
        );
    });
}

/// Independent accumulators of a reduction: enough for the widest vectors, and a fixed order on every machine.
const LANES: usize = 32;

/// `f(… f(f(init, x[0]), x[1]) …)` for an associative `f` with the neutral element `init`, in a fixed order of its own.
pub fn reduce<E: Real>(x: &[E], init: E, f: impl Fn(E, E) -> E + Sync + Send) -> E {
    let partials = par::collect(x.len().div_ceil(par::PIECE), |i| {
        let piece = &x[i * par::PIECE..x.len().min((i + 1) * par::PIECE)];
        reduce_piece(piece, init, &f)
    });
    partials.into_iter().fold(init, &f)
}

/// [`reduce`] on the calling thread.
#[inline]
pub fn reduce_piece<E: Real>(x: &[E], init: E, f: impl Fn(E, E) -> E) -> E {
    isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let mut lanes = [init; LANES];
            let (chunks, rest) = x.as_chunks::<LANES>();
            for chunk in chunks {
                for (lane, &x) in lanes.iter_mut().zip(chunk) {
                    *lane = f(*lane, x);
                }
            }
            for (lane, &x) in lanes.iter_mut().zip(rest) {
                *lane = f(*lane, x);
            }
            let mut width = LANES / 2;
            while width > 0 {
                for i in 0..width {
                    lanes[i] = f(lanes[i], lanes[i + width]);
                }
                width /= 2;
            }
            lanes[0]
        },
    )
}

/// `Σ x[i]`
pub fn sum<E: Real>(x: &[E]) -> E {
    reduce(x, E::zero(), |a, b| a + b)
}
