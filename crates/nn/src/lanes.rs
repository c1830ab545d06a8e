//! Reductions of short slices inside [`striate_compute::isa::vectorized`], in an order that depends on the length alone.

use striate_compute::Real;

/// Independent accumulators: the widest vector. More would cost short rows more than they save long ones.
const LANES: usize = 16;

/// Combines f(acc, x[i]) over interleaved accumulators that start at `init`, then the accumulators by `combine`.
#[inline(always)]
pub(crate) fn fold<E: Real>(x: &[E], init: E, f: impl Fn(E, E) -> E, combine: impl Fn(E, E) -> E) -> E {
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
    halve(lanes, combine)
}

/// Σ f(a[i], b[i])
#[inline(always)]
pub(crate) fn sum2<E: Real>(a: &[E], b: &[E], f: impl Fn(E, E) -> E) -> E {
    let mut lanes = [E::zero(); LANES];
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += f(a, b);
        }
    }
    for ((lane, &a), &b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += f(a, b);
    }
    halve(lanes, |a, b| a + b)
}

/// Σ f(x[i])
#[inline(always)]
pub(crate) fn sum<E: Real>(x: &[E], f: impl Fn(E) -> E) -> E {
    fold(
        x,
        E::zero(),
        #[inline(always)]
        |sum, x| sum + f(x),
        #[inline(always)]
        |a, b| a + b,
    )
}

#[inline(always)]
fn halve<E: Real>(mut lanes: [E; LANES], combine: impl Fn(E, E) -> E) -> E {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = combine(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}
