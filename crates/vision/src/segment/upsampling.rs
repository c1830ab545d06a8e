//! The ways to make maps larger.

use ndarray::ArrayD;
use striate_conv::{
    ConvTranspose2d, ConvTransposeOptions, MaxPool2d, MaxUnpool2d, bed_of_nails2d, upsample_bilinear2d,
    upsample_nearest2d,
};
use striate_nn::{Module, Path};
use striate_tensor::{Array, Real, Tensor};

/// How a map becomes larger. Notes, section 6, figures 13 to 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Upsampling {
    /// Each element stands in all places of its block.
    Nearest,
    /// Each element stands in the first place of its block, zeros in the others.
    BedOfNails,
    /// Each element stands where max pooling found the one it took, zeros elsewhere. Badrinarayanan, Kendall and
    /// Cipolla 2017.
    MaxUnpooling,
    /// A transposed convolution: each element weights a kernel that is learnt.
    #[default]
    Transposed,
    /// Values between elements by linear interpolation along both axes.
    Bilinear,
}

/// The winners of a max pooling, and the size of what was pooled.
pub(crate) struct Pooled {
    winners: ArrayD<usize>,
    size: [usize; 2],
}

impl Pooled {
    /// Max pooling 2×2, and what undoes it.
    #[track_caller]
    pub(crate) fn pool<E: Real>(x: &Tensor<E>) -> (Tensor<E>, Self) {
        let (y, winners) = MaxPool2d::new(2).forward_with_indices(x);
        (y, Pooled { winners, size: [x.shape()[2], x.shape()[3]] })
    }
}

/// Twice the height and width.
pub(crate) enum Doubling<E: Real> {
    Transposed(Box<ConvTranspose2d<E>>),
    Without(Upsampling),
}

impl<E: Real> Doubling<E> {
    /// With a transposed convolution 2×2 at `path`, where there is one, from `channels` to `features`; the other ways
    /// leave the channels as they are.
    #[track_caller]
    pub(crate) fn new(upsampling: Upsampling, path: &Path<E>, [channels, features]: [usize; 2]) -> Self {
        if upsampling != Upsampling::Transposed {
            return Doubling::Without(upsampling);
        }
        let options = ConvTransposeOptions { stride: [2, 2], ..Default::default() };
        Doubling::Transposed(Box::new(ConvTranspose2d::with(path, channels, features, [2, 2], options)))
    }

    /// `pooled` is what unpooling undoes.
    #[track_caller]
    pub(crate) fn forward(&self, x: &Tensor<E>, pooled: &Pooled) -> Tensor<E> {
        match self {
            Doubling::Transposed(conv) => conv.forward(x),
            Doubling::Without(Upsampling::MaxUnpooling) => {
                MaxUnpool2d::new(2).forward_to(x, &pooled.winners, pooled.size)
            }
            &Doubling::Without(upsampling) => enlarged(upsampling, x, 2),
        }
    }

    pub(crate) fn fuse(&self) -> Self {
        match self {
            Doubling::Transposed(conv) => Doubling::Transposed(Box::new(frozen_transposed(conv))),
            &Doubling::Without(upsampling) => Doubling::Without(upsampling),
        }
    }
}

/// `factor` times the height and width, by a way that needs nothing but the map.
#[track_caller]
pub(crate) fn enlarged<E: Real>(upsampling: Upsampling, x: &Tensor<E>, factor: usize) -> Tensor<E> {
    match upsampling {
        Upsampling::Nearest => upsample_nearest2d(x, factor),
        Upsampling::BedOfNails => bed_of_nails2d(x, [factor; 2]),
        Upsampling::Bilinear => upsample_bilinear2d(x, factor, false),
        Upsampling::MaxUnpooling | Upsampling::Transposed => {
            unreachable!("{upsampling:?} needs more than a map")
        }
    }
}

/// The layer with the values of now as constants.
pub(crate) fn frozen_transposed<E: Real>(conv: &ConvTranspose2d<E>) -> ConvTranspose2d<E> {
    let mut frozen = conv.clone();
    frozen.weight = conv.weight.detach();
    frozen.bias = conv.bias.as_ref().map(Tensor::detach);
    frozen
}

/// A transposed convolution that starts as bilinear interpolation of each channel by `factor`: kernel 2f, stride f, no
/// bias. An output of (n + 1)·f elements along an axis of n.
///
/// `w[c, c, i, j] = t(i) t(j)` with the triangle t(i) = 1 − |i − (f − ½)| / f.
#[track_caller]
pub(crate) fn bilinear_transposed<E: Real>(
    path: &Path<E>,
    channels: usize,
    factor: usize,
) -> ConvTranspose2d<E> {
    let kernel = 2 * factor;
    let triangle = |i: usize| 1.0 - (i as f64 - (factor as f64 - 0.5)).abs() / factor as f64;
    let shape = [channels, channels, kernel, kernel];
    path.parameter_with("weight", &shape, |_| {
        Array::build(&shape, |w| {
            w.fill(E::zero());
            for (c, w) in w.chunks_exact_mut(channels * kernel * kernel).enumerate() {
                let plane = &mut w[c * kernel * kernel..][..kernel * kernel];
                plane.iter_mut().enumerate().for_each(|(i, w)| {
                    *w = E::of(triangle(i / kernel) * triangle(i % kernel));
                });
            }
        })
    });
    let options = ConvTransposeOptions { stride: [factor; 2], bias: false, ..Default::default() };
    ConvTranspose2d::with(&path.tied(), channels, channels, [kernel; 2], options)
}
