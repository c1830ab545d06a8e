//! Batch normalisation: layers of one and two dimensions over one operation on (N, C, …).

use striate_tensor::{Array, Real, Tensor};

use super::batch_norm_op::{batch_norm, batch_norm_with};
use crate::init::Init;
use crate::module::Module;
use crate::observe;
use crate::store::{Counter, Mode, Path};

/// Options of [`BatchNorm1d`] and [`BatchNorm2d`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormOptions {
    /// ε, added to the variance.
    pub eps: f64,
    /// How far a batch moves the running statistics; `None` keeps the mean over all batches.
    pub momentum: Option<f64>,
    /// Whether γ and β are there.
    pub affine: bool,
    /// Whether running statistics are there; without them evaluation uses the batch's, too.
    pub track_running_stats: bool,
}

impl Default for BatchNormOptions {
    fn default() -> Self {
        BatchNormOptions { eps: 1e-5, momentum: Some(0.1), affine: true, track_running_stats: true }
    }
}

struct BatchNorm<E: Real> {
    /// γ and β
    affine: Option<[Tensor<E>; 2]>,
    running: Option<Running<E>>,
    options: BatchNormOptions,
    channels: usize,
    mode: Mode,
    name: String,
}

struct Running<E: Real> {
    mean: Tensor<E>,
    variance: Tensor<E>,
    batches: Counter,
}

impl<E: Real> BatchNorm<E> {
    #[track_caller]
    fn new(path: &Path<E>, channels: usize, options: BatchNormOptions) -> Self {
        let parameter = |name, start| path.parameter(name, &[channels], Init::Constant(start));
        BatchNorm {
            affine: options.affine.then(|| [parameter("weight", 1.0), parameter("bias", 0.0)]),
            running: options.track_running_stats.then(|| Running {
                mean: path.buffer("running_mean", &[channels], 0.0),
                variance: path.buffer("running_var", &[channels], 1.0),
                batches: path.counter("num_batches_tracked"),
            }),
            options,
            channels,
            mode: path.mode(),
            name: path.name().to_string(),
        }
    }

    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let (affine, eps) = (self.affine.as_ref(), self.options.eps);
        assert_eq!(
            x.shape()[1],
            self.channels,
            "batch_norm: {} has {} channels, x has shape {:?}",
            self.name,
            self.channels,
            x.shape()
        );
        let training = self.mode.is_training();
        match &self.running {
            Some(running) if !training => batch_norm_with(x, &running.mean, &running.variance, affine, eps),
            running => {
                let count = x.len() / self.channels.max(1);
                assert!(
                    !training || count > 1,
                    "batch_norm: training needs more than one value per channel, x has shape {:?}",
                    x.shape()
                );
                let (y, mean, variance) = batch_norm(x, affine, eps);
                if let Some(running) = running {
                    running.update(&mean, &variance, count, self.options.momentum);
                }
                y
            }
        }
    }
}

impl<E: Real> Running<E> {
    /// running ← (1 − m) running + m batch, with the unbiased variance.
    fn update(&self, mean: &Array<E>, variance: &Array<E>, count: usize, momentum: Option<f64>) {
        self.batches.increment();
        let m = E::of(momentum.unwrap_or_else(|| 1.0 / self.batches.get() as f64));
        let unbiased = E::of(count as f64 / (count as f64 - 1.0));
        let step = |running: &Tensor<E>, batch: &Array<E>, scale: E| {
            running.update(|running| {
                *running = running.zip(batch, |old, new| (E::one() - m) * old + m * (scale * new));
            });
        };
        step(&self.mean, mean, E::one());
        step(&self.variance, variance, unbiased);
    }
}

/// Batch normalisation of features (N, C) or sequences (N, C, L). PyTorch's `nn.BatchNorm1d`.
///
/// y = γ (x − μ) / √(σ² + ε) + β for every channel, with the mean and the biased variance of the batch in training,
/// and the running ones in evaluation, which writes nothing. Ioffe and Szegedy 2015.
///
/// In the store: `weight` γ, `bias` β, `running_mean`, `running_var` (of unbiased variances), `num_batches_tracked`.
///
/// ```
/// use striate_nn::{BatchNorm1d, Module, ParamStore};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let norm = BatchNorm1d::new(&store.root().sub("bn"), 1);
/// let y = norm.forward(&Tensor::from_vec(&[2, 1], vec![3.0, 5.0]));
/// assert!((y.to_vec()[1] - 1.0).abs() < 1e-4);
/// assert_eq!(store.get("bn.running_mean").unwrap().to_vec(), [0.4]);
/// ```
pub struct BatchNorm1d<E: Real = f32>(BatchNorm<E>);

