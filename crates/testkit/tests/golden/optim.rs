//! Ten steps of each optimiser, and clipping, against PyTorch.

use striate_nn::optim::{AdagradOptions, AdamOptions, AdamWOptions, Fused, RmsPropOptions, Rule, SgdOptions};
use striate_nn::{Init, ParamStore, clip};
use striate_tensor::{Gradients, Real, Tensor};
use testkit::golden::{F64, Golden, Tolerance, assert_close, load, within};

/// Fits tanh(x w + b) to a target, and compares both parameters after each step.
fn ten_steps<E: Real>(golden: &Golden, case: &str, options: impl Rule, tolerance: Tolerance) {
    let store = ParamStore::<E>::seeded(0);
    let parameter = |name: &str| {
        let start = golden.tensor::<E>(name).array();
        let parameter = store.root().parameter(name, start.shape(), Init::Constant(0.0));
        parameter.update(|value| *value = start);
        parameter
    };
    let (x, target) = (golden.tensor::<E>("x"), golden.tensor::<E>("target"));
    let (w, b) = (parameter("w"), parameter("b"));
    let mut optimizer = Fused::new(&store, options);
    for step in 0..10 {
        let loss = ((x.matmul(&w) + &b).tanh() - &target).square().mean();
        optimizer.step(&loss.backward());
        for (name, actual) in [("w", &w), ("b", &b)] {
            let expected = golden.f64(&format!("{case}:{name}")).index_axis_move(ndarray::Axis(0), step);
            assert_close(&format!("{case}, step {step}: {name}"), actual, &expected, tolerance);
        }
    }
}

fn both<R: Rule + Clone>(golden: &Golden, rows: &[(&str, R)]) {
    for (case, options) in rows {
        ten_steps::<f64>(golden, case, options.clone(), F64);
        ten_steps::<f32>(golden, case, options.clone(), within(4e-6));
    }
}

#[test]
fn sgd() {
    let plain = SgdOptions { lr: 0.3, ..Default::default() };
    let heavy = SgdOptions { momentum: 0.9, ..plain };
    both(
        &load("optim"),
        &[
            ("sgd", plain),
            ("sgd, weight decay", SgdOptions { weight_decay: 0.1, ..plain }),
            ("sgd, momentum", heavy),
            ("sgd, momentum, dampening", SgdOptions { dampening: 0.4, ..heavy }),
            ("sgd, nesterov", SgdOptions { nesterov: true, ..heavy }),
            (
                "sgd, nesterov, weight decay",
                SgdOptions { momentum: 0.8, nesterov: true, weight_decay: 0.1, ..plain },
            ),
            (
                "sgd, all but nesterov",
                SgdOptions { momentum: 0.8, dampening: 0.2, weight_decay: 0.1, ..plain },
            ),
        ],
    );
}

#[test]
fn adam() {
    let plain = AdamOptions { lr: 0.1, ..Default::default() };
    both(
        &load("optim"),
        &[
            ("adam", plain),
            ("adam, betas, eps", AdamOptions { betas: (0.7, 0.9), eps: 1e-2, ..plain }),
            ("adam, weight decay", AdamOptions { weight_decay: 0.1, ..plain }),
            ("adam, amsgrad", AdamOptions { lr: 0.3, betas: (0.5, 0.6), amsgrad: true, ..plain }),
        ],
    );
}

#[test]
fn adamw() {
    let plain = AdamWOptions { lr: 0.1, ..Default::default() };
    both(
        &load("optim"),
        &[
            ("adamw", plain),
            ("adamw, weight decay", AdamWOptions { weight_decay: 0.5, ..plain }),
            (
                "adamw, amsgrad",
                AdamWOptions { lr: 0.3, betas: (0.5, 0.6), weight_decay: 0.1, amsgrad: true, ..plain },
            ),
        ],
    );
}

#[test]
fn rmsprop() {
    let plain = RmsPropOptions { lr: 0.05, ..Default::default() };
    let centred = RmsPropOptions { lr: 0.02, alpha: 0.9, centered: true, ..plain };
    both(
        &load("optim"),
        &[
            ("rmsprop", plain),
            (
                "rmsprop, alpha, eps, weight decay",
                RmsPropOptions { alpha: 0.8, eps: 1e-2, weight_decay: 0.1, ..plain },
            ),
            ("rmsprop, momentum", RmsPropOptions { lr: 0.02, momentum: 0.8, ..plain }),
            ("rmsprop, centred", centred),
            ("rmsprop, centred, momentum", RmsPropOptions { momentum: 0.5, ..centred }),
        ],
    );
}

#[test]
fn adagrad() {
    let plain = AdagradOptions { lr: 0.2, ..Default::default() };
    both(
        &load("optim"),
        &[
            ("adagrad", plain),
            ("adagrad, lr decay", AdagradOptions { lr_decay: 0.3, ..plain }),
            (
                "adagrad, all",
                AdagradOptions {
                    lr_decay: 0.1,
                    weight_decay: 0.1,
                    initial_accumulator_value: 0.3,
                    eps: 1e-3,
                    ..plain
                },
            ),
        ],
    );
}

/// Clips two gradients, compares them, and the norm if there is one.
fn clipped(case: &str, change: impl Fn(&mut Gradients<f64>, &ParamStore<f64>) -> Option<f64>) {
    let golden = load("optim");
    let store = ParamStore::<f64>::seeded(0);
    let expected: Vec<Tensor<f64>> = (0..2).map(|i| golden.tensor(&format!("gradient{i}"))).collect();
    let parameters: Vec<Tensor<f64>> = (0..)
        .zip(&expected)
        .map(|(i, g): (usize, _)| store.root().parameter(&i.to_string(), g.shape(), Init::Constant(1.0)))
        .collect();
    let loss = parameters.iter().zip(&expected).map(|(w, g)| (w * g).sum()).reduce(|a, b| a + b).unwrap();
    let mut gradients = loss.backward();
    if let Some(norm) = change(&mut gradients, &store) {
        let name = format!("{case}:norm");
        assert_close(&name, &Tensor::<f64>::scalar(norm), &golden.f64(&name), F64);
    }
    for (i, parameter) in parameters.iter().enumerate() {
        let name = format!("{case}:dx{i}");
        assert_close(&name, gradients.get(parameter).unwrap(), &golden.f64(&name), F64);
    }
}

#[test]
fn clipping() {
    clipped("clip_grad_norm, above", |g, store| Some(clip::global_norm(g, store, 1.5).unwrap()));
    clipped("clip_grad_norm, below", |g, store| Some(clip::global_norm(g, store, 100.0).unwrap()));
    clipped("clip_grad_value", |g, store| {
        clip::value(g, store, 0.5);
        None
    });
}
