//! PyTorch's weights, optimisers and schedules, from `golden/make.py`.

use std::path::PathBuf;

use striate_formats::{Arrays, Limits, safetensors};
use striate_nn::optim::{AdagradOptions, AdamOptions, AdamWOptions, Fused, RmsPropOptions, Rule, SgdOptions};
use striate_nn::schedule::{
    Anneal, Cosine, Exponential, MultiStep, OneCycle, PlateauMode, PlateauOptions, ReduceOnPlateau, Schedule,
    Step, ThresholdMode, Warmup,
};
use striate_nn::{Init, Linear, Module, ParamStore, Sequential};
use striate_tensor::Tensor;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn read(name: &str) -> Arrays {
    safetensors::read(file(name), &Limits::default()).unwrap().0
}

fn numbers(arrays: &Arrays, name: &str) -> Vec<f64> {
    arrays[name].to_f64().into_iter().collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "{what}[{i}]: {found}, PyTorch has {expected}");
    }
}

#[test]
fn weights_load_by_name_and_narrow_ones_are_widened() {
    let io = read("mlp_io.safetensors");
    for (name, tolerance) in [("mlp", 1e-6), ("mlp_f16", 2e-3), ("mlp_bf16", 2e-2)] {
        let store = ParamStore::<f32>::seeded(9);
        let root = store.root();
        let net = Sequential::new()
            .then(Linear::new(&root.sub(0), 3, 4))
            .then(Tensor::relu)
            .then(Linear::new(&root.sub(2), 4, 2));
        store.load(file(&format!("{name}.safetensors"))).unwrap();
        let y = net.forward(&Tensor::from(io["x"].to_f32())).to_ndarray().mapv(f64::from);
        close(&Vec::from_iter(y), &numbers(&io, "y"), tolerance, name);
    }
}

#[track_caller]
fn ten_steps<R: Rule>(name: &str, options: R) {
    let golden = read("training.safetensors");
    let store = ParamStore::<f64>::seeded(0);
    let w = store.root().parameter("w", &[5], Init::Constant(0.0));
    w.update(|w| w.make_mut().copy_from_slice(&numbers(&golden, "w0")));
    let mut opt = Fused::new(&store, options);
    for g in numbers(&golden, "g").chunks(5) {
        opt.step(&(&w * &Tensor::from_slice(g)).sum().backward());
    }
    close(&w.to_vec(), &numbers(&golden, name), 1e-12, name);
}

#[test]
fn ten_steps_of_every_optimizer() {
    let sgd = SgdOptions { lr: 0.1, ..Default::default() };
    ten_steps("sgd", SgdOptions { weight_decay: 0.01, ..sgd });
    ten_steps("sgd_momentum", SgdOptions { momentum: 0.9, dampening: 0.3, weight_decay: 0.01, ..sgd });
    ten_steps("sgd_nesterov", SgdOptions { momentum: 0.9, nesterov: true, ..sgd });
    let adam = AdamOptions { lr: 0.05, ..Default::default() };
    ten_steps("adam", AdamOptions { weight_decay: 0.1, ..adam });
    ten_steps("adam_amsgrad", AdamOptions { betas: (0.8, 0.95), eps: 1e-3, amsgrad: true, ..adam });
    let adamw = AdamWOptions { lr: 0.05, ..Default::default() };
    ten_steps("adamw", adamw);
    ten_steps("adamw_amsgrad", AdamWOptions { weight_decay: 0.2, amsgrad: true, ..adamw });
    ten_steps("rmsprop", RmsPropOptions { weight_decay: 0.1, ..Default::default() });
    let rmsprop = RmsPropOptions { lr: 0.02, ..Default::default() };
    ten_steps("rmsprop_centered", RmsPropOptions { alpha: 0.9, centered: true, ..rmsprop });
    ten_steps("rmsprop_momentum", RmsPropOptions { momentum: 0.7, ..rmsprop });
    ten_steps("rmsprop_both", RmsPropOptions { momentum: 0.7, centered: true, eps: 1e-3, ..rmsprop });
    ten_steps("adagrad", AdagradOptions::default());
    let decay = AdagradOptions {
        lr: 0.1,
        lr_decay: 0.05,
        weight_decay: 0.1,
        initial_accumulator_value: 0.2,
        ..Default::default()
    };
    ten_steps("adagrad_decay", decay);
}

