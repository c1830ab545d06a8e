//! Batch normalisation of (N, C, …) as one operation.

use std::sync::{Arc, OnceLock};

use striate_compute::{isa, par};
use striate_tensor::shape::{ShapeError, elements, expect};
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

use crate::lanes;

/// Normalises every channel of x (N, C, …) by the mean and the biased variance of the batch.
///
/// y = γ x̂ + β, x̂ = (x − μ) r, r = 1/√(σ² + ε);
/// dx = γ r (dy − mean(dy) − x̂ mean(dy x̂)), dγ = Σ dy x̂, dβ = Σ dy
///
/// `affine` is γ (C) and β (C). Returns y, μ and σ², the last two outside the tape.
/// PyTorch's `F.batch_norm(x, None, None, weight, bias, training=True)`.
///
/// # Panics
/// When x has no axis of channels, or γ and β are not (C).
#[track_caller]
pub fn batch_norm<E: Real>(
    x: &Tensor<E>,
    affine: Option<&[Tensor<E>; 2]>,
    eps: f64,
) -> (Tensor<E>, Array<E>, Array<E>) {
    let seen = Arc::new(OnceLock::new());
    let op = BatchNormOp { eps: E::of(eps), statistics: Statistics::Batch(seen.clone()) };
    let y = normalize(op, x, affine);
    let [mean, variance] = seen.get().expect("forward has set them").clone();
    (y, mean, variance)
}

/// Normalises every channel of x (N, C, …) by a given mean (C) and variance (C), which are taken as constants.
///
/// y = γ (x − μ) r + β, r = 1/√(σ² + ε); dx = γ r dy, dγ = Σ dy (x − μ) r, dβ = Σ dy
///
/// PyTorch's `F.batch_norm(x, running_mean, running_var, weight, bias, training=False)`.
///
/// # Panics
/// As [`batch_norm`].
#[track_caller]
pub fn batch_norm_with<E: Real>(
    x: &Tensor<E>,
    mean: &Tensor<E>,
    variance: &Tensor<E>,
    affine: Option<&[Tensor<E>; 2]>,
    eps: f64,
) -> Tensor<E> {
    let given = Box::new([mean.array().contiguous(), variance.array().contiguous()]);
    for statistic in [mean, variance] {
        expect(rule(x.shape(), statistic.shape()));
    }
    normalize(BatchNormOp { eps: E::of(eps), statistics: Statistics::Given(given) }, x, affine)
}

fn rule(x: &[usize], per_channel: &[usize]) -> Result<(), ShapeError> {
    if x.len() >= 2 && per_channel == [x[1]] {
        return Ok(());
    }
    let operands = [("x", x), ("per channel", per_channel)];
    Err(ShapeError::new("batch_norm", "x must be (N, C, …), weight, bias and statistics (C)", &operands))
}

#[track_caller]
fn normalize<E: Real>(op: BatchNormOp<E>, x: &Tensor<E>, affine: Option<&[Tensor<E>; 2]>) -> Tensor<E> {
    match affine {
        Some([weight, bias]) => {
            expect(rule(x.shape(), weight.shape()));
            expect(rule(x.shape(), bias.shape()));
            apply(op, &[x, weight, bias])
        }
        None => {
            expect(rule(x.shape(), &x.shape()[x.rank().min(1)..x.rank().min(2)]));
            apply(op, &[x])
        }
    }
}

enum Statistics<E: Real> {
    /// Of the batch; forward leaves them here.
    Batch(Arc<OnceLock<[Array<E>; 2]>>),
    /// Mean and variance.
    Given(Box<[Array<E>; 2]>),
}

struct BatchNormOp<E: Real> {
    eps: E,
    statistics: Statistics<E>,
}

/// Shorter runs of neighbours in a channel are gathered first.
const SHORT: usize = 16;

/// x (N, C, …) as (n, c, s) with neighbours s of one channel.
struct Layout {
    n: usize,
    channels: usize,
    s: usize,
    shape: Vec<usize>,
    gathered: bool,
}

impl Layout {
    fn new(shape: &[usize]) -> Self {
        let (n, channels, s) = (shape[0], shape[1], elements(&shape[2..]));
        let gathered = s < SHORT;
        let (n, s) = if gathered { (1, n * s) } else { (n, s) };
        Layout { n, channels, s, shape: shape.to_vec(), gathered }
    }

    /// Elements of a channel.
    fn count(&self) -> f64 {
        (self.n * self.s) as f64
    }

    fn order(&self) -> Vec<usize> {
        [1, 0].into_iter().chain(2..self.shape.len()).collect()
    }

