//! How parameters start.

use striate_compute::rng::Rng;
use striate_tensor::{Array, Real};

/// The distribution that a parameter is drawn from.
///
/// fan_in is the number of inputs of one output, fan_out the number of outputs of one input:
/// for a weight (out, in, k…) they are in · Πk and out · Πk. The factor `gain` makes up for what the nonlinearity
/// that follows takes away: see [`crate::Activation::gain`].
///
/// ```
/// use striate_compute::rng::Rng;
/// use striate_nn::{Fan, Init};
/// use striate_tensor::Array;
///
/// let he = Init::HeNormal { fan: Fan::In, gain: 2f64.sqrt() };
/// let weight: Array<f32> = he.draw(&[64, 128], &mut Rng::named(0, "fc.weight"));
/// assert_eq!(weight.shape(), [64, 128]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// One number everywhere.
    Constant(f64),
    /// U(low, high)
    Uniform {
        /// Smallest value.
        low: f64,
        /// Largest value, itself excluded.
        high: f64,
    },
    /// N(mean, std²)
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        std: f64,
    },
    /// U(−a, a) with a = gain √(6 / (fan_in + fan_out)). Glorot and Bengio 2010; PyTorch's `xavier_uniform_`.
    XavierUniform {
        /// Factor for the nonlinearity.
        gain: f64,
    },
    /// N(0, gain² · 2 / (fan_in + fan_out)). Glorot and Bengio 2010; PyTorch's `xavier_normal_`.
    XavierNormal {
        /// Factor for the nonlinearity.
        gain: f64,
    },
    /// U(−a, a) with a = gain √(3 / fan). He et al. 2015; PyTorch's `kaiming_uniform_`.
    HeUniform {
        /// Which fan keeps its variance.
        fan: Fan,
        /// Factor for the nonlinearity, √2 for ReLU.
        gain: f64,
    },
    /// N(0, gain² / fan). He et al. 2015; PyTorch's `kaiming_normal_`.
    HeNormal {
        /// Which fan keeps its variance.
        fan: Fan,
        /// Factor for the nonlinearity, √2 for ReLU.
        gain: f64,
    },
    /// gain · Q with orthonormal rows or columns, whichever are fewer, for the weight as a matrix (out, in · Πk).
    /// Saxe et al. 2014; PyTorch's `orthogonal_`.
    Orthogonal {
        /// Factor for the nonlinearity.
        gain: f64,
    },
    /// N(0, 1), and zeros in one row: an embedding with a padding index.
    Padded {
        /// The row of zeros.
        row: usize,
    },
}

/// Whose variance an initial weight keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fan {
    /// That of the values on the way forward: divides by fan_in.
    #[default]
    In,
    /// That of the gradients on the way back: divides by fan_out.
    Out,
}

/// (fan_in, fan_out) of a weight (out, in, k…).
///
/// # Panics
/// When the weight has fewer than two axes.
#[track_caller]
pub fn fans(shape: &[usize]) -> (usize, usize) {
    let &[outputs, inputs, ref kernel @ ..] = shape else {
        panic!("init: fans need a weight (out, in, …), the shape is {shape:?}");
    };
    let field: usize = kernel.iter().product();
    (inputs * field, outputs * field)
}

impl Init {
    /// U(−1/√fan_in, 1/√fan_in): what PyTorch's layers start from, weight and bias alike.
    pub fn fan_in(fan_in: usize) -> Self {
        let bound = if fan_in == 0 { 0.0 } else { 1.0 / (fan_in as f64).sqrt() };
        Init::Uniform { low: -bound, high: bound }
    }

    /// Draws an array.
    ///
    /// # Panics
    /// When the distribution needs the fans of a weight (out, in, …) and the shape has fewer than two axes.
    #[track_caller]
    pub fn draw<E: Real>(&self, shape: &[usize], rng: &mut Rng) -> Array<E> {
        let fan = |fan| match (fan, fans(shape)) {
            (Fan::In, (fan_in, _)) => fan_in.max(1) as f64,
            (Fan::Out, (_, fan_out)) => fan_out.max(1) as f64,
        };
        let both_fans = || {
            let (fan_in, fan_out) = fans(shape);
            (fan_in + fan_out).max(1) as f64
        };
        match *self {
            Init::Constant(value) => Array::build(shape, |y| y.fill(E::of(value))),
            Init::Uniform { low, high } => Array::build(shape, |y| rng.fill_uniform(y, low, high)),
            Init::Normal { mean, std } => Array::build(shape, |y| rng.fill_normal(y, mean, std)),
            Init::XavierUniform { gain } => symmetric(gain * (6.0 / both_fans()).sqrt()).draw(shape, rng),
            Init::XavierNormal { gain } => centred(gain * (2.0 / both_fans()).sqrt()).draw(shape, rng),
            Init::HeUniform { fan: which, gain } => {
                symmetric(gain * (3.0 / fan(which)).sqrt()).draw(shape, rng)
            }
            Init::HeNormal { fan: which, gain } => centred(gain / fan(which).sqrt()).draw(shape, rng),
            Init::Orthogonal { gain } => {
                let (fan_in, _) = fans(shape);
                let q = orthogonal(shape[0], fan_in, rng);
                Array::from_vec(shape, q.into_iter().map(|q| E::of(gain * q)).collect())
            }
            Init::Padded { row } => {
                let width: usize = shape[1..].iter().product();
                Array::build(shape, |y| {
                    rng.fill_normal(y, 0.0, 1.0);
                    y[row * width..][..width].fill(E::zero());
                })
            }
        }
    }
}

fn symmetric(bound: f64) -> Init {
    Init::Uniform { low: -bound, high: bound }
}

fn centred(std: f64) -> Init {
    Init::Normal { mean: 0.0, std }
}

/// A matrix (rows, columns) with orthonormal rows or columns, whichever are fewer, uniformly distributed among those.
///
/// Gram and Schmidt's method on normal vectors, each orthogonalised twice, which is as good as Householder's.
fn orthogonal(rows: usize, columns: usize, rng: &mut Rng) -> Vec<f64> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let mut vector = vec![0.0; length];
        rng.fill_normal(&mut vector, 0.0, 1.0);
        let before = dot(&vector, &vector).sqrt();
        for q in basis.iter().chain(&basis) {
            let overlap = dot(&vector, q);
            vector.iter_mut().zip(q).for_each(|(v, q)| *v -= overlap * q);
        }
        let norm = dot(&vector, &vector).sqrt();
        // A vector that lies in the span of the others all but exactly is drawn again.
        if norm > 1e-10 * before {
            vector.iter_mut().for_each(|v| *v /= norm);
            basis.push(vector);
        }
    }
    if rows <= columns {
        return basis.concat();
    }
    (0..rows).flat_map(|i| basis.iter().map(move |q| q[i])).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
