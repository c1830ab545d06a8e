//! burn's tensors on its CPU backend flex, with autodiff, on rayon's threads.

mod conv;
mod recurrent;

use burn_tensor::{Device, Tensor, TensorData};
use protocol::Peer;

fn main() {
    let rows = [conv::rows(), recurrent::rows()].into_iter().flatten().collect();
    Peer { name: "burn", version: "0.22.1 (flex)".into(), rows }.serve();
}

/// Where operations run, and whether they record a tape.
fn device(backward: bool) -> Device {
    if backward { Device::flex().autodiff() } else { Device::flex() }
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn values<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
    x.to_data().try_to_vec().expect("f32")
}
