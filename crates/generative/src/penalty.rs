//! What keeps an auto-encoder with a wide code from copying its input.

use striate_tensor::{GradOptions, Real, Tensor, grad, higher_order};

/// Σ |h|, mean over the batch: most units of a code h (N, J) become 0.
///
/// dL/dh = sign(h) / N. Sparse coding's penalty (Olshausen and Field 1996).
///
/// ```
/// use striate_generative::l1_sparsity;
/// use striate_tensor::Tensor;
///
/// assert_eq!(l1_sparsity(&Tensor::from_vec(&[2, 2], vec![1.0f32, -2.0, 0.0, 1.0])).item(), 2.0);
/// ```
#[track_caller]
pub fn l1_sparsity<E: Real>(h: &Tensor<E>) -> Tensor<E> {
    h.abs().sum() / h.shape()[0] as f64
}

/// The divergence of the units' mean activations ρ̂ from a target ρ: each unit of a code h (N, J), in (0, 1), is active in
/// a share ρ of the samples.
///
/// L = Σⱼ ρ ln (ρ / ρ̂ⱼ) + (1 − ρ) ln ((1 − ρ) / (1 − ρ̂ⱼ)), ρ̂ⱼ = 1/N Σₙ hₙⱼ; dL/dρ̂ = (1 − ρ) / (1 − ρ̂) − ρ / ρ̂
///
/// For units with a sigmoid. Ng 2011, *Sparse autoencoder*.
///
/// # Panics
/// When ρ is not between 0 and 1.
///
/// ```
/// use striate_generative::kl_sparsity;
/// use striate_tensor::Tensor;
///
/// let h = Tensor::from_vec(&[2, 1], vec![0.0f32, 0.5]);
/// assert!(kl_sparsity(&h, 0.25).item().abs() < 1e-7);
/// ```
#[track_caller]
pub fn kl_sparsity<E: Real>(h: &Tensor<E>, target: f64) -> Tensor<E> {
    assert!(target > 0.0 && target < 1.0, "kl_sparsity: the target must be in (0, 1), is {target}");
    let active = h.mean_dim(&[0], false);
    let off = -&active + 1.0;
    let constant = target * target.ln() + (1.0 - target) * (1.0 - target).ln();
    (active.log() * -target + off.log() * (target - 1.0) + constant).sum()
}

/// ‖∂h/∂x‖² (Frobenius), mean over the batch: the code h = f(x) (N, J) hardly moves with the input.
///
/// Rows of the Jacobian come from J walks back over the tape, so that every f does whose samples do not mix; for one
/// layer h = σ(W x + b) with a sigmoid it is Σⱼ (hⱼ (1 − hⱼ))² ‖Wⱼ‖². Rifai et al. 2011.
///
/// # Panics
/// When f's value is not (N, J), or an operation in it has no gradient of its gradient.
///
/// ```
/// use striate_generative::contraction;
/// use striate_tensor::Tensor;
///
/// let w = Tensor::from_vec(&[2, 1], vec![3.0f64, 4.0]);
/// assert_eq!(contraction(|x| x.matmul(&w), &Tensor::zeros(&[5, 2])).item(), 25.0);
/// ```
#[track_caller]
pub fn contraction<E: Real>(f: impl FnOnce(&Tensor<E>) -> Tensor<E>, x: &Tensor<E>) -> Tensor<E> {
    let samples = x.shape()[0];
    higher_order(|| {
        let x = if x.is_tracked() { x.clone() } else { x.requires_grad() };
        let h = f(&x);
        let &[rows, units] = h.shape() else {
            panic!("contraction: the code must be (N, J), is {:?}", h.shape())
        };
        assert_eq!(rows, samples, "contraction: there must be a code for every sample");
        let options = GradOptions { create_graph: true, retain_graph: true };
        let squares = (0..units).map(|j| {
            let row = &grad(&h.narrow(1, j, 1).sum(), &[&x], options)[0];
            (row * row).sum()
        });
        squares.reduce(|a, b| a + b).unwrap_or(Tensor::zeros(&[])) / samples as f64
    })
}
