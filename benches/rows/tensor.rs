//! Elementwise functions on 4 Mi elements and softmax cross-entropy, forward and backward.

use protocol::{Prepare, Row, data};
use striate_benches::step::{self, input, summaries};
use striate_nn::losses::cross_entropy;
use striate_tensor::Tensor;

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

fn forward(inputs: u32, call: Call) -> Row {
    step::row(step::forward(arguments(inputs), call))
}

fn forward_backward(inputs: u32, call: Call) -> Row {
    let dy = input(data::fill(data::GRADIENT, ELEMENTS, 1.0), &[ELEMENTS]);
    step::row(step::forward_backward(arguments(inputs), dy, call))
}

fn arguments(inputs: u32) -> Vec<Tensor> {
    (0..inputs).map(|i| input(data::fill(data::INPUT + i, ELEMENTS, 4.0), &[ELEMENTS])).collect()
}

fn softmax_cross_entropy() -> Row {
    let x = data::fill(data::INPUT, SOFTMAX.iter().product(), 4.0);
    let x = input(x, &SOFTMAX).requires_grad();
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
