//! candle on the CPU, on rayon's threads.

mod conv;
mod recurrent;

use candle_core::{Device, Result, Tensor, Var};
use protocol::data::summary;
use protocol::{Peer, Row};

fn main() {
    let rows = [conv::rows(), recurrent::rows()].into_iter().flatten().collect();
    Peer { name: "candle", version: "0.11.1".into(), rows }.serve();
}

fn tensor(values: Vec<f32>, shape: &[usize]) -> Result<Tensor> {
    Tensor::from_vec(values, shape, &Device::Cpu)
}

fn variables(tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    tensors.iter().map(|tensor| Ok(Var::from_tensor(tensor)?.into_inner())).collect()
}

fn summaries<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    for tensor in tensors {
        all.extend(summary(&tensor.flatten_all()?.to_vec1::<f32>()?));
    }
    Ok(all)
}

/// The row of y = f(inputs).
fn forward(inputs: Vec<Tensor>, call: impl Fn(&[Tensor]) -> Result<Tensor> + 'static) -> Result<Row> {
    let check = summaries([&call(&inputs)?])?;
    let step = move || drop(call(&inputs).expect("as in the first step"));
    Ok(Row { step: Box::new(step), parameters: 0, check })
}

/// The row of y = f(inputs) and the gradients of all inputs, which are variables, from dy.
fn forward_backward(
    inputs: Vec<Tensor>,
    dy: Tensor,
    call: impl Fn(&[Tensor]) -> Result<Tensor> + 'static,
) -> Result<Row> {
    let step = move || {
        let y = call(&inputs)?;
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
