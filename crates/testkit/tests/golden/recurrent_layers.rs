//! Sequence layers against PyTorch: a `state_dict` by name, outputs, last states and all gradients.

use std::collections::BTreeSet;

use striate_nn::ParamStore;
use striate_recurrent::layers::{
    Architecture, GruArchitecture, LayerState, LstmArchitecture, ReluArchitecture, TanhArchitecture,
};
use striate_recurrent::{CellOptions, SequenceLayer, SequenceOptions, State};
use striate_tensor::{Real, Tensor};
use testkit::golden::{F64, Golden, assert_close, load, weights, within};

/// What the cases of a layer are called, their hidden sizes and options.
fn options() -> [(&'static str, usize, SequenceOptions); 5] {
    let plain = SequenceOptions::default();
    let both = SequenceOptions { layers: 2, bidirectional: true, ..plain };
    let no_bias = CellOptions { bias: false, ..Default::default() };
    [
        ("plain", 7, plain),
        ("no bias", 5, SequenceOptions { bidirectional: true, cell: no_bias, ..plain }),
        ("deep", 6, SequenceOptions { layers: 3, batch_first: true, ..plain }),
        ("ragged", 5, both),
        ("ragged, batch first", 3, SequenceOptions { batch_first: true, ..both }),
    ]
}

fn check<A: Architecture, E: Real>(golden: &Golden, case: &str, hidden: usize, options: SequenceOptions) {
    let tolerance = if E::NAME == "f64" { F64 } else { within(4e-6) };
    let store = ParamStore::<E>::seeded(1);
    let x: Vec<Tensor<E>> = golden.inputs(case);
    let layer = SequenceLayer::<A, E>::with(&store.root(), x[0].shape()[2], hidden, options);
    store.set_arrays(&golden.under(&format!("{case}:before.")), &[], case).unwrap();

    let state = A::State::join(x[1].clone(), x.get(2).cloned());
    let lengths = format!("{case}:i0");
    let (y, last) = if golden.has(&lengths) {
        layer.run_padded(&x[0], &golden.indices(&lengths).into_raw_vec_and_offset().0, &state)
    } else {
        layer.run(&x[0], &state)
    };
    let y: Vec<&Tensor<E>> = [&y, last.hidden()].into_iter().chain(last.cell()).collect();
    let loss = y.iter().map(|&y| (y * weights(y.shape())).sum()).reduce(|a, b| a + b).unwrap();
    let gradients = loss.backward();

    let close = |part: &str, actual: &Tensor<E>| {
        let name = format!("{case}:{part}");
        assert_close(&name, actual, &golden.f64(&name), tolerance);
    };
    (0..).zip(y).for_each(|(i, y)| close(&format!("y{i}"), y));
    (0..).zip(&x).for_each(|(i, x)| close(&format!("dx{i}"), gradients.get(x).unwrap()));
    let expected = golden.under(&format!("{case}:grad."));
    let names: BTreeSet<&str> = expected.names().collect();
    assert_eq!(store.parameters().names().collect::<BTreeSet<_>>(), names, "{case}: parameters");
    for (name, parameter) in store.parameters().iter() {
        close(&format!("grad.{name}"), gradients.get(parameter).unwrap());
    }
}

fn check_layer<A: Architecture>(golden: &Golden, layer: &str) {
    for (case, hidden, options) in options() {
        let case = format!("{layer}, {case}");
        check::<A, f64>(golden, &case, hidden, options);
        check::<A, f32>(golden, &case, hidden, options);
    }
}

#[test]
fn sequence_layers() {
    let golden = load("recurrent_layers");
    let layers = ["rnn", "relu", "lstm", "gru"];
    let listed: BTreeSet<String> =
        layers.iter().flat_map(|layer| options().map(|(case, ..)| format!("{layer}, {case}"))).collect();
    let cases: BTreeSet<String> = golden.cases().into_iter().map(str::to_string).collect();
    assert_eq!(listed, cases, "the rows (left) are not the cases of the file (right)");
    check_layer::<TanhArchitecture>(&golden, "rnn");
    check_layer::<ReluArchitecture>(&golden, "relu");
    check_layer::<LstmArchitecture>(&golden, "lstm");
    check_layer::<GruArchitecture>(&golden, "gru");
}
