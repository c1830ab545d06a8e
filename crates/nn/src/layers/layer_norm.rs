//! Layer normalisation.

use striate_compute::{isa, par};
use striate_tensor::shape::{ShapeError, elements, expect};
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

use crate::init::Init;
use crate::lanes;
use crate::module::Module;
use crate::observe;
use crate::store::Path;

/// Options of [`LayerNorm`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNormOptions {
    /// ε, added to the variance.
    pub eps: f64,
    /// Whether γ and β are there.
    pub affine: bool,
    /// Whether β is there, next to γ.
    pub bias: bool,
}

impl Default for LayerNormOptions {
    fn default() -> Self {
        LayerNormOptions { eps: 1e-5, affine: true, bias: true }
    }
}

/// Normalises the last axes of every sample. PyTorch's `nn.LayerNorm`.
///
/// y = γ (x − μ) / √(σ² + ε) + β, with mean and biased variance over the last axes; γ (`weight`) and β (`bias`) have
/// their shape. The same in training and evaluation. Ba, Kiros and Hinton 2016.
///
/// ```
/// use striate_nn::{LayerNorm, Module, ParamStore};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let norm = LayerNorm::new(&store.root().sub("norm"), &[2]);
/// let y = norm.forward(&Tensor::from_vec(&[1, 2], vec![3.0, 5.0])).to_vec();
/// assert!((y[0] + 1.0).abs() < 1e-4 && (y[1] - 1.0).abs() < 1e-4);
/// ```
pub struct LayerNorm<E: Real = f32> {
    /// γ, `weight` in the store.
    pub weight: Option<Tensor<E>>,
    /// β, `bias` in the store.
    pub bias: Option<Tensor<E>>,
    shape: Vec<usize>,
    eps: f64,
    name: String,
}

impl<E: Real> LayerNorm<E> {
    /// A layer over the last axes, whose lengths are `shape`, with PyTorch's defaults.
    #[track_caller]
    pub fn new(path: &Path<E>, shape: &[usize]) -> Self {
        Self::with(path, shape, LayerNormOptions::default())
    }

    /// A layer with options.
    #[track_caller]
    pub fn with(path: &Path<E>, shape: &[usize], options: LayerNormOptions) -> Self {
        LayerNorm {
            weight: options.affine.then(|| path.parameter("weight", shape, Init::Constant(1.0))),
            bias: (options.affine && options.bias)
                .then(|| path.parameter("bias", shape, Init::Constant(0.0))),
            shape: shape.to_vec(),
            eps: options.eps,
            name: path.name().to_string(),
        }
    }
}

impl<E: Real> Module<E> for LayerNorm<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let y = layer_norm(x, &self.shape, self.weight.as_ref(), self.bias.as_ref(), self.eps);
        observe::layer(&self.name, "LayerNorm", y)
    }
}

/// Normalises the last axes of x (…, `shape`), then scales by γ and shifts by β, both of `shape`.
///
/// y = γ x̂ + β, x̂ = (x − μ) r, r = 1/√(σ² + ε); with g = γ dy:
/// dx = r (g − mean(g) − x̂ mean(g x̂)), dγ = Σ dy x̂, dβ = Σ dy. PyTorch's `F.layer_norm`.
///
/// # Panics
/// When x does not end in `shape`, γ or β is not of `shape`, or β comes without γ.
///
/// ```
/// use striate_nn::layers::layer_norm::layer_norm;
/// use striate_tensor::Tensor;
///
/// let y = layer_norm(&Tensor::<f32>::ones(&[2, 3]), &[3], None, None, 1e-5);
/// assert_eq!(y.to_vec(), [0.0; 6]);
/// ```
#[track_caller]
pub fn layer_norm<E: Real>(
    x: &Tensor<E>,
    shape: &[usize],
    weight: Option<&Tensor<E>>,
    bias: Option<&Tensor<E>>,
    eps: f64,
) -> Tensor<E> {
    expect(rule(x.shape(), shape, weight.map(|w| w.shape()), bias.map(|b| b.shape())));
    let op = LayerNormOp { axes: shape.len(), width: elements(shape), eps: E::of(eps) };
    let inputs: Vec<&Tensor<E>> = [Some(x), weight, bias].into_iter().flatten().collect();
    apply(op, &inputs)
}

