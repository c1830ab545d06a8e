//! How gradients vanish and explode in time, as numbers to draw a figure from. In f64, one sequence at a time.
//!
//! ∂L_t/∂W = Σ_(k ≤ t) ∂L_t/∂h_t · ∂h_t/∂h_k · ∂⁺h_k/∂W, where ∂⁺ takes h_(k−1) for a constant, and
//! ∂h_t/∂h_k = ∏_(i = t, …, k+1) ∂h_i/∂h_(i−1).
//!
//! * [`Jacobians`]: ∂h_t/∂h_k of any cell, and its norm, for all t and k.
//! * [`gradients_by_step`]: ∂L_t/∂W of any cell, for all t.
//! * [`RnnTrace`]: of the plain RNN, the terms of the sum above, the Jacobian of a step, and the bound of its norm.
//! * [`LinearRecurrence`]: h_t = Wᵗ h_0 through the eigenvalues of W.
//! * [`spectral_norm`], [`eigenvalues`] and [`spectral_radius`] of a matrix.
//!
//! What helps against explosion is [`striate_nn::clip`]; against vanishing, the gates of an LSTM or a GRU.
//!
//! The notes, section 7, figures 22 and 23. Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013.

mod by_step;
mod jacobian;
mod linear;
mod rnn;
mod spectrum;

pub use by_step::gradients_by_step;
pub use jacobian::Jacobians;
pub use linear::LinearRecurrence;
pub use rnn::RnnTrace;
pub use spectrum::{EigenError, eigenvalues, spectral_norm, spectral_radius};
