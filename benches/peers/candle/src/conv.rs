//! Convolution, pooling and upsampling.

use candle_core::{Result, Tensor};
use protocol::conv::{Layer, Operation};
use protocol::{Prepare, Row, conv_rows};

use crate::{forward, forward_backward, tensor, variables};

pub(crate) fn rows() -> Vec<(String, Prepare)> {
    conv_rows(|layer, backward| prepare(layer, backward).expect("candle computes it"))
}

/// x, and the weight and the bias where the layer has them.
fn inputs(layer: &Layer) -> Result<Vec<Tensor>> {
    let mut inputs = vec![tensor(layer.x(), &layer.x_shape())?];
    if let Some(((w, b), shape)) = layer.parameters().zip(layer.w_shape()) {
        inputs.push(tensor(w, &shape)?);
        inputs.push(tensor(b, &[layer.features])?);
    }
    Ok(inputs)
}

fn call(layer: &Layer, inputs: &[Tensor]) -> Result<Tensor> {
    let Layer { stride, padding, dilation, groups, .. } = *layer;
    let x = &inputs[0];
    let y = match layer.operation {
        Operation::Conv => x.conv2d(&inputs[1], padding, stride, dilation, groups)?,
        Operation::ConvTranspose => x.conv_transpose2d(&inputs[1], padding, 0, stride, dilation)?,
        Operation::MaxPool2 => return x.max_pool2d(2),
        Operation::Upsample2 => return x.upsample_nearest2d(2 * layer.size, 2 * layer.size),
    };
    y.broadcast_add(&inputs[2].reshape((1, layer.features, 1, 1))?)
}

fn prepare(layer: &Layer, backward: bool) -> Result<Row> {
    let layer = *layer;
    let inputs = inputs(&layer)?;
    let call = move |inputs: &[Tensor]| call(&layer, inputs);
    if backward {
        forward_backward(variables(&inputs)?, tensor(layer.dy(), &layer.y_shape())?, call)
    } else {
        forward(inputs, call)
    }
}
