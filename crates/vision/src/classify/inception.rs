//! Inception modules, and the heads on their outputs.

use striate_conv::{Conv2d, ConvLayerOptions, PoolOptions, adaptive_avg_pool2d, max_pool2d};
use striate_nn::{
    BatchNorm2d, BatchNormOptions, Dropout, Init, Linear, LinearOptions, Module, Path, observe,
};
use striate_tensor::{Real, Tensor};

use crate::units::{ConvNorm, centred};

/// How the weights of all layers start.
const START: Init = Init::Normal { mean: 0.0, std: 0.01 };

/// relu(norm(conv(x))) at the paths `conv` and `bn`. torchvision's `BasicConv2d`.
pub(super) struct Unit<E: Real>(ConvNorm<E>);

impl<E: Real> Unit<E> {
    #[track_caller]
    pub(super) fn new(
        path: &Path<E>,
        channels: usize,
        features: usize,
        kernel: usize,
        stride: usize,
    ) -> Self {
        let options = ConvLayerOptions {
            stride: [stride; 2],
            bias: false,
            weight_init: Some(START),
            ..centred(kernel)
        };
        let conv = Conv2d::with(&path.sub("conv"), channels, features, [kernel; 2], options);
        let options = BatchNormOptions { eps: 1e-3, ..Default::default() };
        Unit(ConvNorm::new(conv, Some(BatchNorm2d::with(&path.sub("bn"), features, options))))
    }

    pub(super) fn fuse(&self) -> Self {
        Unit(self.0.fuse())
    }
}

impl<E: Real> Module<E> for Unit<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        self.0.forward(x).relu()
    }
}

/// Output channels of an inception module's convolutions. Each of the larger kernels sees fewer channels than the module:
/// a 1×1 convolution reduces them first.
#[derive(Clone, Copy)]
pub(super) struct InceptionWidths {
    /// 1×1.
    pub(super) one: usize,
    /// 1×1 before the 3×3, and 3×3.
    pub(super) three: [usize; 2],
    /// 1×1 before the 5×5, and 5×5, which is 3×3 in torchvision.
    pub(super) five: [usize; 2],
    /// 1×1 after the pooling.
    pub(super) pool: usize,
}

/// Four views of one map side by side: 1×1, 3×3, a second 3×3 where the paper has 5×5, and 3×3 max pooling.
pub(super) struct Inception<E: Real> {
    branch1: Unit<E>,
    branch2: [Unit<E>; 2],
    branch3: [Unit<E>; 2],
    branch4: Unit<E>,
    name: String,
}

impl<E: Real> Inception<E> {
    #[track_caller]
    pub(super) fn new(path: &Path<E>, channels: usize, widths: InceptionWidths) -> Self {
        let InceptionWidths { one, three, five, pool } = widths;
        let reduced = |name: &str, [inner, features]: [usize; 2]| {
            let path = path.sub(name);
            [Unit::new(&path.sub(0), channels, inner, 1, 1), Unit::new(&path.sub(1), inner, features, 3, 1)]
        };
        Inception {
            branch1: Unit::new(&path.sub("branch1"), channels, one, 1, 1),
            branch2: reduced("branch2", three),
            branch3: reduced("branch3", five),
            branch4: Unit::new(&path.sub("branch4").sub(1), channels, pool, 1, 1),
            name: path.name().to_string(),
        }
    }

    pub(super) fn fuse(&self) -> Self {
        Inception {
            branch1: self.branch1.fuse(),
            branch2: self.branch2.each_ref().map(Unit::fuse),
            branch3: self.branch3.each_ref().map(Unit::fuse),
            branch4: self.branch4.fuse(),
            name: self.name.clone(),
        }
    }
}

impl<E: Real> Module<E> for Inception<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let reduced = |[reduce, conv]: &[Unit<E>; 2]| conv.forward(&reduce.forward(x));
        let same = PoolOptions { stride: Some([1, 1]), padding: [1, 1], ..3.into() };
        let views = [
            self.branch1.forward(x),
            reduced(&self.branch2),
            reduced(&self.branch3),
            self.branch4.forward(&max_pool2d(x, same)),
        ];
        observe::layer(&self.name, "Inception", Tensor::concat(&views.each_ref(), 1))
    }
}

/// A classifier on a map in the middle of the network: 1×1 convolution, two linear layers.
pub(super) struct AuxiliaryHead<E: Real> {
    conv: Unit<E>,
    fc1: Linear<E>,
    fc2: Linear<E>,
    dropout: Dropout,
}

impl<E: Real> AuxiliaryHead<E> {
    #[track_caller]
    pub(super) fn new(path: &Path<E>, channels: usize, classes: usize, dropout: f64) -> Self {
        AuxiliaryHead {
            conv: Unit::new(&path.sub("conv"), channels, 128, 1, 1),
            fc1: linear(&path.sub("fc1"), 128 * 4 * 4, 1024),
            fc2: linear(&path.sub("fc2"), 1024, classes),
            dropout: Dropout::new(&path.sub("dropout"), dropout),
        }
    }
}

impl<E: Real> Module<E> for AuxiliaryHead<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let x = self.conv.forward(&adaptive_avg_pool2d(x, [4, 4])).flatten(1, -1);
        self.fc2.forward(&self.dropout.forward(&self.fc1.forward(&x).relu()))
    }
}

#[track_caller]
pub(super) fn linear<E: Real>(path: &Path<E>, inputs: usize, outputs: usize) -> Linear<E> {
    Linear::with(path, inputs, outputs, LinearOptions { weight_init: Some(START), ..Default::default() })
}
