//! Sequence layers against unrolled cells, and against themselves.

use striate_compute::rng::Rng;
use striate_nn::{Module, ParamStore};
use striate_recurrent::cells::Parameters;
use striate_recurrent::layers::{
    Architecture, GruArchitecture, LstmArchitecture, ReluArchitecture, TanhArchitecture,
};
use striate_recurrent::{
    Cell, CellOptions, Gru, GruCell, Lstm, LstmCell, Nonlinearity, PackedSequence, RnnCell, RnnCellOptions,
    SequenceLayer, SequenceOptions, State, unroll,
};
use striate_tensor::{Gradients, Real, Tensor};

const OPTIONS: SequenceOptions = SequenceOptions {
    layers: 1,
    bidirectional: false,
    dropout: 0.0,
    batch_first: false,
    cell: CellOptions { bias: true, forget_bias: None, recurrent_init: None },
};

fn normal<E: Real>(shape: &[usize], seed: u64) -> Tensor<E> {
    let mut values = vec![E::zero(); shape.iter().product()];
    Rng::new(seed).fill_normal(&mut values, 0.0, 1.0);
    Tensor::from_vec(shape, values)
}

/// Σ c·y with numbers c that differ.
fn weigh<E: Real>(y: &Tensor<E>) -> Tensor<E> {
    (y * normal(y.shape(), 99)).sum()
}

fn assert_close<E: Real>(a: &Tensor<E>, b: &Tensor<E>, tolerance: f64, what: &str) {
    assert_eq!(a.shape(), b.shape(), "{what}");
    for (i, (a, b)) in a.to_vec().into_iter().zip(b.to_vec()).enumerate() {
        assert!((a - b).f64().abs() <= tolerance * (1.0 + b.f64().abs()), "{what}[{i}]: {a}, should be {b}");
    }
}

/// Lets a cell share the parameters of one layer and direction.
fn shared(store: &ParamStore<f64>, suffix: &str, p: &mut Parameters<f64>) {
    let get = |name: &str| store.get(&format!("{name}{suffix}"));
    p.weight_ih = get("weight_ih").expect("a parameter of the layer");
    p.weight_hh = get("weight_hh").expect("a parameter of the layer");
    (p.bias_ih, p.bias_hh) = (get("bias_ih"), get("bias_hh"));
}

fn cell_of<C>(
    store: &ParamStore<f64>,
    suffix: &str,
    mut cell: C,
    parameters: impl Fn(&mut C) -> &mut Parameters<f64>,
) -> C {
    shared(store, suffix, parameters(&mut cell));
    cell
}

/// The same layers, unrolled one cell after the other.
fn unrolled<C: Cell<f64>>(
    cells: &[Vec<C>],
    x: &Tensor<f64>,
    state: impl Fn(usize) -> C::State,
) -> (Tensor<f64>, Vec<C::State>) {
    let mut y = x.clone();
    let mut states = Vec::new();
    for (l, directions) in cells.iter().enumerate() {
        let mut outputs = Vec::new();
        for (d, cell) in directions.iter().enumerate() {
            let turn = |x: &Tensor<f64>| if d == 1 { x.flip(&[0]) } else { x.clone() };
            let (output, last) = unroll(cell, &turn(&y), &state(l * directions.len() + d));
            outputs.push(turn(&output));
            states.push(last);
        }
        y = Tensor::concat(&outputs.iter().collect::<Vec<_>>(), 2);
    }
    (y, states)
}

fn gradients_of(y: &Tensor<f64>, states: &[Tensor<f64>]) -> Gradients<f64> {
    states.iter().fold(weigh(y), |sum, state| sum + weigh(state)).backward()
}

#[derive(Clone, Copy, Debug)]
struct Stack {
    layers: usize,
    bidirectional: bool,
    bias: bool,
}

#[derive(Clone, Copy, Debug)]
struct Sizes {
    steps: usize,
    batch: usize,
    input: usize,
    hidden: usize,
}

