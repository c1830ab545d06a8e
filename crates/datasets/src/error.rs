//! What can be wrong with data from outside.

use std::path::PathBuf;

use striate_formats::FormatError;

/// What was wrong with data from outside: the file, the place in it, what was expected and what came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The operating system refused, or a compressed stream is broken.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// An npz file is wrong.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// None of the files that were looked for is there.
    #[error("{}: looked for {}", folder.display(), looked_for.join(", "))]
    Missing {
        /// Where.
        folder: PathBuf,
        /// What would have done.
        looked_for: Vec<String>,
    },
    /// A field of a header has a wrong value.
    #[error("{}: {field} at byte {offset}: expected {expected}, found {found}", file.display())]
    Field {
        /// The file.
        file: PathBuf,
        /// Where the field stands, in the uncompressed data.
        offset: u64,
        /// Which field.
        field: &'static str,
        /// What the format allows.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The file ends too early.
    #[error("{}: {field} at byte {offset} needs {needs} bytes, only {has} are there", file.display())]
    Truncated {
        /// The file.
        file: PathBuf,
        /// The part that is cut off.
        field: &'static str,
        /// Where it begins, in the uncompressed data.
        offset: u64,
        /// Bytes that it needs.
        needs: u64,
        /// Bytes that are there.
        has: u64,
    },
    /// The file goes on after the end that its header promises.
    #[error("{}: the data go on after byte {end}, where the header says that they end", file.display())]
    Trailing {
        /// The file.
        file: PathBuf,
        /// Where the data should end, uncompressed.
        end: u64,
    },
    /// The file asks for more memory than is granted.
    #[error("{}: {found} bytes of data, at most {limit} are allowed", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// What is granted.
        limit: u64,
        /// What the file asks for.
        found: u128,
    },
    /// A label is not one of the classes.
    #[error("{}: label {label} of sample {sample}, there are {classes} classes", file.display())]
    Label {
        /// The file.
        file: PathBuf,
        /// Which sample, from 0.
        sample: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A pixel's label is not one of the classes.
    #[error("{}: label {label} at row {row}, column {column} of mask {sample}, there are {classes} classes", file.display())]
    MaskLabel {
        /// The file.
        file: PathBuf,
        /// Which mask, from 0.
        sample: usize,
        /// The pixel's row.
        row: usize,
        /// The pixel's column.
        column: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// Samples and labels (or targets) are not equally many.
    #[error("{}: {samples} samples, but {labels} labels", file.display())]
    Counts {
        /// The file of the labels.
        file: PathBuf,
        /// Number of samples.
        samples: usize,
        /// Number of labels.
        labels: usize,
    },
    /// An array has an unusable shape.
    #[error("{}: expected {expected}, found shape {found:?}", file.display())]
    Shape {
        /// The file.
        file: PathBuf,
        /// What is needed.
        expected: &'static str,
        /// The array's shape.
        found: Vec<usize>,
    },
    /// A cell or a line of a CSV file is wrong.
    #[error("{}: line {line}, column {column}: expected {expected}, found {found:?}", file.display())]
    Cell {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column's name or number, from 0.
        column: String,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A picture cannot be decoded.
    #[error("{}: {problem}", file.display())]
    Picture {
        /// The file.
        file: PathBuf,
        /// The decoder's reason.
        problem: String,
    },
    /// A picture has another size than the first one.
    #[error("{}: {found:?} pixels (width, height), but {} has {expected:?}", file.display(), first.display())]
    PictureSize {
        /// The file that differs.
        file: PathBuf,
        /// Its width and height.
        found: (u32, u32),
        /// The first file.
        first: PathBuf,
        /// The first one's width and height.
        expected: (u32, u32),
    },
    /// A text holds a character that the vocabulary does not.
    #[error("character {character:?} at byte {offset} is not in the vocabulary")]
    Character {
        /// The character.
        character: char,
        /// Where it stands.
        offset: usize,
    },
}
