//! Data sets in folders, told apart by their files.

use std::path::Path;

use striate::datasets::{DatasetError, Split, cifar, digits, idx};

/// The name of the data for messages, and CIFAR-10, CIFAR-100 or the files of MNIST and its relatives; the embedded
/// digits when there is no folder.
pub(crate) fn read(folder: Option<&Path>) -> Result<(String, Split), DatasetError> {
    let Some(folder) = folder else { return Ok(("embedded digits".into(), digits().clone())) };
    let split = if folder.join("data_batch_1.bin").is_file() {
        cifar::cifar10(folder)
    } else if folder.join("train.bin").is_file() {
        cifar::cifar100(folder)
    } else {
        idx::folder(folder)
    };
    Ok((folder.display().to_string(), split?))
}