/// Compares values and all gradients of a layer with those of its cells.
fn compare<A: Architecture, C: Cell<f64>>(
    stack: Stack,
    sizes: Sizes,
    make: impl Fn(&ParamStore<f64>, &str, usize) -> C,
    state_of: impl Fn(&[Tensor<f64>], usize) -> C::State,
    join: impl Fn(&[Tensor<f64>]) -> A::State<f64>,
    split: impl Fn(&A::State<f64>) -> Vec<Tensor<f64>>,
) {
    let what = format!("{} {stack:?} {sizes:?}", A::LAYER);
    let (Stack { layers, bidirectional, bias }, Sizes { steps, batch, input, hidden }) = (stack, sizes);
    let store = ParamStore::<f64>::seeded(7);
    let cell = CellOptions { bias, ..Default::default() };
    let options = SequenceOptions { layers, bidirectional, cell, ..OPTIONS };
    let layer = SequenceLayer::<A, f64>::with(&store.root(), input, hidden, options);
    let directions = 1 + usize::from(bidirectional);
    let cells: Vec<Vec<C>> = (0..layers)
        .map(|l| {
            let input = if l == 0 { input } else { directions * hidden };
            ["", "_reverse"][..directions]
                .iter()
                .map(|direction| make(&store, &format!("_l{l}{direction}"), input))
                .collect()
        })
        .collect();
    let x = normal::<f64>(&[steps, batch, input], 1).requires_grad();
    let parts = if A::KIND.has_cell() { 2 } else { 1 };
    let initial: Vec<Tensor<f64>> =
        (0..parts).map(|i| normal(&[layers * directions, batch, hidden], 2 + i).requires_grad()).collect();

    let (y, last) = layer.run(&x, &join(&initial));
    let last = split(&last);
    let fused = gradients_of(&y, &last);
    let (y_cells, states) = unrolled(&cells, &x, |i| state_of(&initial, i));
    let stack = |part: usize| {
        let parts: Vec<Tensor<f64>> = states
            .iter()
            .map(|state| {
                let mut tensors = Vec::new();
                let _ = state.map(|tensor| {
                    tensors.push(tensor.clone());
                    tensor.clone()
                });
                tensors.swap_remove(part)
            })
            .collect();
        Tensor::stack(&parts.iter().collect::<Vec<_>>(), 0)
    };
    let last_cells: Vec<Tensor<f64>> = (0..parts as usize).map(stack).collect();
    let composed = gradients_of(&y_cells, &last_cells);

    assert_close(&y, &y_cells, 1e-12, &what);
    last.iter().zip(&last_cells).for_each(|(a, b)| assert_close(a, b, 1e-12, &what));
    let named = store.parameters();
    let leaves = named.iter().map(|(name, p)| (name, p.clone()));
    for (name, leaf) in leaves.chain([("x", x)]).chain(initial.into_iter().map(|state| ("state", state))) {
        let (a, b) = (fused.get(&leaf).expect("reached"), composed.get(&leaf).expect("reached"));
        assert_close(a, b, 1e-10, &format!("{what}: {name}"));
    }
}

fn sweep() -> impl Iterator<Item = (Stack, Sizes)> {
    let stacks = [(1, false, true), (2, true, true), (3, false, false), (1, true, false)];
    let sizes = [(1, 1, 1, 1), (4, 3, 2, 5), (7, 5, 9, 17), (3, 2, 4, 33)];
    stacks.into_iter().flat_map(move |(layers, bidirectional, bias)| {
        sizes.map(|(steps, batch, input, hidden)| {
            (Stack { layers, bidirectional, bias }, Sizes { steps, batch, input, hidden })
        })
    })
}

#[test]
fn layers_compute_what_their_cells_do() {
    let one = |parts: &[Tensor<f64>]| parts[0].clone();
    let one_of = |parts: &[Tensor<f64>], i: usize| parts[0].select(0, i as isize);
    for (stack, sizes) in sweep() {
        let (bias, hidden) = (stack.bias, sizes.hidden);
        let options = CellOptions { bias, ..Default::default() };
        let scratch = || ParamStore::<f64>::seeded(0).root();
        for (nonlinearity, relu) in [(Nonlinearity::Tanh, false), (Nonlinearity::Relu, true)] {
            let make = |store: &ParamStore<f64>, suffix: &str, input: usize| {
                let options = RnnCellOptions { nonlinearity, bias, ..Default::default() };
                let cell = RnnCell::with(&scratch(), input, hidden, options);
                cell_of(store, suffix, cell, |cell| &mut cell.parameters)
            };
            if relu {
                compare::<ReluArchitecture, _>(stack, sizes, make, one_of, one, |h| vec![h.clone()]);
            } else {
                compare::<TanhArchitecture, _>(stack, sizes, make, one_of, one, |h| vec![h.clone()]);
            }
        }
        let gru = |store: &ParamStore<f64>, suffix: &str, input: usize| {
            let cell = GruCell::with(&scratch(), input, hidden, options);
            cell_of(store, suffix, cell, |cell| &mut cell.parameters)
        };
        compare::<GruArchitecture, _>(stack, sizes, gru, one_of, one, |h| vec![h.clone()]);
        let lstm = |store: &ParamStore<f64>, suffix: &str, input: usize| {
            let cell = LstmCell::with(&scratch(), input, hidden, options);
            cell_of(store, suffix, cell, |cell| &mut cell.parameters)
        };
        compare::<LstmArchitecture, _>(
            stack,
            sizes,
            lstm,
            |parts, i| (parts[0].select(0, i as isize), parts[1].select(0, i as isize)),
            |parts| (parts[0].clone(), parts[1].clone()),
            |(h, c)| vec![h.clone(), c.clone()],
        );
    }
}

