//! Reads a checkpoint within bounds, and says whether it was a valid one.

use std::path::Path;

use striate_nn::checkpoint::Checkpoint;

use crate::memory::bounded;

/// The bytes as they are, and with the right length and checksum, so that the reader goes on to what is inside.
pub(crate) fn checkpoint(folder: &Path, bytes: &[u8]) -> bool {
    let file = folder.join("run.checkpoint");
    let read = |bytes: &[u8]| {
        let _ = std::fs::remove_file(&file); // some file systems wait for the disk when a file is overwritten
        std::fs::write(&file, bytes).unwrap();
        bounded(bytes, || Checkpoint::read(&file).is_ok())
    };
    let valid = read(bytes);
    let mut sealed = bytes.to_vec();
    seal(&mut sealed);
    read(&sealed) || valid
}

/// Puts the right length and checksum on damaged bytes.
pub(crate) fn seal(bytes: &mut [u8]) {
    if bytes.len() >= 24 {
        let length = (bytes.len() - 24) as u64;
        bytes[16..24].copy_from_slice(&length.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[16..]);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    }
}
