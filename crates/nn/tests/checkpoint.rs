//! Checkpoints: the same bits after a restart, and no file that panics, hangs or asks for memory.

use std::path::Path;

use striate_formats::Limits;
use striate_nn::checkpoint::{Checkpoint, CheckpointError};
use striate_nn::optim::{Adam, AdamOptions, Optimizer};
use striate_nn::{Init, Linear, Module, ParamStore};
use striate_tensor::Tensor;

/// A layer, a counter and an optimiser.
struct Run {
    store: ParamStore,
    layer: Linear,
    opt: Adam,
}

impl Run {
    fn new(seed: u64) -> Self {
        let store = ParamStore::seeded(seed);
        let layer = Linear::new(&store.root().sub("fc"), 8, 4);
        store.root().buffer("mean", &[4], 0.0);
        store.root().counter("batches");
        let opt = Adam::new(&store, AdamOptions { lr: 0.01, ..Default::default() });
        Run { store, layer, opt }
    }

    /// A step whose input is random, as with dropout.
    fn step(&mut self) {
        let mut noise = vec![0.0; 16];
        self.store.stream().next().fill_normal(&mut noise, 0.0, 1.0);
        let y = self.layer.forward(&Tensor::from_vec(&[2, 8], noise));
        self.opt.step(&(&y * &y).sum().backward());
        self.store.root().tied().counter("batches").increment();
        let mean = self.store.get("mean").unwrap();
        mean.update(|mean| mean.make_mut()[0] += y.array().data()[0]);
    }

    fn save(&self, file: &Path) {
        let mut checkpoint = Checkpoint::of(&self.store);
        (checkpoint.step, checkpoint.epoch, checkpoint.config) = (3, 1, "{\"lr\": 0.01}".into());
        checkpoint.push("optimizer", self.opt.state());
        checkpoint.save(file).unwrap();
    }
}

#[test]
fn a_run_goes_on_from_a_checkpoint_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.checkpoint");
    let mut whole = Run::new(5);
    (0..3).for_each(|_| whole.step());
    whole.save(&file);
    (0..3).for_each(|_| whole.step());

    let mut resumed = Run::new(5);
    let checkpoint = Checkpoint::read(&file).unwrap();
    checkpoint.restore(&resumed.store, &mut [("optimizer", &mut resumed.opt)]).unwrap();
    assert_eq!((checkpoint.step, checkpoint.epoch, &*checkpoint.config), (3, 1, "{\"lr\": 0.01}"));
    (0..3).for_each(|_| resumed.step());
    assert_eq!(whole.store.to_arrays(), resumed.store.to_arrays());
    assert_eq!(whole.opt.state(), resumed.opt.state());
    assert_eq!(whole.store.stream().position(), resumed.store.stream().position());
}

#[test]
fn what_does_not_fit_is_named_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.checkpoint");
    let mut run = Run::new(5);
    run.step();
    run.save(&file);
    let checkpoint = Checkpoint::read(&file).unwrap();

    let mut fresh = Run::new(5);
    let before = (fresh.store.to_arrays(), fresh.opt.state());
    let error = checkpoint.restore(&fresh.store, &mut [("adam", &mut fresh.opt)]).unwrap_err();
    assert!(
        error.to_string().ends_with("run.checkpoint: no section adam; there are model, optimizer"),
        "{error}"
    );

    let mut other = Adam::new(&fresh.store, AdamOptions { amsgrad: true, ..Default::default() });
    let optimizers: &mut [(&str, &mut dyn Optimizer)] =
        &mut [("optimizer", &mut fresh.opt), ("optimizer", &mut other)];
    let error = checkpoint.restore(&fresh.store, optimizers).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("section optimizer: the state is not this Adam's; missing: fc.weight.max_exp")
    );

    fresh.store.root().parameter("extra", &[1], Init::Constant(0.0));
    let error = checkpoint.restore(&fresh.store, &mut []).unwrap_err();
    assert!(
        matches!(error, CheckpointError::Weights(_)) && error.to_string().contains("missing: extra"),
        "{error}"
    );
    assert_eq!(fresh.store.stream().position(), 0);
    assert_eq!(fresh.opt.state(), before.1);
    assert_eq!(fresh.store.get("fc.weight").unwrap().to_ndarray(), before.0["fc.weight"].to_f32());

    let error = checkpoint.restore(&Run::new(6).store, &mut []).unwrap_err();
    assert!(error.to_string().ends_with("seed: the run had 5, the store has 6"), "{error}");
}