const LENGTHS: [usize; 6] = [3, 7, 1, 7, 5, 2];

/// y, the states and the gradient of x for padded sequences.
fn ragged<A: Architecture, E: Real>(
    layer: &SequenceLayer<A, E>,
    x: &Tensor<E>,
    lengths: &[usize],
) -> (Tensor<E>, A::State<E>, Tensor<E>) {
    let x = x.detach().requires_grad();
    let (y, state) = layer.run_padded(&x, lengths, &layer.zero_state(lengths.len()));
    let gradients = (weigh(&y) + weigh(state.hidden())).backward();
    let dx = gradients.get(&x).expect("reached").clone();
    (y, state, dx)
}

fn each_alone<A: Architecture>() {
    let store = ParamStore::<f64>::seeded(3);
    let options = SequenceOptions { layers: 2, bidirectional: true, ..OPTIONS };
    let layer = SequenceLayer::<A, f64>::with(&store.root(), 4, 6, options);
    let x = normal::<f64>(&[8, LENGTHS.len(), 4], 5);
    let (y, state, dx) = ragged(&layer, &x, &LENGTHS);
    let all_weights = normal::<f64>(y.shape(), 99);
    let state_weights = normal::<f64>(state.hidden().shape(), 99);
    assert_eq!(y.shape(), [8, 6, 12]);
    for (n, &length) in LENGTHS.iter().enumerate() {
        let own = |tensor: &Tensor<f64>, steps: usize| tensor.narrow(1, n, 1).narrow(0, 0, steps);
        let alone = own(&x, length).requires_grad();
        let (y_alone, state_alone) = layer.run(&alone, &layer.zero_state(1));
        assert_close(&own(&y, length), &y_alone, 1e-12, A::LAYER);
        assert_close(&state.hidden().narrow(1, n, 1), state_alone.hidden(), 1e-12, A::LAYER);
        let loss = (&y_alone * own(&all_weights, length)).sum()
            + (state_alone.hidden() * state_weights.narrow(1, n, 1)).sum();
        let gradients = loss.backward();
        let dx_alone = gradients.get(&alone).expect("reached");
        assert_close(&own(&dx, length), dx_alone, 1e-12, A::LAYER);
        let after = |tensor: &Tensor<f64>| tensor.narrow(1, n, 1).narrow(0, length, 8 - length).to_vec();
        assert!(after(&y).iter().chain(&after(&dx)).all(|&value| value == 0.0));
    }
}

#[test]
fn a_ragged_batch_is_each_sequence_alone() {
    each_alone::<TanhArchitecture>();
    each_alone::<ReluArchitecture>();
    each_alone::<LstmArchitecture>();
    each_alone::<GruArchitecture>();
}

#[test]
fn packing_and_padding_are_inverse() {
    let x = normal::<f32>(&[7, LENGTHS.len(), 2], 1);
    let packed = PackedSequence::pack(&x, &LENGTHS).expect("lengths that fit");
    assert_eq!(packed.lengths(), LENGTHS);
    assert_eq!(packed.batch_sizes(), [6, 5, 4, 3, 3, 2, 2]);
    let again = PackedSequence::pack(&packed.pad(), &packed.lengths()).expect("lengths that fit");
    assert_eq!(again.data().to_vec(), packed.data().to_vec());
}

#[test]
fn batch_first_is_a_transposition() {
    let store = ParamStore::<f32>::seeded(3);
    let first = Gru::with(&store.root(), 4, 6, SequenceOptions { batch_first: true, ..OPTIONS });
    let second = Gru::with(&store.root().tied(), 4, 6, OPTIONS);
    let x = normal::<f32>(&[3, 5, 4], 1);
    let (y, h) = first.run_padded(&x, &[5, 2, 4], &first.zero_state(3));
    let (y_time_first, h_time_first) =
        second.run_padded(&x.transpose(0, 1), &[5, 2, 4], &second.zero_state(3));
    assert_eq!(y.to_vec(), y_time_first.transpose(0, 1).to_vec());
    assert_eq!(h.to_vec(), h_time_first.to_vec());
}

