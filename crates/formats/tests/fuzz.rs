//! The fuzz targets' checks on mutations of valid files, so that they run with every test.

use ndarray::{Array2, arr0, arr1};
use striate_formats::{Arrays, npy, npz, safetensors};

#[path = "../fuzz/archive.rs"]
mod archive;
#[path = "../fuzz/check.rs"]
mod check;
#[path = "../fuzz/memory.rs"]
mod memory;
#[path = "../fuzz/mutate.rs"]
mod mutate;

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What a writer puts into a file.
fn written(write: impl FnOnce(&std::path::Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    write(&file);
    std::fs::read(file).unwrap()
}

fn arrays() -> Arrays {
    let mut arrays = Arrays::new();
    arrays.push("weight", Array2::<f32>::from_shape_fn((3, 5), |(i, j)| (i * j) as f32));
    arrays.push("bias", arr1(&[1.0f64, 2.0]));
    arrays.push("steps", arr0(7i64));
    arrays
}

#[test]
fn npy() {
    let mut seeds = vec![golden("version2.npy"), golden("version3.npy")];
    seeds.extend(arrays().iter().map(|(_, array)| written(|file| npy::write(file, array).unwrap())));
    mutate::attack(50_000, &seeds, check::npy);
}

#[test]
fn npz() {
    let seeds = [
        golden("stored.npz"),
        golden("deflated.npz"),
        written(|file| npz::write(file, &arrays()).unwrap()),
        written(|file| npz::write_compressed(file, &arrays()).unwrap()),
    ];
    mutate::attack(20_000, &seeds, check::npz);
}

#[test]
fn safetensors() {
    let note = [("note".to_string(), "text".to_string())].into();
    let seeds = [golden("all.safetensors"), safetensors::to_bytes(&arrays(), &note).unwrap()];
    mutate::attack(20_000, &seeds, check::safetensors);
}

#[test]
fn pth() {
    let seeds = [golden("tensors.pth"), golden("checkpoint.pt"), golden("protocol4.pt")];
    mutate::attack(20_000, &seeds, check::pth);
}

#[test]
fn pickle() {
    let file = golden("tensors.pth");
    let start = file.windows(4).position(|window| window == b"\x80\x02}q").unwrap();
    let end = file[start..].windows(2).position(|window| window == b"PK").unwrap() + start;
    let seeds = [
        file[start..end].to_vec(),
        b"\x80\x02]q\x00(K\x01M\x02\x03\x8a\x01\x05G\x00\x00\x00\x00\x00\x00\x00\x00\x88Ne.".to_vec(),
        b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93)Rs.".to_vec(),
    ];
    mutate::attack(20_000, &seeds, check::pickle);
}
