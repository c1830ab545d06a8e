use striate_tensor::{Real, Tensor};

use super::cell::{Cell, State};

/// A dynamical system with input, given as a function: s' = f(s, x), whose θ are what f captures.
///
/// The notes, section 7: hᵗ = f(hᵗ⁻¹, xᵗ; θ), the general form of every recurrent network.
///
/// ```
/// use striate_recurrent::{Cell, DynamicalSystem};
/// use striate_tensor::Tensor;
///
/// let theta = Tensor::<f64>::scalar(0.5).requires_grad();
/// let decay = theta.clone();
/// let system = DynamicalSystem::new(move |s, x| &decay * s + x, |batch| Tensor::zeros(&[batch, 1]));
///
/// let x = Tensor::ones(&[1, 1]);
/// let s = system.step(&x, &system.step(&x, &system.initial(1)));
/// assert_eq!(s.to_vec(), [1.5]);
/// assert_eq!(s.backward().get(&theta).unwrap().item(), 1.0);
/// ```
pub struct DynamicalSystem<F, I> {
    step: F,
    initial: I,
}

impl<F, I> DynamicalSystem<F, I> {
    /// The system with `step` from s and x (N, I) to s', and `initial`, the state of a batch of N before the first step.
    pub fn new<E: Real, S: State<E>>(step: F, initial: I) -> Self
    where
        F: Fn(&S, &Tensor<E>) -> S,
        I: Fn(usize) -> S,
    {
        DynamicalSystem { step, initial }
    }
}

impl<E, S, F, I> Cell<E> for DynamicalSystem<F, I>
where
    E: Real,
    S: State<E>,
    F: Fn(&S, &Tensor<E>) -> S + Send + Sync,
    I: Fn(usize) -> S + Send + Sync,
{
    type State = S;

    fn step(&self, x: &Tensor<E>, state: &S) -> S {
        (self.step)(state, x)
    }

    fn initial(&self, batch: usize) -> S {
        (self.initial)(batch)
    }
}
