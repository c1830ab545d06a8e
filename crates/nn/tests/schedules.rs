//! What schedules do beyond PyTorch's sequences: at their ends, and from a saved state.

use striate_nn::schedule::{
    Cosine, OneCycle, PlateauMode, PlateauOptions, ReduceOnPlateau, Schedule, Step, ThresholdMode, Warmup,
};

#[test]
fn reduce_on_plateau_goes_on_from_its_serialised_state() {
    let metrics =
        [1.0, 0.8, 0.81, 0.8, 0.7999, 0.82, 0.5, 0.6, 0.6, f64::NAN, 0.41, 0.41, 0.39, 0.39, 0.39, 0.39];
    let max = PlateauOptions {
        mode: PlateauMode::Max,
        patience: 1,
        threshold: 0.1,
        threshold_mode: ThresholdMode::Absolute,
        cooldown: 3,
        min_lr: 0.004,
        ..Default::default()
    };
    for options in [PlateauOptions { patience: 2, factor: 0.5, ..Default::default() }, max] {
        let (mut whole, mut resumed) = (ReduceOnPlateau::new(options), ReduceOnPlateau::new(options));
        let (mut expected, mut lr) = (0.5, 0.5);
        for metric in metrics {
            expected = whole.observe(metric, expected);
            lr = resumed.observe(metric, lr);
            assert_eq!(lr, expected);
            let saved = serde_json::to_string(&resumed).unwrap();
            resumed = serde_json::from_str(&saved).unwrap();
        }
        assert!(lr < 0.5, "the rate falls");
    }
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
