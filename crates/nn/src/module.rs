//! What layers and networks have in common.

use striate_tensor::{Real, Tensor};

/// A map from a tensor to a tensor with parameters of its own. PyTorch's `nn.Module`.
///
/// Every function on tensors is a module, so `Tensor::relu` stands in a [`Sequential`] as it is.
pub trait Module<E: Real = f32>: Send + Sync {
    /// The output for `x`.
    ///
    /// # Panics
    /// When `x` has a shape that the module does not take.
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E>;
}

impl<E: Real, F: Fn(&Tensor<E>) -> Tensor<E> + Send + Sync> Module<E> for F {
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        self(x)
    }
}

/// Modules one after the other: y = fₙ(… f₂(f₁(x))). PyTorch's `nn.Sequential`.
#[derive(Default)]
pub struct Sequential<E: Real = f32> {
    modules: Vec<Box<dyn Module<E>>>,
}

impl<E: Real> Sequential<E> {
    /// No module yet: the identity.
    pub fn new() -> Self {
        Sequential { modules: Vec::new() }
    }

    /// Appends a module.
    pub fn then(mut self, module: impl Module<E> + 'static) -> Self {
        self.modules.push(Box::new(module));
        self
    }
}

impl<E: Real> Module<E> for Sequential<E> {
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        self.modules.iter().fold(x.clone(), |x, module| module.forward(&x))
    }
}
