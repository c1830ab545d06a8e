use striate_compute::gemm::Mat;
use striate_compute::par;
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply_many};

use crate::cells::Parameters;
use crate::error::RecurrentError;
use crate::expect::expect;
use crate::kernels::{Gradients, Kind, Sequence, Trace, Weights};
use crate::layers::PackedSequence;

/// What [`recurrence`] gives.
pub struct LayerOutput<E: Real> {
    /// (Σ lengths, D·H): h at each step.
    pub y: PackedSequence<E>,
    /// (D, N, H): h after the last step of each sequence.
    pub h: Tensor<E>,
    /// (D, N, H), of an LSTM: c after the last step of each sequence.
    pub c: Option<Tensor<E>>,
}

/// One layer over packed sequences, in D directions: forward, or forward and backward side by side.
///
/// s_t = f(s_(t−1), x_t; θ); the gradient is back-propagation through time:
/// dL/da_t from dL/dy_t + dL/ds_t, and dL/dx = dL/da W_ih, dL/dW_ih = Σ_t dL/da_tᵀ x_t, dL/dW_hh = Σ_t dL/da_tᵀ h_(t−1).
///
/// Shapes: x (Σ lengths, I), h and, for an LSTM, c (D, N, H) in the order in which the sequences came; each direction's
/// parameters W_ih (G·H, I), W_hh (G·H, H), b_ih and b_hh (G·H).
///
/// # Panics
/// When the shapes do not fit, there are other than one or two directions, or only some of the biases.
///
/// The notes, section 7: figures 21 and 22. PyTorch's `torch._VF.lstm` and its siblings.
///
/// ```
/// use striate_recurrent::{Cell, GruCell, PackedSequence, kernels::Kind, ops::recurrence};
/// use striate_nn::ParamStore;
/// use striate_tensor::Tensor;
///
/// let cell = GruCell::new(&ParamStore::<f32>::seeded(0).root(), 3, 5);
/// let x = PackedSequence::pack(&Tensor::ones(&[4, 2, 3]), &[4, 2])?;
/// let output = recurrence(Kind::Gru, &x, &Tensor::zeros(&[1, 2, 5]), None, std::slice::from_ref(&cell.parameters));
/// assert_eq!((output.y.data().shape(), output.h.shape()), (&[6, 5][..], &[1, 2, 5][..]));
/// # Ok::<(), striate_recurrent::RecurrentError>(())
/// ```
#[track_caller]
pub fn recurrence<E: Real>(
    kind: Kind,
    x: &PackedSequence<E>,
    h: &Tensor<E>,
    c: Option<&Tensor<E>>,
    directions: &[Parameters<E>],
) -> LayerOutput<E> {
    expect(<Recurrence as Op<E>>::NAME, check(kind, x, h, c, directions));
    let op = Recurrence {
        kind,
        batch_sizes: x.batch_sizes().to_vec(),
        directions: directions.len(),
        biased: directions[0].bias_ih.is_some(),
    };
    let (h, c) = (x.sort(h), c.map(|c| x.sort(c)));
    let mut inputs = vec![x.data(), &h];
    inputs.extend(&c);
    for p in directions {
        inputs.extend([&p.weight_ih, &p.weight_hh]);
        inputs.extend(p.bias_ih.iter().chain(&p.bias_hh));
    }
    let outputs = apply_many(op, &inputs);
    LayerOutput {
        y: x.with_data(outputs[0].clone()),
        h: x.unsort(&outputs[1]),
        c: outputs.get(2).map(|c| x.unsort(c)),
    }
}