#[test]
fn a_configuration_that_could_not_be_read_again_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.checkpoint");
    let mut checkpoint = Checkpoint::of(&Run::new(0).store);
    checkpoint.config = "x".repeat(1 << 20);
    let error = checkpoint.save(&file).unwrap_err();
    assert!(error.to_string().contains("header: expected at most 1048576 bytes"), "{error}");
    assert!(!file.exists());
    checkpoint.config.truncate((1 << 20) - 1000);
    checkpoint.save(&file).unwrap();
    assert_eq!(Checkpoint::read(&file).unwrap().config, checkpoint.config);
}

/// Puts the right length and checksum on damaged bytes, so that the reader goes on to what is inside.
fn seal(bytes: &mut [u8]) {
    if bytes.len() >= 24 {
        let length = (bytes.len() - 24) as u64;
        bytes[16..24].copy_from_slice(&length.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[16..]);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// A small generator (xorshift) for the mutations.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    // Half of all mutations hit the lengths and headers at the start.
    let reach = if dice.below(2) == 0 { bytes.len().min(160) } else { bytes.len() };
    let at = dice.below(reach);
    match dice.below(7) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xff][dice.below(8)],
        2 => bytes.truncate(at),
        3 => bytes.extend(std::iter::repeat_n(dice.below(256) as u8, 1 + dice.below(40))),
        4 => drop(bytes.remove(at)),
        5 => bytes.insert(at, dice.below(256) as u8),
        _ => {
            let end = (at + 8).min(bytes.len());
            let lie = [u64::MAX, u64::MAX / 2, 1 << 40, 1 << 31, 0][dice.below(5)].to_le_bytes();
            bytes[at..end].copy_from_slice(&lie[..end - at]);
        }
    }
}

#[test]
fn damaged_files_are_errors_with_the_file_and_the_field() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.checkpoint");
    let mut run = Run::new(5);
    run.step();
    run.save(&file);
    let good = std::fs::read(&file).unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Checkpoint::read(&file)
    };
    let message = |bytes: &[u8]| {
        let text = read(bytes).unwrap_err().to_string();
        assert!(text.contains("run.checkpoint: "), "{text}");
        text
    };
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    assert!(message(b"").contains("file: expected at least 32 bytes, found 0"));
    assert!(message(&changed(0, b"PK\x03\x04")).contains("magic: expected STRIATEC, found PK\\x03\\x04ATEC"));
    assert!(message(&changed(8, &[9])).contains("format version: expected 1, found 9"));
    assert!(message(&changed(good.len() - 1, &[!good[good.len() - 1]])).contains("checksum: expected"));
    assert!(message(&good[..good.len() - 1]).contains("length: expected"));
    assert!(message(&[&good[..], b"x"].concat()).contains("length: expected"));
    let mut lie = changed(24, &u64::MAX.to_le_bytes());
    seal(&mut lie);
    assert!(message(&lie).contains("header: expected at most"));
    let limits = Limits { max_bytes: 100, ..Default::default() };
    std::fs::write(&file, &good).unwrap();
    let error = Checkpoint::read_with(&file, &limits).unwrap_err();
    assert!(error.to_string().contains("file: expected at most 100 bytes"), "{error}");
    for length in 0..good.len() {
        message(&good[..length]);
    }
}

#[test]
fn thousands_of_mutations_never_panic_and_never_pass_the_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.checkpoint");
    let mut run = Run::new(5);
    run.step();
    run.save(&file);
    let good = std::fs::read(&file).unwrap();
    let original = Checkpoint::read(&file).unwrap();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut sealed_and_read = 0;
    for round in 0..3000 {
        let mut bytes = good.clone();
        (0..1 + dice.below(3)).for_each(|_| {
            if !bytes.is_empty() {
                mutate(&mut bytes, &mut dice);
            }
        });
        let sealed = round % 2 == 0;
        if sealed {
            seal(&mut bytes);
        }
        std::fs::write(&file, &bytes).unwrap();
        match Checkpoint::read(&file) {
            Err(error) => assert!(error.to_string().contains("run.checkpoint"), "{error}"),
            Ok(checkpoint) if sealed => {
                sealed_and_read += 1;
                let mut fresh = Run::new(5);
                let _ = checkpoint.restore(&fresh.store, &mut [("optimizer", &mut fresh.opt)]);
            }
            Ok(checkpoint) => assert_eq!(checkpoint, original, "round {round}"),
        }
    }
    assert!(sealed_and_read > 50, "the sealed mutations reach the arrays: {sealed_and_read}");
}
