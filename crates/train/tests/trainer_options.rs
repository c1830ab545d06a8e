//! What the options of a trainer promise.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use striate_nn::losses::squared_error;
use striate_nn::optim::{Sgd, SgdOptions};
use striate_nn::{Linear, Module, ParamStore};
use striate_tensor::Tensor;
use striate_train::{
    Best, Callback, EpochRecord, Metrics, NonFinitePolicy, RunFolder, Step, Stop, TrainError, Trainer,
    TrainerOptions,
};

/// Two numbers and what their sum is to be.
type Pair = ([f32; 2], f32);

const DATA: [Pair; 5] =
    [([1.0, 2.0], 3.0), ([0.5, -1.0], -0.5), ([-2.0, 0.25], -1.75), ([3.0, 1.0], 4.0), ([-1.0, -1.0], -2.0)];

/// Keeps all warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Callback for Warnings {
    fn warning(&mut self, text: &str) {
        self.0.lock().unwrap().push(text.into());
    }

    fn epoch(&mut self, _: &EpochRecord, _: u64) -> std::io::Result<()> {
        Ok(())
    }
}

/// Trains a linear map on batches of pairs; `test` gives the evaluations one after the other.
fn fit(
    options: TrainerOptions,
    batches: &[&[Pair]],
    test: &[f64],
) -> (Vec<f32>, Result<Vec<EpochRecord>, TrainError>, Vec<String>) {
    let store = ParamStore::seeded(1);
    let net = Linear::new(&store.root().sub("fc"), 2, 1);
    let sgd = Sgd::new(&store, SgdOptions { lr: 0.05, ..Default::default() });
    let warnings = Warnings::default();
    let evaluated = Mutex::new(test.iter());
    let step = |batch: &[Pair]| {
        let x: Vec<f32> = batch.iter().flat_map(|(x, _)| *x).collect();
        let y: Vec<f32> = batch.iter().map(|(_, y)| *y).collect();
        let n = batch.len();
        let y = Tensor::from_slice(&y).reshape(&[n as isize, 1]);
        let out = net.forward(&Tensor::from_slice(&x).reshape(&[n as isize, 2]));
        Step { loss: squared_error(&out, &y), samples: n, metrics: Vec::new() }
    };
    let evaluate = || match evaluated.lock().unwrap().next() {
        Some(&loss) => Metrics::from([("loss".to_string(), loss)]),
        None => Metrics::new(),
    };
    let result = Trainer::new(&store, Box::new(sgd), options).callback(warnings.clone()).fit(
        |_| batches.iter().copied(),
        step,
        evaluate,
    );
    let values = store.parameters().iter().flat_map(|(_, tensor)| tensor.to_vec()).collect();
    let warnings = warnings.0.lock().unwrap().clone();
    (values, result, warnings)
}

fn singly() -> Vec<&'static [Pair]> {
    DATA.chunks(1).collect()
}

#[test]
fn accumulated_batches_step_as_one_large_batch() {
    let options = |accumulate| TrainerOptions { epochs: 3, accumulate, ..Default::default() };
    let (single, ..) = fit(options(2), &singly(), &[]);
    let (pairs, ..) = fit(options(1), &DATA.chunks(2).collect::<Vec<_>>(), &[]);
    for (a, b) in single.iter().zip(&pairs) {
        assert!((a - b).abs() < 1e-6, "{single:?} {pairs:?}");
    }
}

#[test]
fn steps_end_a_run_within_an_epoch() {
    let (_, history, _) =
        fit(TrainerOptions { epochs: 9, steps: Some(7), ..Default::default() }, &singly(), &[1.0, 2.0, 3.0]);
    let history = history.unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[1].test["loss"], 2.0);
}

#[test]
fn evaluations_come_as_often_as_asked_and_at_the_end() {
    let options = TrainerOptions { epochs: 5, evaluate_every: 2, ..Default::default() };
    let (_, history, _) = fit(options, &singly(), &[0.5, 0.4, 0.3]);
    let evaluated: Vec<bool> = history.unwrap().iter().map(|record| !record.test.is_empty()).collect();
    assert_eq!(evaluated, [false, true, false, true, true]);
}

