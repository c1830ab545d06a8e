//! Keeping gradients within bounds, between backward and the optimiser's step.
//!
//! ```
//! use striate_nn::{Init, ParamStore, clip};
//!
//! let store = ParamStore::<f32>::seeded(0);
//! let w = store.root().parameter("w", &[2], Init::Constant(2.0));
//! let mut gradients = (&w * &w).sum().backward(); // (4, 4)
//! let norm = clip::global_norm(&mut gradients, &store, 1.0)?;
//! assert!((norm - 32_f64.sqrt()).abs() < 1e-6);
//! assert!((gradients.get(&w).unwrap().to_vec()[0] - 0.5_f32.sqrt()).abs() < 1e-6);
//! # Ok::<(), clip::NonFiniteNorm>(())
//! ```

use striate_compute::{isa, map, par};
use striate_tensor::{Gradients, Real};

use crate::store::Parameters;

/// The gradients have an infinite norm or one that is no number: the step is better left out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the gradients have norm {norm}; the first with a number that is not finite is that of {parameter}")]
pub struct NonFiniteNorm {
    /// The norm.
    pub norm: f64,
    /// The first parameter whose gradient is not finite.
    pub parameter: String,
}

/// Scales all gradients of `parameters` so that their joint norm is at most `max_norm`, and returns the norm before.
///
/// ‖g‖ = √(Σ g²) over all parameters; g ← g · min(1, max_norm / (‖g‖ + 10⁻⁶))
///
/// Squares are summed in f64, in a fixed order. PyTorch's `clip_grad_norm_(…, error_if_nonfinite=True)`.
///
/// # Errors
/// When the norm is not finite; the gradients stay as they are.
///
/// # Panics
/// When `max_norm` is negative or no number.
#[doc(alias = "clip_grad_norm_")]
#[track_caller]
pub fn global_norm<E: Real>(
    gradients: &mut Gradients<E>,
    parameters: impl Into<Parameters<E>>,
    max_norm: f64,
) -> Result<f64, NonFiniteNorm> {
    assert!(max_norm >= 0.0, "global_norm: max_norm must not be negative, it is {max_norm}");
    let parameters = parameters.into();
    let (mut total, mut first_bad) = (0.0, None);
    for (name, variable) in parameters.iter() {
        let Some(gradient) = gradients.get(variable) else { continue };
        total += sum_of_squares(gradient.array().contiguous().as_slice().expect("made contiguous"));
        if !total.is_finite() {
            first_bad.get_or_insert(name);
        }
    }
    let norm = total.sqrt();
    if let Some(parameter) = first_bad {
        return Err(NonFiniteNorm { norm, parameter: parameter.to_string() });
    }
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 {
        let factor = E::of(factor);
        change(gradients, &parameters, |g| g * factor);
    }
    Ok(norm)
}

/// Confines every gradient of `parameters` to [−max, max]; what is no number stays. PyTorch's `clip_grad_value_`.
///
/// # Panics
/// When `max` is negative or no number.
#[doc(alias = "clip_grad_value_")]
#[track_caller]
pub fn value<E: Real>(gradients: &mut Gradients<E>, parameters: impl Into<Parameters<E>>, max: f64) {
    assert!(max >= 0.0, "clip::value: max must not be negative, it is {max}");
    let max = E::of(max);
    change(gradients, &parameters.into(), |g| g.minimum(max).maximum(-max));
}

fn change<E: Real>(gradients: &mut Gradients<E>, parameters: &Parameters<E>, f: impl Fn(E) -> E + Sync) {
    for (_, variable) in parameters.iter() {
        gradients.update(variable, |gradient| {
            par::pieces_mut(gradient.make_mut(), par::PIECE, |_, g| {
                isa::vectorized(|| g.iter_mut().for_each(|g| *g = f(*g)));
            });
        });
    }
}

/// Σ x² in f64.
fn sum_of_squares<E: Real>(x: &[E]) -> f64 {
    const BLOCK: usize = 512;
    let partials = par::collect(x.len().div_ceil(par::PIECE), |i| {
        let piece = &x[i * par::PIECE..x.len().min((i + 1) * par::PIECE)];
        let mut total = 0.0;
        for block in piece.chunks(BLOCK) {
            let mut wide = [0.0; BLOCK];
            isa::vectorized(|| wide.iter_mut().zip(block).for_each(|(y, x)| *y = x.f64() * x.f64()));
            total += map::reduce_piece(&wide[..block.len()], 0.0, |a, b| a + b);
        }
        total
    });
    partials.into_iter().sum()
}
