//! Whole sequences through the kernels of `striate-recurrent`.

use ndarray::ArrayD;
use striate_recurrent::PackedSequence;
use striate_recurrent::cells::Parameters;
use striate_recurrent::kernels::Kind;
use striate_recurrent::ops::recurrence;
use striate_tensor::Tensor;

use crate::Case;
use crate::gradcheck::values;

/// Sequences of 3, 2 and 2 steps.
const BATCH_SIZES: [usize; 3] = [3, 3, 1];
const INPUT: usize = 2;
const HIDDEN: usize = 3;

pub(super) fn cases() -> Vec<Case> {
    let case = |name, inputs, call| Case { op: "recurrence", name, inputs, call, second_order: false };
    vec![
        case("tanh", inputs(Kind::Tanh, 1, true), |x| run(Kind::Tanh, 1, x)),
        case("tanh, both directions, no bias", inputs(Kind::Tanh, 2, false), |x| run(Kind::Tanh, 2, x)),
        case("relu", inputs(Kind::Relu, 1, true), |x| run(Kind::Relu, 1, x)),
        case("lstm", inputs(Kind::Lstm, 1, true), |x| run(Kind::Lstm, 1, x)),
        case("lstm, both directions", inputs(Kind::Lstm, 2, true), |x| run(Kind::Lstm, 2, x)),
        case("lstm, no bias", inputs(Kind::Lstm, 1, false), |x| run(Kind::Lstm, 1, x)),
        case("gru", inputs(Kind::Gru, 1, true), |x| run(Kind::Gru, 1, x)),
        case("gru, both directions, no bias", inputs(Kind::Gru, 2, false), |x| run(Kind::Gru, 2, x)),
    ]
}

/// x, the initial states, and the parameters of each direction.
fn inputs(kind: Kind, directions: usize, biased: bool) -> Vec<ArrayD<f64>> {
    let state = [directions, BATCH_SIZES[0], HIDDEN];
    let rows = kind.gates() * HIDDEN;
    let mut shapes = vec![vec![BATCH_SIZES.iter().sum(), INPUT], state.to_vec()];
    if kind.has_cell() {
        shapes.push(state.to_vec());
    }
    for _ in 0..directions {
        shapes.extend([vec![rows, INPUT], vec![rows, HIDDEN]]);
        if biased {
            shapes.extend([vec![rows], vec![rows]]);
        }
    }
    (1..).zip(&shapes).map(|(seed, shape)| values(shape, seed)).collect()
}

/// y and the last states, one after the other.
fn run(kind: Kind, directions: usize, inputs: &[Tensor<f64>]) -> Tensor<f64> {
    let x = PackedSequence::new(inputs[0].clone(), BATCH_SIZES.to_vec()).expect("sizes that fit");
    let (c, parameters) = match kind {
        Kind::Lstm => (Some(&inputs[2]), &inputs[3..]),
        _ => (None, &inputs[2..]),
    };
    let parameters: Vec<Parameters<f64>> = parameters
        .chunks(parameters.len() / directions)
        .map(|p| Parameters {
            weight_ih: p[0].clone(),
            weight_hh: p[1].clone(),
            bias_ih: p.get(2).cloned(),
            bias_hh: p.get(3).cloned(),
        })
        .collect();
    let output = recurrence(kind, &x, &inputs[1], c, &parameters);
    let outputs: Vec<Tensor<f64>> = [output.y.data(), &output.h]
        .into_iter()
        .chain(&output.c)
        .map(|tensor| tensor.flatten(0, -1))
        .collect();
    Tensor::concat(&outputs.iter().collect::<Vec<_>>(), 0)
}
