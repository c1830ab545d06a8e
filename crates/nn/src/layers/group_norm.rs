//! Group normalisation.

use striate_tensor::{Real, Tensor};

use super::layer_norm::layer_norm;
use crate::init::Init;
use crate::module::Module;
use crate::observe;
use crate::store::Path;

/// Options of [`GroupNorm`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupNormOptions {
    /// ε, added to the variance.
    pub eps: f64,
    /// Whether γ and β are there.
    pub affine: bool,
}

impl Default for GroupNormOptions {
    fn default() -> Self {
        GroupNormOptions { eps: 1e-5, affine: true }
    }
}

/// Normalises groups of channels of every sample (N, C, …). PyTorch's `nn.GroupNorm`.
///
/// y = γ_c (x − μ) / √(σ² + ε) + β_c, with mean and biased variance over a group of C / G neighbouring channels and
/// all positions of one sample. The same in training and evaluation. Wu and He 2018.
///
/// ```
/// use striate_nn::{GroupNorm, Module, ParamStore};
/// use striate_tensor::Tensor;
///
/// let store = ParamStore::<f32>::seeded(0);
/// let norm = GroupNorm::new(&store.root().sub("norm"), 2, 4);
/// assert_eq!(norm.forward(&Tensor::zeros(&[3, 4, 5, 5])).shape(), [3, 4, 5, 5]);
/// ```
#[derive(Clone)]
pub struct GroupNorm<E: Real = f32> {
    /// γ (C) and β (C), `weight` and `bias` in the store.
    pub affine: Option<[Tensor<E>; 2]>,
    groups: usize,
    channels: usize,
    eps: f64,
    name: String,
}

impl<E: Real> GroupNorm<E> {
    /// A layer with PyTorch's defaults.
    ///
    /// # Panics
    /// When `channels` is no multiple of `groups`.
    #[track_caller]
    pub fn new(path: &Path<E>, groups: usize, channels: usize) -> Self {
        Self::with(path, groups, channels, GroupNormOptions::default())
    }

    /// A layer with options.
    ///
    /// # Panics
    /// As [`GroupNorm::new`].
    #[track_caller]
    pub fn with(path: &Path<E>, groups: usize, channels: usize, options: GroupNormOptions) -> Self {
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "group_norm: {channels} channels do not divide into {groups} groups"
        );
        let parameter = |name, start| path.parameter(name, &[channels], Init::Constant(start));
        GroupNorm {
            affine: options.affine.then(|| [parameter("weight", 1.0), parameter("bias", 0.0)]),
            groups,
            channels,
            eps: options.eps,
            name: path.name().to_string(),
        }
    }
}

impl<E: Real> Module<E> for GroupNorm<E> {
    /// # Panics
    /// When `x` is not (N, C, …).
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let shape = x.shape();
        assert!(
            shape.len() >= 2 && shape[1] == self.channels,
            "group_norm: {} has {} channels, x has shape {shape:?}",
            self.name,
            self.channels
        );
        let signed = |shape: &[usize]| shape.iter().map(|&n| n as isize).collect::<Vec<_>>();
        let group = shape[1..].iter().product::<usize>() / self.groups;
        let rows = x.reshape(&signed(&[shape[0] * self.groups, group]));
        let mut y = layer_norm(&rows, &[group], None, None, self.eps).reshape(&signed(shape));
        if let Some([weight, bias]) = &self.affine {
            let wide: Vec<isize> = [-1].into_iter().chain(shape[2..].iter().map(|_| 1)).collect();
            y = y * weight.reshape(&wide) + bias.reshape(&wide);
        }
        observe::layer(&self.name, "GroupNorm", y)
    }
}
