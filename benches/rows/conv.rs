//! Convolution, pooling and upsampling, forward and backward.

use protocol::conv::{Layer, Operation};
use protocol::{Prepare, conv_rows};
use striate_conv::{ConvAlgorithm, ConvOptions, conv_transpose2d, conv2d, max_pool2d, upsample_nearest2d};
use striate_tensor::Tensor;

use crate::step::{self, input};

/// All rows, by the algorithm that Striate chooses.
pub fn rows() -> Vec<(String, Prepare)> {
    conv_rows(|layer, backward| step::row(step(layer, backward, ConvAlgorithm::Auto)))
}

/// A step of a layer: y, and with `backward` dx, dw and db.
pub fn step(layer: &Layer, backward: bool, algorithm: ConvAlgorithm) -> Box<dyn Fn() -> Vec<Tensor>> {
    let mut x = vec![input(layer.x(), &layer.x_shape())];
    if let Some(((w, b), shape)) = layer.parameters().zip(layer.w_shape()) {
        x.extend([input(w, &shape), input(b, &[layer.features])]);
    }
    let layer = *layer;
    let call = move |x: &[Tensor]| call(&layer, algorithm, x);
    if backward {
        Box::new(step::forward_backward(x, input(layer.dy(), &layer.y_shape()), call))
    } else {
        Box::new(step::forward(x, call))
    }
}

/// What a layer's convolution asks for.
pub fn options(layer: &Layer, algorithm: ConvAlgorithm) -> ConvOptions<2> {
    ConvOptions {
        stride: [layer.stride; 2],
        padding: layer.padding.into(),
        dilation: [layer.dilation; 2],
        groups: layer.groups,
        algorithm,
    }
}

fn call(layer: &Layer, algorithm: ConvAlgorithm, x: &[Tensor]) -> Tensor {
    let options = options(layer, algorithm);
    match layer.operation {
        Operation::Conv => conv2d(&x[0], &x[1], Some(&x[2]), &options),
        Operation::ConvTranspose => conv_transpose2d(&x[0], &x[1], Some(&x[2]), &options, [0, 0]),
        Operation::MaxPool2 => max_pool2d(&x[0], 2),
        Operation::Upsample2 => upsample_nearest2d(&x[0], 2),
    }
}
