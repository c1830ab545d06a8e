//! Optimisers: each an update rule, all stepped by one fused pass over all parameters.
//!
//! A [`Rule`] is the options of an optimiser and its equation; [`Fused`] walks the parameters, their gradients and
//! the rule's state in pieces of a fixed size, in parallel, in place, reading and writing each number once.
//! [`Sgd`], [`Adam`], [`AdamW`], [`RmsProp`] and [`Adagrad`] are PyTorch's, with its defaults.
//!
//! ```
//! use striate_nn::optim::{Adam, AdamOptions};
//! use striate_nn::{Linear, Module, ParamStore};
//! use striate_tensor::Tensor;
//!
//! let store = ParamStore::<f32>::seeded(0);
//! let layer = Linear::new(&store.root(), 3, 1);
//! let mut opt = Adam::new(&store, AdamOptions { lr: 0.1, ..Default::default() });
//!
//! let loss = || layer.forward(&Tensor::ones(&[4, 3])).sum();
//! let before = loss().item();
//! opt.step(&loss().backward());
//! assert!(loss().item() < before);
//! ```
//!
//! An optimiser of one's own is one `impl` of [`Rule`]:
//!
//! ```
//! use striate_nn::optim::{Fused, OptionError, Rule, update};
//! use striate_nn::{Init, ParamStore};
//! use striate_tensor::Real;
//!
//! /// w ← w − lr · sign(g)
//! #[derive(Clone)]
//! struct SignDescent {
//!     lr: f64,
//! }
//!
//! impl Rule for SignDescent {
//!     const OPTIMIZER: &'static str = "SignDescent";
//!
//!     fn lr(&self) -> f64 {
//!         self.lr
//!     }
//!     fn set_lr(&mut self, lr: f64) {
//!         self.lr = lr;
//!     }
//!     fn check(&self) -> Result<(), OptionError> {
//!         Ok(())
//!     }
//!     fn slots(&self) -> &'static [&'static str] {
//!         &[]
//!     }
//!     fn update<E: Real>(&self, _step: u64, w: &mut [E], g: &[E], _state: &mut [&mut [E]]) {
//!         let lr = E::of(self.lr);
//!         update(w, g, [], #[inline(always)] |w, g, []| (if g > E::zero() { w - lr } else { w + lr }, []));
//!     }
//! }
//!
//! let store = ParamStore::<f32>::seeded(0);
//! let w = store.root().parameter("w", &[2], Init::Constant(1.0));
//! let mut opt = Fused::new(&store, SignDescent { lr: 0.25 });
//! opt.step(&(&w * &w).sum().backward());
//! assert_eq!(w.to_vec(), [0.75, 0.75]);
//! ```

mod adagrad;
mod adam;
mod fused;
mod rmsprop;
mod rule;
mod sgd;
mod state;

pub use adagrad::{Adagrad, AdagradOptions};
pub use adam::{Adam, AdamOptions, AdamW, AdamWOptions};
pub use fused::{Fused, Optimizer};
pub use rmsprop::{RmsProp, RmsPropOptions};
pub use rule::{OptionError, Rule, update};
pub use sgd::{Sgd, SgdOptions};
pub use state::StateError;
