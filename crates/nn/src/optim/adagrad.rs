//! Adagrad.

use striate_tensor::Real;

use super::rule::{OptionError, Rule, update};

/// Divides the gradient by the root of the sum of all its squares (Duchi, Hazan and Singer 2011).
/// PyTorch's `torch.optim.Adagrad`.
///
/// g ← g + λ w; s ← s + g²; w ← w − η / (1 + (t − 1) ρ) · g / (√s + ε), t the parameter's steps from 1.
///
/// ```
/// use striate_nn::optim::{Adagrad, AdagradOptions};
/// use striate_nn::{Init, ParamStore};
///
/// let store = ParamStore::<f32>::seeded(0);
/// let w = store.root().parameter("w", &[1], Init::Constant(1.0));
/// let mut opt = Adagrad::new(&store, AdagradOptions { lr: 0.5, ..Default::default() });
/// opt.step(&(&w * &w).sum().backward());
/// assert_eq!(w.item(), 0.5);
/// ```
pub type Adagrad<E = f32> = super::Fused<AdagradOptions, E>;

/// Options of [`Adagrad`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdagradOptions {
    /// η, the learning rate.
    pub lr: f64,
    /// ρ, how fast the learning rate falls.
    pub lr_decay: f64,
    /// λ, the L2 penalty.
    pub weight_decay: f64,
    /// What the sum of squares starts from.
    pub initial_accumulator_value: f64,
    /// ε, keeps the quotient finite.
    pub eps: f64,
}

impl Default for AdagradOptions {
    fn default() -> Self {
        AdagradOptions {
            lr: 1e-2,
            lr_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
        }
    }
}

impl Rule for AdagradOptions {
    const OPTIMIZER: &'static str = "Adagrad";

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn check(&self) -> Result<(), OptionError> {
        OptionError::not_negative(Self::OPTIMIZER, "lr", self.lr)?;
        OptionError::not_negative(Self::OPTIMIZER, "lr_decay", self.lr_decay)?;
        OptionError::not_negative(Self::OPTIMIZER, "weight_decay", self.weight_decay)?;
        let initial = self.initial_accumulator_value;
        OptionError::not_negative(Self::OPTIMIZER, "initial_accumulator_value", initial)?;
        OptionError::not_negative(Self::OPTIMIZER, "eps", self.eps)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["sum"]
    }

    fn initial(&self) -> f64 {
        self.initial_accumulator_value
    }

    fn update<E: Real>(&self, step: u64, w: &mut [E], g: &[E], state: &mut [&mut [E]]) {
        let lr = E::of(self.lr / (1.0 + (step - 1) as f64 * self.lr_decay));
        let (decay, eps) = (E::of(self.weight_decay), E::of(self.eps));
        let [sum] = state else { unreachable!("Adagrad has one slot") };
        update(
            w,
            g,
            [sum],
            #[inline(always)]
            |w, g, [s]| {
                let g = g + decay * w;
                let s = s + g * g;
                (w - lr * g / (s.sqrt() + eps), [s])
            },
        );
    }
}
