use striate_tensor::{Real, Tensor};

/// What a cell carries from one step to the next: h, or (h, c).
pub trait State<E: Real>: Clone + Send + Sync {
    /// h (N, H), which a cell shows to the layers above.
    fn hidden(&self) -> &Tensor<E>;

    /// The same state with `f` applied to each of its tensors.
    fn map(&self, f: impl FnMut(&Tensor<E>) -> Tensor<E>) -> Self;

    /// The same values without their history: where truncated back-propagation through time stops.
    fn detach(&self) -> Self {
        self.map(Tensor::detach)
    }
}

impl<E: Real> State<E> for Tensor<E> {
    fn hidden(&self) -> &Tensor<E> {
        self
    }

    fn map(&self, mut f: impl FnMut(&Tensor<E>) -> Tensor<E>) -> Self {
        f(self)
    }
}

impl<E: Real> State<E> for (Tensor<E>, Tensor<E>) {
    fn hidden(&self) -> &Tensor<E> {
        &self.0
    }

    fn map(&self, mut f: impl FnMut(&Tensor<E>) -> Tensor<E>) -> Self {
        (f(&self.0), f(&self.1))
    }
}

/// One step of a recurrent network: s_t = f(s_(t−1), x_t; θ), the same f and θ at every step.
pub trait Cell<E: Real = f32>: Send + Sync {
    /// What goes from step to step.
    type State: State<E>;

    /// The state after `x` (N, I).
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    fn step(&self, x: &Tensor<E>, state: &Self::State) -> Self::State;

    /// The state before the first step: zeros, for a batch of N sequences.
    fn initial(&self, batch: usize) -> Self::State;
}
