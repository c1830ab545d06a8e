//! Max unpooling: values go back to where they came from.

use striate_compute::Real;

use crate::kernels::planes;

/// `y[indices[o]] = x[o]` in each plane, zero elsewhere; where an index comes several times, the last value stays.
///
/// x and `indices` hold as many planes of `inputs` elements as y of `outputs`.
///
/// # Panics
/// When slices have other lengths, or an index is outside its plane.
///
/// ```
/// let mut y = [9.0f32; 8];
/// striate_conv::kernels::pool::max_unpool(&[5.0, 6.0, 7.0, 8.0], &[0, 3, 1, 2], 2, 4, &mut y);
/// assert_eq!(y, [5.0, 0.0, 0.0, 6.0, 0.0, 7.0, 8.0, 0.0]);
/// ```
pub fn max_unpool<E: Real>(x: &[E], indices: &[usize], inputs: usize, outputs: usize, y: &mut [E]) {
    assert_eq!(x.len(), indices.len(), "max_unpool: length of indices");
    assert_eq!(x.len() * outputs, y.len() * inputs, "max_unpool: length of y");
    planes::each(y, outputs, inputs.max(outputs), |plane, y| {
        y.fill(E::zero());
        let part = plane * inputs..(plane + 1) * inputs;
        indices[part.clone()].iter().zip(&x[part]).for_each(|(&i, &x)| y[i] = x);
    });
}

/// Gradient of [`max_unpool`]: `dx[o] ← β·dx[o] + dy[indices[o]]`. β is 0 or 1; for 0, what dx holds before is
/// arbitrary.
///
/// # Panics
/// When slices have other lengths, or an index is outside its plane.
pub fn max_unpool_gradient<E: Real>(
    dy: &[E],
    indices: &[usize],
    inputs: usize,
    outputs: usize,
    beta: E,
    dx: &mut [E],
) {
    assert_eq!(dx.len(), indices.len(), "max_unpool_gradient: length of indices");
    assert_eq!(dx.len() * outputs, dy.len() * inputs, "max_unpool_gradient: length of dy");
    planes::each(dx, inputs, inputs.max(outputs), |plane, dx| {
        let indices = &indices[plane * inputs..][..inputs];
        let dy = &dy[plane * outputs..][..outputs];
        planes::keep_or_clear(dx, beta);
        dx.iter_mut().zip(indices).for_each(|(dx, &i)| *dx += dy[i]);
    });
}
