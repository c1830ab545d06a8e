//! Recurrent cells over several steps against PyTorch: states, and gradients of inputs, first state and parameters.

use std::collections::BTreeSet;

use striate_nn::{ParamStore, Path};
use striate_recurrent::{
    Cell, CellOptions, GruCell, LayerNormGruCell, LayerNormLstmCell, LayerNormRnnCell, LstmCell,
    NaiveLstmCell, Nonlinearity, OriginalGruCell, PeepholeLstmCell, ProjectionLstmCell, RnnCell,
    RnnCellOptions, StackedLstmCell, State,
};
use striate_tensor::{Real, Tensor};
use testkit::golden::{F64, Golden, assert_close, load, path, weights, within};

const INPUT: usize = 5;
const HIDDEN: usize = 7;
const PROJECTION: usize = 2;

/// The inputs of all steps and the tensors of the first state, to h of all steps and the tensors of the last state.
type Unroll<E> = Box<dyn Fn(&[Tensor<E>], &[Tensor<E>]) -> [Vec<Tensor<E>>; 2]>;
/// A case and the cell that it is about, with or without biases.
type Row<E> = (&'static str, fn(&Path<E>, bool) -> Unroll<E>);

fn unroll<E: Real>(cell: impl Cell<E> + 'static) -> Unroll<E> {
    Box::new(move |x, first| {
        let mut given = first.iter();
        let mut state = cell.initial(x[0].shape()[0]).map(|zeros| {
            let given = given.next().expect("a tensor of the state");
            assert_eq!(zeros.shape(), given.shape());
            given.clone()
        });
        let h = x.iter().map(|x| {
            state = cell.step(x, &state);
            state.hidden().clone()
        });
        let h = h.collect();
        let mut last = Vec::new();
        state.map(|tensor| {
            last.push(tensor.clone());
            tensor.clone()
        });
        [h, last]
    })
}

fn rows<E: Real>() -> Vec<Row<E>> {
    fn options(bias: bool) -> CellOptions {
        CellOptions { bias, ..Default::default() }
    }
    fn plain(nonlinearity: Nonlinearity, bias: bool) -> RnnCellOptions {
        RnnCellOptions { nonlinearity, bias, ..Default::default() }
    }
    use Nonlinearity::{Relu, Tanh};
    vec![
        ("rnn, tanh", |path, bias| unroll(RnnCell::with(path, INPUT, HIDDEN, plain(Tanh, bias)))),
        ("rnn, relu", |path, bias| unroll(RnnCell::with(path, INPUT, HIDDEN, plain(Relu, bias)))),
        ("lstm", |path, bias| unroll(LstmCell::with(path, INPUT, HIDDEN, options(bias)))),
        ("gru", |path, bias| unroll(GruCell::with(path, INPUT, HIDDEN, options(bias)))),
        ("projection lstm", |path, bias| {
            unroll(ProjectionLstmCell::with(path, INPUT, HIDDEN, PROJECTION, options(bias)))
        }),
        ("naive lstm", |path, bias| unroll(NaiveLstmCell::with(path, INPUT, HIDDEN, options(bias)))),
        ("stacked lstm", |path, bias| unroll(StackedLstmCell::with(path, INPUT, HIDDEN, options(bias)))),
        ("peephole lstm", |path, bias| unroll(PeepholeLstmCell::with(path, INPUT, HIDDEN, options(bias)))),
        ("original gru", |path, bias| unroll(OriginalGruCell::with(path, INPUT, HIDDEN, options(bias)))),
        ("layer-norm rnn, tanh", |path, bias| {
            unroll(LayerNormRnnCell::with(path, INPUT, HIDDEN, plain(Tanh, bias)))
        }),
        ("layer-norm rnn, relu", |path, bias| {
            unroll(LayerNormRnnCell::with(path, INPUT, HIDDEN, plain(Relu, bias)))
        }),
        ("layer-norm lstm", |path, bias| unroll(LayerNormLstmCell::with(path, INPUT, HIDDEN, options(bias)))),
        ("layer-norm gru", |path, bias| unroll(LayerNormGruCell::with(path, INPUT, HIDDEN, options(bias)))),
    ]
}

/// The loss is Σ c·y over h of all steps and the last state.
fn check<E: Real>(golden: &Golden, case: &str, store: &ParamStore<E>, unroll: &Unroll<E>) {
    let tolerance = if E::NAME == "f64" { F64 } else { within(4e-6) };
    let numbered = |part: &str| -> Vec<Tensor<E>> {
        let names = (0..).map(|i| format!("{case}:{part}{i}"));
        names
            .take_while(|name| golden.has(name))
            .map(|name| golden.tensor::<E>(&name).requires_grad())
            .collect()
    };
    let (x, first) = (numbered("x"), numbered("state"));
    let [h, last] = unroll(&x, &first);
    let loss = h.iter().chain(&last).map(|y| (y * weights(y.shape())).sum()).reduce(|a, b| a + b).unwrap();
    let gradients = loss.backward();

    let close = |part: &str, actual: &Tensor<E>| {
        let name = format!("{case}:{part}");
        assert_close(&name, actual, &golden.f64(&name), tolerance);
    };
    (0..).zip(&h).for_each(|(t, h)| close(&format!("h{t}"), h));
    (0..).zip(&last).for_each(|(i, last)| close(&format!("last{i}"), last));
    let mut leaves: Vec<(String, Tensor<E>)> =
        store.parameters().iter().map(|(name, parameter)| (name.to_string(), parameter.clone())).collect();
    leaves.extend((0..).zip(x).map(|(t, x)| (format!("x{t}"), x)));
    leaves.extend((0..).zip(first).map(|(i, state)| (format!("state{i}"), state)));
    let mut expected: BTreeSet<String> =
        golden.under(&format!("{case}:grad.")).names().map(str::to_string).collect();
    for (name, leaf) in &leaves {
        let gradient = gradients.get(leaf);
        assert_eq!(gradient.is_some(), expected.remove(name), "{case}: gradient of {name}");
        gradient.inspect(|gradient| close(&format!("grad.{name}"), gradient));
    }
    assert!(expected.is_empty(), "{case}: nothing is named {expected:?}");
}

fn check_all<E: Real>() {
    let golden = load("recurrent_cells");
    let mut listed = BTreeSet::from(["lstm, saved".to_string()]);
    for (case, make) in rows::<E>() {
        for (bias, suffix) in [(true, ""), (false, ", no bias")] {
            let case = format!("{case}{suffix}");
            let store = ParamStore::<E>::seeded(1);
            let unroll = make(&store.root(), bias);
            store.set_arrays(&golden.under(&format!("{case}:before.")), &[], &case).unwrap();
            check(&golden, &case, &store, &unroll);
            listed.insert(case);
        }
    }
    let cases: BTreeSet<String> = golden.cases().into_iter().map(str::to_string).collect();
    assert_eq!(listed, cases, "the rows (left) are not the cases of the file (right)");
}

#[test]
fn cells_in_double_precision() {
    check_all::<f64>();
}

#[test]
fn cells_in_single_precision() {
    check_all::<f32>();
}

#[test]
fn the_state_dict_of_an_lstm_cell_loads_by_name() {
    let store = ParamStore::<f64>::seeded(1);
    let cell = unroll(LstmCell::new(&store.root(), INPUT, HIDDEN));
    store.load(path("lstm_cell")).unwrap();
    check(&load("recurrent_cells"), "lstm, saved", &store, &cell);
}
