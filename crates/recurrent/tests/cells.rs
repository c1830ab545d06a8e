//! Cells: what they are called, how they start, how they relate, and what they refuse.
#![cfg(feature = "autograd")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use striate_compute::rng::Rng;
use striate_nn::{Init, ParamStore, Path};
use striate_recurrent::cells::Parameters;
use striate_recurrent::*;
use striate_tensor::{Array, Tensor};

const INPUT: usize = 5;
const HIDDEN: usize = 9;
const PROJECTION: usize = 4;

fn normal(shape: &[usize], seed: u64) -> Tensor<f64> {
    Init::Normal { mean: 0.0, std: 1.0 }.draw(shape, &mut Rng::new(seed)).into()
}

/// Makes a cell in a store of its own.
fn made<C>(make: impl FnOnce(&Path<f64>) -> C) -> (ParamStore<f64>, C) {
    let store = ParamStore::seeded(3);
    let cell = make(&store.root());
    (store, cell)
}

fn equal(a: &Tensor<f64>, b: &Tensor<f64>) {
    assert_eq!(a.shape(), b.shape());
    let difference = (a - b).abs().max().item();
    assert!(difference < 1e-13, "the largest difference is {difference}");
}

/// The blocks of a parameter's gates, in another order.
fn permuted(parameter: &Tensor<f64>, order: [usize; 4]) -> Tensor<f64> {
    let blocks: [Tensor<f64>; 4] = parameter.chunk(0);
    Tensor::concat(&order.map(|gate| &blocks[gate]), 0)
}

#[test]
fn the_stacked_form_is_an_lstm_with_its_weights_side_by_side() {
    let (_, lstm) = made(|path| LstmCell::new(path, INPUT, HIDDEN));
    let Parameters { weight_ih, weight_hh, bias_ih, bias_hh } = &lstm.parameters;
    let bias = bias_ih.as_ref().unwrap() + bias_hh.as_ref().unwrap();
    let i_f_o_g = [0, 1, 3, 2];
    let stacked = StackedLstmCell {
        weight: permuted(&Tensor::concat(&[weight_ih, weight_hh], 1), i_f_o_g),
        bias: Some(permuted(&bias, i_f_o_g)),
    };
    let (x, state) = (normal(&[3, INPUT], 1), (normal(&[3, HIDDEN], 2), normal(&[3, HIDDEN], 3)));
    let (expected, actual) = (lstm.step(&x, &state), stacked.step(&x, &state));
    equal(&actual.0, &expected.0);
    equal(&actual.1, &expected.1);
}

#[test]
fn without_its_additions_a_cell_is_an_lstm() {
    let (x, state) = (normal(&[3, INPUT], 1), (normal(&[3, HIDDEN], 2), normal(&[3, HIDDEN], 3)));
    // A parameter's start depends on its name alone: the three cells share W and b.
    let (_, lstm) = made(|path| LstmCell::new(path, INPUT, HIDDEN));
    let (_, mut peephole) = made(|path| PeepholeLstmCell::new(path, INPUT, HIDDEN));
    let (_, mut projection) = made(|path| ProjectionLstmCell::new(path, INPUT, HIDDEN, HIDDEN));
    [peephole.weight_ci, peephole.weight_cf, peephole.weight_co] = [(); 3].map(|_| Tensor::zeros(&[HIDDEN]));
    projection.weight_hr = Tensor::eye(HIDDEN);

    let expected = lstm.step(&x, &state);
    for actual in [peephole.step(&x, &state), projection.step(&x, &state)] {
        equal(&actual.0, &expected.0);
        equal(&actual.1, &expected.1);
    }
}

