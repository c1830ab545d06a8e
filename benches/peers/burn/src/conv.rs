//! Convolution, pooling and upsampling.

use burn_tensor::Tensor;
use burn_tensor::module::{conv_transpose2d, conv2d, interpolate, max_pool2d};
use burn_tensor::ops::{
    ConvOptions, ConvTransposeOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions,
};
use protocol::conv::{Layer, Operation};
use protocol::data::summary;
use protocol::{Prepare, Row, conv_rows};

use crate::{device, tensor, values};

pub(crate) fn rows() -> Vec<(String, Prepare)> {
    conv_rows(prepare)
}

/// x, and the weight and the bias where the layer has them.
#[derive(Clone)]
struct Inputs {
    x: Tensor<4>,
    parameters: Option<(Tensor<4>, Tensor<1>)>,
}

fn call(layer: &Layer, Inputs { x, parameters }: Inputs) -> Tensor<4> {
    let [stride, padding, dilation] = [layer.stride, layer.padding, layer.dilation].map(|n| [n, n]);
    match (layer.operation, parameters) {
        (Operation::Conv, Some((w, b))) => {
            conv2d(x, w, Some(b), ConvOptions::new(stride, padding, dilation, layer.groups))
        }
        (Operation::ConvTranspose, Some((w, b))) => {
            let options = ConvTransposeOptions::new(stride, padding, [0, 0], dilation, layer.groups);
            conv_transpose2d(x, w, Some(b), options)
        }
        (Operation::MaxPool2, _) => max_pool2d(x, MaxPoolOptions::new([2, 2])),
        (Operation::Upsample2, _) => {
            interpolate(x, InterpolateOptions::new(InterpolateMode::Nearest).with_scale_factor([2.0, 2.0]))
        }
        (operation, None) => unreachable!("{operation:?} has parameters"),
    }
}

fn prepare(layer: &Layer, backward: bool) -> Row {
    let layer = *layer;
    let device = device(backward);
    let parameters = layer
        .parameters()
        .zip(layer.w_shape())
        .map(|((w, b), shape)| (tensor(w, shape, &device), tensor(b, [layer.features], &device)));
    let inputs = Inputs { x: tensor(layer.x(), layer.x_shape(), &device), parameters };
    if !backward {
        let check = summary(&values(&call(&layer, inputs.clone()))).into();
        let step = move || drop(call(&layer, inputs.clone()));
        return Row { step: Box::new(step), parameters: 0, check };
    }
    let inputs = Inputs {
        x: inputs.x.require_grad(),
        parameters: inputs.parameters.map(|(w, b)| (w.require_grad(), b.require_grad())),
    };
    let dy = tensor(layer.dy(), layer.y_shape(), &device);
    let step = move || {
        let y = call(&layer, inputs.clone());
        // A backward pass starts at 1: that of Σ y·dy hands dy on to y.
        let mut gradients = (y.clone() * dy.clone()).sum().backward();
        let dx = inputs.x.grad_remove(&mut gradients).expect("x is tracked");
        let parameters = inputs.parameters.as_ref().map(|(w, b)| {
            let dw = w.grad_remove(&mut gradients).expect("w is tracked");
            (dw, b.grad_remove(&mut gradients).expect("b is tracked"))
        });
        (y, dx, parameters)
    };
    let (y, dx, parameters) = step();
    let mut check = [summary(&values(&y)), summary(&values(&dx))].concat();
    if let Some((dw, db)) = parameters {
        check.extend([summary(&values(&dw)), summary(&values(&db))].concat());
    }
    Row { step: Box::new(move || drop(step())), parameters: 0, check }
}
