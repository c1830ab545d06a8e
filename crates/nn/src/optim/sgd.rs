//! Stochastic gradient descent.

use striate_tensor::Real;

use super::rule::{OptionError, Rule, update};

/// Stochastic gradient descent with momentum. PyTorch's `torch.optim.SGD`.
///
/// g ← g + λ w; b ← μ b + (1 − τ) g (b ← g in the first step); w ← w − η b, or w − η (g + μ b) with Nesterov's momentum.
///
/// ```
/// use striate_nn::optim::{Sgd, SgdOptions};
/// use striate_nn::{Init, ParamStore};
///
/// let store = ParamStore::<f32>::seeded(0);
/// let w = store.root().parameter("w", &[1], Init::Constant(1.0));
/// let mut opt = Sgd::new(&store, SgdOptions { lr: 0.25, momentum: 0.5, ..Default::default() });
/// for expected in [0.5, 0.0] {
///     opt.step(&(&w * &w).sum().backward());
///     assert_eq!(w.item(), expected);
/// }
/// ```
#[doc(alias = "SGD")]
pub type Sgd<E = f32> = super::Fused<SgdOptions, E>;

/// Options of [`Sgd`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdOptions {
    /// η, the learning rate.
    pub lr: f64,
    /// μ, how much of the last step goes on.
    pub momentum: f64,
    /// τ, how much of the gradient momentum holds back.
    pub dampening: f64,
    /// λ, the L2 penalty.
    pub weight_decay: f64,
    /// Nesterov's momentum: looks one step ahead.
    pub nesterov: bool,
}

impl Default for SgdOptions {
    fn default() -> Self {
        SgdOptions { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false }
    }
}

impl Rule for SgdOptions {
    const OPTIMIZER: &'static str = "Sgd";

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn check(&self) -> Result<(), OptionError> {
        OptionError::not_negative(Self::OPTIMIZER, "lr", self.lr)?;
        OptionError::not_negative(Self::OPTIMIZER, "momentum", self.momentum)?;
        OptionError::require(
            self.dampening.is_finite(),
            Self::OPTIMIZER,
            "dampening",
            "finite",
            self.dampening,
        )?;
        OptionError::not_negative(Self::OPTIMIZER, "weight_decay", self.weight_decay)?;
        let looks_ahead = |option, fits, expected, found| {
            OptionError::require(!self.nesterov || fits, Self::OPTIMIZER, option, expected, found)
        };
        looks_ahead("momentum", self.momentum > 0.0, "positive with nesterov", self.momentum)?;
        looks_ahead("dampening", self.dampening == 0.0, "0 with nesterov", self.dampening)
    }

    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum_buffer"] }
    }

    fn update<E: Real>(&self, step: u64, w: &mut [E], g: &[E], state: &mut [&mut [E]]) {
        let (lr, decay, momentum) = (E::of(self.lr), E::of(self.weight_decay), E::of(self.momentum));
        let fresh = E::of(if step == 1 { 1.0 } else { 1.0 - self.dampening });
        match state {
            [] => update(
                w,
                g,
                [],
                #[inline(always)]
                |w, g, []| (w - lr * (g + decay * w), []),
            ),
            [buffer] if self.nesterov => update(
                w,
                g,
                [buffer],
                #[inline(always)]
                |w, g, [b]| {
                    let g = g + decay * w;
                    let b = momentum * b + g;
                    (w - lr * (g + momentum * b), [b])
                },
            ),
            [buffer, ..] => update(
                w,
                g,
                [buffer],
                #[inline(always)]
                |w, g, [b]| {
                    let b = momentum * b + fresh * (g + decay * w);
                    (w - lr * b, [b])
                },
            ),
        }
    }
}