#[test]
fn the_memory_of_the_naive_form_is_a_power_of_w() {
    let (_, cell) = made(|path| NaiveLstmCell::new(path, INPUT, HIDDEN));
    let c = normal(&[3, HIDDEN], 2);
    let mut state = (Tensor::zeros(&[3, HIDDEN]), c.clone());
    let mut expected = c;
    for _ in 0..5 {
        state = cell.step(&Tensor::zeros(&[3, INPUT]), &state);
        expected = expected.matmul(&cell.parameters.weight_hh.t());
    }
    equal(&state.1, &expected);
    equal(&state.0, &expected.tanh());
}

#[test]
fn parameters_are_named_and_ordered_as_in_pytorch() {
    let names = |store: &ParamStore<f64>| store.parameters().names().map(str::to_string).collect::<Vec<_>>();
    let gated = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
    let with = |others: &[&'static str]| [&gated[..], others].concat();

    assert_eq!(names(&made(|path| RnnCell::new(path, INPUT, HIDDEN)).0), gated);
    assert_eq!(names(&made(|path| LstmCell::new(path, INPUT, HIDDEN)).0), gated);
    assert_eq!(names(&made(|path| GruCell::new(path, INPUT, HIDDEN)).0), gated);
    assert_eq!(names(&made(|path| OriginalGruCell::new(path, INPUT, HIDDEN)).0), gated);
    assert_eq!(names(&made(|path| NaiveLstmCell::new(path, INPUT, HIDDEN)).0), gated[..2]);
    assert_eq!(names(&made(|path| StackedLstmCell::new(path, INPUT, HIDDEN)).0), ["weight"]);
    let projection = made(|path| ProjectionLstmCell::new(path, INPUT, HIDDEN, PROJECTION)).0;
    assert_eq!(names(&projection), with(&["weight_hr"]));
    let peephole = made(|path| PeepholeLstmCell::new(path, INPUT, HIDDEN)).0;
    assert_eq!(names(&peephole), with(&["weight_ci", "weight_cf", "weight_co"]));
    let rnn = made(|path| LayerNormRnnCell::new(path, INPUT, HIDDEN)).0;
    assert_eq!(names(&rnn), ["weight_ih", "weight_hh", "norm.weight", "norm.bias"]);
    let lstm = made(|path| LayerNormLstmCell::new(path, INPUT, HIDDEN)).0;
    let norms = ["norm_ih.weight", "norm_hh.weight", "norm_c.weight", "norm_c.bias"];
    assert_eq!(names(&lstm), with(&norms));
    let gru = made(|path| LayerNormGruCell::new(path, INPUT, HIDDEN)).0;
    let norms = ["norm_ih.weight", "norm_hh.weight", "norm_in.weight", "norm_hn.weight"];
    assert_eq!(names(&gru), with(&norms));
}

#[test]
fn everything_starts_within_one_over_the_root_of_h() {
    let (store, _) = made(|path| {
        let stacked = CellOptions::default();
        RnnCell::new(&path.sub("rnn"), INPUT, HIDDEN);
        GruCell::new(&path.sub("gru"), INPUT, HIDDEN);
        PeepholeLstmCell::new(&path.sub("peephole"), INPUT, HIDDEN);
        ProjectionLstmCell::new(&path.sub("projection"), INPUT, HIDDEN, PROJECTION);
        StackedLstmCell::with(&path.sub("stacked"), INPUT, HIDDEN, stacked);
    });
    let bound = 1.0 / (HIDDEN as f64).sqrt();
    for (name, parameter) in store.parameters().iter() {
        let largest = parameter.abs().max().item();
        assert!(largest <= bound && largest > 0.6 * bound, "{name}: {largest} of {bound}");
    }
}

#[test]
fn the_forget_bias_starts_where_it_is_told() {
    let options = CellOptions { forget_bias: Some(1.5), ..Default::default() };
    let check = |store: &ParamStore<f64>, names: &[&str], drawn: &ParamStore<f64>| {
        let gates = |store: &ParamStore<f64>| {
            let biases = names.iter().map(|name| store.get(name).unwrap());
            let sum = biases.reduce(|a, b| a + b).unwrap();
            sum.chunk(0).map(|gate: Tensor<f64>| gate.to_vec())
        };
        let ([i, f, g, o], [drawn_i, _, drawn_g, drawn_o]) = (gates(store), gates(drawn));
        assert_eq!(f, [1.5; HIDDEN]);
        assert_eq!([i, g, o], [drawn_i, drawn_g, drawn_o], "the other gates start as without it");
    };
    let both = ["bias_ih", "bias_hh"];
    let plain = CellOptions::default();
    check(
        &made(|path| LstmCell::with(path, INPUT, HIDDEN, options)).0,
        &both,
        &made(|path| LstmCell::with(path, INPUT, HIDDEN, plain)).0,
    );
    check(
        &made(|path| LayerNormLstmCell::with(path, INPUT, HIDDEN, options)).0,
        &both,
        &made(|path| LayerNormLstmCell::with(path, INPUT, HIDDEN, plain)).0,
    );
    check(
        &made(|path| StackedLstmCell::with(path, INPUT, HIDDEN, options)).0,
        &["bias"],
        &made(|path| StackedLstmCell::with(path, INPUT, HIDDEN, plain)).0,
    );
}

#[test]
fn what_was_learnt_or_loaded_is_not_overwritten_by_the_forget_bias() {
    let options = CellOptions { forget_bias: Some(1.0), ..Default::default() };
    let learnt = vec![0.25; 4 * HIDDEN];
    let (store, cell) = made(|path| LstmCell::with(path, INPUT, HIDDEN, options));
    let bias = cell.parameters.bias_ih.as_ref().unwrap();
    bias.update(|value| *value = Array::from_vec(&[4 * HIDDEN], learnt.clone()));

    let serving = LstmCell::with(&store.snapshot().root(), INPUT, HIDDEN, options);
    assert_eq!(serving.parameters.bias_ih.unwrap().to_vec(), learnt);

    let (other, loaded) = made(|path| LstmCell::with(path, INPUT, HIDDEN, options));
    other.set_arrays(&store.to_arrays(), &[], "the first store").unwrap();
    assert_eq!(loaded.parameters.bias_ih.unwrap().to_vec(), learnt);
}

#[test]
fn each_gate_has_an_orthogonal_block() {
    fn check<const GATES: usize>(weight: &Tensor<f64>) {
        let blocks: [Tensor<f64>; GATES] = weight.chunk(0);
        for block in &blocks {
            equal(&block.matmul(&block.t()), &Tensor::eye(HIDDEN));
        }
        assert!(GATES == 1 || blocks[0].to_vec() != blocks[1].to_vec());
    }
    let recurrent_init = Some(Init::Orthogonal { gain: 1.0 });
    let options = CellOptions { recurrent_init, ..Default::default() };
    let plain = RnnCellOptions { recurrent_init, ..Default::default() };
    check::<1>(&made(|path| RnnCell::with(path, INPUT, HIDDEN, plain)).1.parameters.weight_hh);
    check::<1>(&made(|path| LayerNormRnnCell::with(path, INPUT, HIDDEN, plain)).1.parameters.weight_hh);
    check::<3>(&made(|path| GruCell::with(path, INPUT, HIDDEN, options)).1.parameters.weight_hh);
    check::<4>(&made(|path| LstmCell::with(path, INPUT, HIDDEN, options)).1.parameters.weight_hh);
    let stacked = made(|path| StackedLstmCell::with(path, INPUT, HIDDEN, options)).1.weight;
    check::<4>(&stacked.narrow(1, INPUT, HIDDEN));
    let below = stacked.narrow(1, 0, INPUT).abs().max().item();
    assert!(below <= 1.0 / (HIDDEN as f64).sqrt(), "{below}");
}

/// What a call panics with.
fn message(call: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call)).expect_err("it should panic");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast::<&str>().expect("a panic's message").to_string(),
    }
}

