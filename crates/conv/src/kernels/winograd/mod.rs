//! Winograd.

#![allow(dead_code, reason = "the convolution that chooses between algorithms calls it")]

mod blocks;
mod forward;
mod kernels;
#[cfg(test)]
mod tests;
mod tiles;
mod transforms;
mod weight_gradient;

use striate_compute::Real;

use crate::Geometry;
use forward::Forward;
pub(crate) use kernels::Weights;
use tiles::Tiles;
use transforms::{F2, F4};
use weight_gradient::WeightGradient;

/// Size of the tiles: more outputs save more products and lose more digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tile {
    /// F(2×2, 3×3): 16 products for 4 outputs instead of 36.
    Two,
    /// F(4×4, 3×3): 36 products for 16 outputs instead of 144.
    Four,
}

/// Whether a geometry is a two-dimensional convolution with a 3×3 kernel and stride 1.
pub(crate) fn supports(g: &Geometry) -> bool {
    let flat = g.input[0] == 1 && g.output[0] == 1 && g.padding[0] == 0;
    flat && g.kernel == [1, 3, 3] && g.stride == [1, 1, 1]
}

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
    let m = match tile {
        Tile::Two => 2,
        Tile::Four => 4,
    };
    let problem = Forward { g, tiles: Tiles::new(g, m), x, w, bias, beta };
    match tile {
        Tile::Two => problem.run::<F2, 2, 4>(y),
        Tile::Four => problem.run::<F4, 4, 6>(y),
    }
}

pub(crate) fn weight_gradient<E: Real>(g: &Geometry, tile: Tile, x: &[E], dy: &[E], beta: E, dw: &mut [E]) {
    assert!(supports(g), "winograd: not a 3×3 convolution of stride 1: {g:?}");
    if dw.is_empty() {
        return;
    }
    if dy.is_empty() {
        return dw.iter_mut().for_each(|dw| *dw = if beta == E::zero() { E::zero() } else { beta * *dw });
    }
    let m = match tile {
        Tile::Two => 2,
        Tile::Four => 4,
    };
    let problem = WeightGradient { g, tiles: Tiles::new(g, m), x, dy, beta };
    match tile {
        Tile::Two => problem.run::<F2, 2, 4>(dw),
        Tile::Four => problem.run::<F4, 4, 6>(dw),
    }
}

pub(crate) fn input_gradient<E: Real>(g: &Geometry, tile: Tile, dy: &[E], w: &[E], beta: E, dx: &mut [E]) {
    forward(&adjoint(g), tile, dy, Weights::Adjoint(w), None, beta, dx);
}

fn adjoint(g: &Geometry) -> Geometry {
    let padding =
        std::array::from_fn(|axis| (g.dilation[axis] * (g.kernel[axis] - 1)) as isize - g.padding[axis]);
    Geometry { channels: g.features, features: g.channels, input: g.output, output: g.input, padding, ..*g }
}
