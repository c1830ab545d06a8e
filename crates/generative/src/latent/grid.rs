//! A grid over a plane of the prior.

use striate_tensor::{Real, Tensor};

/// The p-quantile Φ⁻¹(p) of the standard normal distribution.
///
/// By Newton's method, which climbs to it from 0 without passing it. SciPy's `norm.ppf`.
///
/// # Panics
/// When p is not between 0 and 1.
///
/// ```
/// use striate_generative::latent::normal_quantile;
///
/// assert!((normal_quantile(0.975) - 1.959963984540054).abs() < 1e-12);
/// ```
#[track_caller]
pub fn normal_quantile(p: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "normal_quantile: p must be in (0, 1), is {p}");
    if p > 0.5 {
        // 1 − p is exact here.
        return -normal_quantile(1.0 - p);
    }
    let mut x = 0.0;
    loop {
        let (below, density) = Real::normal(x);
        let next: f64 = x - (below - p) / density;
        if next >= x || x - next < 1e-15 * x.abs() {
            return x;
        }
        x = next;
    }
}

/// Codes (side², `latent`) on a square grid over the plane of two latent dimensions, at quantiles of the prior, so that
/// every cell has the same probability; other dimensions are 0.
///
/// z = Φ⁻¹((i + ½) / side). Row by row as one sees it: the first dimension grows to the right, the second upwards.
/// The plane of the notes' figures 36 to 39.
///
/// # Panics
/// When there are no two such dimensions.
///
/// ```
/// use striate_generative::latent::prior_grid;
///
/// let grid = prior_grid::<f64>(3, 2, [0, 1]);
/// assert_eq!(grid.shape(), [9, 2]);
/// let corner = grid.narrow(0, 0, 1).to_vec();
/// assert!(corner[0] < -0.9 && corner[1] > 0.9);
/// ```
#[track_caller]
pub fn prior_grid<E: Real>(side: usize, latent: usize, dimensions: [usize; 2]) -> Tensor<E> {
    let [across, up] = dimensions;
    let fits = across < latent && up < latent && across != up;
    assert!(fits, "prior_grid: {dimensions:?} are no two of {latent} latent dimensions");
    let quantiles: Vec<E> =
        (0..side).map(|i| E::of(normal_quantile((i as f64 + 0.5) / side as f64))).collect();
    let mut codes = vec![E::zero(); side * side * latent];
    for (cell, code) in codes.chunks_exact_mut(latent).enumerate() {
        code[across] = quantiles[cell % side];
        code[up] = quantiles[side - 1 - cell / side];
    }
    Tensor::from_vec(&[side * side, latent], codes)
}
