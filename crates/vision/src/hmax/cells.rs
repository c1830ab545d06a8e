//! Simple cells, which are specific, and complex cells, which are invariant.

use striate_conv::{ConvOptions, PoolOptions, conv2d, global_max_pool, max_pool2d};
use striate_tensor::{Real, Tensor};

/// Added to a window's energy, so that a dark window gives 0 and not 0/0.
const DARKNESS: f64 = 1e-6;

/// The first simple cells: how much each window of an image looks like each filter, whatever the contrast.
///
/// `y = |Σ w_j x_j| / √(Σ x_j²)` for filters of norm 1, so y is in [0, 1].
///
/// x (N, 1, H, W), `filters` (O, 1, k, k) → (N, O, H, W); beyond the image it is dark. Serre et al. 2007.
///
/// # Panics
/// When the shapes do not fit.
#[track_caller]
pub fn s1_cells<E: Real>(x: &Tensor<E>, filters: &Tensor<E>) -> Tensor<E> {
    let k = filters.shape()[2];
    let same = ConvOptions { padding: (k / 2).into(), ..Default::default() };
    let energy = conv2d(&x.square(), &Tensor::ones(&[1, 1, k, k]), None, &same).clamp(0.0, None);
    conv2d(x, filters, None, &same).abs() / (energy + DARKNESS).sqrt()
}

/// Simple cells that are tuned to a prototype each: how close every window of a map is to it.
///
/// `y = exp(−1/(2σ²) Σ (w_j − x_j)²)`, computed as Σ w² − 2 Σ w x + Σ x²; y is in [0, 1], and 1 for the prototype itself.
///
/// x (N, C, H, W), prototypes w (P, C, k, k) → (N, P, H − k + 1, W − k + 1). Riesenhuber and Poggio 1999; notes, section 5.
///
/// # Panics
/// When the shapes do not fit, or σ is not positive.
///
/// ```
/// use striate_tensor::Tensor;
/// use striate_vision::s_cells;
///
/// let w = Tensor::<f64>::from_vec(&[1, 1, 1, 2], vec![1.0, 0.0]);
/// let x = Tensor::from_vec(&[1, 1, 1, 3], vec![1.0, 0.0, 2.0]);
/// let y = s_cells(&x, &w, 2.0).to_vec();
/// assert_eq!(y[0], 1.0);
/// assert!((y[1] - (-5.0 / 8.0f64).exp()).abs() < 1e-12);
/// ```
#[track_caller]
pub fn s_cells<E: Real>(x: &Tensor<E>, prototypes: &Tensor<E>, sigma: f64) -> Tensor<E> {
    assert!(sigma > 0.0, "s_cells: σ must be positive, is {sigma}");
    let plain = ConvOptions::default();
    let &[_, channels, height, width] = prototypes.shape() else {
        panic!("s_cells: prototypes must be (P, C, k, k), are {:?}", prototypes.shape());
    };
    let ww = prototypes.square().sum_dim(&[1, 2, 3], false).reshape(&[1, -1, 1, 1]);
    let wx = conv2d(x, prototypes, None, &plain);
    let xx = conv2d(&x.square(), &Tensor::ones(&[1, channels, height, width]), None, &plain);
    let distance = (ww - wx * 2.0 + xx).clamp(0.0, None);
    (distance * (-0.5 / (sigma * sigma))).exp()
}

/// Complex cells: y = max y_j over several maps, which differ in scale, and over squares of `pool` places, half of which
/// overlap with the next.
///
/// Maps (N, C, H, W) → (N, C, H', W').
///
/// # Panics
/// When there is no map, they differ in shape, or are smaller than the square.
#[track_caller]
pub(super) fn c_cells<E: Real>(maps: &[Tensor<E>], pool: usize) -> Tensor<E> {
    let (first, rest) = maps.split_first().expect("there is a map");
    let largest = rest.iter().fold(first.clone(), |y, map| y.maximum(map));
    let stride = Some([stride(pool); 2]);
    max_pool2d(&largest, PoolOptions { stride, ..pool.into() })
}

/// Places from one square of complex cells to the next.
pub(super) fn stride(pool: usize) -> usize {
    (pool / 2).max(1)
}

/// Complex cells that see everything: y = max y_j over all places of several maps (N, P, ·, ·) → (N, P).
#[track_caller]
pub(super) fn global_c_cells<E: Real>(maps: impl Iterator<Item = Tensor<E>>) -> Tensor<E> {
    maps.map(|map| global_max_pool(&map)).reduce(|y, z| y.maximum(&z)).expect("there is a map")
}
