//! Drawing what a network says next.

use striate_compute::Real;
use striate_compute::rng::Rng;
use thiserror::Error;

/// How [`sample`] draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleOptions {
    /// τ ≥ 0: below 1 the likely becomes likelier, above 1 the choice more even; 0 takes the largest logit.
    pub temperature: f64,
    /// Draw among the k largest logits only; all when `None` or when there are fewer.
    pub top_k: Option<usize>,
}

impl Default for SampleOptions {
    fn default() -> Self {
        SampleOptions { temperature: 1.0, top_k: None }
    }
}

/// Why nothing can be drawn.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The temperature is negative, infinite or no number.
    #[error("temperature must be a finite number, 0 or more, is {temperature}")]
    Temperature {
        /// The temperature given.
        temperature: f64,
    },
    /// The choice is among none.
    #[error("top_k must be 1 or more, is 0")]
    TopK,
    /// A logit is +∞ or no number.
    #[error("logit {index} is {value}: logits must be finite, or −∞ for what must not be drawn")]
    Logit {
        /// Which logit.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// There is no logit, or all are −∞.
    #[error("none of {count} logits is finite: there is nothing to draw")]
    NoChoice {
        /// How many logits there are.
        count: usize,
    },
    /// There is nothing that the text to generate begins with.
    #[error("the prompt is empty: it must have at least one token")]
    EmptyPrompt,
}

