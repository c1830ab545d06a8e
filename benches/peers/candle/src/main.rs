//! candle on the CPU, on rayon's threads.

use candle_core::{Device, Result, Tensor, Var};
use protocol::conv::{Layer, Operation};
use protocol::data::summary;
use protocol::{Peer, Row, conv_rows};

fn main() {
    let rows = conv_rows(|layer, backward| prepare(layer, backward).expect("candle computes it"));
    Peer { name: "candle", version: "0.11.1".into(), rows }.serve();
}

/// x, and the weight and the bias where the layer has them.
fn inputs(layer: &Layer) -> Result<Vec<Tensor>> {
    let mut inputs = vec![Tensor::from_vec(layer.x(), &layer.x_shape(), &Device::Cpu)?];
    if let Some(((w, b), shape)) = layer.parameters().zip(layer.w_shape()) {
        inputs.push(Tensor::from_vec(w, &shape, &Device::Cpu)?);
        inputs.push(Tensor::from_vec(b, &[layer.features], &Device::Cpu)?);
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

fn summaries<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    for tensor in tensors {
        all.extend(summary(&tensor.flatten_all()?.to_vec1::<f32>()?));
    }
    Ok(all)
}

fn prepare(layer: &Layer, backward: bool) -> Result<Row> {
    let layer = *layer;
    let inputs = inputs(&layer)?;
    if !backward {
        let check = summaries([&call(&layer, &inputs)?])?;
        let step = move || drop(call(&layer, &inputs).expect("as in the first step"));
        return Ok(Row { step: Box::new(step), parameters: 0, check });
    }
    let variables = inputs.iter().map(Var::from_tensor).collect::<Result<Vec<_>>>()?;
    let inputs: Vec<Tensor> = variables.iter().map(|variable| variable.as_tensor().clone()).collect();
    let dy = Tensor::from_vec(layer.dy(), &layer.y_shape(), &Device::Cpu)?;
    let step = move || {
        let y = call(&layer, &inputs)?;
        // A backward pass starts at 1: that of Σ y·dy hands dy on to y.
        let mut gradients = (&y * &dy)?.sum_all()?.backward()?;
        let gradients = inputs.iter().map(|x| gradients.remove(x).expect("a variable"));
        Ok([y].into_iter().chain(gradients).collect::<Vec<_>>())
    };
    let first: Result<Vec<Tensor>> = step();
    let check = summaries(&first?)?;
    let step = move || drop(step().expect("as in the first step"));
    Ok(Row { step: Box::new(step), parameters: 0, check })
}
