//! A run survives being stopped, killed, and a disk that is full or read-only.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use striate_datasets::{Dataset, digits};
use striate_nn::Rng;
use striate_nn::checkpoint::Checkpoint;
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Dropout, Linear, ParamStore, Sequential};
use striate_tensor::Tensor;
use striate_train::{
    Callback, EpochRecord, RunFolder, StepRecord, Stop, TrainError, Trainer, TrainerOptions, classification,
};

const EPOCHS: u64 = 6;

/// Trains on the digits, 15 steps an epoch, with a callback.
fn train(
    options: TrainerOptions,
    callback: impl Callback + 'static,
) -> Result<(ParamStore, Vec<EpochRecord>), TrainError> {
    let store = ParamStore::seeded(5);
    let root = store.root();
    let net = Sequential::new()
        .then(|x: &Tensor| x.flatten(1, -1))
        .then(Linear::new(&root.sub("fc1"), 64, 32))
        .then(Tensor::relu)
        .then(Dropout::new(&root, 0.2))
        .then(Linear::new(&root.sub("fc2"), 32, 10));
    let adam = Adam::new(&store, AdamOptions { lr: 1e-2, ..Default::default() });
    let history = Trainer::new(&store, Box::new(adam), options).callback(callback).fit(
        |epoch| digits().train().batches(100).seeded(1).shuffled(epoch),
        |batch| classification::step(&net, &batch),
        || classification::evaluate(&net, digits().test(), 100).metrics(),
    )?;
    Ok((store, history))
}

fn options(folder: &Path) -> TrainerOptions {
    TrainerOptions {
        epochs: EPOCHS,
        run: Some(RunFolder::create(folder).unwrap()),
        resume: true,
        checkpoint_every: Some(1),
        keep: 3,
        ..Default::default()
    }
}

struct Nothing;

impl Callback for Nothing {
    fn epoch(&mut self, _: &EpochRecord, _: u64) -> std::io::Result<()> {
        Ok(())
    }
}

fn bits(store: &ParamStore) -> Vec<u32> {
    store.parameters().iter().flat_map(|(_, tensor)| tensor.to_vec()).map(f32::to_bits).collect()
}

fn figures(history: &[EpochRecord]) -> Vec<(u64, Vec<f64>, Vec<f64>)> {
    let values = |metrics: &striate_train::Metrics| metrics.values().copied().collect();
    history.iter().map(|record| (record.epoch, values(&record.train), values(&record.test))).collect()
}

/// Asks for the end at a step.
struct StopAt(Stop, u64);

impl Callback for StopAt {
    fn step(&mut self, step: &StepRecord) {
        if (step.epoch - 1) * step.steps as u64 + step.step as u64 == self.1 {
            self.0.request();
        }
    }

    fn epoch(&mut self, _: &EpochRecord, _: u64) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_run_stopped_within_an_epoch_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let (left_alone, history) =
        train(TrainerOptions { epochs: EPOCHS, ..Default::default() }, Nothing).unwrap();
    for at in [1, 7, 15, 16, 44] {
        let stop = Stop::default();
        let options = TrainerOptions { stop: stop.clone(), checkpoint_every: None, ..options(folder.path()) };
        let error = train(options, StopAt(stop, at)).err().unwrap();
        let TrainError::Stopped { epoch, batch, checkpoint } = &error else { panic!("{error}") };
        assert_eq!((epoch - 1) * 15 + *batch as u64, at);
        assert!(checkpoint.as_ref().unwrap().exists());
        assert!(error.to_string().contains("last.ckpt holds all of it"), "{error}");
    }
    let (store, resumed) = train(options(folder.path()), Nothing).unwrap();
    assert!(bits(&store) == bits(&left_alone));
    assert_eq!(figures(&resumed), figures(&history));
    let kept = |epoch| folder.path().join(format!("epoch-{epoch:04}.ckpt")).exists();
    assert_eq!([3, 4, 5, 6].map(kept), [false, true, true, true]);
}

