//! Dice loss: how little prediction and truth overlap.

use striate_tensor::{Array, Real, Tensor};

use super::Reduction;
use super::targets::Targets;
use crate::indices::Indices;

/// What the sums of a [`dice_loss`] run over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiceOver {
    /// The pixels of each image; the coefficients of all images count alike.
    #[default]
    Image,
    /// All pixels of the batch; the coefficients of images with little of a class are no noise.
    Batch,
}

/// Options of [`dice_loss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiceOptions {
    /// s, added above and below, so that a class that nobody sees has the coefficient 1. With 0 it has none, NaN.
    pub smoothing: f64,
    /// What the sums run over.
    pub over: DiceOver,
    /// The label of positions that do not count.
    pub ignore_index: Option<usize>,
}

impl Default for DiceOptions {
    fn default() -> Self {
        DiceOptions { smoothing: 1.0, over: DiceOver::Image, ignore_index: None }
    }
}

/// Dice loss: one minus the mean overlap of the classes' probabilities p with the labels, t = onehot(y).
///
/// D_c = (2 Σ p_c t_c + s) / (Σ p_c + Σ t_c + s), L = 1 − mean D_c; ∂D_c/∂p_c = (2 t_c − D_c) / (Σ p_c + Σ t_c + s)
///
/// `logits` is (N, C, …) with C ≥ 2 and labels (N, …): p = softmax(x), and the mean is over all classes. Or it is
/// (N, 1, …) with labels 0 and 1: p = σ(x), and the one class is that of label 1. The mean is over the images, too, when
/// the sums are over each image.
///
/// # Panics
/// When the labels' shape does not fit, or a label is not below C, or below 2 for one channel (check data from outside
/// with [`crate::check_labels`]), or the smoothing is negative.
///
/// Dice 1945; as a loss Milletari, Navab and Ahmadi 2016, with squares below. MONAI's `DiceLoss(softmax=True,
/// to_onehot_y=True)` and `DiceLoss(sigmoid=True)`, whose smoothing is 10⁻⁵.
///
/// ```
/// use striate_nn::losses::dice_loss;
/// use striate_tensor::Tensor;
///
/// let logits = Tensor::from_vec(&[1, 1, 2, 2], vec![9.0f32, 9.0, -9.0, -9.0]);
/// assert!(dice_loss(&logits, &[1, 1, 0, 0], Default::default()).item() < 1e-3);
/// assert!(dice_loss(&logits, &[0, 0, 1, 1], Default::default()).item() > 0.7);
/// ```
#[doc(alias = "DiceLoss")]
#[track_caller]
pub fn dice_loss<E: Real>(
    logits: &Tensor<E>,
    labels: &(impl Indices + ?Sized),
    options: DiceOptions,
) -> Tensor<E> {
    let DiceOptions { smoothing, over, ignore_index } = options;
    assert!(smoothing >= 0.0, "dice_loss: the smoothing must not be negative, is {smoothing}");
    let binary = logits.shape().get(1) == Some(&1);
    // softmax(0, x) = (1 − σ(x), σ(x))
    let x =
        if binary { Tensor::concat(&[&Tensor::zeros(logits.shape()), logits], 1) } else { logits.clone() };
    let targets = Targets::<E>::new("dice_loss", x.shape(), labels, ignore_index, None, Reduction::None);
    let shape = [x.shape()[0], targets.classes, targets.inner];
    let x = x.reshape(&shape.map(|n| n as isize));
    let p = if ignore_index.is_some() {
        let counts = Tensor::from_vec(&[shape[0], 1, shape[2]], targets.position_weights());
        // Nothing is left of ignored positions, not even NaN.
        x.where_(&counts, &Tensor::zeros(&[])).softmax(1) * &counts
    } else {
        x.softmax(1)
    };
    let t = one_hot(&targets, &shape);
    let axes: &[isize] = if over == DiceOver::Image { &[2] } else { &[0, 2] };
    let overlap = (&p * &t).sum_dim(axes, false);
    let sizes = p.sum_dim(axes, false) + t.sum_dim(axes, false);
    let coefficients = (overlap * 2.0 + smoothing) / (sizes + smoothing);
    1.0 - if binary { coefficients.select(-1, 1) } else { coefficients }.mean()
}

/// t (N, C, inner), zeros at ignored positions.
fn one_hot<E: Real>(targets: &Targets<E>, shape: &[usize]) -> Tensor<E> {
    let mut t = Array::zeros(shape);
    let entries = t.make_mut();
    for (i, &label) in targets.labels.iter().enumerate() {
        if targets.weight_at(i).is_some() {
            entries[targets.index(i, label)] = E::one();
        }
    }
    t.into()
}