    /// The elements as (n, c, s).
    fn read<E: Real>(&self, x: &Array<E>) -> Array<E> {
        if self.gathered { x.permute(&self.order()).contiguous() } else { x.contiguous() }
    }

    /// A new array of x's shape from what `write` fills as (n, c, s).
    fn build<E: Real>(&self, write: impl FnOnce(&mut [E])) -> Array<E> {
        if !self.gathered {
            return Array::build(&self.shape, write);
        }
        let order = self.order();
        let shape: Vec<usize> = order.iter().map(|&axis| self.shape[axis]).collect();
        Array::build(&shape, write).permute(&order)
    }

    /// The runs of channel `c`.
    fn runs<'a, E>(&self, x: &'a [E], c: usize) -> impl Iterator<Item = &'a [E]> + use<'a, E> {
        let (channels, s) = (self.channels, self.s);
        (0..self.n).map(move |n| &x[(n * channels + c) * s..][..s])
    }

    /// Calls `f(c, runs of channel c, its pair of numbers)` for all channels.
    fn each_channel<E: Real>(
        &self,
        y: &mut [E],
        f: impl Fn(usize, &mut [&mut [E]], &mut [E; 2]) + Sync + Send,
    ) -> [Array<E>; 2] {
        let mut tasks: Vec<(Vec<&mut [E]>, [E; 2])> =
            (0..self.channels).map(|_| (Vec::with_capacity(self.n), [E::zero(); 2])).collect();
        if self.s > 0 {
            y.chunks_exact_mut(self.s).enumerate().for_each(|(i, run)| tasks[i % self.channels].0.push(run));
        }
        let piece = (par::PIECE / (self.n * self.s).max(1)).max(1);
        par::pieces_mut(&mut tasks, piece, |i, tasks| {
            for (c, (runs, pair)) in (i * piece..).zip(tasks) {
                f(c, runs, pair);
            }
        });
        [0, 1].map(|k| Array::from_vec(&[self.channels], tasks.iter().map(|(_, pair)| pair[k]).collect()))
    }
}

/// γ, μ and r of a channel.
#[derive(Clone, Copy)]
struct Scale<E> {
    weight: E,
    mean: E,
    reciprocal: E,
}

struct Saved<E: Real> {
    /// x as (n, c, s).
    x: Array<E>,
    mean: Array<E>,
    variance: Array<E>,
    weight: Option<Array<E>>,
    layout: Layout,
}

impl<E: Real> BatchNormOp<E> {
    fn scale(&self, mean: E, variance: E, weight: Option<&[E]>, c: usize) -> Scale<E> {
        let reciprocal = E::one() / (variance + self.eps).sqrt();
        Scale { weight: weight.map_or(E::one(), |weight| weight[c]), mean, reciprocal }
    }
}

/// Mean and biased variance of a channel, in two passes.
fn moments<E: Real>(layout: &Layout, x: &[E], c: usize) -> [E; 2] {
    let sum = |f: &dyn Fn(&[E]) -> E| {
        E::of(layout.runs(x, c).map(|run| f(run).f64()).sum::<f64>() / layout.count())
    };
    let mean = sum(&|run| {
        isa::vectorized(
            #[inline(always)]
            || {
                lanes::sum(
                    run,
                    #[inline(always)]
                    |x| x,
                )
            },
        )
    });
    let variance = sum(&|run| {
        isa::vectorized(
            #[inline(always)]
            || {
                lanes::sum(
                    run,
                    #[inline(always)]
                    |x| (x - mean) * (x - mean),
                )
            },
        )
    });
    [mean, variance]
}

