//! What can be wrong with a file.

use std::path::{Path, PathBuf};

use crate::Dtype;

/// A file that could not be read or written: which file, which entry or field of it, and the problem.
#[derive(Debug, thiserror::Error)]
#[error("{}: {entry}: {problem}", file.display())]
pub struct FormatError {
    /// The file, or `<memory>` for bytes that were handed over.
    pub file: PathBuf,
    /// The array's name, or the part of the file (`header`, `central directory`, …).
    pub entry: String,
    /// What was expected and what came.
    pub problem: Problem,
}

/// What was expected of a file and what came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The bytes that mark the format are not there.
    #[error("expected {expected}, found {found:02x?}")]
    Magic {
        /// What the format starts with.
        expected: &'static str,
        /// What stands there.
        found: Vec<u8>,
    },
    /// The file ends too early.
    #[error("{field} needs {needs} bytes, the file has {has}")]
    Truncated {
        /// The part that does not fit.
        field: &'static str,
        /// Bytes that it needs.
        needs: u64,
        /// Bytes that are there.
        has: u64,
    },
    /// The file goes on after its end.
    #[error("the file should end after {expected} bytes, it has {found}")]
    Trailing {
        /// Where the last entry ends.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// A header field cannot be understood.
    #[error("{field}: expected {expected}, found {found}")]
    Header {
        /// The field.
        field: &'static str,
        /// What the format allows.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// More than the caller's [`Limits`](crate::Limits) allow, or more than the format can hold.
    #[error("{what}: at most {limit} are allowed, found {found}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What the file claims.
        found: u64,
    },
    /// The number of bytes of an array does not fit an address.
    #[error("the size of shape {shape:?} of {dtype} overflows")]
    Overflow {
        /// The claimed shape.
        shape: Vec<usize>,
        /// The claimed element type.
        dtype: Dtype,
    },
    /// The bytes of an array are not as many as its shape and type need.
    #[error("shape {shape:?} of {dtype} needs {expected} bytes, found {found}")]
    Size {
        /// The claimed shape.
        shape: Vec<usize>,
        /// The claimed element type.
        dtype: Dtype,
        /// Bytes that shape and type need.
        expected: u64,
        /// Bytes that the file gives.
        found: u64,
    },
    /// Two entries overlap, or there is a hole between them.
    #[error("data expected at offset {expected}, found at {found}")]
    Offset {
        /// Where the data should begin (or may begin at the earliest).
        expected: u64,
        /// Where it is said to begin.
        found: u64,
    },
    /// Valid, but not supported here.
    #[error("{what} {found} is not supported")]
    Unsupported {
        /// What kind of thing.
        what: &'static str,
        /// Which one.
        found: String,
    },
    /// A Python pickle: it could run code, and is never loaded.
    #[error("holds pickled Python objects ({0}), which are never loaded")]
    Pickle(String),
    /// No array has that name.
    #[error("there is no such array among {}", known.join(", "))]
    Missing {
        /// The names that there are.
        known: Vec<String>,
    },
    /// A name is used twice.
    #[error("the name is used twice")]
    Duplicate,
    /// The data are not those that were written.
    #[error("checksum is {found:08x}, expected {expected:08x}")]
    Checksum {
        /// The stored checksum.
        expected: u32,
        /// The checksum of the data.
        found: u32,
    },
    /// The compressed stream is broken.
    #[error("broken deflate stream: {0}")]
    Inflate(String),
}

/// Puts the file's name on problems.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a>(pub(crate) &'a Path);

impl Source<'_> {
    pub(crate) fn memory() -> Source<'static> {
        Source(Path::new("<memory>"))
    }

    /// For `map_err`: a problem of `entry` in this file.
    pub(crate) fn at<P: Into<Problem>>(self, entry: &str) -> impl FnOnce(P) -> FormatError {
        move |problem| FormatError {
            file: self.0.to_path_buf(),
            entry: entry.to_string(),
            problem: problem.into(),
        }
    }
}
