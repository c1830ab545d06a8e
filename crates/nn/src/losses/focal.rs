//! Focal loss: cross-entropy that gives less weight to what is classified well already.

use striate_tensor::{Real, Tensor};

use super::Reduction;
use super::bernoulli::{BinaryCrossEntropyOptions, binary_cross_entropy_from_logits_with};
use super::cross_entropy::{CrossEntropyOptions, cross_entropy_with};
use super::elementwise::reduce;
use super::targets::Targets;
use crate::indices::Indices;

/// Options of [`binary_focal_loss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinaryFocalOptions {
    /// γ, how much less the losses of likely labels count: 0 is cross-entropy.
    pub gamma: f64,
    /// α, the weight of positive labels, 1 − α that of negative ones; all 1 when `None`.
    pub alpha: Option<f64>,
    /// How the losses of single elements become the result.
    pub reduction: Reduction,
}

impl Default for BinaryFocalOptions {
    fn default() -> Self {
        BinaryFocalOptions { gamma: 2.0, alpha: Some(0.25), reduction: Reduction::Mean }
    }
}

/// Focal loss of labels y under Bernoulli distributions with logits x, p = σ(x).
///
/// l = (α y + (1 − α)(1 − y)) (1 − p_y)^γ · (−ln p_y) with p_y = p y + (1 − p)(1 − y), the likelihood of the label; for a
/// positive label dl/dx = α (1 − p)^γ (γ p ln p + p − 1)
///
/// `logits` and `labels` have one shape. Lin et al. 2017; torchvision's `sigmoid_focal_loss`, whose reduction is none
/// by default.
///
/// # Panics
/// When the shapes differ, or γ is negative.
///
/// ```
/// use striate_nn::losses::binary_focal_loss;
/// use striate_tensor::Tensor;
///
/// let (x, y) = (Tensor::from_slice(&[0.0f32, 0.0]), Tensor::from_slice(&[1.0, 0.0]));
/// let mean = (0.25 + 0.75) / 2.0 * 0.25 * 2f64.ln();
/// assert!((binary_focal_loss(&x, &y, Default::default()).item() - mean).abs() < 1e-6);
/// ```
#[doc(alias = "sigmoid_focal_loss")]
#[track_caller]
pub fn binary_focal_loss<E: Real>(
    logits: &Tensor<E>,
    labels: &Tensor<E>,
    options: BinaryFocalOptions,
) -> Tensor<E> {
    let BinaryFocalOptions { gamma, alpha, reduction } = options;
    check_gamma("binary_focal_loss", gamma);
    let each = BinaryCrossEntropyOptions { reduction: Reduction::None, ..Default::default() };
    let losses = binary_cross_entropy_from_logits_with(logits, labels, each);
    let p = logits.sigmoid();
    let unlikely = &p + labels - &p * labels * 2.0;
    let losses = unlikely.powf(gamma) * losses;
    let weighted = alpha.map(|alpha| (labels * (2.0 * alpha - 1.0) + (1.0 - alpha)) * &losses);
    reduce(weighted.unwrap_or(losses), reduction)
}

/// Options of [`focal_loss`].
#[derive(Clone, Debug, PartialEq)]
pub struct FocalOptions {
    /// γ, how much less the losses of likely labels count: 0 is cross-entropy.
    pub gamma: f64,
    /// α, one weight per class: all 1 when `None`.
    pub class_weights: Option<Vec<f64>>,
    /// The label of positions that do not count.
    pub ignore_index: Option<usize>,
    /// How the losses of single positions become the result.
    pub reduction: Reduction,
}

impl Default for FocalOptions {
    fn default() -> Self {
        FocalOptions { gamma: 2.0, class_weights: None, ignore_index: None, reduction: Reduction::Mean }
    }
}

/// Focal loss of categorical labels, from logits.
///
/// Lᵢ = α_y (1 − p_y)^γ · (−ln p_y) with p = softmax(xᵢ); dLᵢ/dx_c = α_y (1 − p_y)^γ⁻¹ (γ p_y ln p_y + p_y − 1)
/// (\[c = y\] − p_c); the mean is Σ Lᵢ / Σ α_yᵢ, so that γ = 0 is cross-entropy
///
/// `logits` is (N, C), with one label per row, or (N, C, …), with labels (N, …), one per pixel. Lin et al. 2017.
///
/// # Panics
/// When the labels' shape does not fit, or a label is not below C (check data from outside with
/// [`crate::check_labels`]), there is not one weight per class, or γ is negative.
///
/// ```
/// use striate_nn::losses::focal_loss;
/// use striate_tensor::Tensor;
///
/// let logits = Tensor::from_vec(&[1, 2], vec![0.0f32, 0.0]);
/// assert!((focal_loss(&logits, &[1], Default::default()).item() - 0.25 * 2f64.ln()).abs() < 1e-6);
/// ```
#[track_caller]
pub fn focal_loss<E: Real>(
    logits: &Tensor<E>,
    labels: &(impl Indices + ?Sized),
    options: FocalOptions,
) -> Tensor<E> {
    let FocalOptions { gamma, class_weights, ignore_index, reduction } = options;
    check_gamma("focal_loss", gamma);
    let weights = class_weights.as_deref();
    let targets = Targets::<E>::new("focal_loss", logits.shape(), labels, ignore_index, weights, reduction);
    let each = CrossEntropyOptions { ignore_index, reduction: Reduction::None, ..Default::default() };
    // −ln p_y, 0 at ignored positions.
    let losses = cross_entropy_with(logits, labels, each);
    let weights = Tensor::from_vec(losses.shape(), targets.position_weights());
    let losses = (-(-&losses).expm1()).powf(gamma) * losses * &weights;
    match reduction {
        Reduction::Mean => losses.sum() / weights.sum(),
        other => reduce(losses, other),
    }
}

#[track_caller]
fn check_gamma(op: &str, gamma: f64) {
    assert!(gamma >= 0.0, "{op}: γ must not be negative, is {gamma}");
}
