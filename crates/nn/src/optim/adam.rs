//! Adam, and Adam with decoupled weight decay.

use striate_tensor::Real;

use super::rule::{OptionError, Rule, update};

/// Adaptive moment estimation (Kingma and Ba 2015). PyTorch's `torch.optim.Adam`.
///
/// g ← g + λ w; m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²;
/// w ← w − η m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ), t the parameter's steps from 1.
///
/// With `amsgrad`, v̂ comes from the largest v so far (Reddi, Kale and Kumar 2018).
///
/// ```
/// use striate_nn::optim::{Adam, AdamOptions};
/// use striate_nn::{Init, ParamStore};
///
/// let store = ParamStore::<f32>::seeded(0);
/// let w = store.root().parameter("w", &[1], Init::Constant(1.0));
/// let mut opt = Adam::new(&store, AdamOptions { lr: 0.1, ..Default::default() });
/// opt.step(&(&w * &w).sum().backward());
/// assert!((w.item() - 0.9).abs() < 1e-6); // the first step has the length of the learning rate
/// ```
pub type Adam<E = f32> = super::Fused<AdamOptions, E>;

/// [`Adam`] with decoupled weight decay (Loshchilov and Hutter 2019). PyTorch's `torch.optim.AdamW`.
///
/// w ← (1 − η λ) w, then as Adam with the gradient as it is.
///
/// ```
/// use striate_nn::optim::{AdamW, AdamWOptions};
/// use striate_nn::ParamStore;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let opt = AdamW::new(&store, AdamWOptions::default());
/// assert_eq!(opt.options(0).weight_decay, 0.01);
/// ```
pub type AdamW<E = f32> = super::Fused<AdamWOptions, E>;

/// Options of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamOptions {
    /// η, the learning rate.
    pub lr: f64,
    /// (β₁, β₂), how much of the moments of the gradient stays.
    pub betas: (f64, f64),
    /// ε, keeps the quotient finite.
    pub eps: f64,
    /// λ, the L2 penalty.
    pub weight_decay: f64,
    /// Whether to divide by the largest second moment so far.
    pub amsgrad: bool,
}

impl Default for AdamOptions {
    fn default() -> Self {
        AdamOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, amsgrad: false }
    }
}

/// Options of [`AdamW`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWOptions {
    /// η, the learning rate.
    pub lr: f64,
    /// (β₁, β₂), how much of the moments of the gradient stays.
    pub betas: (f64, f64),
    /// ε, keeps the quotient finite.
    pub eps: f64,
    /// λ, the decay of the weights: independent of the gradient's moments.
    pub weight_decay: f64,
    /// Whether to divide by the largest second moment so far.
    pub amsgrad: bool,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        AdamWOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 1e-2, amsgrad: false }
    }
}

impl AdamWOptions {
    fn moments(&self) -> AdamOptions {
        AdamOptions {
            lr: self.lr,
            betas: self.betas,
            eps: self.eps,
            weight_decay: self.weight_decay,
            amsgrad: self.amsgrad,
        }
    }
}

impl AdamOptions {
    fn check_as(&self, name: &'static str) -> Result<(), OptionError> {
        OptionError::not_negative(name, "lr", self.lr)?;
        OptionError::fraction(name, "betas.0", self.betas.0)?;
        OptionError::fraction(name, "betas.1", self.betas.1)?;
        OptionError::not_negative(name, "eps", self.eps)?;
        OptionError::not_negative(name, "weight_decay", self.weight_decay)
    }

    /// The equation, where `decayed(w, g)` gives w and g after the weight decay.
    #[inline(always)]
    fn descend<E: Real>(
        &self,
        step: u64,
        w: &mut [E],
        g: &[E],
        state: &mut [&mut [E]],
        decayed: impl Fn(E, E) -> (E, E),
    ) {
        let (beta1, beta2) = self.betas;
        // √v̂ = √v · root, η m̂ = size · m
        let root = E::of((1.0 - beta2.powf(step as f64)).sqrt().recip());
        let size = E::of(self.lr / (1.0 - beta1.powf(step as f64)));
        let (rest1, beta2, rest2, eps) =
            (E::of(1.0 - beta1), E::of(beta2), E::of(1.0 - beta2), E::of(self.eps));
        match state {
            [m, v] => update(
                w,
                g,
                [m, v],
                #[inline(always)]
                |w, g, [m, v]| {
                    let (w, g) = decayed(w, g);
                    let m = m + rest1 * (g - m);
                    let v = beta2 * v + rest2 * g * g;
                    (w - size * m / (v.sqrt() * root + eps), [m, v])
                },
            ),
            [m, v, largest] => update(
                w,
                g,
                [m, v, largest],
                #[inline(always)]
                |w, g, [m, v, largest]| {
                    let (w, g) = decayed(w, g);
                    let m = m + rest1 * (g - m);
                    let v = beta2 * v + rest2 * g * g;
                    let largest = largest.maximum(v);
                    (w - size * m / (largest.sqrt() * root + eps), [m, v, largest])
                },
            ),
            _ => unreachable!("Adam has two slots or three"),
        }
    }
}

fn slots(amsgrad: bool) -> &'static [&'static str] {
    if amsgrad { &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"] } else { &["exp_avg", "exp_avg_sq"] }
}

impl Rule for AdamOptions {
    const OPTIMIZER: &'static str = "Adam";

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn check(&self) -> Result<(), OptionError> {
        self.check_as(Self::OPTIMIZER)
    }

    fn slots(&self) -> &'static [&'static str] {
        slots(self.amsgrad)
    }

    fn update<E: Real>(&self, step: u64, w: &mut [E], g: &[E], state: &mut [&mut [E]]) {
        let decay = E::of(self.weight_decay);
        self.descend(
            step,
            w,
            g,
            state,
            #[inline(always)]
            |w, g| (w, g + decay * w),
        );
    }
}

impl Rule for AdamWOptions {
    const OPTIMIZER: &'static str = "AdamW";

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn check(&self) -> Result<(), OptionError> {
        self.moments().check_as(Self::OPTIMIZER)
    }

    fn slots(&self) -> &'static [&'static str] {
        slots(self.amsgrad)
    }

    fn update<E: Real>(&self, step: u64, w: &mut [E], g: &[E], state: &mut [&mut [E]]) {
        let keep = E::of(1.0 - self.lr * self.weight_decay);
        self.moments().descend(
            step,
            w,
            g,
            state,
            #[inline(always)]
            |w, g| (w * keep, g),
        );
    }
}