impl<E: Real> BatchNorm1d<E> {
    /// A layer with PyTorch's defaults.
    #[track_caller]
    pub fn new(path: &Path<E>, channels: usize) -> Self {
        Self::with(path, channels, BatchNormOptions::default())
    }

    /// A layer with options.
    #[track_caller]
    pub fn with(path: &Path<E>, channels: usize, options: BatchNormOptions) -> Self {
        BatchNorm1d(BatchNorm::new(path, channels, options))
    }
}

impl<E: Real> Module<E> for BatchNorm1d<E> {
    /// # Panics
    /// When `x` is neither (N, C) nor (N, C, L), or training has but one value per channel.
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let shape = x.shape();
        assert!(matches!(shape.len(), 2 | 3), "BatchNorm1d: x must be (N, C) or (N, C, L), is {shape:?}");
        observe::layer(&self.0.name, "BatchNorm1d", self.0.forward(x))
    }
}

/// Batch normalisation of images (N, C, H, W). PyTorch's `nn.BatchNorm2d`.
///
/// As [`BatchNorm1d`], over the pixels of all images.
///
/// ```
/// use striate_nn::{BatchNorm2d, Module, ParamStore};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let norm = BatchNorm2d::new(&store.root().sub("bn"), 3);
/// assert_eq!(norm.forward(&Tensor::zeros(&[2, 3, 8, 8])).shape(), [2, 3, 8, 8]);
/// ```
pub struct BatchNorm2d<E: Real = f32>(BatchNorm<E>);

impl<E: Real> BatchNorm2d<E> {
    /// A layer with PyTorch's defaults.
    #[track_caller]
    pub fn new(path: &Path<E>, channels: usize) -> Self {
        Self::with(path, channels, BatchNormOptions::default())
    }

    /// A layer with options.
    #[track_caller]
    pub fn with(path: &Path<E>, channels: usize, options: BatchNormOptions) -> Self {
        BatchNorm2d(BatchNorm::new(path, channels, options))
    }
}

impl<E: Real> BatchNorm2d<E> {
    /// a and b (C) of y = a x + b, which is what evaluation computes with the values of now: a = γ / √(σ² + ε),
    /// b = β − μ a. `None` without running statistics.
    ///
    /// A linear map before the layer can take them up: w ← a w, b ← a b + β − μ a.
    ///
    /// ```
    /// use striate_nn::{BatchNorm2d, ParamStore};
    ///
    /// let norm = BatchNorm2d::<f64>::new(&ParamStore::seeded(0).root(), 2);
    /// let [a, b] = norm.scale_and_shift().unwrap();
    /// assert!((a.to_vec()[0] - 1.0).abs() < 1e-5);
    /// assert_eq!(b.to_vec(), [0.0, 0.0]);
    /// ```
    pub fn scale_and_shift(&self) -> Option<[Tensor<E>; 2]> {
        let Running { mean, variance, .. } = self.0.running.as_ref()?;
        let r = (variance.detach() + self.0.options.eps).rsqrt();
        let [a, beta] = match &self.0.affine {
            Some([gamma, beta]) => [gamma.detach() * r, beta.detach()],
            None => [r, Tensor::zeros(mean.shape())],
        };
        let b = beta - mean.detach() * &a;
        Some([a, b])
    }
}

impl<E: Real> Module<E> for BatchNorm2d<E> {
    /// # Panics
    /// When `x` is not (N, C, H, W), or training has but one value per channel.
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        assert_eq!(x.rank(), 4, "BatchNorm2d: x must be (N, C, H, W), is {:?}", x.shape());
        observe::layer(&self.0.name, "BatchNorm2d", self.0.forward(x))
    }
}
