//! Recurrent cells against numerical derivatives, with respect to the input, the state and every parameter.

use ndarray::ArrayD;
use striate_nn::ParamStore;
use striate_recurrent::cells::Parameters;
use striate_recurrent::{
    Cell, DynamicalSystem, GruCell, LayerNormGruCell, LayerNormLstmCell, LayerNormRnnCell, LstmCell,
    NaiveLstmCell, Nonlinearity, OriginalGruCell, PeepholeLstmCell, ProjectionLstmCell, RnnCell,
    RnnCellOptions, StackedLstmCell,
};
use striate_tensor::Tensor;
use testkit::Case;
use testkit::gradcheck::{first_order, second_order, values};

const INPUT: usize = 3;
const HIDDEN: usize = 2;

/// Values of x and of the tensors of the state, for two sequences, then of the parameters.
fn inputs(state: &[usize], parameters: &[&[usize]]) -> Vec<ArrayD<f64>> {
    let carried = [&INPUT].into_iter().chain(state).map(|&features| vec![2, features]);
    let shapes = carried.chain(parameters.iter().map(|shape| shape.to_vec()));
    (1..).zip(shapes).map(|(seed, shape)| values(&shape, seed)).collect()
}

/// Shapes of W_ih, W_hh, b_ih and b_hh, and of what a cell has beside them.
fn shapes<'a>(weights: &'a [[usize; 2]; 2], others: &[&'a [usize]]) -> Vec<&'a [usize]> {
    let [weight_ih, weight_hh] = weights;
    let bias = &weight_ih[..1];
    [&weight_ih[..], weight_hh, bias, bias].iter().chain(others).copied().collect()
}

/// Puts tensors whose gradients are checked in the place of a cell's parameters.
fn replace(parameters: &mut Parameters<f64>, x: &[Tensor<f64>]) {
    let [weight_ih, weight_hh, bias_ih, bias_hh] = std::array::from_fn(|i| x[i].clone());
    *parameters = Parameters { weight_ih, weight_hh, bias_ih: Some(bias_ih), bias_hh: Some(bias_hh) };
}

/// h' and c' beside each other.
fn joined((h, c): (Tensor<f64>, Tensor<f64>)) -> Tensor<f64> {
    Tensor::concat(&[&h, &c], 1)
}

fn store() -> ParamStore<f64> {
    ParamStore::seeded(0)
}

fn check(op: &'static str, inputs: Vec<ArrayD<f64>>, call: fn(&[Tensor<f64>]) -> Tensor<f64>) {
    let case = Case { op, name: "one step", inputs, call, second_order: true };
    first_order(&case);
    second_order(&case);
}

const ONE: [[usize; 2]; 2] = [[HIDDEN, INPUT], [HIDDEN, HIDDEN]];
const THREE: [[usize; 2]; 2] = [[3 * HIDDEN, INPUT], [3 * HIDDEN, HIDDEN]];
const FOUR: [[usize; 2]; 2] = [[4 * HIDDEN, INPUT], [4 * HIDDEN, HIDDEN]];

#[test]
fn dynamical_system() {
    check("dynamical_system", inputs(&[INPUT], &[&[INPUT]]), |x| {
        let theta = x[2].clone();
        let step = move |s: &Tensor<f64>, x: &Tensor<f64>| (&theta * s + x).tanh();
        DynamicalSystem::new(step, |batch| Tensor::zeros(&[batch, INPUT])).step(&x[0], &x[1])
    });
}

#[test]
fn rnn_cells() {
    fn cell(nonlinearity: Nonlinearity, x: &[Tensor<f64>]) -> Tensor<f64> {
        let options = RnnCellOptions { nonlinearity, ..Default::default() };
        let mut cell = RnnCell::with(&store().root(), INPUT, HIDDEN, options);
        replace(&mut cell.parameters, &x[2..]);
        cell.step(&x[0], &x[1])
    }
    let inputs = || inputs(&[HIDDEN], &shapes(&ONE, &[]));
    check("rnn_cell (tanh)", inputs(), |x| cell(Nonlinearity::Tanh, x));
    check("rnn_cell (relu)", inputs(), |x| cell(Nonlinearity::Relu, x));
}

#[test]
fn lstm_cell() {
    check("lstm_cell", inputs(&[HIDDEN; 2], &shapes(&FOUR, &[])), |x| {
        let mut cell = LstmCell::new(&store().root(), INPUT, HIDDEN);
        replace(&mut cell.parameters, &x[3..]);
        joined(cell.step(&x[0], &(x[1].clone(), x[2].clone())))
    });
}

#[test]
fn naive_lstm_cell() {
    check("naive_lstm_cell", inputs(&[HIDDEN], &shapes(&ONE, &[])), |x| {
        let mut cell = NaiveLstmCell::new(&store().root(), INPUT, HIDDEN);
        replace(&mut cell.parameters, &x[2..]);
        joined(cell.step(&x[0], &(x[1].detach(), x[1].clone())))
    });
}

#[test]
fn stacked_lstm_cell() {
    let parameters: [&[usize]; 2] = [&[4 * HIDDEN, INPUT + HIDDEN], &[4 * HIDDEN]];
    check("stacked_lstm_cell", inputs(&[HIDDEN; 2], &parameters), |x| {
        let cell = StackedLstmCell { weight: x[3].clone(), bias: Some(x[4].clone()) };
        joined(cell.step(&x[0], &(x[1].clone(), x[2].clone())))
    });
}

#[test]
fn peephole_lstm_cell() {
    let peepholes: [&[usize]; 3] = [&[HIDDEN]; 3];
    let inputs = inputs(&[HIDDEN; 2], &shapes(&FOUR, &peepholes));
    check("peephole_lstm_cell", inputs, |x| {
        let mut cell = PeepholeLstmCell::new(&store().root(), INPUT, HIDDEN);
        replace(&mut cell.parameters, &x[3..]);
        [cell.weight_ci, cell.weight_cf, cell.weight_co] = std::array::from_fn(|i| x[7 + i].clone());
        joined(cell.step(&x[0], &(x[1].clone(), x[2].clone())))
    });
}

#[test]
fn projection_lstm_cell() {
    const PROJECTION: usize = 1;
    let weights = [[4 * HIDDEN, INPUT], [4 * HIDDEN, PROJECTION]];
    let inputs = inputs(&[PROJECTION, HIDDEN], &shapes(&weights, &[&[PROJECTION, HIDDEN]]));
    check("projection_lstm_cell", inputs, |x| {
        let mut cell = ProjectionLstmCell::new(&store().root(), INPUT, HIDDEN, PROJECTION);
        replace(&mut cell.parameters, &x[3..]);
        cell.weight_hr = x[7].clone();
        joined(cell.step(&x[0], &(x[1].clone(), x[2].clone())))
    });
}

#[test]
fn gru_cell() {
    check("gru_cell", inputs(&[HIDDEN], &shapes(&THREE, &[])), |x| {
        let mut cell = GruCell::new(&store().root(), INPUT, HIDDEN);
        replace(&mut cell.parameters, &x[2..]);
        cell.step(&x[0], &x[1])
    });
}

#[test]
fn original_gru_cell() {
    check("original_gru_cell", inputs(&[HIDDEN], &shapes(&THREE, &[])), |x| {
        let mut cell = OriginalGruCell::new(&store().root(), INPUT, HIDDEN);
        replace(&mut cell.parameters, &x[2..]);
        cell.step(&x[0], &x[1])
    });
}

/// Three features are normalised: of two, all that remains is the sign.
mod normalised {
    use super::*;

    const HIDDEN: usize = 3;
    const THREE: [[usize; 2]; 2] = [[3 * HIDDEN, INPUT], [3 * HIDDEN, HIDDEN]];
    const FOUR: [[usize; 2]; 2] = [[4 * HIDDEN, INPUT], [4 * HIDDEN, HIDDEN]];

    #[test]
    fn layer_norm_rnn_cell() {
        let parameters: [&[usize]; 4] = [&[HIDDEN, INPUT], &[HIDDEN, HIDDEN], &[HIDDEN], &[HIDDEN]];
        check("layer_norm_rnn_cell", inputs(&[HIDDEN], &parameters), |x| {
            let mut cell = LayerNormRnnCell::new(&store().root(), INPUT, HIDDEN);
            [cell.parameters.weight_ih, cell.parameters.weight_hh] = [x[2].clone(), x[3].clone()];
            [cell.norm.weight, cell.norm.bias] = [Some(x[4].clone()), Some(x[5].clone())];
            cell.step(&x[0], &x[1])
        });
    }

    #[test]
    fn layer_norm_lstm_cell() {
        let norms: [&[usize]; 4] = [&[4 * HIDDEN], &[4 * HIDDEN], &[HIDDEN], &[HIDDEN]];
        check("layer_norm_lstm_cell", inputs(&[HIDDEN; 2], &shapes(&FOUR, &norms)), |x| {
            let mut cell = LayerNormLstmCell::new(&store().root(), INPUT, HIDDEN);
            replace(&mut cell.parameters, &x[3..]);
            [cell.norm_ih.weight, cell.norm_hh.weight] = [Some(x[7].clone()), Some(x[8].clone())];
            [cell.norm_c.weight, cell.norm_c.bias] = [Some(x[9].clone()), Some(x[10].clone())];
            joined(cell.step(&x[0], &(x[1].clone(), x[2].clone())))
        });
    }

    #[test]
    fn layer_norm_gru_cell() {
        let norms: [&[usize]; 4] = [&[2 * HIDDEN], &[2 * HIDDEN], &[HIDDEN], &[HIDDEN]];
        check("layer_norm_gru_cell", inputs(&[HIDDEN], &shapes(&THREE, &norms)), |x| {
            let mut cell = LayerNormGruCell::new(&store().root(), INPUT, HIDDEN);
            replace(&mut cell.parameters, &x[2..]);
            [cell.norm_ih.weight, cell.norm_hh.weight] = [Some(x[6].clone()), Some(x[7].clone())];
            [cell.norm_in.weight, cell.norm_hn.weight] = [Some(x[8].clone()), Some(x[9].clone())];
            cell.step(&x[0], &x[1])
        });
    }
}
