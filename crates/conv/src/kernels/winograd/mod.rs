//! Convolutions with a 3×3 kernel and stride 1 by Winograd's minimal filtering.
//!
//! y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A
//!
//! A tile of m × m outputs needs (m + 2)² products instead of 9 m², summed over channels: a matrix product for each of
//! the (m + 2)² frequencies. The gradient of the weights is the adjoint of this, step by step:
//! dg = Gᵀ[Σ (A dy Aᵀ) ⊙ (Bᵀ d B)]G. The gradient of the input is a convolution of dy again.
//!
//! # Numbers
//! Largest error over the largest result in `f32`, on unit normal x, w and dy: under 2·10⁻⁶ for F(2×2), no worse than the
//! sum as it is written; under 1.2·10⁻⁵ for F(4×4), about ten times the sum's. NaN, an infinity, or a number above a
//! hundredth of the largest `f32`, spoils the whole tiles that read it, not only the outputs around it.
//!
//! # Memory
//! Up to about 40 MiB of scratch, or 20 MiB and 6 MiB for each thread where there are many channels; less on few threads.
//!
//! A. Lavin, S. Gray: Fast Algorithms for Convolutional Neural Networks, 2016.

mod forward;
mod gather;
mod kernels;
mod layout;
mod scatter;
#[cfg(test)]
mod tests;
mod tiles;
mod transforms;
mod weight_gradient;

use std::array::from_fn;

use striate_compute::Real;

use crate::Geometry;
use forward::Forward;
pub(crate) use kernels::Weights;
use tiles::Tiles;
use transforms::{F2, F4};
use weight_gradient::WeightGradient;

/// Size of the tiles: larger ones save more products and lose more digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tile {
    /// F(2×2, 3×3): 16 products for 4 outputs instead of 36.
    Two,
    /// F(4×4, 3×3): 36 products for 16 outputs instead of 144.
    Four,
}

impl Tile {
    /// Outputs along an axis.
    fn outputs(self) -> usize {
        match self {
            Tile::Two => 2,
            Tile::Four => 4,
        }
    }
}

/// Whether a geometry is a two-dimensional convolution with a 3×3 kernel and stride 1, of any padding, dilation and groups.
pub(crate) fn supports(g: &Geometry) -> bool {
    let flat = g.input[0] == 1 && g.output[0] == 1 && g.padding[0] == 0;
    flat && g.kernel == [1, 3, 3] && g.stride == [1, 1, 1]
}

/// The faster tile: the one with fewer products, where transforming the weights of two channels costs as much as the
/// products of 32 tiles.
pub(crate) fn best_tile(g: &Geometry) -> Tile {
    let cost = |tile: Tile| {
        let products = (tile.outputs() + 2).pow(2);
        Tiles::new(g, tile.outputs()).count().saturating_add(32).saturating_mul(products)
    };
    if cost(Tile::Two) <= cost(Tile::Four) { Tile::Two } else { Tile::Four }
}

/// y ← x ⋆ w + bias + β·y; β = 0 overwrites y, whatever it holds.
///
/// # Shapes
/// x, y and w as the geometry says, without gaps; bias (features).
///
/// # Panics
/// When the geometry is not [supported](supports), or a slice is too short for it.
pub(crate) fn forward<E: Real>(
    g: &Geometry,
    tile: Tile,
    x: &[E],
    w: Weights<E>,
    bias: Option<&[E]>,
    beta: E,
    y: &mut [E],
) {
    assert!(supports(g), "winograd: not a 3×3 convolution of stride 1: {g:?}");
    if y.is_empty() {
        return;
    }
    let problem = Forward { g, tiles: Tiles::new(g, tile.outputs()), x, w, bias, beta };
    match tile {
        Tile::Two => problem.run::<F2, 2, 4>(y),
        Tile::Four => problem.run::<F4, 4, 6>(y),
    }
}

/// The convolution that takes dy to dx with [adjoint](Weights::Adjoint) weights: features and channels change places, and padding is what the window leaves.
pub(crate) fn adjoint(g: &Geometry) -> Geometry {
    Geometry {
        channels: g.features,
        features: g.channels,
        input: g.output,
        output: g.input,
        padding: from_fn(|axis| (g.dilation[axis] * (g.kernel[axis] - 1)) as isize - g.padding[axis]),
        ..*g
    }
}

/// dw ← ∂L/∂w + β·dw; β = 0 overwrites dw, whatever it holds.
///
/// # Panics
/// As [`forward()`].
pub(crate) fn weight_gradient<E: Real>(g: &Geometry, tile: Tile, x: &[E], dy: &[E], beta: E, dw: &mut [E]) {
    assert!(supports(g), "winograd: not a 3×3 convolution of stride 1: {g:?}");
    if dw.is_empty() {
        return;
    }
    if dy.is_empty() {
        return dw.iter_mut().for_each(|dw| *dw = if beta == E::zero() { E::zero() } else { beta * *dw });
    }
    let problem = WeightGradient { g, tiles: Tiles::new(g, tile.outputs()), x, dy, beta };
    match tile {
        Tile::Two => problem.run::<F2, 2, 4>(dw),
        Tile::Four => problem.run::<F4, 4, 6>(dw),
    }
}
