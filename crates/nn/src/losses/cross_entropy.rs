//! Cross-entropy from logits: the softmax and the logarithm in one.

use striate_compute::{isa, par};
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

use super::Reduction;
use super::targets::Targets;
use crate::indices::Indices;
use crate::lanes;

/// Options of [`cross_entropy_with`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossEntropyOptions {
    /// w, one weight per class: all 1 when `None`.
    pub class_weights: Option<Vec<f64>>,
    /// The label of positions that do not count.
    pub ignore_index: Option<usize>,
    /// ε in [0, 1]: the part of a label that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// How the losses of single positions become the result.
    pub reduction: Reduction,
}

/// Negative log-likelihood of categorical labels, from logits: the mean over all positions.
///
/// L = −1/N Σᵢ ln softmax(xᵢ)\[yᵢ\] = 1/N Σᵢ (ln Σ_c e^(xᵢ_c) − xᵢ_yᵢ); dL/dx = (softmax(x) − onehot(y)) / N
///
/// `logits` is (N, C), with one label per row, or (N, C, …), with labels (N, …), one per pixel. Never overflows.
///
/// # Panics
/// When the labels' shape does not fit, or a label is not below C; check data from outside with
/// [`crate::check_labels`].
///
/// PyTorch's `F.cross_entropy`; the maximum-likelihood loss of the notes' section 3, for more than two classes.
///
/// ```
/// use striate_nn::cross_entropy;
/// use striate_tensor::Tensor;
///
/// let logits = Tensor::from_vec(&[1, 2], vec![0.0f32, 0.0]);
/// assert!((cross_entropy(&logits, &[1]).item() - 2f64.ln()).abs() < 1e-6);
/// ```
#[doc(alias = "CrossEntropyLoss")]
#[doc(alias = "softmax_cross_entropy")]
#[track_caller]
pub fn cross_entropy<E: Real>(logits: &Tensor<E>, labels: &(impl Indices + ?Sized)) -> Tensor<E> {
    cross_entropy_with(logits, labels, CrossEntropyOptions::default())
}

/// [`cross_entropy`] with class weights, an ignored label, label smoothing, and a reduction.
///
/// Lᵢ = −Σ_c qᵢ_c w_c ln softmax(xᵢ)_c with q = (1 − ε) onehot(y) + ε / C; the mean is Σ Lᵢ / Σ w_yᵢ
///
/// # Panics
/// As [`cross_entropy`]; and when ε is not in [0, 1], or there is not one weight per class.
///
/// ```
/// use striate_nn::{CrossEntropyOptions, Reduction, cross_entropy_with};
/// use striate_tensor::Tensor;
///
/// let logits = Tensor::<f32>::zeros(&[2, 4]);
/// let options =
///     CrossEntropyOptions { ignore_index: Some(255), reduction: Reduction::None, ..Default::default() };
/// let losses = cross_entropy_with(&logits, &[3, 255], options).to_vec();
/// assert!((losses[0] - 4f32.ln()).abs() < 1e-6);
/// assert_eq!(losses[1], 0.0);
/// ```
#[track_caller]
pub fn cross_entropy_with<E: Real>(
    logits: &Tensor<E>,
    labels: &(impl Indices + ?Sized),
    options: CrossEntropyOptions,
) -> Tensor<E> {
    let CrossEntropyOptions { class_weights, ignore_index, label_smoothing, reduction } = options;
    assert!(
        (0.0..=1.0).contains(&label_smoothing),
        "cross_entropy: label smoothing must be in [0, 1], is {label_smoothing}"
    );
    let weights = class_weights.as_deref();
    let targets = Targets::new("cross_entropy", logits.shape(), labels, ignore_index, weights, reduction);
    let smoothing = E::of(label_smoothing);
    apply(CrossEntropy { targets, smoothing }, &[logits])
}

struct CrossEntropy<E> {
    targets: Targets<E>,
    /// ε
    smoothing: E,
}

impl<E: Real> CrossEntropy<E> {
    /// ε / C
    fn spread(&self) -> E {
        self.smoothing / E::of(self.targets.classes as f64)
    }

