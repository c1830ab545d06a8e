//! Inner loops over every s-th element: fixed steps that vectorise, and any other.

use striate_compute::Real;

/// `f(y[j], x[j·s])` for all j
#[inline(always)]
pub(crate) fn every<E: Real>(x: &[E], stride: usize, y: &mut [E], f: impl Fn(&mut E, E)) {
    #[inline(always)]
    fn fixed<const S: usize, E: Real>(x: &[E], y: &mut [E], f: impl Fn(&mut E, E)) {
        let (blocks, rest) = x.as_chunks::<S>();
        for (y, block) in y.iter_mut().zip(blocks) {
            f(y, block[0]);
        }
        if let (Some(y), Some(&x)) = (y.get_mut(blocks.len()), rest.first()) {
            f(y, x);
        }
    }
    match stride {
        1 => y.iter_mut().zip(x).for_each(|(y, &x)| f(y, x)),
        2 => fixed::<2, _>(x, y, f),
        3 => fixed::<3, _>(x, y, f),
        _ => y.iter_mut().zip(x.iter().step_by(stride)).for_each(|(y, &x)| f(y, x)),
    }
}

/// y[j] += x[j·s], or y[j] = x[j·s] for β = 0
#[inline(always)]
pub(crate) fn gather<E: Real>(x: &[E], stride: usize, beta: E, y: &mut [E]) {
    if beta == E::zero() {
        every(
            x,
            stride,
            y,
            #[inline(always)]
            |y, x| *y = x,
        );
    } else {
        every(
            x,
            stride,
            y,
            #[inline(always)]
            |y, x| *y += x,
        );
    }
}

/// y[j·s] += x[j]
#[inline(always)]
pub(crate) fn add_to_every<E: Real>(x: &[E], stride: usize, y: &mut [E]) {
    match stride {
        1 => y.iter_mut().zip(x).for_each(|(y, &x)| *y += x),
        _ => y.iter_mut().step_by(stride).zip(x).for_each(|(y, &x)| *y += x),
    }
}

/// y[j·f + i] = x[j] for i < f
#[inline(always)]
pub(crate) fn repeat<E: Real>(x: &[E], factor: usize, y: &mut [E]) {
    #[inline(always)]
    fn fixed<const F: usize, E: Real>(x: &[E], y: &mut [E]) {
        for (y, &x) in y.as_chunks_mut::<F>().0.iter_mut().zip(x) {
            *y = [x; F];
        }
    }
    match factor {
        1 => y.copy_from_slice(x),
        2 => fixed::<2, _>(x, y),
        3 => fixed::<3, _>(x, y),
        4 => fixed::<4, _>(x, y),
        _ => y.chunks_exact_mut(factor).zip(x).for_each(|(y, &x)| y.fill(x)),
    }
}

/// `f(y[j], x[j·f] + … + x[j·f + f − 1])`
#[inline(always)]
pub(crate) fn sum_blocks<E: Real>(x: &[E], factor: usize, y: &mut [E], f: impl Fn(&mut E, E)) {
    #[inline(always)]
    fn fixed<const F: usize, E: Real>(x: &[E], y: &mut [E], f: impl Fn(&mut E, E)) {
        for (y, block) in y.iter_mut().zip(x.as_chunks::<F>().0) {
            f(y, block[1..].iter().fold(block[0], |sum, &x| sum + x));
        }
    }
    match factor {
        1 => fixed::<1, _>(x, y, f),
        2 => fixed::<2, _>(x, y, f),
        3 => fixed::<3, _>(x, y, f),
        4 => fixed::<4, _>(x, y, f),
        _ => y.iter_mut().zip(x.chunks_exact(factor)).for_each(|(y, block)| f(y, sum(block))),
    }
}

/// Σ x, in lanes that depend on nothing but the length.
#[inline(always)]
pub(crate) fn sum<E: Real>(x: &[E]) -> E {
    const LANES: usize = 16;
    if x.len() < 2 * LANES {
        return x.iter().fold(E::zero(), |sum, &x| sum + x);
    }
    let mut lanes = [E::zero(); LANES];
    let (blocks, rest) = x.as_chunks::<LANES>();
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, &x)| *lane += x);
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, &x)| *lane += x);
    lanes.iter().fold(E::zero(), |sum, &lane| sum + lane)
}
