//! Binary cross-entropy: the negative log-likelihood of Bernoulli labels.

use striate_tensor::{Real, Tensor};

use super::Reduction;
use super::elementwise::{Term, at_least, reduce, reduced};

/// Options of [`binary_cross_entropy_with`] and [`binary_cross_entropy_from_logits_with`].
#[derive(Clone)]
pub struct BinaryCrossEntropyOptions<E: Real = f32> {
    /// A factor of every loss; broadcasts to the losses' shape.
    pub weight: Option<Tensor<E>>,
    /// A factor of the losses of positive labels, broadcast: negatives per positive, say. From logits only.
    pub positive_weight: Option<Tensor<E>>,
    /// How the losses of single elements become the result.
    pub reduction: Reduction,
}

impl<E: Real> Default for BinaryCrossEntropyOptions<E> {
    fn default() -> Self {
        BinaryCrossEntropyOptions { weight: None, positive_weight: None, reduction: Reduction::Mean }
    }
}

/// Negative log-likelihood of labels y under Bernoulli distributions with probabilities p: the mean.
///
/// L = −1/N Σ (y ln p + (1 − y) ln(1 − p)); dL/dp = (p − y) / (p (1 − p)) / N
///
/// Logarithms are not below −100, so that p = 0 and p = 1 have finite losses; the divisor is not below 10⁻¹².
/// `probabilities` and `labels` have one shape; labels may lie between 0 and 1.
/// The cross-entropy of the notes' section 3, with p = σ(wᵀx). PyTorch's `F.binary_cross_entropy`.
///
/// # Panics
/// When the shapes differ.
///
/// ```
/// use striate_nn::losses::binary_cross_entropy;
/// use striate_tensor::Tensor;
///
/// let (p, y) = (Tensor::from_slice(&[0.5f32, 0.5]), Tensor::from_slice(&[0.0, 1.0]));
/// assert!((binary_cross_entropy(&p, &y).item() - 2f64.ln()).abs() < 1e-6);
/// ```
#[doc(alias = "BCELoss")]
#[track_caller]
pub fn binary_cross_entropy<E: Real>(probabilities: &Tensor<E>, labels: &Tensor<E>) -> Tensor<E> {
    reduced(Probabilities, [probabilities, labels], Reduction::Mean)
}

/// [`binary_cross_entropy`] with options.
///
/// # Panics
/// When the shapes differ, or there is a positive weight, which is for logits.
#[track_caller]
pub fn binary_cross_entropy_with<E: Real>(
    probabilities: &Tensor<E>,
    labels: &Tensor<E>,
    options: BinaryCrossEntropyOptions<E>,
) -> Tensor<E> {
    assert!(options.positive_weight.is_none(), "binary_cross_entropy: a positive weight is for logits");
    match options.weight {
        None => reduced(Probabilities, [probabilities, labels], options.reduction),
        Some(weight) => {
            let losses = reduced(Probabilities, [probabilities, labels], Reduction::None);
            reduce(losses * weight, options.reduction)
        }
    }
}

/// Negative log-likelihood of labels y under Bernoulli distributions with logits x, p = σ(x): the mean.
///
/// L = 1/N Σ (max(x, 0) − x y + ln(1 + e^−|x|)); dL/dx = (σ(x) − y) / N
///
/// Never overflows. `logits` and `labels` have one shape. PyTorch's `F.binary_cross_entropy_with_logits`.
///
/// # Panics
/// When the shapes differ.
///
/// ```
/// use striate_nn::losses::binary_cross_entropy_from_logits;
/// use striate_tensor::Tensor;
///
/// let (x, y) = (Tensor::from_slice(&[1e4f32, -1e4]), Tensor::from_slice(&[1.0, 1.0]));
/// assert_eq!(binary_cross_entropy_from_logits(&x, &y).item(), 5e3);
/// ```
#[doc(alias = "BCEWithLogitsLoss")]
#[doc(alias = "binary_cross_entropy_with_logits")]
#[track_caller]
pub fn binary_cross_entropy_from_logits<E: Real>(logits: &Tensor<E>, labels: &Tensor<E>) -> Tensor<E> {
    reduced(Logits, [logits, labels], Reduction::Mean)
}

/// [`binary_cross_entropy_from_logits`] with options; a positive weight w⁺ makes the loss
/// w⁺ y ln(1 + e⁻ˣ) + (1 − y) ln(1 + eˣ).
///
/// # Panics
/// When the shapes differ, or a weight does not broadcast to them.
#[track_caller]
pub fn binary_cross_entropy_from_logits_with<E: Real>(
    logits: &Tensor<E>,
    labels: &Tensor<E>,
    options: BinaryCrossEntropyOptions<E>,
) -> Tensor<E> {
    let BinaryCrossEntropyOptions { weight, positive_weight, reduction } = options;
    if weight.is_none() && positive_weight.is_none() {
        return reduced(Logits, [logits, labels], reduction);
    }
    let mut losses = reduced(Logits, [logits, labels], Reduction::None);
    if let Some(positive) = positive_weight {
        losses = losses + (positive - 1.0) * labels * (-logits).softplus();
    }
    if let Some(weight) = weight {
        losses = losses * weight;
    }
    reduce(losses, reduction)
}

struct Probabilities;

impl<E: Real> Term<E, 2> for Probabilities {
    const NAME: &'static str = "binary_cross_entropy";
    const INPUTS: [&'static str; 2] = ["probabilities", "labels"];

    #[inline(always)]
    fn value(&self, [p, y]: [E; 2]) -> E {
        let lowest = E::of(-100.0);
        let (log_p, log_q) = (at_least(p.ln(), lowest), at_least((-p).ln_1p(), lowest));
        (y - E::one()) * log_q - y * log_p
    }

    #[inline(always)]
    fn slope<const I: usize>(&self, [p, y]: [E; 2]) -> E {
        if I == 0 {
            (p - y) / at_least((E::one() - p) * p, E::of(1e-12))
        } else {
            let lowest = E::of(-100.0);
            at_least((-p).ln_1p(), lowest) - at_least(p.ln(), lowest)
        }
    }

    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; 2] {
        let (p, y) = (&x[0], &x[1]);
        [(p - y) / (p - p * p), (-p).log1p() - p.log()]
    }
}

struct Logits;

impl<E: Real> Term<E, 2> for Logits {
    const NAME: &'static str = "binary_cross_entropy_from_logits";
    const INPUTS: [&'static str; 2] = ["logits", "labels"];

    #[inline(always)]
    fn value(&self, [x, y]: [E; 2]) -> E {
        at_least(x, E::zero()) - x * y + (-x.abs()).exp().ln_1p()
    }

    #[inline(always)]
    fn slope<const I: usize>(&self, [x, y]: [E; 2]) -> E {
        if I == 0 { x.sigmoid() - y } else { -x }
    }

    fn slopes(&self, x: &[Tensor<E>]) -> [Tensor<E>; 2] {
        [x[0].sigmoid() - &x[1], -&x[0]]
    }
}