fn check<E: Real>(
    kind: Kind,
    x: &PackedSequence<E>,
    h: &Tensor<E>,
    c: Option<&Tensor<E>>,
    directions: &[Parameters<E>],
) -> Result<(), RecurrentError> {
    let ([first] | [first, _]) = directions else {
        return Err(RecurrentError::Directions { directions: directions.len() });
    };
    let (features, hidden) = (x.data().shape()[1], first.hidden());
    if hidden == 0 {
        return Err(RecurrentError::Hidden);
    }
    if features != first.input() {
        let (expected, shape) = ("packed rows", x.data().shape().to_vec());
        return Err(RecurrentError::Input { expected, features: first.input(), shape });
    }
    let state = vec![directions.len(), x.batch(), hidden];
    let rows = kind.gates() * hidden;
    let cell = match c {
        Some(c) => Some(("c", c, state.clone())),
        None if kind.has_cell() => return Err(RecurrentError::NoCell),
        None => None,
    };
    let mut shapes = vec![("h", h, state)];
    shapes.extend(cell);
    for p in directions {
        shapes.push(("weight_ih", &p.weight_ih, vec![rows, features]));
        shapes.push(("weight_hh", &p.weight_hh, vec![rows, hidden]));
        for (what, bias) in [("bias_ih", &p.bias_ih), ("bias_hh", &p.bias_hh)] {
            match bias {
                Some(bias) => shapes.push((what, bias, vec![rows])),
                None if first.bias_ih.is_some() => return Err(RecurrentError::Biases),
                None => (),
            }
        }
    }
    for (what, tensor, expected) in shapes {
        if tensor.shape() != expected {
            return Err(RecurrentError::Shape { what, expected, shape: tensor.shape().to_vec() });
        }
    }
    Ok(())
}

struct Recurrence {
    kind: Kind,
    batch_sizes: Vec<usize>,
    directions: usize,
    biased: bool,
}

/// The arrays that the gradients read, and what each direction left.
struct Saved<E: Real> {
    x: Array<E>,
    weights: Vec<Vec<Array<E>>>,
    traces: Vec<Trace<E>>,
}

/// What a direction gives back beside the gradients of its weights.
struct Back<E: Real> {
    gradients: Gradients<E>,
    dh: Vec<E>,
    dc: Vec<E>,
}

impl Recurrence {
    fn sequence(&self, direction: usize, input: usize, hidden: usize) -> Sequence<'_> {
        let Recurrence { kind, ref batch_sizes, .. } = *self;
        Sequence { kind, input, hidden, batch_sizes, reverse: direction == 1 }
    }

    /// Where the weights of a direction start among the inputs.
    fn first_weight(&self, direction: usize) -> usize {
        2 + usize::from(self.kind.has_cell()) + direction * self.weights_per_direction()
    }

    fn weights_per_direction(&self) -> usize {
        if self.biased { 4 } else { 2 }
    }
}

fn slice<E: Real>(x: &Array<E>) -> &[E] {
    x.as_slice().expect("made contiguous")
}

fn weights<E: Real>(arrays: &[Array<E>]) -> Weights<'_, E> {
    let bias = |i: usize| arrays.get(i).map(slice);
    Weights { ih: slice(&arrays[0]), hh: slice(&arrays[1]), bias_ih: bias(2), bias_hh: bias(3) }
}

/// Element `i` along the first axis, as a vector of its own.
fn part<E: Real>(x: &Array<E>, i: usize) -> Vec<E> {
    x.slice(0, i, 1, 1).to_vec()
}

/// The matrices side by side: (rows, D·H).
fn side_by_side<E: Real>(matrices: Vec<Array<E>>) -> Array<E> {
    let [first, second] = &matrices[..] else {
        return matrices.into_iter().next().expect("a direction");
    };
    let (rows, hidden) = (first.shape()[0], first.shape()[1]);
    let (first, second) = (slice(first), slice(second));
    Array::build(&[rows, 2 * hidden], |y| {
        let piece = (par::PIECE / (2 * hidden)).max(1);
        par::pieces_mut(y, piece * 2 * hidden, |i, y| {
            for (row, y) in (i * piece..).zip(y.chunks_exact_mut(2 * hidden)) {
                y[..hidden].copy_from_slice(&first[row * hidden..][..hidden]);
                y[hidden..].copy_from_slice(&second[row * hidden..][..hidden]);
            }
        });
    })
}

impl<E: Real> Op<E> for Recurrence {
    const NAME: &'static str = "recurrence";
    type Saved = Saved<E>;