fn rule(
    x: &[usize],
    shape: &[usize],
    weight: Option<&[usize]>,
    bias: Option<&[usize]>,
) -> Result<(), ShapeError> {
    let fits = |parameter: Option<&[usize]>| parameter.is_none_or(|parameter| parameter == shape);
    if x.ends_with(shape) && fits(weight) && fits(bias) && (weight.is_some() || bias.is_none()) {
        return Ok(());
    }
    let operands = [("x", x), ("weight", weight.unwrap_or(&[])), ("bias", bias.unwrap_or(&[]))];
    let rule =
        format!("x must end in {shape:?}, weight and bias must have that shape, no bias without weight");
    Err(ShapeError::new("layer_norm", rule, &operands))
}

struct LayerNormOp<E> {
    /// How many axes are normalised, and their elements.
    axes: usize,
    width: usize,
    eps: E,
}

struct Saved<E: Real> {
    x: Array<E>,
    /// μ and r of every row.
    statistics: Array<E>,
    weight: Option<Array<E>>,
}

impl<E: Real> LayerNormOp<E> {
    /// Rows of a piece of work.
    fn rows(&self) -> usize {
        (par::PIECE / self.width.max(1)).max(1)
    }

    fn statistics(&self, x: &[E]) -> [E; 2] {
        let width = E::of(x.len() as f64);
        let mean = lanes::sum(
            x,
            #[inline(always)]
            |x| x,
        ) / width;
        let variance = lanes::sum(
            x,
            #[inline(always)]
            |x| (x - mean) * (x - mean),
        ) / width;
        [mean, E::one() / (variance + self.eps).sqrt()]
    }
}

impl<E: Real> Op<E> for LayerNormOp<E> {
    const NAME: &'static str = "layer_norm";
    type Saved = Saved<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let input = x[0].contiguous();
        let [weight, bias] = [1, 2].map(|i| x.get(i).map(|parameter| parameter.contiguous()));
        let (values, width, piece) = (input.as_slice().unwrap(), self.width, self.rows());
        let count = values.len().checked_div(width).unwrap_or(0);
        let mut y = None;
        let statistics = Array::build(&[count, 2], |statistics| {
            let statistics = statistics.as_chunks_mut::<2>().0;
            y = Some(Array::build(input.shape(), |y| {
                let mut tasks: Vec<_> =
                    y.chunks_mut((piece * width).max(1)).zip(statistics.chunks_mut(piece)).collect();
                par::pieces_mut(&mut tasks, 1, |i, tasks| {
                    for (y, statistics) in tasks {
                        let x = &values[i * piece * width..][..y.len()];
                        let weight = weight.as_ref().and_then(|weight| weight.as_slice());
                        let bias = bias.as_ref().and_then(|bias| bias.as_slice());
                        isa::vectorized(
                            #[inline(always)]
                            || {
                                let rows = y.chunks_exact_mut(width).zip(x.chunks_exact(width));
                                for ((y, x), statistics) in rows.zip(&mut **statistics) {
                                    *statistics = self.statistics(x);
                                    normalize(x, *statistics, weight, bias, y);
                                }
                            },
                        );
                    }
                });
            }));
        });
        let y = y.expect("it was built");
        ([y].into(), keep.then_some(Saved { x: input, statistics, weight }))
    }

    fn backward(&self, saved: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        let dy = dy.contiguous();
        let (x, dy) = (saved.x.as_slice().unwrap(), dy.as_slice().unwrap());
        let statistics = saved.statistics.as_slice().unwrap().as_chunks::<2>().0;
        let weight = saved.weight.as_ref().and_then(|weight| weight.as_slice());
        let (width, piece) = (self.width, self.rows());
        let pieces = statistics.len().div_ceil(piece);
        let wants_parameters = dx.wants(1) || dx.wants(2);
        // Each piece's rows of dx, and its share of dγ and dβ.
        let mut partial = vec![E::zero(); if wants_parameters { pieces * 2 * width } else { 0 }];
        let visit = |gradient: &mut [E], partial: &mut [E]| {
            let mut partials = partial.chunks_mut((2 * width).max(1));
            let mut rows = gradient.chunks_mut((piece * width).max(1));
            let mut tasks: Vec<(&mut [E], &mut [E])> = (0..pieces)
                .map(|_| (rows.next().unwrap_or_default(), partials.next().unwrap_or_default()))
                .collect();
            par::pieces_mut(&mut tasks, 1, |i, tasks| {
                for (dx, partial) in tasks {
                    let first = i * piece;
                    let last = statistics.len().min(first + piece);
                    let (x, dy) = (&x[first * width..last * width], &dy[first * width..last * width]);
                    let rows =
                        x.chunks_exact(width).zip(dy.chunks_exact(width)).zip(&statistics[first..last]);
                    let (dweight, dbias) = partial.split_at_mut(partial.len() / 2);
                    isa::vectorized(
                        #[inline(always)]
                        || {
                            for (row, ((x, dy), &[mean, reciprocal])) in rows.enumerate() {
                                let hat = |x: E| (x - mean) * reciprocal;
                                for (((dweight, dbias), &x), &dy) in
                                    dweight.iter_mut().zip(&mut *dbias).zip(x).zip(dy)
                                {
                                    *dweight += dy * hat(x);
                                    *dbias += dy;
                                }
                                if !dx.is_empty() {
                                    input_gradient(
                                        x,
                                        dy,
                                        [mean, reciprocal],
                                        weight,
                                        &mut dx[row * width..][..width],
                                    );
                                }
                            }
                        },
                    );
                }
            });
        };
        if dx.wants(0) {
            let gradient = Array::build(saved.x.shape(), |gradient| visit(gradient, &mut partial));
            dx.add(0, gradient);
        } else {
            visit(&mut [], &mut partial);
        }
        if wants_parameters {
            let total = Array::from_vec(&[pieces, 2, width], partial).sum_to(&[2, width]);
            for i in [1, 2] {
                if dx.wants(i) {
                    dx.add(i, total.slice(0, i - 1, 1, 1).reshape(dx.shape(i)));
                }
            }
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        let axes: Vec<isize> = (1..=self.axes as isize).map(|axis| -axis).collect();
        let mean = |x: &Tensor<E>| if axes.is_empty() { x.clone() } else { x.mean_dim(&axes, true) };
        let centred = &x[0] - mean(&x[0]);
        let reciprocal = (mean(&(&centred * &centred)) + self.eps.f64()).rsqrt();
        let hat = centred * &reciprocal;
        let g = match x.get(1) {
            Some(weight) => dy * weight,
            None => dy.clone(),
        };
        let mut gradients = vec![Some((&g - mean(&g) - &hat * mean(&(&g * &hat))) * reciprocal)];
        gradients.extend(x.get(1).map(|weight| Some((dy * hat).sum_to(weight.shape()))));
        gradients.extend(x.get(2).map(|bias| Some(dy.sum_to(bias.shape()))));
        Some(gradients)
    }
}

