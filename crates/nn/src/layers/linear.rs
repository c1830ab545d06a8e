//! The affine map of a fully connected layer.

use striate_compute::gemm::{Mat, gemm};
use striate_compute::par;
use striate_tensor::shape::{ShapeError, expect};
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

use crate::init::Init;
use crate::module::Module;
use crate::observe;
use crate::store::Path;

/// Options of a [`Linear`] layer.
#[derive(Clone, Copy, Debug)]
pub struct LinearOptions {
    /// Whether b is there.
    pub bias: bool,
    /// How W starts: U(±1/√in) when `None`, as in PyTorch.
    pub weight_init: Option<Init>,
    /// How b starts: U(±1/√in) when `None`, as in PyTorch.
    pub bias_init: Option<Init>,
}

impl Default for LinearOptions {
    fn default() -> Self {
        LinearOptions { bias: true, weight_init: None, bias_init: None }
    }
}

/// y = x Wᵀ + b for x (…, in), W (out, in), b (out). PyTorch's `nn.Linear`.
///
/// ```
/// use striate_nn::{Linear, Module, ParamStore};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let layer = Linear::new(&store.root().sub("fc"), 3, 2);
/// assert_eq!(layer.forward(&Tensor::ones(&[5, 3])).shape(), [5, 2]);
/// ```
#[derive(Clone)]
pub struct Linear<E: Real = f32> {
    /// W (out, in), `weight` in the store.
    pub weight: Tensor<E>,
    /// b (out), `bias` in the store.
    pub bias: Option<Tensor<E>>,
    name: String,
}

impl<E: Real> Linear<E> {
    /// A layer with PyTorch's defaults.
    #[track_caller]
    pub fn new(path: &Path<E>, inputs: usize, outputs: usize) -> Self {
        Self::with(path, inputs, outputs, LinearOptions::default())
    }

    /// A layer with options.
    #[track_caller]
    pub fn with(path: &Path<E>, inputs: usize, outputs: usize, options: LinearOptions) -> Self {
        let start = |init: Option<Init>| init.unwrap_or(Init::fan_in(inputs));
        Linear {
            weight: path.parameter("weight", &[outputs, inputs], start(options.weight_init)),
            bias: options.bias.then(|| path.parameter("bias", &[outputs], start(options.bias_init))),
            name: path.name().to_string(),
        }
    }
}

impl<E: Real> Module<E> for Linear<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        observe::layer(&self.name, "Linear", linear(x, &self.weight, self.bias.as_ref()))
    }
}

/// y = x Wᵀ + b for x (…, in), W (out, in), b (out); dx = dy W, dW = dyᵀ x, db = Σ dy. PyTorch's `F.linear`.
///
/// # Panics
/// When the shapes do not fit.
#[track_caller]
pub fn linear<E: Real>(x: &Tensor<E>, weight: &Tensor<E>, bias: Option<&Tensor<E>>) -> Tensor<E> {
    match bias {
        Some(bias) => apply(LinearOp, &[x, weight, bias]),
        None => apply(LinearOp, &[x, weight]),
    }
}

struct LinearOp;

/// The rule of [`linear`]: the shape of y.
fn linear_shape(x: &[usize], weight: &[usize], bias: Option<&[usize]>) -> Result<Vec<usize>, ShapeError> {
    let operands = [("x", x), ("weight", weight), ("bias", bias.unwrap_or(&[]))];
    let fail =
        |rule: String| Err(ShapeError::new("linear", rule, &operands[..2 + usize::from(bias.is_some())]));
    let (&[outputs, inputs], Some((&features, rows))) = (weight, x.split_last()) else {
        return fail("x needs an axis of features, weight must be (out, in)".into());
    };
    if features != inputs {
        return fail(format!("x has {features} features, weight expects {inputs}"));
    }
    if bias.is_some_and(|bias| bias != [outputs]) {
        return fail(format!("bias must be ({outputs})"));
    }
    Ok(rows.iter().copied().chain([outputs]).collect())
}

fn rows<E: Real>(x: &Array<E>) -> usize {
    x.shape()[..x.shape().len() - 1].iter().product()
}

impl<E: Real> Op<E> for LinearOp {
    const NAME: &'static str = "linear";
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let (input, weight, bias) = (x[0].contiguous(), x[1].contiguous(), x.get(2));
        let shape = expect(linear_shape(input.shape(), weight.shape(), bias.map(|b| b.shape())));
        let (n, outputs, inputs) = (rows(&input), weight.shape()[0], weight.shape()[1]);
        let y = Array::build(&shape, |y| {
            let beta = match bias.map(|bias| bias.contiguous()) {
                Some(bias) if outputs > 0 => {
                    let bias = bias.as_slice().expect("made contiguous");
                    let piece = (par::PIECE / outputs).max(1) * outputs;
                    par::pieces_mut(y, piece, |_, y| {
                        y.chunks_exact_mut(outputs).for_each(|y| y.copy_from_slice(bias));
                    });
                    E::one()
                }
                _ => E::zero(),
            };
            let x = Mat::new(input.as_slice().unwrap(), n, inputs);
            gemm(x, Mat::new(weight.as_slice().unwrap(), outputs, inputs).t(), beta, y);
        });
        ([y].into(), keep.then_some([input, weight]))
    }

    fn backward(&self, [input, weight]: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        let dy = dy.contiguous();
        let (n, outputs, inputs) = (rows(input), weight.shape()[0], weight.shape()[1]);
        let dy_matrix = Mat::new(dy.as_slice().unwrap(), n, outputs);
        if dx.wants(0) {
            let weight = Mat::new(weight.as_slice().unwrap(), outputs, inputs);
            dx.write(0, |dx, beta| gemm(dy_matrix, weight, beta, dx));
        }
        if dx.wants(1) {
            let input = Mat::new(input.as_slice().unwrap(), n, inputs);
            dx.write(1, |dw, beta| gemm(dy_matrix.t(), input, beta, dw));
        }
        if dx.wants(2) {
            dx.add(2, dy.sum_to(&[outputs]));
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        let flat = |x: &Tensor<E>| x.reshape(&[-1, x.shape()[x.rank() - 1] as isize]);
        let dw = flat(dy).t().matmul(&flat(&x[0]));
        let mut dx = vec![Some(dy.matmul(&x[1])), Some(dw)];
        dx.extend(x.get(2).map(|bias| Some(dy.sum_to(bias.shape()))));
        Some(dx)
    }
}
