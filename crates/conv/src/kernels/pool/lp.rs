//! Lp pooling.

use striate_compute::{Buffer, Real, map};

use super::average::avg_pool;
use super::geometry::{Divisor, PoolGeometry};
use crate::kernels::planes;

/// The p-norm of each window, for numbers that are not negative or an even p: y = (Σ xᵖ)^(1/p).
///
/// Where ceil mode adds a window that ends outside, its sum is scaled up to a whole window. x holds `pool.planes` planes
/// of the input's size, y as many of the output's.
///
/// # Panics
/// When slices have other lengths, or the pooling is adaptive.
///
/// ```
/// use striate_conv::{PoolGeometry, kernels::pool::lp_pool};
///
/// let pool = PoolGeometry::new::<1>(&[1, 1, 4], &2.into())?;
/// let mut y = [0.0; 2];
/// lp_pool(&pool, 2.0, &[3.0f32, 4.0, 0.0, 0.0], &mut y);
/// assert_eq!(y, [5.0, 0.0]);
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
pub fn lp_pool<E: Real>(pool: &PoolGeometry, p: f64, x: &[E], y: &mut [E]) {
    let taps = E::of(pool.taps().expect("lp_pool: windows must slide") as f64);
    let (power, root) = (E::of(p), E::of(1.0 / p));
    let mut powers = Buffer::scratch(x.len());
    map::map(x, &mut powers, |x| x.powf(power));
    avg_pool(pool, Divisor::Padded, &powers, y);
    planes::each(
        y,
        pool.output_size(),
        pool.input_size(),
        #[inline(always)]
        |_, y| y.iter_mut().for_each(|y| *y = (*y * taps).powf(root)),
    );
}
