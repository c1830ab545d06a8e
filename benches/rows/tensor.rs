//! Elementwise functions on 4 Mi elements and softmax cross-entropy, forward and backward.

use protocol::{Prepare, Row, data};
use striate_nn::losses::cross_entropy;
use striate_tensor::{GradOptions, Tensor, no_grad};

const ELEMENTS: usize = 1 << 22;
const SOFTMAX: [usize; 2] = [4096, 1000];

type Call = fn(&[Tensor]) -> Tensor;

pub(crate) fn rows() -> Vec<(String, Prepare)> {
    let calls: [(&str, u32, Call); 5] = [
        ("gelu", 1, |x| x[0].gelu()),
        ("sigmoid", 1, |x| x[0].sigmoid()),
        ("tanh", 1, |x| x[0].tanh()),
        ("add", 2, |x| &x[0] + &x[1]),
        ("mul", 2, |x| &x[0] * &x[1]),
    ];
    let mut rows: Vec<(String, Prepare)> = Vec::new();
    for (name, inputs, call) in calls {
        rows.push((format!("{name}-4m/fwd"), Box::new(move || forward(inputs, call))));
        rows.push((format!("{name}-4m/fb"), Box::new(move || forward_backward(inputs, call))));
    }
    rows.push(("softmax-ce-4096x1000/fb".into(), Box::new(softmax_cross_entropy)));
    rows
}

/// A copy in Striate's own memory, as an operation before it would have left it.
fn input(seed: u32, shape: &[usize], scale: f32) -> Tensor {
    Tensor::from_vec(shape, data::fill(seed, shape.iter().product(), scale)) + 0.0
}

fn summaries<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<f64> {
    tensors.into_iter().flat_map(|x| data::summary(&x.to_vec())).collect()
}

fn forward(inputs: u32, call: Call) -> Row {
    let x: Vec<Tensor> = (0..inputs).map(|i| input(data::INPUT + i, &[ELEMENTS], 4.0)).collect();
    let step = move || no_grad(|| call(&x));
    Row { check: summaries([&step()]), parameters: 0, step: Box::new(move || drop(step())) }
}

fn forward_backward(inputs: u32, call: Call) -> Row {
    let x: Vec<Tensor> =
        (0..inputs).map(|i| input(data::INPUT + i, &[ELEMENTS], 4.0).requires_grad()).collect();
    let dy = input(data::GRADIENT, &[ELEMENTS], 1.0);
    let step = move || {
        let y = call(&x);
        let gradients = y.backward_from(&dy, GradOptions::default());
        let dx = x.iter().map(|x| gradients.get(x).expect("x is tracked").clone());
        [y.detach()].into_iter().chain(dx).collect::<Vec<_>>()
    };
    Row { check: summaries(&step()), parameters: 0, step: Box::new(move || drop(step())) }
}

fn softmax_cross_entropy() -> Row {
    let x = input(data::INPUT, &SOFTMAX, 4.0).requires_grad();
    let labels = data::labels(SOFTMAX[0], SOFTMAX[1]);
    let step = move || {
        let loss = cross_entropy(&x, &labels);
        let dx = loss.backward().get(&x).expect("x is tracked").clone();
        (loss.item(), dx)
    };
    let (loss, dx) = step();
    let check = [vec![loss], summaries([&dx])].concat();
    Row { check, parameters: 0, step: Box::new(move || drop(step())) }
}
