//! The fuzz target's check on mutations of valid checkpoints, so that it runs with every test.

use striate_nn::checkpoint::Checkpoint;
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{Linear, ParamStore};

#[path = "../fuzz/check.rs"]
mod check;
#[path = "../../formats/fuzz/memory.rs"]
mod memory;
#[path = "../../formats/fuzz/mutate.rs"]
mod mutate;

/// A model of an input and some outputs, with its optimiser or alone.
fn seed(outputs: usize, optimizer: bool) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seed.checkpoint");
    let store = ParamStore::<f32>::seeded(1);
    let _layer = Linear::new(&store.root().sub("fc"), 1, outputs);
    store.root().counter("batches");
    let mut checkpoint = Checkpoint::of(&store);
    if optimizer {
        checkpoint.config = "{\"lr\": 0.01}".into();
        checkpoint.push("optimizer", Adam::new(&store, AdamOptions::default()).state());
    }
    checkpoint.save(&file).unwrap();
    std::fs::read(file).unwrap()
}

#[test]
fn checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let seeds = [seed(2, true), seed(1, false)];
    mutate::attack(10_000, &seeds, |bytes| check::checkpoint(folder.path(), bytes));
}

/// A checkpoint of one header, with the right length and checksum.
fn with_header(header: &[u8], rest: &[u8]) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    let mut file = [b"STRIATEC\x01\x00\x00\x00", &[0; 12], &length[..], header, rest].concat();
    check::seal(&mut file);
    file
}

#[test]
fn headers_that_claim_much() {
    let folder = tempfile::tempdir().unwrap();
    let huge = [&[0xfd][..], &[0xff; 8]].concat(); // bincode's u64::MAX
    let many = [&[0xfd][..], &(1u64 << 40).to_le_bytes()].concat();
    for count in [&huge, &many] {
        // step, epoch, seed, stream, and a configuration or a list of sections that is said to be long
        assert!(!check::checkpoint(folder.path(), &with_header(&[&[0; 4], &count[..]].concat(), &[])));
        assert!(!check::checkpoint(folder.path(), &with_header(&[&[0; 5], &count[..]].concat(), &[])));
        // one section of that length
        let section = [&[0, 0, 0, 0, 0, 1, 1, b'm'], &count[..]].concat();
        assert!(!check::checkpoint(folder.path(), &with_header(&section, &[0; 64])));
    }
    // half a million sections of nothing
    let sections = [&[0, 0, 0, 0, 0, 0xfc], &500_000u32.to_le_bytes()[..], &[0; 1_000_000]].concat();
    assert!(!check::checkpoint(folder.path(), &with_header(&sections, &[])));
    // a header that is longer than any that is written
    assert!(!check::checkpoint(folder.path(), &with_header(&vec![0; 32 << 20], &[])));
}