#[test]
fn the_same_bits_at_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let store = ParamStore::<f32>::seeded(3);
            let options = SequenceOptions { layers: 2, bidirectional: true, dropout: 0.3, ..OPTIONS };
            let lstm = Lstm::with(&store.root(), 24, 40, options);
            let lengths: Vec<usize> = (0..24).map(|i| 1 + (7 * i) % 30).collect();
            let (y, (h, c), dx) = ragged(&lstm, &normal(&[30, 24, 24], 2), &lengths);
            [y, h, c, dx].map(|tensor| tensor.to_vec())
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(5));
}

#[test]
fn dropout_acts_between_layers_in_training_only() {
    let store = ParamStore::<f32>::seeded(3);
    let options = SequenceOptions { layers: 2, dropout: 1.0, ..OPTIONS };
    let gru = Gru::with(&store.root(), 4, 6, options);
    let blind = gru.forward(&normal(&[5, 2, 4], 1)).to_vec();
    assert_eq!(blind, gru.forward(&normal(&[5, 2, 4], 2)).to_vec(), "the second layer sees nothing");
    store.eval();
    assert_ne!(gru.forward(&normal(&[5, 2, 4], 1)).to_vec(), gru.forward(&normal(&[5, 2, 4], 2)).to_vec());
}

#[test]
fn a_stream_gives_what_the_layers_give() {
    let store = ParamStore::<f32>::seeded(3);
    let lstm = Lstm::with(&store.root(), 3, 5, SequenceOptions { layers: 2, ..OPTIONS });
    let x = normal::<f32>(&[6, 1, 3], 1);
    let y = lstm.forward(&x);
    let mut stream = lstm.stream().expect("one direction");
    for t in 0..6 {
        let step = stream.step(&x.select(0, t).to_vec()).expect("an x that fits").to_vec();
        assert_close(&Tensor::from_vec(&[1, 5], step), &y.select(0, t), 1e-6, "stream");
    }
    let both = SequenceOptions { bidirectional: true, ..OPTIONS };
    let both = Lstm::with(&store.root().sub("both"), 3, 5, both);
    let error = both.stream().err().expect("no stream").to_string();
    assert_eq!(error, "layers that read in both directions need whole sequences, not a stream");
}

/// The message of a panic.
fn message(f: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(f).expect_err("a panic");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn what_does_not_fit_says_so() {
    let make = || {
        let options = SequenceOptions { layers: 2, ..OPTIONS };
        Lstm::<f32>::with(&ParamStore::seeded(0).root(), 4, 6, options)
    };
    let zeros = |shape: &[usize]| Tensor::<f32>::zeros(shape);
    assert_eq!(
        message(|| drop(make().forward(&zeros(&[5, 2, 3])))),
        "Lstm: x must be (T, N, I) with 4 features, is [5, 2, 3]"
    );
    assert_eq!(
        message(|| drop(make().forward(&zeros(&[5, 0, 4])))),
        "Lstm: x is empty: there must be at least one step and one sequence"
    );
    assert_eq!(
        message(|| drop(make().run(&zeros(&[5, 2, 4]), &make().zero_state(3)))),
        "Lstm: h must be [2, 2, 6], is [2, 3, 6]"
    );
    assert_eq!(
        message(|| drop(make().run(&zeros(&[5, 2, 4]), &(zeros(&[2, 2, 6]), zeros(&[1, 2, 6]))))),
        "Lstm: c must be [2, 2, 6], is [1, 2, 6]"
    );
    assert_eq!(
        message(|| drop(make().run_padded(&zeros(&[5, 2, 4]), &[5, 0], &make().zero_state(2)))),
        "Lstm: lengths must be 1 to 5, sequence 1 has 0"
    );
    let lstm = make();
    let error =
        |shape: &[usize], lengths: &[usize]| lstm.check_input(shape, lengths).unwrap_err().to_string();
    assert_eq!(error(&[5, 2, 4], &[5]), "there must be a length for each of 2 sequences, there are 1");
    assert_eq!(error(&[5, 2, 4], &[5, 6]), "lengths must be 1 to 5, sequence 1 has 6");
    assert_eq!(lstm.check_input(&[5, 2, 4], &[5, 1]), Ok(()));
    let sizes =
        |sizes: &[usize]| PackedSequence::new(zeros(&[4, 1]), sizes.to_vec()).err().map(|e| e.to_string());
    assert_eq!(sizes(&[3, 1]), None);
    assert_eq!(
        sizes(&[1, 3]).as_deref(),
        Some("batch sizes must be positive and must not grow, step 1 has 3 after 1")
    );
    assert_eq!(sizes(&[3, 2]).as_deref(), Some("data must be (Σ batch_sizes, F), is [4, 1]"));
}
