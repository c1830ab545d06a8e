//! The binary version of CIFAR-10 and CIFAR-100.
//!
//! A record is the label (CIFAR-100: coarse label, fine label) and 3,072 bytes: 32×32 red, then green, then blue.
//! Source: A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.

use std::path::Path;

use ndarray::ArrayD;

use crate::input::{MAX_BYTES, check_size, find, read_bytes, read_file};
use crate::{DatasetError, Labelled, Split};

const PIXELS: usize = 3 * 32 * 32;

/// Bytes that a file of records may hold: each becomes an f32.
const MAX_RECORDS: u64 = MAX_BYTES / size_of::<f32>() as u64;

/// Bytes that the file of the names may hold.
const MAX_NAMES: u64 = 1 << 16;

/// The classes of CIFAR-10, by label.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Reads the folder `cifar-10-batches-bin`: pictures (N, 3, 32, 32) with values in 0..=1.
///
/// The files are `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`.
///
/// # Errors
/// A file is missing, does not hold whole records, or has a label beyond the classes.
///
/// ```no_run
/// let cifar = striate_datasets::cifar::cifar10("cifar-10-batches-bin")?;
/// assert_eq!(cifar.train().images().shape(), [50_000, 3, 32, 32]);
/// # Ok::<(), striate_datasets::DatasetError>(())
/// ```
pub fn cifar10(folder: impl AsRef<Path>) -> Result<Split, DatasetError> {
    let folder = folder.as_ref();
    let classes: Vec<String> = CIFAR10_CLASSES.map(String::from).to_vec();
    let train: Vec<String> = (1..=5).map(|i| format!("data_batch_{i}.bin")).collect();
    let train = read_files(folder, &train, 1, &classes)?;
    let test = read_files(folder, &["test_batch.bin".into()], 1, &classes)?;
    Ok(Split::new(train, test))
}

/// Reads the folder `cifar-100-binary` with the 100 fine labels: pictures (N, 3, 32, 32) with values in 0..=1.
///
/// The files are `train.bin`, `test.bin` and `fine_label_names.txt`.
///
/// # Errors
/// As [`cifar10`], or there are not 100 names.
pub fn cifar100(folder: impl AsRef<Path>) -> Result<Split, DatasetError> {
    let folder = folder.as_ref();
    let names_file = find(folder, vec!["fine_label_names.txt".into()])?;
    let names = read_file(&names_file, MAX_NAMES, |reader| read_bytes(&names_file, reader))?;
    let names = String::from_utf8_lossy(&names);
    let classes: Vec<String> = names.split_whitespace().map(String::from).collect();
    if classes.len() != 100 {
        return Err(DatasetError::Field {
            file: names_file,
            offset: 0,
            field: "names",
            expected: "100".into(),
            found: classes.len().to_string(),
        });
    }
    let train = read_files(folder, &["train.bin".into()], 2, &classes)?;
    let test = read_files(folder, &["test.bin".into()], 2, &classes)?;
    Ok(Split::new(train, test))
}

fn read_files(
    folder: &Path,
    names: &[String],
    label_bytes: usize,
    classes: &[String],
) -> Result<Labelled, DatasetError> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for name in names {
        let file = find(folder, vec![name.clone()])?;
        let bytes = read_file(&file, MAX_RECORDS, |reader| read_bytes(&file, reader))?;
        check_size(&file, (pixels.len() + bytes.len()) as u128 * size_of::<f32>() as u128)?;
        read_records(&file, &bytes, label_bytes, classes.len(), &mut pixels, &mut labels)?;
    }
    let images = ArrayD::from_shape_vec(vec![labels.len(), 3, 32, 32], pixels).expect("whole records");
    Labelled::from_file(folder, images, labels, classes.to_vec())
}

/// Appends the records of one file. The last of the label bytes is the label.
fn read_records(
    file: &Path,
    bytes: &[u8],
    label_bytes: usize,
    classes: usize,
    pixels: &mut Vec<f32>,
    labels: &mut Vec<usize>,
) -> Result<(), DatasetError> {
    let record = label_bytes + PIXELS;
    let (whole, rest) = bytes.split_at(bytes.len() / record * record);
    if !rest.is_empty() || whole.is_empty() {
        let (offset, needs, has) = (whole.len() as u64, record as u64, rest.len() as u64);
        return Err(DatasetError::Truncated {
            file: file.to_path_buf(),
            field: "record",
            offset,
            needs,
            has,
        });
    }
    pixels.reserve(whole.len() / record * PIXELS);
    for (sample, record) in whole.chunks_exact(record).enumerate() {
        let label = record[label_bytes - 1].into();
        if label >= classes {
            return Err(DatasetError::Label { file: file.to_path_buf(), sample, label, classes });
        }
        labels.push(label);
        pixels.extend(record[label_bytes..].iter().map(|&pixel| f32::from(pixel) / 255.0));
    }
    Ok(())
}
