//! Learning rates, step by step, against PyTorch.

use striate_nn::schedule::{
    Anneal, Cosine, Exponential, MultiStep, OneCycle, PlateauMode, PlateauOptions, ReduceOnPlateau, Schedule,
    Step, ThresholdMode, Warmup,
};
use striate_tensor::Tensor;
use testkit::golden::{F64, assert_close, load};

/// Compares `f(0)`, `f(1)`, … with the sequence of that name.
fn follows(name: &str, f: impl FnMut(u64) -> f64) {
    let expected = load("schedules").f64(name);
    let actual: Vec<f64> = (0..expected.len() as u64).map(f).collect();
    assert_close(name, &Tensor::from_slice(&actual), &expected, F64);
}

fn lr(case: &str, schedule: impl Schedule) {
    follows(&format!("{case}:lr"), |step| schedule.lr(step));
}

#[test]
fn falls() {
    lr("step", Step { lr: 0.5, every: 3, gamma: 0.4 });
    lr("multi_step", MultiStep { lr: 0.5, milestones: vec![2, 5, 5, 9], gamma: 0.4 });
    lr("exponential", Exponential { lr: 0.5, gamma: 0.8 });
}

#[test]
fn cosines() {
    let cosine = Cosine { lr: 0.5, min_lr: 0.05, steps: 12, restarts: None };
    lr("cosine", cosine);
    lr("cosine, restarts", Cosine { steps: 4, restarts: Some(1), ..cosine });
    lr("cosine, longer restarts", Cosine { steps: 3, restarts: Some(2), ..cosine });
    let then = Cosine { min_lr: 0.0, steps: 10, ..cosine };
    lr("warm-up, cosine", Warmup { steps: 5, start_factor: 0.1, then });
}

#[test]
fn one_cycle() {
    let plain = OneCycle { lr: 0.5, steps: 20, ..Default::default() };
    for (case, schedule) in [
        ("one_cycle, cos, two phases", plain),
        ("one_cycle, cos, three phases", OneCycle { three_phase: true, ..plain }),
        ("one_cycle, linear, two phases", OneCycle { anneal: Anneal::Linear, ..plain }),
        ("one_cycle, linear, three phases", OneCycle { anneal: Anneal::Linear, three_phase: true, ..plain }),
        (
            "one_cycle, options",
            OneCycle {
                steps: 17,
                rise: 0.4,
                div_factor: 10.0,
                final_div_factor: 50.0,
                base_momentum: 0.7,
                max_momentum: 0.99,
                ..plain
            },
        ),
    ] {
        lr(case, schedule);
        follows(&format!("{case}:momentum"), |step| schedule.momentum(step));
    }
}

#[test]
fn plateaus() {
    let metrics = load("schedules").f64("metrics");
    let plain = PlateauOptions { patience: 2, ..Default::default() };
    let (max, absolute) = (PlateauMode::Max, ThresholdMode::Absolute);
    for (case, options) in [
        ("plateau", plain),
        ("plateau, max", PlateauOptions { mode: max, patience: 1, factor: 0.5, ..plain }),
        (
            "plateau, absolute",
            PlateauOptions { patience: 1, threshold: 0.5, threshold_mode: absolute, ..plain },
        ),
        (
            "plateau, max, absolute",
            PlateauOptions { mode: max, patience: 3, threshold: 0.5, threshold_mode: absolute, ..plain },
        ),
        (
            "plateau, cooldown, min_lr",
            PlateauOptions { patience: 0, factor: 0.3, cooldown: 2, min_lr: 0.01, ..plain },
        ),
    ] {
        let (mut plateau, mut lr) = (ReduceOnPlateau::new(options), 0.5);
        follows(&format!("{case}:lr"), |step| {
            lr = plateau.observe(metrics[step as usize], lr);
            lr
        });
    }
}