/// Holds a cell to its rules: x, then each tensor of the state with one feature too many.
fn refuses<C: Cell<f64>>(op: &str, make: impl FnOnce(&Path<f64>) -> C, state: &[(&str, usize)]) {
    let cell = made(make).1;
    let zeros = || cell.initial(2);
    let step = |x: &[usize], state: C::State| {
        message(|| {
            cell.step(&Tensor::zeros(x), &state);
        })
    };
    let features = format!("{op}: x must be (N, I) with 5 features, is ");
    assert_eq!(step(&[2, 4], zeros()), features.clone() + "[2, 4]");
    assert_eq!(step(&[5], zeros()), features.clone() + "[5]");
    assert_eq!(step(&[2, 1, 5], zeros()), features + "[2, 1, 5]");
    for (wrong, &(letter, width)) in state.iter().enumerate() {
        let mut places = 0..;
        let state = zeros().map(|tensor| {
            let more = usize::from(places.next() == Some(tensors(&cell) - state.len() + wrong));
            Tensor::zeros(&[2, tensor.shape()[1] + more])
        });
        let expected = format!("{op}: {letter} must be [2, {width}], is [2, {}]", width + 1);
        assert_eq!(step(&[2, 5], state), expected);
    }
    let (letter, width) = state[0];
    let expected = format!("{op}: {letter} must be [3, {width}], is [2, {width}]");
    assert_eq!(step(&[3, 5], zeros()), expected, "another batch");
}

