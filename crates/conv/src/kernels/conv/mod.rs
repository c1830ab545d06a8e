//! Convolution of slices: y, and the gradients with respect to x, w and b, by several algorithms.
//!
//! ```
//! use striate_conv::kernels::conv::{self, ConvAlgorithm};
//! use striate_conv::{ConvOptions, Geometry};
//!
//! let options = ConvOptions { padding: 1.into(), ..Default::default() };
//! let g = Geometry::new::<2>(&[1, 1, 3, 3], &[1, 1, 3, 3], &options)?;
//! let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
//! let mut y = [0.0; 9];
//! conv::forward(&g, ConvAlgorithm::Auto, &x, &[1.0; 9], None, &mut y);
//! assert_eq!(y, [12.0, 21.0, 16.0, 27.0, 45.0, 33.0, 24.0, 39.0, 28.0]);
//! # Ok::<(), striate_conv::GeometryError>(())
//! ```

mod bordered;
mod columns;
mod depthwise;
mod direct;
mod im2col;
mod input_gradient;
mod matrix;
mod output;
mod phases;
pub mod reference;
#[cfg(test)]
mod tests;

use striate_compute::{Real, map, par};

use super::winograd;
use crate::Geometry;
use output::Tile;

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ConvAlgorithm {
    /// The fastest one for the shape, by a table that the benches justify.
    #[default]
    Auto,
    /// The definition, some neighbouring places at once: for few channels. In the gradient of the weights an infinity
    /// or NaN in x spoils all taps of its channel.
    Direct,
    /// A matrix product with columns (im2col), a tile of the cache's size at a time: windows of x that are read where they
    /// lie, or copies where lines are short. A 1×1 kernel needs neither.
    Im2col,
    /// The product with the sparse matrix of [`convolution_matrix`](crate::matrix::convolution_matrix), to see what it is;
    /// for sizes within its limits.
    Matrix,
    /// Winograd's minimal filtering F(4×4, 3×3) or F(2×2, 3×3): 3×3 kernels with stride 1 only.
    Winograd,
}

/// Features up to which a product would compute on too few rows at once.
const FEW: usize = 2;
/// Channels from which transforming a tile costs less than the products it saves.
const MANY: usize = 16;

impl ConvAlgorithm {
    /// Whether the algorithm computes such a convolution.
    pub fn supports(self, g: &Geometry) -> bool {
        match self {
            ConvAlgorithm::Auto | ConvAlgorithm::Im2col => true,
            ConvAlgorithm::Direct => bordered::supports(g),
            ConvAlgorithm::Matrix => crate::matrix::fits(g),
            ConvAlgorithm::Winograd => winograd::supports(g),
        }
    }

    fn chosen(self, g: &Geometry) -> Self {
        match self {
            ConvAlgorithm::Auto if g.group_features() <= FEW && bordered::supports(g) => {
                ConvAlgorithm::Direct
            }
            ConvAlgorithm::Auto
                if winograd::supports(g) && g.group_channels().min(g.group_features()) >= MANY =>
            {
                ConvAlgorithm::Winograd
            }
            ConvAlgorithm::Auto => ConvAlgorithm::Im2col,
            algorithm => algorithm,
        }
    }

    /// What computes some places of a convolution of stride 1 that is part of another one.
    fn for_tiles(self, g: &Geometry) -> Self {
        match self.chosen(g) {
            ConvAlgorithm::Direct if bordered::supports(g) => ConvAlgorithm::Direct,
            _ => ConvAlgorithm::Im2col,
        }
    }
}

/// The weights of all groups, in the order in which an algorithm reads them.
enum Engine<E: Real> {
    Direct(Vec<direct::Weights<E>>),
    Im2col(Vec<im2col::Weights<E>>),
}

impl<E: Real> Engine<E> {
    fn new(g: &Geometry, algorithm: ConvAlgorithm, w: &[E]) -> Self {
        let groups = w.chunks_exact(g.group_features() * g.group_channels() * g.taps());
        if algorithm == ConvAlgorithm::Direct {
            Engine::Direct(groups.map(|w| direct::Weights::new(w)).collect())
        } else {
            Engine::Im2col(groups.map(|w| im2col::Weights::new(g, w)).collect())
        }
    }

    fn tile(&self, g: &Geometry, x: &[E], beta: E, tile: &mut Tile<E>) {
        let len = g.group_channels() * g.input_size();
        let x = &x[(tile.image * g.groups + tile.group) * len..][..len];
        match self {
            Engine::Direct(weights) => weights[tile.group].tile(g, x, beta, tile),
            Engine::Im2col(weights) => weights[tile.group].tile(g, x, beta, tile),
        }
    }
}

#[track_caller]
fn check<E>(g: &Geometry, algorithm: ConvAlgorithm, x: &[E], w: &[E], y: &[E]) {
    assert!(algorithm.supports(g), "conv: {algorithm:?} does not compute {g:?}");
    let sizes = [
        ("x", x.len(), g.batch * g.channels * g.input_size()),
        ("w", w.len(), g.features * g.group_channels() * g.taps()),
        ("y", y.len(), g.batch * g.features * g.output_size()),
    ];
    for (name, len, expected) in sizes {
        assert!(len == expected, "conv: {name} has {len} elements, not {expected} ({g:?})");
    }
}