#[inline(always)]
fn normalize<E: Real>(
    x: &[E],
    [mean, reciprocal]: [E; 2],
    weight: Option<&[E]>,
    bias: Option<&[E]>,
    y: &mut [E],
) {
    match (weight, bias) {
        (Some(weight), Some(bias)) => {
            for (((y, &x), &weight), &bias) in y.iter_mut().zip(x).zip(weight).zip(bias) {
                *y = (x - mean) * reciprocal * weight + bias;
            }
        }
        (Some(weight), None) => {
            for ((y, &x), &weight) in y.iter_mut().zip(x).zip(weight) {
                *y = (x - mean) * reciprocal * weight;
            }
        }
        _ => y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - mean) * reciprocal),
    }
}

/// dx = r (g − mean(g) − x̂ mean(g x̂)) with g = γ dy
#[inline(always)]
fn input_gradient<E: Real>(
    x: &[E],
    dy: &[E],
    [mean, reciprocal]: [E; 2],
    weight: Option<&[E]>,
    dx: &mut [E],
) {
    match weight {
        Some(weight) => dx.iter_mut().zip(dy).zip(weight).for_each(|((dx, &dy), &weight)| *dx = dy * weight),
        None => dx.copy_from_slice(dy),
    }
    let width = E::of(x.len() as f64);
    let mean_g = lanes::sum(
        dx,
        #[inline(always)]
        |g| g,
    ) / width;
    let slope = lanes::sum2(
        dx,
        x,
        #[inline(always)]
        |g, x| g * (x - mean),
    ) * reciprocal
        * reciprocal
        / width;
    dx.iter_mut().zip(x).for_each(|(dx, &x)| *dx = (*dx - mean_g - (x - mean) * slope) * reciprocal);
}