/// Where the child of the kill test works.
const FOLDER: &str = "STRIATE_TEST_RUN_FOLDER";

/// The process that is killed: a test of its own, which does nothing unless it is told where.
#[test]
fn child() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        train(options(folder.as_ref()), Nothing).unwrap();
    }
}

#[test]
fn a_run_killed_at_fifty_random_moments_ends_with_the_same_bits() {
    let (left_alone, history) =
        train(TrainerOptions { epochs: EPOCHS, ..Default::default() }, Nothing).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let check = || {
        let (store, resumed) = train(options(folder.path()), Nothing).unwrap();
        assert!(bits(&store) == bits(&left_alone));
        assert_eq!(figures(&resumed), figures(&history));
    };
    let mut rng = Rng::new(0);
    let (mut kills, mut within, mut before) = (0, 0, 0);
    let mut longest = 0.05;
    while kills < 50 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--test-threads", "1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_secs_f64(longest * rng.uniform()));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            // It was done before the kill: start anew, and kill sooner.
            check();
            std::fs::remove_dir_all(folder.path()).unwrap();
            (longest, before) = (longest / 2.0, 0);
            continue;
        }
        kills += 1;
        let steps = Checkpoint::read(folder.path().join("last.ckpt")).map_or(0, |last| last.step);
        if steps > before {
            within += 1
        } else {
            longest *= 1.1
        }
        before = steps;
    }
    check();
    assert!(within >= 5, "only {within} kills came after the first step");
}

/// A small file system in memory, or none where the process may not mount one.
#[cfg(target_os = "linux")]
struct Disk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl Disk {
    fn mount(options: &str) -> Option<Self> {
        let disk = Disk(tempfile::tempdir().unwrap());
        disk.call("mount", &["-t", "tmpfs", "-o", options, "tmpfs"]).then_some(disk)
    }

    fn call(&self, program: &str, arguments: &[&str]) -> bool {
        let call = Command::new(program).args(arguments).arg(self.0.path()).stderr(Stdio::null()).status();
        call.is_ok_and(|status| status.success())
    }
}

#[cfg(target_os = "linux")]
impl Drop for Disk {
    fn drop(&mut self) {
        self.call("umount", &[]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_or_read_only_disk_is_an_error_and_loses_no_checkpoint() {
    let Some(disk) = Disk::mount("size=256k") else {
        eprintln!("not tested: this process may not mount a file system");
        return;
    };
    let first = TrainerOptions { epochs: 1, ..options(disk.0.path()) };
    train(first, Nothing).unwrap();
    let folder = RunFolder::create(disk.0.path()).unwrap();
    let before = std::fs::read(folder.checkpoint()).unwrap();

    let filler = disk.0.path().join("filler");
    let full = std::fs::write(&filler, vec![0; 1 << 20]);
    assert!(full.is_err(), "the disk takes more than it should");
    let error = train(options(disk.0.path()), Nothing).err().unwrap();
    assert!(error.to_string().to_lowercase().contains("no space"), "{error}");
    assert!(std::fs::read(folder.checkpoint()).unwrap() == before);

    std::fs::remove_file(&filler).unwrap();
    assert!(disk.call("mount", &["-o", "remount,ro"]));
    let error = train(options(disk.0.path()), Nothing).err().unwrap();
    assert!(error.to_string().to_lowercase().contains("read-only"), "{error}");
    assert!(std::fs::read(folder.checkpoint()).unwrap() == before);

    assert!(disk.call("mount", &["-o", "remount,rw"]));
    let (store, _) = train(TrainerOptions { keep: 1, ..options(disk.0.path()) }, Nothing).unwrap();
    let (left_alone, _) = train(TrainerOptions { epochs: EPOCHS, ..Default::default() }, Nothing).unwrap();
    assert!(bits(&store) == bits(&left_alone));
}
