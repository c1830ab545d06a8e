//! Dropout.

use std::sync::Mutex;

use striate_compute::rng::Rng;
use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

use crate::module::Module;
use crate::observe;
use crate::store::{Mode, Path, Stream};

/// Sets elements to zero at random while training, and does nothing in evaluation. PyTorch's `nn.Dropout`.
///
/// y = m x / (1 − p), every m 0 with probability p, else 1; dx = m dy / (1 − p)
///
/// Any shape. Masks come from the store's stream, a new generator for each call: the same seed gives the same masks.
/// Srivastava et al. 2014.
///
/// ```
/// use striate_nn::{Dropout, Module, ParamStore};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let dropout = Dropout::new(&store.root().sub("drop"), 0.5);
/// let x = Tensor::<f32>::ones(&[100]);
/// assert!(dropout.forward(&x).to_vec().iter().all(|&y| y == 0.0 || y == 2.0));
/// store.eval();
/// assert_eq!(dropout.forward(&x).to_vec(), x.to_vec());
/// ```
pub struct Dropout {
    probability: f64,
    stream: Stream,
    mode: Mode,
    name: String,
}

impl Dropout {
    /// A layer that drops with `probability`.
    ///
    /// # Panics
    /// When `probability` is not in [0, 1].
    #[track_caller]
    pub fn new<E: Real>(path: &Path<E>, probability: f64) -> Self {
        check(probability);
        Dropout { probability, stream: path.stream(), mode: path.mode(), name: path.name().to_string() }
    }
}

impl<E: Real> Module<E> for Dropout {
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let y = if self.mode.is_training() && self.probability > 0.0 {
            dropout(x, self.probability, self.stream.next())
        } else {
            x.clone()
        };
        observe::layer(&self.name, "Dropout", y)
    }
}

#[track_caller]
fn check(probability: f64) {
    assert!((0.0..=1.0).contains(&probability), "dropout: probability must be in [0, 1], is {probability}");
}

/// Sets elements to zero with `probability` and scales the others by 1/(1 − p): what [`Dropout`] does in training.
///
/// y = m x / (1 − p); dx = m dy / (1 − p). PyTorch's `F.dropout(x, p, training=True)`.
///
/// # Panics
/// When `probability` is not in [0, 1].
///
/// ```
/// use striate_compute::rng::Rng;
/// use striate_nn::layers::dropout::dropout;
/// use striate_tensor::Tensor;
///
/// assert_eq!(dropout(&Tensor::<f32>::ones(&[3]), 1.0, Rng::new(0)).to_vec(), [0.0; 3]);
/// ```
#[track_caller]
pub fn dropout<E: Real>(x: &Tensor<E>, probability: f64, rng: Rng) -> Tensor<E> {
    check(probability);
    let scale = if probability < 1.0 { 1.0 / (1.0 - probability) } else { 0.0 };
    apply(DropoutOp { keep: 1.0 - probability, scale: E::of(scale), rng: Mutex::new(rng) }, &[x])
}

struct DropoutOp<E> {
    keep: f64,
    scale: E,
    rng: Mutex<Rng>,
}

impl<E: Real> Op<E> for DropoutOp<E> {
    const NAME: &'static str = "dropout";
    /// The mask of ones and zeros.
    type Saved = Array<E>;

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let mut rng = self.rng.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mask = Array::build(x[0].shape(), |mask| rng.fill_bernoulli(mask, self.keep));
        let y = x[0].contiguous().zip(&mask, |x, mask| x * mask * self.scale);
        ([y].into(), keep.then_some(mask))
    }

    fn backward(&self, mask: &Array<E>, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        if let Some(dy) = &dy[0] {
            dx.add(0, dy.contiguous().zip(mask, |dy, mask| dy * mask * self.scale));
        }
    }
}
