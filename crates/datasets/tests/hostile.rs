//! Thousands of damaged files for every parser: no panic, no hang, no more memory than a small multiple of the file.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use peak_alloc::PeakAlloc;
use striate_compute::rng::Rng;
use striate_datasets::csv::CsvOptions;
use striate_datasets::{cifar, csv, idx, npz};
use striate_formats::Arrays;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Far above what the small files need, far below what they can be made to claim.
const MOST: usize = 16 << 20;

/// A copy with a few bytes changed, cut off, doubled or made extreme, mostly near the start.
fn damage(rng: &mut Rng, whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..1 + rng.below(4) {
        if bytes.is_empty() {
            break;
        }
        let region = if rng.below(2) == 0 { bytes.len().min(32) } else { bytes.len() };
        let at = rng.below(region);
        let end = bytes.len().min(at + 1 + rng.below(8));
        match rng.below(6) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes.truncate(at),
            2 => bytes[at..end].fill(0xff),
            3 => bytes[at..end].fill(0),
            4 => bytes.extend_from_within(at..end),
            _ => drop(bytes.splice(at..at, b"\"99999999,\n\xff;-".iter().copied().take(1 + rng.below(12)))),
        }
    }
    bytes
}

/// Damages `file` (whose undamaged contents it holds), again and again.
fn attack(name: &str, file: &Path, rounds: usize, parse: impl Fn() -> bool + std::panic::RefUnwindSafe) {
    let whole = fs::read(file).unwrap();
    assert!(parse(), "{name}: the undamaged file");
    let mut rng = Rng::named(0, name);
    let mut refused = 0;
    for round in 0..rounds {
        let bytes = damage(&mut rng, &whole);
        fs::remove_file(file).unwrap(); // some file systems wait for the disk when a file is overwritten
        fs::write(file, &bytes).unwrap();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let outcome = catch_unwind(&parse);
        let used = MEMORY.peak_usage().saturating_sub(before);
        assert!(outcome.is_ok(), "{name}, round {round}: panic on {:02x?}", &bytes[..bytes.len().min(200)]);
        assert!(
            used < MOST,
            "{name}, round {round}: {used} bytes for {:02x?}",
            &bytes[..bytes.len().min(200)]
        );
        refused += usize::from(!outcome.unwrap());
    }
    fs::write(file, whole).unwrap();
    assert!(refused * 5 > rounds, "{name}: only {refused} of {rounds} refused");
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let gzip = |bytes: &[u8]| {
        let mut out = Vec::new();
        let mut encoder = flate2::bufread::GzEncoder::new(bytes, flate2::Compression::default());
        std::io::Read::read_to_end(&mut encoder, &mut out).unwrap();
        out
    };

    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3];
    images.extend(0..18);
    fs::write(path("raw"), &images).unwrap();
    attack("idx", &path("raw"), 5_000, || idx::read(path("raw")).is_ok());
    fs::write(path("gz"), gzip(&images)).unwrap();
    attack("idx gzip", &path("gz"), 5_000, || idx::read(path("gz")).is_ok());

    let mnist = || idx::folder(folder.path()).is_ok();
    for part in ["train", "t10k"] {
        fs::write(path(&format!("{part}-images-idx3-ubyte")), &images).unwrap();
        fs::write(path(&format!("{part}-labels-idx1-ubyte")), [0, 0, 8, 1, 0, 0, 0, 2, 1, 0]).unwrap();
    }
    attack("mnist images", &path("t10k-images-idx3-ubyte"), 5_000, mnist);
    attack("mnist labels", &path("train-labels-idx1-ubyte"), 5_000, mnist);

    for i in 1..=5 {
        fs::write(path(&format!("data_batch_{i}.bin")), vec![1; 3073]).unwrap();
    }
    fs::write(path("test_batch.bin"), vec![1; 2 * 3073]).unwrap();
    attack("cifar", &path("test_batch.bin"), 2_000, || cifar::cifar10(folder.path()).is_ok());

    fs::write(path("table.csv"), "a,b,\"label, quoted\"\n1,2.5,x\n-3e2,4,\"y\"\n5,6,x\n").unwrap();
    let options = CsvOptions::default();
    attack("csv", &path("table.csv"), 5_000, || csv::labelled(path("table.csv"), &options).is_ok());

    let mut arrays = Arrays::new();
    arrays.push("images", ndarray::Array3::<u8>::from_elem((2, 3, 3), 7));
    arrays.push("labels", ndarray::arr1(&[1i64, 0]));
    striate_formats::npz::write(path("data.npz"), &arrays).unwrap();
    attack("npz", &path("data.npz"), 5_000, || npz::labelled(path("data.npz"), "images", "labels").is_ok());
}

#[cfg(feature = "images")]
#[test]
fn damaged_pictures_are_errors() {
    use striate_datasets::image_folder::{self, Colour};
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("class");
    fs::create_dir(&class).unwrap();
    for name in ["0.png", "0.jpg"] {
        let file = class.join(name);
        let pixel = |x, y| image::Rgb([x as u8 * 16, y as u8 * 16, 7]);
        image::RgbImage::from_fn(16, 16, pixel).save(&file).unwrap();
        attack(name, &file, 5_000, || image_folder::read(folder.path(), Colour::Rgb).is_ok());
        fs::remove_file(file).unwrap();
    }
}