/// How many tensors a state has.
fn tensors<C: Cell<f64>>(cell: &C) -> usize {
    let mut count = 0;
    cell.initial(1).map(|tensor| {
        count += 1;
        tensor.clone()
    });
    count
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let (h, c) = (("h", HIDDEN), ("c", HIDDEN));
    refuses("rnn_cell", |path| RnnCell::new(path, INPUT, HIDDEN), &[h]);
    refuses("lstm_cell", |path| LstmCell::new(path, INPUT, HIDDEN), &[h, c]);
    refuses("gru_cell", |path| GruCell::new(path, INPUT, HIDDEN), &[h]);
    refuses("original_gru_cell", |path| OriginalGruCell::new(path, INPUT, HIDDEN), &[h]);
    refuses("naive_lstm_cell", |path| NaiveLstmCell::new(path, INPUT, HIDDEN), &[c]);
    refuses("stacked_lstm_cell", |path| StackedLstmCell::new(path, INPUT, HIDDEN), &[h, c]);
    refuses("peephole_lstm_cell", |path| PeepholeLstmCell::new(path, INPUT, HIDDEN), &[h, c]);
    let projected = ("h", PROJECTION);
    let make = |path: &Path<f64>| ProjectionLstmCell::new(path, INPUT, HIDDEN, PROJECTION);
    refuses("projection_lstm_cell", make, &[projected, c]);
    refuses("layer_norm_rnn_cell", |path| LayerNormRnnCell::new(path, INPUT, HIDDEN), &[h]);
    refuses("layer_norm_lstm_cell", |path| LayerNormLstmCell::new(path, INPUT, HIDDEN), &[h, c]);
    refuses("layer_norm_gru_cell", |path| LayerNormGruCell::new(path, INPUT, HIDDEN), &[h]);
}

#[test]
fn a_forget_bias_needs_a_forget_gate_and_a_bias() {
    let options = CellOptions { forget_bias: Some(1.0), ..Default::default() };
    let unbiased = CellOptions { bias: false, ..options };
    let of_gru = message(|| drop(made(|path| GruCell::with(path, INPUT, HIDDEN, options))));
    assert_eq!(of_gru, "forget_bias: the cell has no forget gate");
    for message in [
        message(|| drop(made(|path| LstmCell::with(path, INPUT, HIDDEN, unbiased)))),
        message(|| drop(made(|path| StackedLstmCell::with(path, INPUT, HIDDEN, unbiased)))),
    ] {
        assert_eq!(message, "forget_bias: the cell has no bias");
    }
}