/// y ← b + x ⋆ w
///
/// x (N, C, *), w (O, C / groups, *), b (O), y (N, O, *), all row-major. PyTorch: `F.conv2d`.
///
/// # Panics
/// When a slice's length is not what the geometry says, or the algorithm does not support it.
#[track_caller]
pub fn forward<E: Real>(
    g: &Geometry,
    algorithm: ConvAlgorithm,
    x: &[E],
    w: &[E],
    bias: Option<&[E]>,
    y: &mut [E],
) {
    forward_onto(g, algorithm, x, w, bias, E::zero(), y);
}

/// y ← β·y + b + x ⋆ w
///
/// # Panics
/// As [`forward`].
#[track_caller]
pub fn forward_onto<E: Real>(
    g: &Geometry,
    algorithm: ConvAlgorithm,
    x: &[E],
    w: &[E],
    bias: Option<&[E]>,
    beta: E,
    y: &mut [E],
) {
    check(g, algorithm, x, w, y);
    run(g, algorithm, x, w, bias, beta, y);
}

fn run<E: Real>(
    g: &Geometry,
    algorithm: ConvAlgorithm,
    x: &[E],
    w: &[E],
    bias: Option<&[E]>,
    beta: E,
    y: &mut [E],
) {
    let algorithm = algorithm.chosen(g);
    if algorithm == ConvAlgorithm::Winograd {
        return winograd::forward(g, winograd::best_tile(g), x, winograd::Weights::Direct(w), bias, beta, y);
    }
    if algorithm == ConvAlgorithm::Matrix {
        matrix::forward(g, x, w, beta, y);
        return output::add_bias(bias, g.output_size(), y);
    }
    let direct = algorithm == ConvAlgorithm::Direct;
    let step = if direct { direct::tile_places(g) } else { im2col::tile_places(g) };
    let mut tiles = output::tiles(g, step, bias, y);
    let engine = (g.group_channels() > 0 && !tiles.is_empty()).then(|| Engine::new(g, algorithm, w));
    par::pieces_mut(&mut tiles, 1, |_, tile| match &engine {
        Some(engine) => engine.tile(g, x, beta, &mut tile[0]),
        None => tile[0].empty(beta),
    });
}

/// dx ← β·dx + ∂L/∂x, which is also β·dx + b + the transposed convolution of dy.
///
/// Shapes as in [`forward`], b (C). PyTorch: `F.conv_transpose2d`.
///
/// # Panics
/// As [`forward`].
#[track_caller]
pub fn input_gradient<E: Real>(
    g: &Geometry,
    algorithm: ConvAlgorithm,
    w: &[E],
    dy: &[E],
    bias: Option<&[E]>,
    beta: E,
    dx: &mut [E],
) {
    check(g, algorithm, dx, w, dy);
    if dx.is_empty() || dy.is_empty() {
        reference::scale(dx, beta);
        return output::add_bias(bias, g.input_size(), dx);
    }
    let algorithm = algorithm.chosen(g);
    if algorithm == ConvAlgorithm::Winograd {
        let g = winograd::adjoint(g);
        return winograd::forward(
            &g,
            winograd::best_tile(&g),
            dy,
            winograd::Weights::Adjoint(w),
            bias,
            beta,
            dx,
        );
    }
    if algorithm == ConvAlgorithm::Matrix {
        matrix::input_gradient(g, w, dy, beta, dx);
        return output::add_bias(bias, g.input_size(), dx);
    }
    let parts = phases::parts(g, w);
    if let [part] = &parts[..]
        && let ([_], Some(w)) = (&part.phases[..], &part.weights)
    {
        return run(&part.geometry, algorithm, dy, w, bias, beta, dx);
    }
    input_gradient::interleave(g, algorithm, &parts, dy, bias, beta, dx);
}

/// dw ← β·dw + ∂L/∂w
///
/// Shapes as in [`forward`].
///
/// # Panics
/// As [`forward`].
#[track_caller]
pub fn weight_gradient<E: Real>(
    g: &Geometry,
    algorithm: ConvAlgorithm,
    x: &[E],
    dy: &[E],
    beta: E,
    dw: &mut [E],
) {
    check(g, algorithm, x, dw, dy);
    if x.is_empty() || dy.is_empty() {
        return reference::scale(dw, beta);
    }
    match algorithm.chosen(g) {
        ConvAlgorithm::Direct => direct::weight_gradient(g, x, dy, beta, dw),
        ConvAlgorithm::Matrix => matrix::weight_gradient(g, x, dy, beta, dw),
        ConvAlgorithm::Winograd => winograd::weight_gradient(g, winograd::best_tile(g), x, dy, beta, dw),
        _ => im2col::weight_gradient(g, x, dy, beta, dw),
    }
}

/// db ← β·db + Σ dy over images and places
///
/// dy (N, O, *), db (O).
///
/// # Panics
/// When a slice's length is not what the geometry says.
#[track_caller]
pub fn bias_gradient<E: Real>(g: &Geometry, dy: &[E], beta: E, db: &mut [E]) {
    assert_eq!(db.len(), g.features, "conv: length of db");
    assert_eq!(dy.len(), g.batch * g.features * g.output_size(), "conv: length of dy");
    let plane = g.output_size();
    par::pieces_mut(db, 1, |f, db| {
        let planes = (0..g.batch).map(|n| &dy[(n * g.features + f) * plane..][..plane]);
        let sum = planes.map(|dy| map::reduce_piece(dy, E::zero(), |a, b| a + b)).sum::<E>();
        db[0] = if beta == E::zero() { sum } else { beta * db[0] + sum };
    });
}
