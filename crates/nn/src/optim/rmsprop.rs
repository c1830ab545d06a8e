//! RMSprop.

use striate_tensor::Real;

use super::rule::{OptionError, Rule, update};

/// Divides the gradient by a running root mean square (Hinton 2012). PyTorch's `torch.optim.RMSprop`.
///
/// g ← g + λ w; v ← α v + (1 − α) g²; d = g / (√v + ε); w ← w − η d, or with momentum b ← μ b + d; w ← w − η b.
///
/// With `centered`, m ← α m + (1 − α) g, and √(v − m²) takes the place of √v (Graves 2013).
///
/// ```
/// use striate_nn::optim::{RmsProp, RmsPropOptions};
/// use striate_nn::ParamStore;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let opt = RmsProp::new(&store, RmsPropOptions { centered: true, ..Default::default() });
/// assert_eq!(opt.lr(), 0.01);
/// ```
#[doc(alias = "RMSprop")]
pub type RmsProp<E = f32> = super::Fused<RmsPropOptions, E>;

/// Options of [`RmsProp`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsPropOptions {
    /// η, the learning rate.
    pub lr: f64,
    /// α, how much of the mean square stays.
    pub alpha: f64,
    /// ε, keeps the quotient finite.
    pub eps: f64,
    /// λ, the L2 penalty.
    pub weight_decay: f64,
    /// μ, how much of the last step goes on.
    pub momentum: f64,
    /// Whether to divide by the standard deviation instead of the root mean square.
    pub centered: bool,
}

impl Default for RmsPropOptions {
    fn default() -> Self {
        RmsPropOptions { lr: 1e-2, alpha: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false }
    }
}

impl Rule for RmsPropOptions {
    const OPTIMIZER: &'static str = "RmsProp";

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn check(&self) -> Result<(), OptionError> {
        OptionError::not_negative(Self::OPTIMIZER, "lr", self.lr)?;
        OptionError::fraction(Self::OPTIMIZER, "alpha", self.alpha)?;
        OptionError::not_negative(Self::OPTIMIZER, "eps", self.eps)?;
        OptionError::not_negative(Self::OPTIMIZER, "weight_decay", self.weight_decay)?;
        OptionError::not_negative(Self::OPTIMIZER, "momentum", self.momentum)
    }

    fn slots(&self) -> &'static [&'static str] {
        match (self.centered, self.momentum > 0.0) {
            (false, false) => &["square_avg"],
            (true, false) => &["square_avg", "grad_avg"],
            (false, true) => &["square_avg", "momentum_buffer"],
            (true, true) => &["square_avg", "grad_avg", "momentum_buffer"],
        }
    }

    fn update<E: Real>(&self, _step: u64, w: &mut [E], g: &[E], state: &mut [&mut [E]]) {
        let (lr, decay, momentum) = (E::of(self.lr), E::of(self.weight_decay), E::of(self.momentum));
        let (alpha, rest, eps) = (E::of(self.alpha), E::of(1.0 - self.alpha), E::of(self.eps));
        let square = |v: E, g: E| alpha * v + rest * g * g;
        let mean = |m: E, g: E| m + rest * (g - m);
        match (state, self.centered) {
            ([v], _) => update(
                w,
                g,
                [v],
                #[inline(always)]
                |w, g, [v]| {
                    let g = g + decay * w;
                    let v = square(v, g);
                    (w - lr * g / (v.sqrt() + eps), [v])
                },
            ),
            ([v, m], true) => update(
                w,
                g,
                [v, m],
                #[inline(always)]
                |w, g, [v, m]| {
                    let g = g + decay * w;
                    let (v, m) = (square(v, g), mean(m, g));
                    (w - lr * g / ((v - m * m).sqrt() + eps), [v, m])
                },
            ),
            ([v, b], false) => update(
                w,
                g,
                [v, b],
                #[inline(always)]
                |w, g, [v, b]| {
                    let g = g + decay * w;
                    let v = square(v, g);
                    let b = momentum * b + g / (v.sqrt() + eps);
                    (w - lr * b, [v, b])
                },
            ),
            ([v, m, b], _) => update(
                w,
                g,
                [v, m, b],
                #[inline(always)]
                |w, g, [v, m, b]| {
                    let g = g + decay * w;
                    let (v, m) = (square(v, g), mean(m, g));
                    let b = momentum * b + g / ((v - m * m).sqrt() + eps);
                    (w - lr * b, [v, m, b])
                },
            ),
            _ => unreachable!("RmsProp has one slot to three"),
        }
    }
}
