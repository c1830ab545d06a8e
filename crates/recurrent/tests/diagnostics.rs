//! Gradients in time, against finite differences and autograd over whole sequences.
#![cfg(feature = "diagnostics")]

use ndarray::{Array1, Array2, Axis, s};
use striate_compute::rng::Rng;
use striate_nn::{Init, ParamStore};
use striate_recurrent::diagnostics::{Jacobians, RnnTrace, gradients_by_step, spectral_norm};
use striate_recurrent::{
    Cell, DynamicalSystem, GruCell, LstmCell, Nonlinearity, RnnCell, RnnCellOptions, State, unroll,
};
use striate_tensor::{Array, GradOptions, Tensor, grad};

const T: usize = 9;
const H: usize = 5;

fn normal(shape: &[usize], seed: u64) -> Tensor<f64> {
    Array::build(shape, |x| Rng::new(seed).fill_normal(x, 0.0, 1.0)).into()
}

fn inputs() -> Tensor<f64> {
    normal(&[T, 1, 3], 2)
}

fn rnn(nonlinearity: Nonlinearity) -> RnnCell<f64> {
    let recurrent_init = Some(Init::Orthogonal { gain: 1.2 });
    let options = RnnCellOptions { nonlinearity, recurrent_init, ..Default::default() };
    RnnCell::with(&ParamStore::seeded(1).root(), 3, H, options)
}

#[track_caller]
fn close(a: &Array2<f64>, b: &Array2<f64>, tolerance: f64) {
    let difference = (a - b).iter().fold(0.0, |max: f64, d| max.max(d.abs()));
    assert!(difference <= tolerance, "{difference:e} apart:\n{a}\n{b}");
}

/// ∂h_t/∂h_k by central differences, with what else is in the state k held.
fn differences<C: Cell<f64>>(cell: &C, x: &Tensor<f64>, state: &C::State, t: usize, k: usize) -> Array2<f64> {
    let run = |state: &C::State, from: usize, to: usize| match to - from {
        0 => state.clone(),
        steps => unroll(cell, &x.narrow(0, from, steps), state).1,
    };
    let at_k = run(state, 0, k);
    let width = at_k.hidden().len();
    let mut jacobian = Array2::zeros((width, width));
    for j in 0..width {
        let moved = |by: f64| {
            let step = Tensor::eye(width).narrow(0, j, 1) * by;
            let h = at_k.hidden();
            let state = at_k.map(|s| if std::ptr::eq(s, h) { s + &step } else { s.clone() });
            run(&state, k, t).hidden().to_vec()
        };
        let (up, down) = (Array1::from(moved(1e-5)), Array1::from(moved(-1e-5)));
        jacobian.column_mut(j).assign(&((up - down) / 2e-5));
    }
    jacobian
}

fn hold_against_differences<C: Cell<f64>>(cell: &C, state: &C::State) {
    let x = inputs();
    let jacobians = Jacobians::new(cell, &x, state);
    let norms = jacobians.norms();
    assert_eq!(norms.dim(), (T + 1, T + 1));
    for (t, k) in [(1, 0), (T, 0), (T, T - 1), (T, 3), (6, 2), (4, 4)] {
        let jacobian = jacobians.between(t, k);
        close(&jacobian, &differences(cell, &x, state, t, k), 1e-9);
        assert_eq!(norms[[t, k]], spectral_norm(&jacobian));
    }
    for (t, k) in [(0, 1), (3, T)] {
        assert_eq!(norms[[t, k]], 0.0);
        assert!(jacobians.between(t, k).iter().all(|&d| d == 0.0));
    }
    assert!(norms.diag().iter().all(|norm| (norm - 1.0).abs() < 1e-14));
}

#[test]
fn jacobians_in_time_are_slopes_for_any_cell() {
    let h = normal(&[1, H], 3);
    hold_against_differences(&rnn(Nonlinearity::Tanh), &h);
    hold_against_differences(&GruCell::new(&ParamStore::seeded(1).root(), 3, H), &h);
    let lstm = LstmCell::new(&ParamStore::seeded(1).root(), 3, H);
    hold_against_differences(&lstm, &(h, normal(&[1, H], 4)));
}

#[test]
fn jacobians_of_an_lstm_are_autograds_over_the_sequence_with_c_held() {
    let cell = LstmCell::new(&ParamStore::seeded(1).root(), 3, H);
    let x = inputs();
    let jacobians = Jacobians::new(&cell, &x, &cell.initial(1));
    let (_, state) = unroll(&cell, &x.narrow(0, 0, 2), &cell.initial(1));
    let (h, c) = state.map(Tensor::requires_grad);
    let (_, (last, _)) = unroll(&cell, &x.narrow(0, 2, T - 2), &(h.clone(), c.clone()));
    let options = GradOptions { retain_graph: true, ..Default::default() };
    let rows: Vec<f64> =
        (0..H).flat_map(|i| grad(&last.narrow(1, i, 1), &[&h], options)[0].to_vec()).collect();
    close(&jacobians.between(T, 2), &Array2::from_shape_vec((H, H), rows).unwrap(), 1e-15);

    // Along c alone, a step multiplies by the forget gate: diagonal up to what the gates read of h, here nothing.
    let step = jacobians.step(1).slice(s![H.., H..]).to_owned();
    close(&step, &Array2::from_diag(&step.diag()), 0.0);
    assert!(step.diag().iter().all(|&f| f > 0.0 && f < 1.0));
}

