//! Gabor filters: what the simple cells of the visual cortex respond to.

use std::f64::consts::PI;

use striate_tensor::{Array, Real, Tensor};

/// Gabor filters of one size at evenly spaced orientations: bars and edges at θ = 0, π/O, …, on a disc.
///
/// `w(x, y) = exp(−(u² + γ² v²) / (2σ²)) cos(2π u / λ)` with u = x cos θ + y sin θ across the bar and v = y cos θ − x sin θ
/// along it, γ = 0.3, σ = 0.0036 k² + 0.35 k + 0.18, λ = σ / 0.8 for k × k elements; the mean of each filter is then
/// taken off, and its norm made 1. x is the column, y the row, so θ = 0 is a bar that stands.
///
/// The tensor is (orientations, 1, k, k). Serre et al. 2007, table 1; notes, section 5.
///
/// # Panics
/// When the size is even, so that a filter has no middle, or 1.
///
/// ```
/// use striate_vision::gabor_bank;
///
/// let bank = gabor_bank::<f64>(7, 4);
/// assert_eq!(bank.shape(), [4, 1, 7, 7]);
/// assert!(bank.sum().item().abs() < 1e-12);
/// assert!((bank.square().sum().item() - 4.0).abs() < 1e-12);
/// ```
#[track_caller]
pub fn gabor_bank<E: Real>(size: usize, orientations: usize) -> Tensor<E> {
    assert!(size >= 3 && size % 2 == 1, "gabor_bank: the size must be odd and at least 3, is {size}");
    let filters = (0..orientations).flat_map(|o| gabor(size, PI * o as f64 / orientations as f64));
    Array::from_vec(&[orientations, 1, size, size], filters.map(E::of).collect()).into()
}

/// One filter, by rows.
fn gabor(size: usize, theta: f64) -> Vec<f64> {
    let k = size as f64;
    let (aspect, sigma) = (0.3, 0.0036 * k * k + 0.35 * k + 0.18);
    let wavelength = sigma / 0.8;
    let middle = (size / 2) as f64;
    let place = |i: usize| ((i % size) as f64 - middle, (i / size) as f64 - middle);
    let disc = (0..size * size).filter(|&i| place(i).0.hypot(place(i).1) <= middle);
    let disc: Vec<usize> = disc.collect();
    let mut filter = vec![0.0; size * size];
    for &i in &disc {
        let (x, y) = place(i);
        let (u, v) = (x * theta.cos() + y * theta.sin(), y * theta.cos() - x * theta.sin());
        let envelope = (-(u * u + (aspect * v).powi(2)) / (2.0 * sigma * sigma)).exp();
        filter[i] = envelope * (2.0 * PI * u / wavelength).cos();
    }
    let mean = filter.iter().sum::<f64>() / disc.len() as f64;
    disc.iter().for_each(|&i| filter[i] -= mean);
    let norm = filter.iter().map(|w| w * w).sum::<f64>().sqrt();
    filter.iter_mut().for_each(|w| *w /= norm);
    filter
}
