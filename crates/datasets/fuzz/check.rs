//! One function a target: reads the bytes within bounds, and says whether they were a valid file.
#![allow(dead_code, reason = "each libFuzzer target calls one of them")]

use std::fs;
use std::path::Path;

use striate_datasets::csv::{self, Column, CsvOptions};
use striate_datasets::{Vocabulary, cifar, idx, npz};
use tempfile::TempDir;

use crate::memory::bounded;

/// A folder with the whole files that stand beside the file of a target.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3], &[7; 18][..]].concat();
    for part in ["train", "t10k"] {
        write(&format!("{part}-images-idx3-ubyte"), &images);
        write(&format!("{part}-labels-idx1-ubyte"), &[0, 0, 8, 1, 0, 0, 0, 2, 1, 0]);
    }
    (1..=5).for_each(|i| write(&format!("data_batch_{i}.bin"), &[1; 3073]));
    write("train.bin", &[1; 3074]);
    let names: Vec<String> = (0..100).map(|class| format!("class{class}")).collect();
    write("fine_label_names.txt", names.join("\n").as_bytes());
    fs::create_dir_all(folder.path().join("pictures/class")).unwrap();
    folder
}

/// Puts the bytes into a file; a new one, for some file systems wait for the disk when one is overwritten.
fn place(folder: &Path, name: &str, bytes: &[u8]) {
    let file = folder.join(name);
    let _ = fs::remove_file(&file);
    fs::write(file, bytes).unwrap();
}

/// An IDX file, raw or gzip.
pub(crate) fn idx(bytes: &[u8]) -> bool {
    bounded(bytes, || idx::from_bytes(bytes).is_ok())
}

/// The pictures of MNIST's test files.
pub(crate) fn mnist(folder: &Path, bytes: &[u8]) -> bool {
    place(folder, "t10k-images-idx3-ubyte", bytes);
    bounded(bytes, || idx::folder(folder).is_ok())
}

/// The labels of MNIST's training files.
pub(crate) fn labels(folder: &Path, bytes: &[u8]) -> bool {
    place(folder, "train-labels-idx1-ubyte", bytes);
    bounded(bytes, || idx::folder(folder).is_ok())
}

/// The test files of CIFAR-10 and of CIFAR-100.
pub(crate) fn cifar(folder: &Path, bytes: &[u8]) -> bool {
    place(folder, "test_batch.bin", bytes);
    place(folder, "test.bin", bytes);
    bounded(bytes, || {
        let (ten, hundred) = (cifar::cifar10(folder), cifar::cifar100(folder));
        ten.is_ok() || hundred.is_ok()
    })
}

/// Arrays `images` and `labels` in an npz file, also as masks.
pub(crate) fn npz(folder: &Path, bytes: &[u8]) -> bool {
    place(folder, "data.npz", bytes);
    let file = folder.join("data.npz");
    bounded(bytes, || {
        let _masks = npz::segmentation(&file, "images", "labels", ["no", "yes"], None);
        npz::labelled(&file, "images", "labels").is_ok()
    })
}

/// A picture, as it is and scaled.
#[cfg(feature = "images")]
pub(crate) fn picture(folder: &Path, bytes: &[u8]) -> bool {
    use striate_datasets::image_folder::{self, Colour, FolderOptions};
    place(folder, "pictures/class/0.png", bytes);
    let folder = folder.join("pictures");
    let scaled = FolderOptions { colour: Colour::Gray, size: Some((8, 6)), skip_broken: true };
    bounded(bytes, || {
        let _scaled = image_folder::read_with(&folder, &scaled);
        image_folder::read(&folder, Colour::Rgb).is_ok()
    })
}

/// A table, with a header and without.
pub(crate) fn csv(folder: &Path, bytes: &[u8]) -> bool {
    place(folder, "table.csv", bytes);
    let file = folder.join("table.csv");
    let bare = CsvOptions { header: false, delimiter: b';', label: Column::Index(1) };
    bounded(bytes, || {
        let _targets = csv::regression(&file, &bare);
        csv::labelled(&file, &CsvOptions::default()).is_ok()
    })
}

/// Text, which becomes numbers and text again.
pub(crate) fn text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    bounded(bytes, || {
        let vocabulary = Vocabulary::new(text);
        let numbers = vocabulary.encode(text).unwrap();
        assert_eq!(vocabulary.decode(&numbers), text);
        Vocabulary::new("\n abcdefghijklmnopqrstuvwxyz").encode(text).is_ok()
    })
}