#[test]
fn a_run_that_gets_no_better_ends_early_and_keeps_its_best() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path()).unwrap();
    let best = Some(Best { patience: Some(2), ..Default::default() });
    let options = TrainerOptions { epochs: 9, best, run: Some(run.clone()), ..Default::default() };
    let (_, history, _) = fit(options, &singly(), &[0.5, 0.3, 0.4, 0.3, 0.1]);
    assert_eq!(history.unwrap().len(), 4);
    let best = striate_nn::checkpoint::Checkpoint::read(run.best_checkpoint()).unwrap();
    assert_eq!(best.epoch, 2);
    let missing = Some(Best { metric: "accuracy".into(), ..Default::default() });
    let error = fit(TrainerOptions { epochs: 1, best: missing, ..Default::default() }, &singly(), &[0.5]).1;
    assert!(matches!(error, Err(TrainError::NoMetric { .. })));
}

#[test]
fn a_number_that_is_not_finite_is_traced_to_its_layer_or_left_out() {
    let spoilt = [([f32::INFINITY, 0.0], 1.0)];
    let batches: [&[Pair]; 3] = [&DATA[..2], &spoilt, &DATA[2..]];
    let (_, result, _) = fit(TrainerOptions { epochs: 1, ..Default::default() }, &batches, &[]);
    let error = result.unwrap_err();
    let TrainError::NonFinite { epoch: 1, batch: 2, origin: Some(origin), .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((origin.layer.as_deref(), origin.op.from_input), (Some("fc"), true), "{error}");

    let options = TrainerOptions { epochs: 1, non_finite: NonFinitePolicy::Skip, ..Default::default() };
    let (skipped, result, warnings) = fit(options, &batches, &[]);
    result.unwrap();
    assert!(warnings[0].contains("batch 2 of epoch 1"), "{warnings:?}");
    let (without, ..) =
        fit(TrainerOptions { epochs: 1, ..Default::default() }, &[&DATA[..2], &DATA[2..]], &[]);
    assert_eq!(skipped, without);
}

#[test]
fn what_a_loop_carries_goes_on_within_an_epoch() {
    // The target of each batch is what was carried from the one before.
    let run = |folder: &std::path::Path, stop_at: Option<usize>| {
        let store = ParamStore::seeded(1);
        let net = Linear::new(&store.root().sub("fc"), 1, 1);
        let sgd = Sgd::new(&store, SgdOptions { lr: 0.05, ..Default::default() });
        let carried = Rc::new(RefCell::new(Tensor::zeros(&[1, 1])));
        let (saved, restored, begun) = (carried.clone(), carried.clone(), carried.clone());
        let stop = Stop::default();
        let options = TrainerOptions {
            epochs: 2,
            run: Some(RunFolder::create(folder).unwrap()),
            resume: true,
            stop: stop.clone(),
            ..Default::default()
        };
        let result = Trainer::new(&store, Box::new(sgd), options)
            .carrying(
                move || vec![saved.borrow().clone()],
                move |mut state| _ = restored.replace(state.remove(0)),
            )
            .fit(
                |_| {
                    begun.replace(Tensor::zeros(&[1, 1]));
                    0..5_usize
                },
                |batch| {
                    if stop_at == Some(batch) {
                        stop.request();
                    }
                    let y = net.forward(&(&*carried.borrow() + batch as f64));
                    let loss = squared_error(&y, &carried.borrow());
                    carried.replace(y.detach());
                    Step { loss, samples: 1, metrics: Vec::new() }
                },
                Metrics::new,
            );
        let values: Vec<f32> = store.parameters().iter().flat_map(|(_, tensor)| tensor.to_vec()).collect();
        (values, result.is_ok())
    };
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (left_alone, _) = run(whole.path(), None);
    assert!(!run(parts.path(), Some(2)).1);
    assert_eq!(run(parts.path(), None), (left_alone, true));
}

#[test]
#[should_panic(expected = "accumulate is 0")]
fn a_step_takes_at_least_one_batch() {
    fit(TrainerOptions { accumulate: 0, ..Default::default() }, &[], &[]).1.unwrap();
}