/// A state whose h is not its first tensor.
#[derive(Clone)]
struct Last {
    memory: Tensor<f64>,
    h: Tensor<f64>,
}

impl State<f64> for Last {
    fn hidden(&self) -> &Tensor<f64> {
        &self.h
    }

    fn map(&self, mut f: impl FnMut(&Tensor<f64>) -> Tensor<f64>) -> Self {
        Last { memory: f(&self.memory), h: f(&self.h) }
    }
}

#[test]
fn the_hidden_block_is_found_wherever_it_is() {
    let w = normal(&[3 + H, H], 6) * 0.4;
    let step = move |s: &Last, x: &Tensor<f64>| Last {
        memory: (&s.memory + s.h.narrow(1, 0, 3)).tanh(),
        h: (Tensor::concat(&[&(&s.memory + x), &s.h], 1).matmul(&w)).tanh(),
    };
    let zeros = |n, width| Tensor::zeros(&[n, width]);
    let system = DynamicalSystem::new(step, move |n| Last { memory: zeros(n, 3), h: zeros(n, H) });
    hold_against_differences(&system, &Last { memory: normal(&[1, 3], 7), h: normal(&[1, H], 8) });
}

#[test]
fn what_each_step_adds_to_a_gradient_sums_to_it() {
    let x = normal(&[T, 2, 3], 2);
    let y = normal(&[T, 2, H], 3);
    let loss = |t: usize, h: &Tensor<f64>| (h - y.select(0, t as isize)).square().sum();
    let cell = LstmCell::new(&ParamStore::seeded(1).root(), 3, H);
    let (h, _) = unroll(&cell, &x, &cell.initial(2));
    let total = (h - &y).square().sum().backward();
    let p = &cell.parameters;
    for w in [&p.weight_ih, &p.weight_hh, p.bias_hh.as_ref().unwrap()] {
        let by_step = gradients_by_step(&cell, &x, &cell.initial(2), w, loss);
        let difference = by_step.sum_axis(Axis(0)) - total.get(w).unwrap().to_ndarray();
        assert!(difference.iter().all(|d| d.abs() < 1e-13));
    }
    let by_step = gradients_by_step(&cell, &x, &cell.initial(2), &p.weight_hh, loss);
    let (first, _) = unroll(&cell, &x.narrow(0, 0, 4), &cell.initial(2));
    let fourth = loss(3, &first.select(0, 3)).backward();
    let difference = &by_step.index_axis(Axis(0), 3) - &fourth.get(&p.weight_hh).unwrap().to_ndarray();
    assert!(difference.iter().all(|d| d.abs() < 1e-14), "step 3 is the gradient of the fourth loss alone");
}

#[test]
fn the_terms_of_the_notes_double_sum_add_up() {
    let x = inputs();
    let y = normal(&[T, H], 3);
    let h_0 = normal(&[1, H], 4);
    let loss = |t: usize, h: &Tensor<f64>| (h - y.select(0, t as isize)).square().sum();
    for nonlinearity in [Nonlinearity::Tanh, Nonlinearity::Relu] {
        let cell = rnn(nonlinearity);
        let w = &cell.parameters.weight_hh;
        let trace = RnnTrace::new(&cell, &x, &h_0);
        let by_step = gradients_by_step(&cell, &x, &h_0, w, loss);
        let jacobians = Jacobians::new(&cell, &x, &h_0);
        let mut total = Array2::zeros((H, H));
        for t in 1..=T {
            let terms = trace.terms(t, |h| loss(t - 1, h));
            assert_eq!(terms.dim(), (t, H, H));
            let sum = terms.sum_axis(Axis(0));
            let expected = by_step.index_axis(Axis(0), t - 1).into_owned().into_dimensionality().unwrap();
            close(&sum, &expected, 1e-13);
            total += &sum;

            // ∂L/∂h_t · ∂h_t/∂h_k, and ∂⁺h_k/∂W as that of one step from a constant state.
            let h_t = trace.states.row(t);
            let dl = 2.0 * (&h_t - &Array1::from(y.select(0, t as isize - 1).to_vec()));
            for k in 1..=t {
                let v = dl.dot(&jacobians.between(t, k));
                let before = Tensor::from(trace.states.slice(s![k - 1..k, ..]));
                let h_k = cell.step(&x.select(0, k as isize - 1), &before);
                let immediate = (h_k * Tensor::from(v)).sum().backward();
                let immediate = immediate.get(w).unwrap().to_ndarray().into_dimensionality().unwrap();
                close(&terms.index_axis(Axis(0), k - 1).to_owned(), &immediate, 1e-13);
            }
        }
        let (h, _) = unroll(&cell, &x, &h_0);
        let expected = (h - y.unsqueeze(1)).square().sum().backward();
        let expected = expected.get(w).unwrap().to_ndarray().into_dimensionality().unwrap();
        close(&total, &expected, 1e-12);
    }
}