/// Draws an index from the distribution that logits describe.
///
/// P(i) = exp(z_i / τ) / Σ_j exp(z_j / τ) over the `top_k` largest logits z, and 0 for the others. Temperature 0 gives
/// the largest. Of equal logits the first counts as the larger. One number of `rng` is used up, none at temperature 0.
///
/// # Errors
/// When there are no logits, one is +∞ or no number, all are −∞, or an option is out of range.
///
/// Fan, Lewis and Dauphin 2018 for top-k; PyTorch's `torch.multinomial(softmax(z / τ), 1)`.
///
/// ```
/// use striate_compute::rng::Rng;
/// use striate_recurrent::{SampleOptions, sample};
///
/// let (logits, mut rng) = ([0.5_f32, 2.0, 1.5], Rng::new(0));
/// let greedy = SampleOptions { temperature: 0.0, ..Default::default() };
/// assert_eq!(sample(&logits, &greedy, &mut rng)?, 1);
///
/// let two = SampleOptions { temperature: 0.8, top_k: Some(2) };
/// assert_ne!(sample(&logits, &two, &mut rng)?, 0);
/// # Ok::<(), striate_recurrent::SampleError>(())
/// ```
pub fn sample<E: Real>(logits: &[E], options: &SampleOptions, rng: &mut Rng) -> Result<usize, SampleError> {
    let &SampleOptions { temperature, top_k } = options;
    if !(temperature.is_finite() && temperature >= 0.0) {
        return Err(SampleError::Temperature { temperature });
    }
    if top_k == Some(0) {
        return Err(SampleError::TopK);
    }
    let z: Vec<f64> = logits.iter().map(|z| z.f64()).collect();
    if let Some(index) = z.iter().position(|&z| z.is_nan() || z == f64::INFINITY) {
        return Err(SampleError::Logit { index, value: z[index] });
    }
    let mut candidates: Vec<usize> = (0..z.len()).filter(|&i| z[i].is_finite()).collect();
    if candidates.is_empty() {
        return Err(SampleError::NoChoice { count: z.len() });
    }
    let k = if temperature == 0.0 { 1 } else { top_k.unwrap_or(usize::MAX) };
    if k < candidates.len() {
        let larger_first = |&i: &usize, &j: &usize| z[j].partial_cmp(&z[i]).expect("finite").then(i.cmp(&j));
        candidates.select_nth_unstable_by(k - 1, larger_first);
        candidates.truncate(k);
    }
    if let [only] = candidates[..] {
        return Ok(only);
    }
    let largest = candidates.iter().map(|&i| z[i]).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = candidates.iter().map(|&i| ((z[i] - largest) / temperature).exp()).collect();
    let mut left = rng.uniform() * weights.iter().sum::<f64>();
    for (&i, weight) in candidates.iter().zip(&weights) {
        left -= weight;
        if left < 0.0 {
            return Ok(i);
        }
    }
    // The sum was rounded up by more than the last step.
    Ok(candidates[weights.iter().rposition(|&weight| weight > 0.0).expect("that of the largest is 1")])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 5] = [0.3, -1.2, 1.1, f32::NEG_INFINITY, 0.9];

    fn counts(options: &SampleOptions, draws: usize) -> [usize; 5] {
        let mut rng = Rng::new(7);
        let mut counts = [0; 5];
        (0..draws).for_each(|_| counts[sample(&LOGITS, options, &mut rng).unwrap()] += 1);
        counts
    }

    /// Σ (n_i − n P_i)² / (n P_i) over what can be drawn, and whether nothing else was.
    fn chi_square(counts: &[usize; 5], weights: &[f64; 5]) -> f64 {
        let draws = counts.iter().sum::<usize>() as f64;
        let total: f64 = weights.iter().sum();
        let term = |(&count, weight): (&usize, &f64)| match draws * weight / total {
            0.0 => {
                assert_eq!(count, 0, "{counts:?}");
                0.0
            }
            expected => (count as f64 - expected).powi(2) / expected,
        };
        counts.iter().zip(weights).map(term).sum()
    }

    #[test]
    fn frequencies_are_those_of_the_softmax() {
        // Significance 0.001: χ² with 3 degrees of freedom is above 16.27 that rarely, with 1 above 10.83.
        for temperature in [0.5, 1.0, 2.0] {
            let weights = LOGITS.map(|z| (f64::from(z) / temperature).exp());
            let options = SampleOptions { temperature, top_k: None };
            let counts = counts(&options, 20_000);
            assert!(chi_square(&counts, &weights) < 16.27, "τ = {temperature}: {counts:?}");
            let other = LOGITS.map(|z| (f64::from(z) / (temperature * 1.1)).exp());
            assert!(
                chi_square(&counts, &other) > 16.27,
                "the test tells τ = {temperature} from one 10% higher"
            );
        }
        let mut weights = LOGITS.map(|z| f64::from(z).exp());
        [weights[0], weights[1]] = [0.0; 2];
        let counts = counts(&SampleOptions { top_k: Some(2), ..Default::default() }, 20_000);
        assert!(chi_square(&counts, &weights) < 10.83, "{counts:?}");
    }

    #[test]
    fn temperature_zero_and_top_one_take_the_first_of_the_largest() {
        let mut rng = Rng::new(0);
        let logits = [1.0, 3.0, 3.0, f64::NEG_INFINITY];
        let before = rng.state();
        let greedy = SampleOptions { temperature: 0.0, ..Default::default() };
        let top = SampleOptions { temperature: 5.0, top_k: Some(1) };
        assert_eq!(sample(&logits, &greedy, &mut rng), Ok(1));
        assert_eq!(sample(&logits, &top, &mut rng), Ok(1));
        assert_eq!(rng.state(), before);
    }

    #[test]
    fn extreme_logits_and_temperatures_do_not_overflow() {
        let mut rng = Rng::new(0);
        let options = |temperature| SampleOptions { temperature, top_k: None };
        for temperature in [1e-300, 1e-3, 1.0, 1e300] {
            let logits = [f64::MIN, 1e308, f64::NEG_INFINITY, f64::MAX];
            let drawn = sample(&logits, &options(temperature), &mut rng).unwrap();
            assert!(if temperature < 1e300 { drawn == 3 } else { drawn != 2 }, "{temperature}: {drawn}");
        }
        let many = SampleOptions { top_k: Some(usize::MAX), ..Default::default() };
        assert!(sample(&[0.0_f32; 3], &many, &mut rng).unwrap() < 3);
    }

    #[test]
    fn what_cannot_be_drawn_from_is_an_error() {
        let draw = |logits: &[f32], temperature, top_k| {
            sample(logits, &SampleOptions { temperature, top_k }, &mut Rng::new(0))
        };
        assert_eq!(draw(&[], 1.0, None), Err(SampleError::NoChoice { count: 0 }));
        assert_eq!(draw(&[f32::NEG_INFINITY; 3], 0.0, None), Err(SampleError::NoChoice { count: 3 }));
        let infinite = SampleError::Logit { index: 1, value: f64::INFINITY };
        assert_eq!(draw(&[0.0, f32::INFINITY], 1.0, None), Err(infinite));
        for temperature in [0.0, 1.0] {
            let error = draw(&[0.0, 1.0, f32::NAN], temperature, Some(1));
            assert!(matches!(error, Err(SampleError::Logit { index: 2, .. })), "{error:?}");
        }
        assert_eq!(draw(&[0.0], 1.0, Some(0)), Err(SampleError::TopK));
        for temperature in [-1.0, f64::INFINITY, f64::NAN] {
            assert!(matches!(draw(&[0.0], temperature, None), Err(SampleError::Temperature { .. })));
        }
    }
}