#[track_caller]
fn rates(name: &str, schedule: impl Fn(u64) -> f64) {
    let expected = numbers(&read("training.safetensors"), name);
    let found: Vec<f64> = (0..expected.len() as u64).map(schedule).collect();
    close(&found, &expected, 1e-12, name);
}

#[test]
fn schedules_follow_pytorchs() {
    rates("step", |t| Step { lr: 0.5, every: 7, gamma: 0.1 }.lr(t));
    rates("multi_step", |t| MultiStep { lr: 0.5, milestones: vec![3, 20, 21], gamma: 0.5 }.lr(t));
    rates("exponential", |t| Exponential { lr: 0.5, gamma: 0.9 }.lr(t));
    let cosine = Cosine { lr: 0.5, min_lr: 0.1, steps: 40, restarts: None };
    rates("cosine", |t| cosine.lr(t));
    rates("restarts", |t| Cosine { steps: 5, restarts: Some(2), ..cosine }.lr(t));
    let warmup = Warmup { steps: 8, start_factor: 0.25, then: Exponential { lr: 0.5, gamma: 0.9 } };
    rates("warmup", |t| warmup.lr(t));
    let cycle = OneCycle { lr: 0.5, steps: 41, ..Default::default() };
    rates("one_cycle", |t| cycle.lr(t));
    rates("one_cycle_momentum", |t| cycle.momentum(t));
    let three = OneCycle { three_phase: true, anneal: Anneal::Linear, rise: 0.4, ..cycle };
    rates("one_cycle_three", |t| three.lr(t));
}

#[test]
fn reduce_on_plateau_follows_pytorchs_and_goes_on_from_its_serialised_state() {
    let golden = read("training.safetensors");
    let check = |name: &str, options: PlateauOptions| {
        let mut plateau = ReduceOnPlateau::new(options);
        let mut lr = 0.5;
        let mut found = Vec::new();
        for metric in numbers(&golden, "metrics") {
            found.push(lr);
            lr = plateau.observe(metric, lr);
            let saved = serde_json::to_string(&plateau).unwrap();
            plateau = serde_json::from_str(&saved).unwrap();
        }
        close(&found, &numbers(&golden, name), 1e-12, name);
    };
    check("plateau", PlateauOptions { patience: 2, factor: 0.5, ..Default::default() });
    let max = PlateauOptions {
        mode: PlateauMode::Max,
        patience: 1,
        threshold: 0.1,
        threshold_mode: ThresholdMode::Absolute,
        cooldown: 3,
        min_lr: 0.004,
        ..Default::default()
    };
    check("plateau_max", max);
}

#[test]
fn schedules_have_no_holes_at_their_ends() {
    let cosine = Cosine { lr: 1.0, min_lr: 0.25, steps: 10, restarts: None };
    assert_eq!((cosine.lr(0), cosine.lr(10), cosine.lr(u64::MAX)), (1.0, 0.25, 0.25));
    let restarts = |k| Cosine { restarts: Some(k), ..cosine };
    assert_eq!(
        (restarts(1).lr(10), restarts(0).lr(20), restarts(3).lr(10), restarts(3).lr(40)),
        (1.0, 1.0, 1.0, 1.0)
    );
    assert!(restarts(2).lr(u64::MAX).is_finite());
    assert!(Cosine { steps: 0, ..cosine }.lr(3).is_finite());
    assert_eq!(Step { every: 0, lr: 1.0, gamma: 1.0 }.lr(5), 1.0);
    assert_eq!(Warmup { steps: 0, start_factor: 0.5, then: |_| 2.0 }.lr(0), 2.0);
    for steps in 0..4 {
        for three_phase in [false, true] {
            for rise in [0.0, 0.5, 1.0] {
                let cycle = OneCycle { steps, three_phase, rise, ..Default::default() };
                assert!(
                    (0..6).all(|t| cycle.lr(t).is_finite() && cycle.lr(t) > 0.0),
                    "{steps} {three_phase} {rise}"
                );
            }
        }
    }
}
