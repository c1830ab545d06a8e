//! Named arrays in a `.npz` file, as `numpy.savez`, `numpy.savez_compressed` and `numpy.load` write and read it.
//!
//! An npz is a ZIP file of [`.npy`](crate::npy) entries, stored or deflated, below 4 GiB.

use std::io::{self, Write};
use std::path::Path;

use crate::error::Source;
use crate::limits::Budget;
use crate::{Arrays, FormatError, Limits, Problem, npy, write_atomically, zip};

/// Reads all arrays of a `.npz` file (`numpy.load`).
///
/// # Errors
/// The file cannot be read, is not an npz file, is damaged, or asks for more than the limits.
///
/// ```
/// use ndarray::arr2;
/// use striate_formats::{Arrays, Limits, npz};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("data.npz");
/// let mut arrays = Arrays::new();
/// arrays.push("images", arr2(&[[0u8, 16], [8, 4]]));
/// npz::write_compressed(&file, &arrays)?;
/// assert_eq!(npz::read(&file, &Limits::default())?, arrays);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Arrays, FormatError> {
    let source = Source(path.as_ref());
    let bytes = npy::read_file(source, limits)?;
    decode(&bytes, limits, source, None)
}

/// Reads the arrays of these names alone, in the file's order; others may be of types that are not read here.
///
/// # Errors
/// As [`read`], and when there is no array of a name.
///
/// ```no_run
/// use striate_formats::{Limits, npz};
///
/// let arrays = npz::read_named("data.npz", &["images", "labels"], &Limits::default())?;
/// println!("{:?}", arrays["images"].shape());
/// # Ok::<(), striate_formats::FormatError>(())
/// ```
pub fn read_named(path: impl AsRef<Path>, names: &[&str], limits: &Limits) -> Result<Arrays, FormatError> {
    let source = Source(path.as_ref());
    let bytes = npy::read_file(source, limits)?;
    decode(&bytes, limits, source, Some(names))
}

/// Reads all arrays from the bytes of a `.npz` file; errors as [`read`].
pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<Arrays, FormatError> {
    decode(bytes, limits, Source::memory(), None)
}

/// Writes arrays to a `.npz` file without compression (`numpy.savez`), atomically.
///
/// # Errors
/// The file cannot be written, or an entry is larger than the format holds (4 GiB).
pub fn write(path: impl AsRef<Path>, arrays: &Arrays) -> Result<(), FormatError> {
    write_file(path.as_ref(), arrays, false)
}

/// Writes arrays to a `.npz` file with compression (`numpy.savez_compressed`), atomically; errors as [`write()`].
pub fn write_compressed(path: impl AsRef<Path>, arrays: &Arrays) -> Result<(), FormatError> {
    write_file(path.as_ref(), arrays, true)
}

/// The arrays of these names, all of them when `None`.
fn decode(
    bytes: &[u8],
    limits: &Limits,
    source: Source,
    names: Option<&[&str]>,
) -> Result<Arrays, FormatError> {
    let mut budget = Budget::new(limits);
    let mut arrays = Arrays::new();
    let mut known = Vec::new();
    for entry in zip::entries(bytes, limits, source)? {
        let at = |problem: Problem| source.at(&entry.name)(problem);
        let no_array = || Problem::Unsupported { what: "entry without .npy:", found: entry.name.clone() };
        let name = entry.name.strip_suffix(".npy").ok_or_else(no_array).map_err(at)?;
        known.push(name.to_string());
        if names.is_some_and(|names| !names.contains(&name)) {
            continue;
        }
        let array = npy::decode(&entry.contents(limits).map_err(at)?, &mut budget).map_err(at)?;
        arrays.push(name, array);
    }
    if let Some(missing) = names.unwrap_or_default().iter().find(|name| arrays.get(name).is_none()) {
        return Err(source.at(missing)(Problem::Missing { known }));
    }
    Ok(arrays)
}

fn write_file(path: &Path, arrays: &Arrays, compress: bool) -> Result<(), FormatError> {
    write_atomically(path, |out| encode(arrays, out, compress)).map_err(Source(path).at("file"))
}

fn encode(arrays: &Arrays, out: &mut dyn Write, compress: bool) -> io::Result<()> {
    let mut zip = zip::Writer::new(out);
    for (name, array) in arrays.iter() {
        let mut contents = Vec::with_capacity(array.byte_len() + 128);
        npy::encode(array, &mut contents)?;
        zip.add(&format!("{name}.npy"), &contents, compress)?;
    }
    zip.finish()
}
