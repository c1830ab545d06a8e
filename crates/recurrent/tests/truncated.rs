//! Back-propagation through time, full and truncated, against tapes cut by hand.
#![cfg(feature = "autograd")]

use striate_compute::rng::Rng;
use striate_nn::optim::{Sgd, SgdOptions};
use striate_nn::{Init, Linear, Module, ParamStore};
use striate_recurrent::{Cell, LstmCell, RnnCell, State, Truncation, bptt, steps, unroll};
use striate_tensor::{Array, Gradients, Tensor};

const T: usize = 11;

/// (h, c)
type LstmState = (Tensor<f64>, Tensor<f64>);

fn normal(shape: &[usize], seed: u64) -> Tensor<f64> {
    Array::build(shape, |x| Rng::new(seed).fill_normal(x, 0.0, 1.0)).into()
}

struct Run {
    store: ParamStore<f64>,
    cell: LstmCell<f64>,
    read_out: Linear<f64>,
    x: Tensor<f64>,
    y: Tensor<f64>,
}

impl Run {
    fn new() -> Self {
        let store = ParamStore::seeded(1);
        let cell = LstmCell::new(&store.root().sub("cell"), 3, 5);
        let read_out = Linear::new(&store.root().sub("read_out"), 5, 2);
        Run { store, cell, read_out, x: normal(&[T, 2, 3], 2), y: normal(&[T, 2, 2], 3) }
    }

    fn state(&self) -> LstmState {
        (normal(&[2, 5], 4), normal(&[2, 5], 5))
    }

    fn loss(&self, t: usize, h: &Tensor<f64>) -> Tensor<f64> {
        (self.read_out.forward(h) - self.y.select(0, t as isize)).square().mean()
    }

    fn bptt(&self, truncation: Truncation) -> (Vec<Gradients<f64>>, LstmState) {
        let mut updates = vec![];
        let loss = |t, h: &Tensor<f64>| self.loss(t, h);
        let state = bptt(&self.cell, steps(&self.x), &self.state(), truncation, loss, |g| updates.push(g));
        (updates, state)
    }

    /// Gradients of the losses of steps `from..to` over an ordinary tape that begins at step `start`.
    fn cut(&self, start: usize, from: usize, to: usize) -> Gradients<f64> {
        let mut state = self.state();
        let mut total = Tensor::scalar(0.0);
        for t in 0..to {
            if t == start {
                state = state.detach();
            }
            state = self.cell.step(&self.x.select(0, t as isize), &state);
            if t >= from {
                total = total + self.loss(t, &state.0);
            }
        }
        total.backward()
    }

    #[track_caller]
    fn same(&self, found: &Gradients<f64>, expected: &Gradients<f64>) {
        for (name, parameter) in self.store.parameters().iter() {
            let (found, expected) = (found.get(parameter).unwrap(), expected.get(parameter).unwrap());
            let difference = (found - expected).abs().max().item();
            assert!(difference < 1e-13 * expected.abs().max().item(), "{name}: {difference:e}");
        }
    }
}

#[test]
fn untruncated_is_the_gradient_of_the_whole_sequence() {
    let run = Run::new();
    let (h, last) = unroll(&run.cell, &run.x, &run.state());
    let whole =
        (0..T).map(|t| run.loss(t, &h.select(0, t as isize))).reduce(|a, b| a + b).unwrap().backward();
    for truncation in [Truncation::default(), Truncation { every: T, back: T }] {
        let (updates, state) = run.bptt(truncation);
        assert_eq!(updates.len(), 1);
        run.same(&updates[0], &whole);
        assert_eq!((state.0.to_vec(), state.1.to_vec()), (last.0.to_vec(), last.1.to_vec()));
        assert!(!state.0.is_tracked() && !state.1.is_tracked());
    }
}

#[test]
fn truncated_is_a_tape_cut_by_hand() {
    let run = Run::new();
    for (every, back) in [(1, 1), (1, 4), (4, 4), (3, 7), (4, T), (T, 3), (5, 2)] {
        let (updates, _) = run.bptt(Truncation { every, back });
        assert_eq!(updates.len(), T.div_ceil(every));
        for (i, update) in updates.iter().enumerate() {
            let end = T.min((i + 1) * every);
            let start = end.saturating_sub(back);
            run.same(update, &run.cut(start, start.max(i * every), end));
        }
    }
}