impl<E: Real> Op<E> for BatchNormOp<E> {
    const NAME: &'static str = "batch_norm";
    type Saved = Saved<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let layout = Layout::new(x[0].shape());
        let input = layout.read(&x[0]);
        let values = input.as_slice().unwrap();
        let affine = x.get(1).map(|weight| [weight.contiguous(), x[2].contiguous()]);
        let weight = affine.as_ref().and_then(|[weight, _]| weight.as_slice());
        let bias = affine.as_ref().and_then(|[_, bias]| bias.as_slice());
        let mut statistics = None;
        let y = layout.build(|y| {
            let pairs = layout.each_channel(y, |c, runs, pair| {
                *pair = match &self.statistics {
                    Statistics::Batch(_) => moments(&layout, values, c),
                    Statistics::Given(given) => [0, 1].map(|k| given[k].as_slice().unwrap()[c]),
                };
                let Scale { weight, mean, reciprocal } = self.scale(pair[0], pair[1], weight, c);
                let (scale, shift) = (weight * reciprocal, bias.map_or(E::zero(), |bias| bias[c]));
                for (y, x) in runs.iter_mut().zip(layout.runs(values, c)) {
                    isa::vectorized(
                        #[inline(always)]
                        || {
                            for (y, &x) in y.iter_mut().zip(x) {
                                *y = (x - mean) * scale + shift;
                            }
                        },
                    );
                }
            });
            statistics = Some(pairs);
        });
        let [mean, variance] = statistics.expect("the channels were visited");
        if let Statistics::Batch(seen) = &self.statistics {
            seen.get_or_init(|| [mean.clone(), variance.clone()]);
        }
        let saved = keep.then(|| Saved {
            x: input.clone(),
            mean,
            variance,
            weight: affine.map(|[weight, _]| weight),
            layout,
        });
        ([y].into(), saved)
    }

    fn backward(&self, saved: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        let layout = &saved.layout;
        let dy = layout.read(dy);
        let (x, dy) = (saved.x.as_slice().unwrap(), dy.as_slice().unwrap());
        let (means, variances) = (saved.mean.as_slice().unwrap(), saved.variance.as_slice().unwrap());
        let weight = saved.weight.as_ref().and_then(|weight| weight.as_slice());
        let batch = matches!(self.statistics, Statistics::Batch(_));
        let count = E::of(layout.count());
        let wants_sums = dx.wants(1) || dx.wants(2) || batch;
        // dβ = Σ dy and dγ = Σ dy x̂, and the runs of dx where they are wanted.
        let visit = |c: usize, runs: &mut [&mut [E]], pair: &mut [E; 2]| {
            let Scale { weight, mean, reciprocal } = self.scale(means[c], variances[c], weight, c);
            if wants_sums {
                let (mut sum, mut product) = (0.0, 0.0);
                for (x, dy) in layout.runs(x, c).zip(layout.runs(dy, c)) {
                    isa::vectorized(
                        #[inline(always)]
                        || {
                            sum += lanes::sum(
                                dy,
                                #[inline(always)]
                                |dy| dy,
                            )
                            .f64();
                            product += lanes::sum2(
                                x,
                                dy,
                                #[inline(always)]
                                |x, dy| (x - mean) * dy,
                            )
                            .f64();
                        },
                    );
                }
                *pair = [E::of(sum), E::of(product) * reciprocal];
            }
            let scale = weight * reciprocal;
            let [mean_dy, slope] =
                if batch { [pair[0] / count, pair[1] / count * reciprocal] } else { [E::zero(); 2] };
            for ((dx, x), dy) in runs.iter_mut().zip(layout.runs(x, c)).zip(layout.runs(dy, c)) {
                isa::vectorized(
                    #[inline(always)]
                    || {
                        for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
                            *dx = (dy - mean_dy - (x - mean) * slope) * scale;
                        }
                    },
                );
            }
        };
        let [bias_gradient, weight_gradient] = if dx.wants(0) {
            let mut pairs = None;
            let gradient = layout.build(|y| pairs = Some(layout.each_channel(y, visit)));
            dx.add(0, gradient);
            pairs.expect("the channels were visited")
        } else {
            layout.each_channel(&mut [], visit)
        };
        dx.add(1, weight_gradient);
        dx.add(2, bias_gradient);
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let (x, dy, weight) = (&x[0], dy[0].as_ref()?, x.get(1));
        let axes: Vec<isize> = (0..x.rank() as isize).filter(|&axis| axis != 1).collect();
        let wide: Vec<isize> = (0..x.rank()).map(|axis| if axis == 1 { -1 } else { 1 }).collect();
        let (centred, variance, batch) = match &self.statistics {
            Statistics::Batch(_) => {
                let centred = x - x.mean_dim(&axes, true);
                let variance = (&centred * &centred).mean_dim(&axes, true);
                (centred, variance, true)
            }
            Statistics::Given(given) => {
                let [mean, variance] = &**given;
                let wide = |array: &Array<E>| Tensor::from(array.clone()).reshape(&wide);
                (x - wide(mean), wide(variance), false)
            }
        };
        let reciprocal = (variance + self.eps.f64()).rsqrt();
        let hat = centred * &reciprocal;
        let scale = match weight {
            Some(weight) => &reciprocal * weight.reshape(&wide),
            None => reciprocal,
        };
        let dx = if batch {
            (dy - dy.mean_dim(&axes, true) - &hat * (dy * &hat).mean_dim(&axes, true)) * scale
        } else {
            dy * scale
        };
        let mut gradients = vec![Some(dx)];
        if weight.is_some() {
            gradients.extend([(dy * hat).sum_dim(&axes, false), dy.sum_dim(&axes, false)].map(Some));
        }
        Some(gradients)
    }
}