#[test]
fn a_steps_jacobian_is_diag_slope_times_w_and_not_what_the_notes_print() {
    let (x, h_0) = (inputs(), normal(&[1, H], 4));
    for nonlinearity in [Nonlinearity::Tanh, Nonlinearity::Relu] {
        let cell = rnn(nonlinearity);
        let trace = RnnTrace::new(&cell, &x, &h_0);
        for t in 2..=T {
            let slopes = differences(&cell, &x, &h_0, t, t - 1);
            close(&trace.jacobian(t), &slopes, 1e-9);
            let printed = trace.weight_hh.t().dot(&Array2::from_diag(&trace.slopes.row(t - 2)));
            for printed in [printed.clone(), printed.reversed_axes()] {
                assert!((printed - &slopes).iter().any(|d| d.abs() > 0.1), "step {t}");
            }
        }
    }
}

#[test]
fn where_the_state_is_the_sum_the_slope_is_that_of_the_step_before() {
    // a_t = W tanh(a_(t−1)) + x_t, whose Jacobian the notes' formula resembles: W diag φ'(a_(t−1)).
    let w = normal(&[H, H], 5);
    let wt = w.t();
    let initial = |n| Tensor::zeros(&[n, H]);
    let system =
        DynamicalSystem::new(move |a: &Tensor<f64>, x: &Tensor<f64>| a.tanh().matmul(&wt) + x, initial);
    let a = normal(&[1, H], 4);
    let jacobians = Jacobians::new(&system, &normal(&[1, 1, H], 2), &a);
    let slope = Array1::from(a.to_vec()).mapv(|a| 1.0 - a.tanh().powi(2));
    let w: Array2<f64> = w.to_ndarray().into_dimensionality().unwrap();
    close(jacobians.step(1), &w.dot(&Array2::from_diag(&slope)), 1e-13);
}

#[test]
fn norms_stay_below_the_bound_which_a_linear_run_reaches() {
    let h_0 = normal(&[1, H], 4);
    for (gain, scale) in [(0.5, 1.0), (1.0, 1.0), (1.5, 1.0), (1.5, 0.01)] {
        let options = RnnCellOptions {
            recurrent_init: Some(Init::Orthogonal { gain }),
            bias: false,
            ..Default::default()
        };
        let cell = RnnCell::with(&ParamStore::seeded(1).root(), 3, H, options);
        let x = normal(&[40, 1, 3], 2) * scale;
        let trace = RnnTrace::new(&cell, &x, &h_0);
        assert!((trace.eta() - gain * trace.slopes.iter().copied().fold(0.0, f64::max)).abs() < 1e-12);
        let norms = Jacobians::new(&cell, &x, &h_0).norms();
        for ((t, k), &norm) in norms.indexed_iter().filter(|((t, k), _)| t >= k) {
            assert!(norm <= trace.bound(t - k) * (1.0 + 1e-12), "{t} {k}: {norm} {}", trace.bound(t - k));
        }
        if gain < 1.0 {
            assert!(norms[[40, 0]] < 1e-12, "vanished");
        }
    }
    let options = RnnCellOptions {
        nonlinearity: Nonlinearity::Relu,
        recurrent_init: Some(Init::Constant(0.3)),
        bias: false,
    };
    let cell = RnnCell::with(&ParamStore::seeded(1).root(), 3, H, options);
    let (x, h_0) = (Tensor::zeros(&[T, 1, 3]), Tensor::ones(&[1, H]));
    let (trace, norms) = (RnnTrace::new(&cell, &x, &h_0), Jacobians::new(&cell, &x, &h_0).norms());
    assert!((trace.eta() - 1.5).abs() < 1e-12);
    assert!((norms[[T, 0]] - trace.bound(T)).abs() < 1e-9, "every slope is 1: the bound is reached");
}

#[test]
#[should_panic(expected = "one sequence at a time")]
fn a_batch_is_refused() {
    let cell = rnn(Nonlinearity::Tanh);
    Jacobians::new(&cell, &normal(&[T, 2, 3], 2), &cell.initial(2));
}

#[test]
#[should_panic(expected = "there are steps 1 to 9, not 0")]
fn step_0_has_no_jacobian() {
    let cell = rnn(Nonlinearity::Tanh);
    RnnTrace::new(&cell, &inputs(), &cell.initial(1)).jacobian(0);
}