#[test]
fn a_truncated_gradient_is_another() {
    let run = Run::new();
    let (cut, whole) = (run.cut(T - 3, 0, T), run.cut(0, 0, T));
    let w = &run.cell.parameters.weight_hh;
    assert!((cut.get(w).unwrap() - whole.get(w).unwrap()).abs().max().item() > 1e-3);
}

/// Adds up its inputs: what it knows after T steps, it was carried.
struct Sum;

impl Cell<f64> for Sum {
    type State = Tensor<f64>;

    fn step(&self, x: &Tensor<f64>, h: &Tensor<f64>) -> Tensor<f64> {
        h + x
    }

    fn initial(&self, batch: usize) -> Tensor<f64> {
        Tensor::zeros(&[batch, 1])
    }
}

#[test]
fn the_state_is_carried_over_updates_and_calls_and_a_stream_has_no_length() {
    let numbers = |range: std::ops::Range<usize>| range.map(|i| Tensor::full(&[1, 1], i as f64));
    let truncation = Truncation { every: 2, back: 3 };
    let mut seen = vec![];
    let mut updates = 0;
    let mut read = |range: std::ops::Range<usize>, state: &Tensor<f64>| {
        let loss = |t, h: &Tensor<f64>| {
            seen.push((t, h.item()));
            h.sum()
        };
        bptt(&Sum, numbers(range), state, truncation, loss, |_| updates += 1)
    };
    let state = read(1..6, &Tensor::zeros(&[1, 1]));
    assert_eq!(read(6..9, &state).item(), 36.0);
    let expected = [1.0, 3.0, 6.0, 10.0, 15.0, 21.0, 28.0, 36.0];
    assert!(seen.iter().map(|&(_, h)| h).eq(expected));
    assert!(seen.iter().map(|&(t, _)| t).eq((0..5).chain(0..3)));
    assert_eq!(updates, 3 + 2);
}

#[test]
fn steps_before_an_update_keep_the_parameters_they_ran_with() {
    // h_t = w h_(t−1) and L_t = h_t, w ← w − lr dL/dw after each step, differentiated two steps back.
    struct Scale(Tensor<f64>);
    impl Cell<f64> for Scale {
        type State = Tensor<f64>;
        fn step(&self, _: &Tensor<f64>, h: &Tensor<f64>) -> Tensor<f64> {
            h * &self.0
        }
        fn initial(&self, batch: usize) -> Tensor<f64> {
            Tensor::ones(&[batch, 1])
        }
    }
    let store = ParamStore::<f64>::seeded(0);
    let cell = Scale(store.root().parameter("w", &[1], Init::Constant(1.5)));
    let mut opt = Sgd::new(&store, SgdOptions { lr: 0.1, ..Default::default() });
    let mut found = vec![];
    let inputs = (0..4).map(|_| Tensor::zeros(&[1, 1]));
    bptt(
        &cell,
        inputs,
        &cell.initial(1),
        Truncation { every: 1, back: 2 },
        |_, h| h.sum(),
        |gradients| {
            found.push(gradients.get(&cell.0).unwrap().item());
            opt.step(&gradients);
        },
    );

    let (mut w, mut h) = (1.5, vec![1.0]);
    for (t, found) in found.iter().enumerate() {
        // h_(t+1) = w_t h_t and h_t = w_(t−1) h_(t−1).
        let gradient = if t == 0 { h[0] } else { h[t] + w * h[t - 1] };
        assert!((found - gradient).abs() < 1e-12, "step {t}: {found} {gradient}");
        h.push(w * h[t]);
        w -= 0.1 * gradient;
    }
}

#[test]
fn a_step_may_have_no_loss() {
    let run = Run::new();
    let w = &run.cell.parameters.weight_hh;
    let last = |t, h: &Tensor<f64>| if t == T - 1 { run.loss(t, h) } else { Tensor::scalar(0.0) };
    let mut updates = vec![];
    let truncation = Truncation { every: 4, back: T };
    bptt(&run.cell, steps(&run.x), &run.state(), truncation, last, |g| updates.push(g));
    assert!(updates[0].is_empty() && updates[1].is_empty());
    let expected = run.cut(0, T - 1, T);
    assert!((updates[2].get(w).unwrap() - expected.get(w).unwrap()).abs().max().item() < 1e-14);
}

#[test]
#[should_panic(expected = "must be positive")]
fn no_step_back_is_refused() {
    let cell = RnnCell::<f64>::new(&ParamStore::seeded(0).root(), 1, 1);
    let truncation = Truncation { every: 1, back: 0 };
    bptt(&cell, [Tensor::ones(&[1, 1])], &cell.initial(1), truncation, |_, h| h.sum(), |_| {});
}