    /// The logarithm of the normaliser, ln Σ_c e^(x_c), at every position, as m = max x and ln Σ_c e^(x_c − m).
    fn log_normalizers(&self, x: &[E]) -> Array<E> {
        let Targets { classes, inner, ref labels, .. } = self.targets;
        Array::build(&[labels.len(), 2], |z| {
            let z = z.as_chunks_mut::<2>().0;
            let piece =
                par::PIECE.div_ceil(classes.max(1)).next_multiple_of(if inner == 1 { 1 } else { BLOCK });
            par::pieces_mut(z, piece, |i, z| {
                if inner == 1 {
                    let x = &x[i * piece * classes..];
                    return isa::vectorized(
                        #[inline(always)]
                        || {
                            for (z, x) in z.iter_mut().zip(x.chunks_exact(classes)) {
                                *z = log_sum_exp(x);
                            }
                        },
                    );
                }
                let (mut position, mut rest) = (i * piece, z);
                while !rest.is_empty() {
                    let length = rest.len().min(BLOCK).min(inner - position % inner);
                    let (z, after) = rest.split_at_mut(length);
                    log_sum_exp_columns(&x[self.targets.index(position, 0)..], classes, inner, z);
                    (position, rest) = (position + length, after);
                }
            });
        })
    }

    /// Σ_c w_c (z − x_c), what label smoothing adds.
    fn spread_loss(&self, x: &[E], [max, log_sum]: [E; 2], i: usize) -> E {
        let Targets { classes, inner, ref weights, .. } = self.targets;
        let first = self.targets.index(i, 0);
        match weights {
            None if inner == 1 => isa::vectorized(
                #[inline(always)]
                || {
                    lanes::sum(
                        &x[first..][..classes],
                        #[inline(always)]
                        |x| max - x + log_sum,
                    )
                },
            ),
            _ => (0..classes).map(|c| self.targets.weight(c) * (max - x[first + c * inner] + log_sum)).sum(),
        }
    }
}

/// Positions at a time where the classes are not neighbours in memory.
const BLOCK: usize = 256;

#[inline(always)]
fn larger<E: Real>(a: E, b: E) -> E {
    if a > b { a } else { b }
}

/// m = max x and ln Σ eˣ⁻ᵐ: kept apart, since m may be so large that the sum of both loses the second.
#[inline(always)]
fn log_sum_exp<E: Real>(x: &[E]) -> [E; 2] {
    let max = lanes::fold(x, -E::INFINITY, larger, larger);
    [
        max,
        lanes::sum(
            x,
            #[inline(always)]
            |x| (x - max).exp(),
        )
        .ln(),
    ]
}

/// [`log_sum_exp`] over the classes, for at most [`BLOCK`] neighbours.
fn log_sum_exp_columns<E: Real>(x: &[E], classes: usize, stride: usize, z: &mut [[E; 2]]) {
    let (mut max, mut sum) = ([-E::INFINITY; BLOCK], [E::zero(); BLOCK]);
    let (max, sum) = (&mut max[..z.len()], &mut sum[..z.len()]);
    isa::vectorized(
        #[inline(always)]
        || {
            for c in 0..classes {
                for (max, &x) in max.iter_mut().zip(&x[c * stride..]) {
                    *max = larger(*max, x);
                }
            }
            for c in 0..classes {
                for ((sum, &max), &x) in sum.iter_mut().zip(&*max).zip(&x[c * stride..]) {
                    *sum += (x - max).exp();
                }
            }
            for ((z, &max), sum) in z.iter_mut().zip(&*max).zip(&*sum) {
                *z = [max, sum.ln()];
            }
        },
    );
}

