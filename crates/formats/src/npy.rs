//! One array in a `.npy` file, as `numpy.save` and `numpy.load` write and read it.
//!
//! Versions 1.0 to 3.0, all integer, boolean and float types, both byte orders, C and Fortran order are read;
//! C order, little-endian is written. Object arrays (pickles), structured, complex and string types are refused.

use std::io::{self, Write};
use std::path::Path;

use crate::error::Source;
use crate::limits::Budget;
use crate::npy_header::NpyHeader;
use crate::{AnyArray, FormatError, Limits, Problem, write_atomically};

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Reads an array from a `.npy` file (`numpy.load`).
///
/// # Errors
/// The file cannot be read, is not an NPY file, or asks for more than the limits.
///
/// ```
/// use ndarray::arr1;
/// use striate_formats::{Limits, npy};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("steps.npy");
/// npy::write(&file, &arr1(&[1i64, 2, 3]).into())?;
/// assert_eq!(npy::read(&file, &Limits::default())?.to_i64(), Some(vec![1, 2, 3]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<AnyArray, FormatError> {
    let source = Source(path.as_ref());
    let bytes = read_file(source, limits)?;
    decode(&bytes, &mut Budget::new(limits)).map_err(source.at("array"))
}

/// Reads an array from the bytes of a `.npy` file; errors as [`read`].
pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<AnyArray, FormatError> {
    decode(bytes, &mut Budget::new(limits)).map_err(Source::memory().at("array"))
}

/// Writes an array to a `.npy` file (`numpy.save`), atomically.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: impl AsRef<Path>, array: &AnyArray) -> Result<(), FormatError> {
    let path = path.as_ref();
    write_atomically(path, |out| encode(array, out)).map_err(Source(path).at("array"))
}

pub(crate) fn read_file(source: Source, limits: &Limits) -> Result<Vec<u8>, FormatError> {
    use std::io::Read;
    let io = |error: io::Error| source.at("file")(error);
    let file = std::fs::File::open(source.0).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    limits.check_file(length).map_err(source.at("file"))?;
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(limits.max_bytes).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

pub(crate) fn decode(bytes: &[u8], budget: &mut Budget) -> Result<AnyArray, Problem> {
    if !bytes.starts_with(MAGIC) {
        let found = bytes[..bytes.len().min(MAGIC.len())].to_vec();
        return Err(Problem::Magic { expected: r"\x93NUMPY", found });
    }
    let length_of = |field, needs: usize| {
        let truncated = Problem::Truncated { field, needs: needs as u64, has: bytes.len() as u64 };
        bytes.get(..needs).ok_or(truncated)
    };
    let start = length_of("NPY version", 8)?;
    let (text_start, text_len): (usize, usize) = match start[6] {
        1 => (
            10,
            u16::from_le_bytes(length_of("NPY header length", 10)?[8..].try_into().expect("2 bytes"))
                as usize,
        ),
        2 | 3 => (
            12,
            u32::from_le_bytes(length_of("NPY header length", 12)?[8..].try_into().expect("4 bytes"))
                as usize,
        ),
        _ => {
            return Err(Problem::Unsupported {
                what: "NPY version",
                found: format!("{}.{}", start[6], start[7]),
            });
        }
    };
    let data_start = text_start.saturating_add(text_len);
    let text = &length_of("NPY header", data_start)?[text_start..];
    let not_text = || Problem::Header {
        field: "NPY header",
        expected: "text",
        found: text[..text.len().min(40)].escape_ascii().to_string(),
    };
    let header = NpyHeader::parse(std::str::from_utf8(text).map_err(|_| not_text())?, budget.max_rank())?;

    let (NpyHeader { dtype, shape, fortran, .. }, data) = (&header, &bytes[data_start..]);
    let expected = budget.claim(*dtype, shape)?;
    if data.len() != expected {
        let (expected, found) = (expected as u64, data.len() as u64);
        return Err(Problem::Size { shape: shape.clone(), dtype: *dtype, expected, found });
    }
    if header.big_endian && dtype.size() > 1 {
        let mut data = data.to_vec();
        data.chunks_exact_mut(dtype.size()).for_each(<[u8]>::reverse);
        return dtype.decode(&data, shape, *fortran);
    }
    dtype.decode(data, shape, *fortran)
}

pub(crate) fn encode(array: &AnyArray, out: &mut dyn Write) -> io::Result<()> {
    let text = NpyHeader::text(array.dtype(), array.shape());
    // Blanks and a newline, so that the data begin at a multiple of 64 bytes. Version 2 for very many axes.
    let padded = |start: usize| (start + text.len() + 1).next_multiple_of(64) - start;
    out.write_all(MAGIC)?;
    let width = match u16::try_from(padded(10)) {
        Ok(length) => {
            out.write_all(&[1, 0])?;
            out.write_all(&length.to_le_bytes())?;
            length as usize
        }
        Err(_) => {
            let length = padded(12);
            out.write_all(&[2, 0])?;
            out.write_all(&(length as u32).to_le_bytes())?;
            length
        }
    };
    writeln!(out, "{text}{}", " ".repeat(width - text.len() - 1))?;
    array.write_elements(out)
}
