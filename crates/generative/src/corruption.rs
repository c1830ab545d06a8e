//! Noise for denoising auto-encoders.

use striate_nn::Rng;
use striate_tensor::{Array, Real, Tensor};

/// How the input of a denoising auto-encoder is damaged. The target stays whole.
///
/// The notes' section 8 has the Gaussian one; Vincent et al. 2010 compare all three.
///
/// ```
/// use striate_generative::Corruption;
/// use striate_nn::Rng;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::full(&[1000], 0.5);
/// let noisy = Corruption::SaltAndPepper { probability: 0.3 }.apply(&x, &mut Rng::new(0));
/// let whole = noisy.to_vec().iter().filter(|&&x| x == 0.5).count();
/// assert!((650..750).contains(&whole));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corruption {
    /// x̃ = x + σ ε, ε ~ N(0, 1)
    Gaussian {
        /// σ
        std: f64,
    },
    /// x̃ = 0 with this probability, else x.
    Masking {
        /// Share of the elements that are lost.
        probability: f64,
    },
    /// x̃ = 0 or 1, equally often, with this probability, else x: for pixels in [0, 1].
    SaltAndPepper {
        /// Share of the elements that are lost.
        probability: f64,
    },
}

impl Corruption {
    /// The damaged elements of x, of any shape: a constant, since data needs no gradient.
    ///
    /// # Panics
    /// When a probability is not in [0, 1].
    #[track_caller]
    pub fn apply<E: Real>(self, x: &Tensor<E>, rng: &mut Rng) -> Tensor<E> {
        let clean = x.array();
        let draw = |fill: &mut dyn FnMut(&mut [E])| Array::build(x.shape(), fill);
        match self {
            Corruption::Gaussian { std } => {
                let noise = draw(&mut |noise| rng.fill_normal(noise, 0.0, std));
                clean.zip(&noise, |x, noise| x + noise)
            }
            Corruption::Masking { probability } => {
                let kept = draw(&mut |kept| rng.fill_bernoulli(kept, 1.0 - checked(probability)));
                clean.zip(&kept, |x, kept| x * kept)
            }
            Corruption::SaltAndPepper { probability } => {
                let (pepper, either) = (E::of(0.5 * checked(probability)), E::of(probability));
                let chance = draw(&mut |chance| rng.fill_uniform(chance, 0.0, 1.0));
                clean.zip(&chance, |x, chance| match chance {
                    chance if chance < pepper => E::zero(),
                    chance if chance < either => E::one(),
                    _ => x,
                })
            }
        }
        .into()
    }
}

#[track_caller]
fn checked(probability: f64) -> f64 {
    assert!((0.0..=1.0).contains(&probability), "corruption: probability {probability} is not in [0, 1]");
    probability
}
