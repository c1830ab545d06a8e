//! Training as a whole: the same bits whatever the threads and however often it stops, and errors that say why.

use std::path::Path;

use striate_datasets::{Dataset, digits};
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::schedule::Cosine;
use striate_nn::{Dropout, Linear, ParamStore, Sequential};
use striate_tensor::Tensor;
use striate_train::{
    Callback, EpochRecord, JsonLines, PlainLines, RunFolder, TrainError, Trainer, TrainerOptions,
    classification,
};

fn network(store: &ParamStore) -> Sequential {
    let root = store.root();
    Sequential::new()
        .then(|x: &Tensor| x.flatten(1, -1))
        .then(Linear::new(&root.sub("fc1"), 64, 200))
        .then(Tensor::relu)
        .then(Dropout::new(&root, 0.2))
        .then(Linear::new(&root.sub("fc2"), 200, 10))
}

fn train(options: TrainerOptions, lr: f64) -> (ParamStore, Result<Vec<EpochRecord>, TrainError>) {
    let store = ParamStore::seeded(5);
    let net = network(&store);
    let adam = Adam::new(&store, AdamOptions { lr, ..Default::default() });
    let schedule = Cosine { lr, steps: 45, ..Default::default() };
    let history = Trainer::new(&store, Box::new(adam), options).schedule(schedule).fit(
        |epoch| digits().train().batches(100).seeded(1).shuffled(epoch),
        |batch| classification::step(&net, &batch),
        || classification::evaluate(&net, digits().test(), 100).metrics(),
    );
    (store, history)
}

fn bits(store: &ParamStore) -> Vec<u32> {
    store.parameters().iter().flat_map(|(_, tensor)| tensor.to_vec()).map(f32::to_bits).collect()
}

#[test]
fn three_epochs_give_the_same_bits_at_one_two_and_five_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (store, history) = train(TrainerOptions { epochs: 3, ..Default::default() }, 1e-2);
            assert!(history.unwrap()[2].test["accuracy"] > 0.9);
            bits(&store)
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
}

fn in_folder(folder: &Path, epochs: u64, resume: bool) -> (ParamStore, Vec<EpochRecord>) {
    let run = Some(RunFolder::create(folder).unwrap());
    let (store, history) =
        train(TrainerOptions { epochs, run, resume, clip_norm: Some(1.0), ..Default::default() }, 1e-2);
    (store, history.unwrap())
}

#[test]
fn a_resumed_run_ends_with_the_bits_of_one_that_never_stopped() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (left_alone, history) = in_folder(whole.path(), 3, false);
    in_folder(parts.path(), 1, true);
    in_folder(parts.path(), 2, true);
    let (resumed, records) = in_folder(parts.path(), 3, true);
    assert_eq!(bits(&left_alone), bits(&resumed));
    let figures =
        |records: &[EpochRecord]| records.iter().map(|r| (r.epoch, r.test.clone())).collect::<Vec<_>>();
    assert_eq!(figures(&history), figures(&records));
    let folder = RunFolder::create(parts.path()).unwrap();
    assert_eq!(figures(&folder.read_metrics().unwrap()), figures(&history));
}

#[test]
fn only_a_run_that_starts_anew_removes_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    in_folder(folder.path(), 1, false);
    let kept = folder.path().join("best.ckpt");
    std::fs::rename(folder.path().join("last.ckpt"), &kept).unwrap();
    in_folder(folder.path(), 1, true);
    assert!(kept.exists());
    in_folder(folder.path(), 1, false);
    assert!(!kept.exists());
}

#[test]
fn without_resume_a_run_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    in_folder(folder.path(), 2, false);
    let (_, history) = in_folder(folder.path(), 1, false);
    assert_eq!(history.len(), 1);
    assert_eq!(RunFolder::create(folder.path()).unwrap().read_metrics().unwrap().len(), 1);
}

#[test]
fn a_loss_that_is_not_finite_stops_the_run_and_says_where() {
    let (_, result) = train(TrainerOptions { epochs: 50, ..Default::default() }, 1e38);
    let error = result.unwrap_err();
    assert!(matches!(error, TrainError::NonFinite { epoch: 1, .. }), "{error}");
    assert!(error.to_string().contains("lower learning rate"), "{error}");
}

#[test]
fn a_damaged_metrics_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    in_folder(folder.path(), 1, false);
    let file = folder.path().join("metrics.jsonl");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "{\"epoch\": 2}\n").unwrap();
    let error = RunFolder::create(folder.path()).unwrap().read_metrics().unwrap_err();
    assert!(matches!(error, TrainError::Record { line: 2, .. }), "{error}");
    assert!(error.to_string().contains("metrics.jsonl"), "{error}");
}

#[test]
fn a_line_that_a_crash_cut_off_does_not_keep_a_run_from_going_on() {
    let folder = tempfile::tempdir().unwrap();
    in_folder(folder.path(), 1, false);
    let file = folder.path().join("metrics.jsonl");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "{\"epoch\": 2").unwrap();
    assert_eq!(in_folder(folder.path(), 2, true).1.len(), 2);
}

#[test]
fn a_checkpoint_of_another_run_or_without_its_records_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    in_folder(folder.path(), 1, false);
    let resume = |config: &str| {
        let run = Some(RunFolder::create(folder.path()).unwrap());
        let options =
            TrainerOptions { epochs: 2, run, resume: true, config: config.into(), ..Default::default() };
        train(options, 1e-2).1.unwrap_err()
    };
    assert!(matches!(resume("batch 32"), TrainError::Config { .. }));
    std::fs::remove_file(folder.path().join("metrics.jsonl")).unwrap();
    assert!(matches!(resume(""), TrainError::History { epochs: 1, .. }));
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = RunFolder::create(file.path().join("run")).unwrap_err();
    assert!(matches!(error, TrainError::Io { .. }), "{error}");
}

#[test]
fn every_parameter_receives_a_gradient() {
    let store = ParamStore::seeded(0);
    let net = network(&store);
    let batch = digits().train().batches(100).next().unwrap();
    let gradients = classification::step(&net, &batch).loss.backward();
    for (name, parameter) in store.parameters().iter() {
        let gradient = gradients.get(parameter).unwrap_or_else(|| panic!("{name} has no gradient"));
        assert!(gradient.to_vec().iter().any(|&g| g != 0.0), "the gradient of {name} is zero");
    }
}

#[test]
fn callbacks_write_what_they_promise() {
    let (_, history) = train(TrainerOptions { epochs: 1, ..Default::default() }, 1e-2);
    let record = &history.unwrap()[0];
    let (mut json, mut text) = (Vec::new(), Vec::new());
    JsonLines(&mut json).epoch(record, 1).unwrap();
    PlainLines(&mut text).epoch(record, 1).unwrap();
    let parsed: EpochRecord = serde_json::from_slice(&json).unwrap();
    assert_eq!(&parsed, record);
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("epoch  1/1  train loss ") && text.contains(" %  test loss "), "{text}");
}
