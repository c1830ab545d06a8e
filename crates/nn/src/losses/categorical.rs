//! Negative log-likelihood of categorical labels from log-probabilities.

use ndarray::ArrayD;
use striate_tensor::{Real, Tensor};

use super::Reduction;
use super::targets::Targets;
use crate::indices::Indices;

/// Options of [`categorical_nll_with`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CategoricalNllOptions {
    /// w, one weight per class: all 1 when `None`.
    pub class_weights: Option<Vec<f64>>,
    /// The label of positions that do not count.
    pub ignore_index: Option<usize>,
    /// How the losses of single positions become the result.
    pub reduction: Reduction,
}

/// Negative log-likelihood of categorical labels, from log-probabilities: the mean over all positions.
///
/// L = −1/N Σᵢ xᵢ_yᵢ; dL/dx = −onehot(y) / N
///
/// `log_probabilities` is (N, C), with one label per row, or (N, C, …), with labels (N, …).
/// PyTorch's `F.nll_loss`.
///
/// # Panics
/// When the labels' shape does not fit, or a label is not below C; check data from outside with
/// [`crate::check_labels`].
///
/// ```
/// use striate_nn::losses::categorical_nll;
/// use striate_tensor::Tensor;
///
/// let log_p = Tensor::from_vec(&[1, 2], vec![-1.5f32, -0.25]);
/// assert_eq!(categorical_nll(&log_p, &[0]).item(), 1.5);
/// ```
#[doc(alias = "nll_loss")]
#[doc(alias = "NLLLoss")]
#[track_caller]
pub fn categorical_nll<E: Real>(
    log_probabilities: &Tensor<E>,
    labels: &(impl Indices + ?Sized),
) -> Tensor<E> {
    categorical_nll_with(log_probabilities, labels, CategoricalNllOptions::default())
}

/// [`categorical_nll`] with class weights, an ignored label and a reduction.
///
/// Lᵢ = −w_yᵢ xᵢ_yᵢ; the mean is Σ Lᵢ / Σ w_yᵢ
///
/// # Panics
/// As [`categorical_nll`]; and when there is not one weight per class.
#[track_caller]
pub fn categorical_nll_with<E: Real>(
    log_probabilities: &Tensor<E>,
    labels: &(impl Indices + ?Sized),
    options: CategoricalNllOptions,
) -> Tensor<E> {
    let CategoricalNllOptions { class_weights, ignore_index, reduction } = options;
    let (x, weights) = (log_probabilities, class_weights.as_deref());
    let targets = Targets::<E>::new("categorical_nll", x.shape(), labels, ignore_index, weights, reduction);
    let positions = 0..targets.labels.len();
    let shape: Vec<usize> = x.shape().iter().enumerate().map(|(i, &n)| if i == 1 { 1 } else { n }).collect();
    let weights = Tensor::from_vec(&shape, targets.position_weights());
    // An ignored position reads class 0, and where_ leaves nothing of it, not even NaN.
    let label = |i| targets.weight_at(i).map_or(0, |_| targets.labels[i]);
    let labels = ArrayD::from_shape_vec(shape.clone(), positions.clone().map(label).collect());
    let counts = |i| targets.weight_at(i).map_or(E::zero(), |_| E::one());
    let counts = Tensor::from_vec(&shape, positions.map(counts).collect());
    let scores = x.gather(1, &labels.expect("there is one label per position"));
    let losses = scores.where_(&counts, &Tensor::zeros(&[])) * -&weights;
    match reduction {
        Reduction::None => losses.squeeze(1),
        Reduction::Sum => losses.sum(),
        Reduction::Mean => losses.sum() / weights.sum(),
    }
}
