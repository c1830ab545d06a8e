//! Loops over planes: neighbouring ones together, as many as make a piece of work.

use striate_compute::{Real, isa, par};

/// Calls `f(plane, y)` for each plane of `size` elements of `y`, vectorised and parallel; `work` is what a plane costs
/// in elements.
pub(crate) fn each<E: Real>(
    y: &mut [E],
    size: usize,
    work: usize,
    f: impl Fn(usize, &mut [E]) + Sync + Send,
) {
    each_with(
        y,
        size,
        work,
        || (),
        #[inline(always)]
        |(), plane, y| f(plane, y),
    );
}

/// [`each`] with scratch memory that neighbouring planes share.
pub(crate) fn each_with<E: Real, S>(
    y: &mut [E],
    size: usize,
    work: usize,
    scratch: impl Fn() -> S + Sync + Send,
    f: impl Fn(&mut S, usize, &mut [E]) + Sync + Send,
) {
    let planes = (par::PIECE / work.max(1)).max(1);
    par::pieces_mut(y, planes * size, |piece, y| {
        let mut scratch = scratch();
        isa::vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for (i, y) in y.chunks_exact_mut(size).enumerate() {
                    f(&mut scratch, piece * planes + i, y);
                }
            },
        );
    });
}

/// [`each`] plane of two arrays of one size.
pub(crate) fn each_of_two<E: Real, W: Send>(
    y: &mut [E],
    w: &mut [W],
    size: usize,
    work: usize,
    f: impl Fn(usize, &mut [E], &mut [W]) + Sync + Send,
) {
    let planes = (par::PIECE / work.max(1)).max(1);
    let mut pieces: Vec<_> = y.chunks_mut(planes * size).zip(w.chunks_mut(planes * size)).collect();
    par::pieces_mut(&mut pieces, 1, |piece, parts| {
        let (y, w) = &mut parts[0];
        isa::vectorized_for::<E, _>(
            #[inline(always)]
            || {
                for (i, (y, w)) in y.chunks_exact_mut(size).zip(w.chunks_exact_mut(size)).enumerate() {
                    f(piece * planes + i, y, w);
                }
            },
        );
    });
}

/// y ← β·y for a β that is 0 or 1; for 0, what is there is arbitrary.
#[inline(always)]
pub(crate) fn keep_or_clear<E: Real>(y: &mut [E], beta: E) {
    if beta == E::zero() {
        y.fill(E::zero());
    }
}
