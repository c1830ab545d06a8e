//! The two affine maps of a cell.

use striate_nn::layers::linear::linear;
use striate_nn::{Init, Path};
use striate_tensor::{Array, Real, Tensor};

use super::options::CellOptions;

/// W_ih x + b_ih and W_hh h + b_hh of a cell, with the blocks of its gates below one another.
#[derive(Clone)]
pub struct Parameters<E: Real = f32> {
    /// W_ih (gates · H, I), `weight_ih` in the store.
    pub weight_ih: Tensor<E>,
    /// W_hh (gates · H, H), `weight_hh` in the store; (gates · H, P) where h is projected.
    pub weight_hh: Tensor<E>,
    /// b_ih (gates · H), `bias_ih` in the store.
    pub bias_ih: Option<Tensor<E>>,
    /// b_hh (gates · H), `bias_hh` in the store.
    pub bias_hh: Option<Tensor<E>>,
}

impl<E: Real> Parameters<E> {
    /// W_ih x + b_ih (N, gates · H)
    #[track_caller]
    pub(super) fn of_input(&self, x: &Tensor<E>) -> Tensor<E> {
        linear(x, &self.weight_ih, self.bias_ih.as_ref())
    }

    /// W_hh h + b_hh (N, gates · H)
    #[track_caller]
    pub(super) fn of_hidden(&self, h: &Tensor<E>) -> Tensor<E> {
        linear(h, &self.weight_hh, self.bias_hh.as_ref())
    }

    /// I, the features of x.
    pub(crate) fn input(&self) -> usize {
        self.weight_ih.shape()[1]
    }

    /// H, the features of h; P where h is projected.
    pub(crate) fn hidden(&self) -> usize {
        self.weight_hh.shape()[1]
    }
}

/// The gates of a kind of cell.
#[derive(Clone, Copy)]
pub(crate) struct Gates {
    /// How many there are.
    pub(crate) count: usize,
    /// Which of them forgets.
    pub(crate) forget: Option<usize>,
}

/// One map and no gate.
pub(crate) const RNN: Gates = Gates { count: 1, forget: None };
/// i, f, g, o
pub(crate) const LSTM: Gates = Gates { count: 4, forget: Some(1) };
/// r, z, n
pub(crate) const GRU: Gates = Gates { count: 3, forget: None };

/// Features of what [`Parameters`] map.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// I, of x.
    pub(crate) input: usize,
    /// H, of a gate.
    pub(crate) hidden: usize,
    /// Of h: H, or P where h is projected.
    pub(crate) recurrent: usize,
}

/// Parameters named as in PyTorch, `weight_ih` and so on with `suffix` behind, that start from U(±1/√H) or as the
/// options say.
///
/// # Panics
/// When a forget bias is asked for without a forget gate or without biases, and as [`Path::parameter`].
#[track_caller]
pub(crate) fn parameters<E: Real>(
    path: &Path<E>,
    suffix: &str,
    gates: Gates,
    Sizes { input, hidden, recurrent }: Sizes,
    options: CellOptions,
) -> Parameters<E> {
    options.check(gates);
    let CellOptions { bias, forget_bias, recurrent_init } = options;
    let rows = gates.count * hidden;
    let init = Init::fan_in(hidden);
    let name = |name: &str| format!("{name}{suffix}");
    Parameters {
        weight_ih: path.parameter(&name("weight_ih"), &[rows, input], init),
        weight_hh: path.parameter_with(&name("weight_hh"), &[rows, recurrent], |rng| {
            let block = recurrent_init.unwrap_or(init);
            let blocks = (0..gates.count).flat_map(|_| block.draw(&[hidden, recurrent], rng).to_vec());
            Array::from_vec(&[rows, recurrent], blocks.collect())
        }),
        bias_ih: bias.then(|| gate_bias(path, &name("bias_ih"), gates, hidden, forget_bias)),
        bias_hh: bias.then(|| gate_bias(path, &name("bias_hh"), gates, hidden, forget_bias.map(|_| 0.0))),
    }
}

/// A bias (gates · H) from U(±1/√H), in which the forget gate's block is `forget`.
#[track_caller]
pub(super) fn gate_bias<E: Real>(
    path: &Path<E>,
    name: &str,
    gates: Gates,
    hidden: usize,
    forget: Option<f64>,
) -> Tensor<E> {
    let shape = [gates.count * hidden];
    path.parameter_with(name, &shape, |rng| {
        let mut bias = Init::fan_in(hidden).draw(&shape, rng);
        if let (Some(gate), Some(value)) = (gates.forget, forget) {
            bias.make_mut()[gate * hidden..][..hidden].fill(E::of(value));
        }
        bias
    })
}

/// y + b
#[track_caller]
pub(super) fn shift<E: Real>(y: Tensor<E>, bias: Option<&Tensor<E>>) -> Tensor<E> {
    match bias {
        Some(bias) => y + bias,
        None => y,
    }
}