impl<E: Real> Op<E> for CrossEntropy<E> {
    const NAME: &'static str = "cross_entropy";
    /// The logits and the logarithms of their normalisers.
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let logits = x[0].contiguous();
        let x = logits.as_slice().unwrap();
        let normalizers = self.log_normalizers(x);
        let z = normalizers.as_slice().unwrap().as_chunks::<2>().0;
        let losses = Array::build(&[z.len()], |losses| {
            let piece = par::PIECE / 16;
            par::pieces_mut(losses, piece, |p, losses| {
                for (i, loss) in (p * piece..).zip(losses) {
                    let Some(weight) = self.targets.weight_at(i) else {
                        *loss = E::zero();
                        continue;
                    };
                    let score = x[self.targets.index(i, self.targets.labels[i])];
                    *loss = (E::one() - self.smoothing) * weight * (z[i][0] - score + z[i][1]);
                    if self.smoothing > E::zero() {
                        *loss += self.spread() * self.spread_loss(x, z[i], i);
                    }
                }
            });
        });
        ([self.targets.reduce(losses)].into(), keep.then_some([logits, normalizers]))
    }

    /// dx_c = s ((1 − ε) w_y (p_c − \[c = y\]) + ε/C (p_c Σ w − w_c)), p = softmax(x)
    fn backward(&self, [logits, normalizers]: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = dy[0].as_ref().filter(|_| dx.wants(0)) else { return };
        let Targets { classes, inner, ref labels, .. } = self.targets;
        let (x, z) = (logits.as_slice().unwrap(), normalizers.as_slice().unwrap().as_chunks::<2>().0);
        // Factors of each position: of onehot(y), and of the spread.
        let mut spread = self.targets.scales(dy);
        let mut hit = spread.clone();
        for (i, (hit, spread)) in hit.make_mut().iter_mut().zip(spread.make_mut()).enumerate() {
            let weight = self.targets.weight_at(i);
            *hit = weight.map_or(E::zero(), |weight| *spread * weight * (E::one() - self.smoothing));
            *spread = weight.map_or(E::zero(), |_| *spread * self.spread());
        }
        let (hit, spread) = (hit.as_slice().unwrap(), spread.as_slice().unwrap());
        let all_weights: E = (0..classes).map(|c| self.targets.weight(c)).sum();
        let smooth = self.smoothing > E::zero();
        let gradient = Array::build(logits.shape(), |dx| {
            if dx.is_empty() {
                return;
            }
            // Rows of neighbours: the classes of one position, or the positions of one class.
            let length = if inner == 1 { classes } else { inner };
            let rows = (par::PIECE / length).max(1);
            par::pieces_mut(dx, rows * length, |piece, dx| {
                for (row, dx) in (piece * rows..).zip(dx.chunks_exact_mut(length)) {
                    let x = &x[row * length..][..length];
                    if inner == 1 {
                        let factor = hit[row] + spread[row] * all_weights;
                        scaled_softmax(x, z[row], factor, dx);
                        if smooth {
                            let spread = spread[row];
                            (0..).zip(&mut *dx).for_each(|(c, dx)| *dx -= spread * self.targets.weight(c));
                        }
                        if hit[row] != E::zero() {
                            dx[labels[row]] -= hit[row];
                        }
                        continue;
                    }
                    let (first, class) = (row / classes * inner, row % classes);
                    let at = first..first + inner;
                    let (z, labels) = (&z[at.clone()], &labels[at.clone()]);
                    let (hit, spread) = (&hit[at.clone()], &spread[at]);
                    let weight = self.targets.weight(class);
                    isa::vectorized(
                        #[inline(always)]
                        || {
                            let positions = dx.iter_mut().zip(x).zip(z).zip(labels).zip(hit).zip(spread);
                            for (((((dx, &x), z), &label), &hit), &spread) in positions {
                                let factor = hit + spread * all_weights;
                                let p = (x - z[0] - z[1]).exp() * factor;
                                let p = if factor == E::zero() { E::zero() } else { p };
                                let own = if label == class { hit } else { E::zero() };
                                *dx = p - own - spread * weight;
                            }
                        },
                    );
                }
            });
        });
        dx.add(0, gradient);
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let (dy, targets) = (dy[0].as_ref()?, &self.targets);
        // q_c w_c at every position, zeros where it is ignored.
        let mut q = Array::zeros(x[0].shape());
        let entries = q.make_mut();
        for i in 0..targets.labels.len() {
            let Some(weight) = targets.weight_at(i) else { continue };
            for class in 0..targets.classes {
                entries[targets.index(i, class)] = self.spread() * targets.weight(class);
            }
            entries[targets.index(i, targets.labels[i])] += (E::one() - self.smoothing) * weight;
        }
        let q = Tensor::from(q);
        let scale = match targets.reduction {
            Reduction::None => dy.unsqueeze(1),
            Reduction::Sum => dy.clone(),
            Reduction::Mean => dy * (1.0 / targets.total().f64()),
        };
        Some(vec![Some((x[0].softmax(1) * q.sum_dim(&[1], true) - q) * scale)])
    }
}

/// y = factor · softmax(x); zeros for the factor 0, as at an ignored position, whatever x is.
fn scaled_softmax<E: Real>(x: &[E], [max, log_sum]: [E; 2], factor: E, y: &mut [E]) {
    if factor == E::zero() {
        return y.fill(factor);
    }
    isa::vectorized(
        #[inline(always)]
        || {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = (x - max - log_sum).exp() * factor;
            }
        },
    );
}
