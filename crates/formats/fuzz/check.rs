//! One function a target: reads the bytes within bounds, and says whether they were a valid file.
#![allow(dead_code, reason = "each libFuzzer target calls one of them")]

use striate_formats::{Limits, npy, npz, pth, safetensors};

use crate::archive::archive;
use crate::memory::bounded;

pub(crate) fn npy(bytes: &[u8]) -> bool {
    bounded(bytes, || npy::from_bytes(bytes, &Limits::default()).is_ok())
}

pub(crate) fn npz(bytes: &[u8]) -> bool {
    bounded(bytes, || npz::from_bytes(bytes, &Limits::default()).is_ok())
}

pub(crate) fn safetensors(bytes: &[u8]) -> bool {
    bounded(bytes, || safetensors::from_bytes(bytes, &Limits::default()).is_ok())
}

pub(crate) fn pth(bytes: &[u8]) -> bool {
    bounded(bytes, || pth::from_bytes(bytes, &Limits::default()).is_ok())
}

/// Bytes of the storages `0`, `1`, … of `tests/golden/tensors.pth`.
const STORAGES: [usize; 12] = [48, 24, 12, 48, 24, 12, 6, 6, 6, 4, 0, 12];

/// Bytes as the pickle of an archive that is whole otherwise, with the right checksums.
pub(crate) fn pickle(bytes: &[u8]) -> bool {
    let names: Vec<String> = (0..STORAGES.len()).map(|key| format!("a/data/{key}")).collect();
    let storages = names.iter().zip(STORAGES).map(|(name, length)| (name.as_str(), &[0; 48][..length]));
    let entries: Vec<(&str, &[u8])> = std::iter::once(("a/data.pkl", bytes)).chain(storages).collect();
    pth(&archive(&entries))
}