    fn forward(&self, inputs: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let x = inputs[0].contiguous();
        let (rows, input) = (x.shape()[0], x.shape()[1]);
        let (batch, hidden) = (inputs[1].shape()[1], inputs[1].shape()[2]);
        let arrays: Vec<Vec<Array<E>>> = (0..self.directions)
            .map(|d| {
                let first = self.first_weight(d);
                inputs[first..][..self.weights_per_direction()].iter().map(Array::contiguous).collect()
            })
            .collect();
        let runs = par::collect(self.directions, |d| {
            let sequence = self.sequence(d, input, hidden);
            let mut h = part(&inputs[1], d);
            let mut c = if self.kind.has_cell() { part(&inputs[2], d) } else { Vec::new() };
            let mut trace = None;
            let y = Array::build(&[rows, hidden], |y| {
                trace = sequence.forward(slice(&x), &weights(&arrays[d]), &mut h, &mut c, y, keep);
            });
            (y, h, c, trace)
        });
        let (mut ys, mut hs, mut cs, mut traces) = (vec![], vec![], vec![], vec![]);
        for (y, h, c, trace) in runs {
            ys.push(y);
            hs.extend(h);
            cs.extend(c);
            traces.extend(trace);
        }
        let state = |values| Array::from_vec(&[self.directions, batch, hidden], values);
        let mut outputs: Outputs<E> = [side_by_side(ys)].into();
        outputs.push(state(hs));
        if self.kind.has_cell() {
            outputs.push(state(cs));
        }
        (outputs, keep.then_some(Saved { x, weights: arrays, traces }))
    }

    fn backward(&self, saved: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Saved { x, weights: arrays, traces } = saved;
        let dy: Vec<Option<Array<E>>> = dy.iter().map(|dy| dy.as_ref().map(Array::contiguous)).collect();
        let input = x.shape()[1];
        let hidden = arrays[0][1].shape()[1];
        let (rows, batch) = (x.shape()[0], self.batch_sizes[0]);
        let of_state = |dy: Option<&Option<Array<E>>>, d: usize| match dy {
            Some(Some(dy)) => part(dy, d),
            _ => vec![E::zero(); batch * hidden],
        };
        let backs = par::collect(self.directions, |d| {
            let mut dh = of_state(dy.get(1), d);
            let mut dc = if self.kind.has_cell() { of_state(dy.get(2), d) } else { Vec::new() };
            let row_stride = self.directions * hidden;
            let dy = dy[0].as_ref().map(|dy| {
                let data = &slice(dy)[d * hidden..];
                Mat { data, rows, cols: hidden, row_stride, col_stride: 1 }
            });
            let sequence = self.sequence(d, input, hidden);
            let gradients = sequence.backward(&weights(&arrays[d]), &traces[d], dy, &mut dh, &mut dc);
            Back { gradients, dh, dc }
        });
        for (d, Back { gradients, .. }) in backs.iter().enumerate() {
            let sequence = self.sequence(d, input, hidden);
            let first = self.first_weight(d);
            let mut write = |i: usize, gradient: &dyn Fn(E, &mut [E])| {
                if dx.wants(i) {
                    dx.write(i, |g, beta| gradient(beta, g));
                }
            };
            write(0, &|beta, g| gradients.x(&sequence, &weights(&arrays[d]), beta, g));
            write(first, &|beta, g| gradients.w_ih(&sequence, slice(x), beta, g));
            write(first + 1, &|beta, g| gradients.w_hh(&sequence, &traces[d], beta, g));
            if self.biased {
                write(first + 2, &|beta, g| gradients.b_ih(&sequence, beta, g));
                write(first + 3, &|beta, g| gradients.b_hh(&sequence, beta, g));
            }
        }
        let (dh, dc): (Vec<_>, Vec<_>) = backs.into_iter().map(|back| (back.dh, back.dc)).unzip();
        let shape = [self.directions, batch, hidden];
        dx.add(1, Array::from_vec(&shape, dh.concat()));
        if self.kind.has_cell() {
            dx.add(2, Array::from_vec(&shape, dc.concat()));
        }
    }
}
