//! The IDX format of MNIST, Fashion-MNIST and their relatives, raw or compressed with gzip.
//!
//! A file is two zero bytes, the element type, the number of axes, their lengths (u32) and the elements, all
//! big-endian. Source: Y. LeCun, C. Cortes and C. Burges, *The MNIST database of handwritten digits*.

use std::path::{Path, PathBuf};

use ndarray::{ArrayD, Axis};
use striate_formats::AnyArray;

use crate::input::{Input, check_size, find};
use crate::labelled::numbered_classes;
use crate::{DatasetError, Labelled, Split};

const MAX_RANK: u8 = 32;

/// The classes of Fashion-MNIST, by label.
pub const FASHION_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// Reads an IDX file of any element type.
///
/// # Errors
/// The file cannot be read, is not an IDX file, or is longer or shorter than its header says.
///
/// ```
/// use striate_datasets::idx;
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("labels-idx1-ubyte");
/// std::fs::write(&file, [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1])?; // u8, one axis of length 3
/// assert_eq!(idx::read(&file)?.to_indices(), Some(vec![7, 2, 1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(file: impl AsRef<Path>) -> Result<AnyArray, DatasetError> {
    let file = file.as_ref();
    parse(Input::open(file)?, file)
}

/// Reads an IDX file, raw or gzip, from memory; errors as [`read`].
pub fn from_bytes(bytes: &[u8]) -> Result<AnyArray, DatasetError> {
    let file = Path::new("<memory>");
    parse(Input::new(file, bytes)?, file)
}

/// Reads the four files of MNIST or a relative: pictures (N, 1, H, W) with values in 0..=1, classes "0", "1", ….
///
/// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, also spelt `.idx3-ubyte` and `.idx1-ubyte`, also with `.gz`.
///
/// # Errors
/// A file is missing or wrong, a part has no pictures or pictures without pixels, pictures and labels are not equally
/// many, a label of the test files does not occur among the classes of the training files, or the pictures of the test
/// files have another size than those of the training files.
///
/// ```no_run
/// use striate_datasets::{Dataset, idx};
/// let fashion = idx::folder("/usr/share/datasets/fashion-mnist")?;
/// let train = fashion.train().clone().with_classes(idx::FASHION_CLASSES)?;
/// assert_eq!(train.images().shape(), [60_000, 1, 28, 28]);
/// # Ok::<(), striate_datasets::DatasetError>(())
/// ```
pub fn folder(folder: impl AsRef<Path>) -> Result<Split, DatasetError> {
    let folder = folder.as_ref();
    let (first, train) = part(folder, "train", None)?;
    let (file, test) = part(folder, "t10k", Some(train.classes().to_vec()))?;
    let (expected, found) = (picture_size(&train), picture_size(&test));
    if found != expected {
        return Err(DatasetError::PictureSize { file, found, first, expected });
    }
    Ok(Split::new(train, test))
}

/// Width and height of pictures (N, 1, H, W), whose axes are u32 in the file.
fn picture_size(part: &Labelled) -> (u32, u32) {
    let images = part.images();
    let shape = images.shape();
    (shape[3] as u32, shape[2] as u32)
}

/// One part, and the file of its pictures.
fn part(
    folder: &Path,
    prefix: &str,
    classes: Option<Vec<String>>,
) -> Result<(PathBuf, Labelled), DatasetError> {
    let spellings = |stem: String| {
        let ends = [("-", ""), ("-", ".gz"), (".", ""), (".", ".gz")];
        ends.map(|(separator, end)| stem.replace('|', separator) + end).to_vec()
    };
    let images_file = find(folder, spellings(format!("{prefix}-images|idx3-ubyte")))?;
    let labels_file = find(folder, spellings(format!("{prefix}-labels|idx1-ubyte")))?;
    let images = bytes_of_rank(&images_file, 3, "u8 pictures (N, height, width)")?;
    if images.is_empty() {
        let found = images.shape().to_vec();
        let expected = "pictures (N, height, width), no axis of length 0";
        return Err(DatasetError::Shape { file: images_file, expected, found });
    }
    let labels = bytes_of_rank(&labels_file, 1, "u8 labels (N)")?;
    let images = images.mapv(|pixel| f32::from(pixel) / 255.0).insert_axis(Axis(1));
    let labels: Vec<usize> = labels.iter().map(|&label| label.into()).collect();
    let classes = classes.map_or_else(|| numbered_classes(&labels_file, &labels), Ok)?;
    Ok((images_file, Labelled::from_file(&labels_file, images, labels, classes)?))
}

fn bytes_of_rank(file: &Path, rank: usize, expected: &'static str) -> Result<ArrayD<u8>, DatasetError> {
    match read(file)? {
        AnyArray::U8(array) if array.ndim() == rank => {
            check_size(file, array.len() as u128 * size_of::<f32>() as u128)?;
            Ok(array)
        }
        other => {
            let found = other.shape().to_vec();
            Err(DatasetError::Shape { file: file.to_path_buf(), expected, found })
        }
    }
}

fn parse(mut input: Input, file: &Path) -> Result<AnyArray, DatasetError> {
    let magic = input.take("magic number", 4)?;
    let (kind, rank) = (magic[2], magic[3]);
    if magic[..2] != [0, 0] {
        return Err(input.wrong(0, "magic number", "two zero bytes", format!("{:02x?}", &magic[..2])));
    }
    let size: u128 = match kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => return Err(input.wrong(2, "element type", "08, 09, 0b, 0c, 0d or 0e", format!("{kind:02x}"))),
    };
    if rank > MAX_RANK {
        return Err(input.wrong(3, "number of axes", format!("at most {MAX_RANK}"), rank.to_string()));
    }
    let axes = input.take("lengths of the axes", 4 * u64::from(rank))?;
    let axes = axes.as_chunks::<4>().0.iter().map(|&length| u32::from_be_bytes(length) as usize);
    let shape: Vec<usize> = axes.collect();
    // ndarray addresses the non-empty axes even when another axis is empty.
    let extent = shape.iter().filter(|&&n| n > 0).fold(size, |extent, &n| extent.saturating_mul(n as u128));
    check_size(file, extent)?;
    let bytes = if shape.contains(&0) { 0 } else { extent as u64 };
    let elements = input.take("elements", bytes)?;
    input.end()?;
    Ok(match kind {
        0x08 => array(&shape, &elements, u8::from_be_bytes).into(),
        0x09 => array(&shape, &elements, i8::from_be_bytes).into(),
        0x0b => array(&shape, &elements, i16::from_be_bytes).into(),
        0x0c => array(&shape, &elements, i32::from_be_bytes).into(),
        0x0d => array(&shape, &elements, f32::from_be_bytes).into(),
        _ => array(&shape, &elements, f64::from_be_bytes).into(),
    })
}

fn array<const N: usize, T>(shape: &[usize], bytes: &[u8], element: impl Fn([u8; N]) -> T) -> ArrayD<T> {
    let values = bytes.as_chunks::<N>().0.iter().map(|&b| element(b)).collect();
    ArrayD::from_shape_vec(shape, values).expect("the sizes have been checked")
}
