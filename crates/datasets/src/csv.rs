//! Tables of numbers as text, one sample a line.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use ndarray::Array2;

use crate::input::{MAX_BYTES, read_file};
use crate::{DatasetError, Labelled, Regression};

/// How a CSV file is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// Whether the first line names the columns. Default: true.
    pub header: bool,
    /// What stands between two cells. Default: a comma.
    pub delimiter: u8,
    /// The column of the label or target. Default: the last one.
    pub label: Column,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { header: true, delimiter: b',', label: Column::Last }
    }
}

/// A column of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The last one.
    Last,
    /// By number, from 0.
    Index(usize),
    /// By the name in the first line.
    Name(String),
}

/// Reads samples with a class label: features (N, D) in the order of the columns.
///
/// The labels may be any text; the classes are the distinct labels in order (of number, if all are integers).
///
/// # Errors
/// The file cannot be read, lines differ in length, a feature is not a finite number, or the label's column is
/// not there.
///
/// ```
/// use ndarray::arr2;
/// use striate_datasets::csv::{self, Column, CsvOptions};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("iris.csv");
/// std::fs::write(&file, "species,sepal,petal\nvirginica,6.3,6.0\nsetosa,5.1,1.4\n")?;
/// let options = CsvOptions { label: Column::Name("species".into()), ..CsvOptions::default() };
/// let iris = csv::labelled(&file, &options)?;
/// assert_eq!(iris.classes(), ["setosa", "virginica"]);
/// assert_eq!(iris.labels(), [1, 0]);
/// assert_eq!(iris.features(), arr2(&[[6.3, 6.0], [5.1, 1.4]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn labelled(file: impl AsRef<Path>, options: &CsvOptions) -> Result<Labelled, DatasetError> {
    let file = file.as_ref();
    let table = Table::read(file, options)?;
    let mut classes: Vec<&String> = BTreeSet::from_iter(&table.labels).into_iter().collect();
    if classes.iter().all(|class| class.parse::<i64>().is_ok()) {
        classes.sort_by_key(|class| class.parse::<i64>().expect("checked"));
    }
    let number: std::collections::HashMap<_, _> = classes.iter().enumerate().map(|(i, &c)| (c, i)).collect();
    let labels = table.labels.iter().map(|label| number[label]).collect();
    let classes = classes.into_iter().cloned().collect();
    Labelled::from_file(file, table.features.into_dyn(), labels, classes)
}

/// Reads samples with a number to predict: inputs (N, D) in the order of the columns, targets (N, 1).
///
/// # Errors
/// As [`labelled`]; the target must be a finite number, too.
///
/// ```
/// use ndarray::arr2;
/// use striate_datasets::csv::{self, CsvOptions};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("houses.csv");
/// std::fs::write(&file, "rooms,area,price\n3,72.5,210\n4,98,305\n")?;
/// let houses = csv::regression(&file, &CsvOptions::default())?;
/// assert_eq!(houses.targets(), arr2(&[[210.0], [305.0]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn regression(file: impl AsRef<Path>, options: &CsvOptions) -> Result<Regression, DatasetError> {
    let file = file.as_ref();
    let Table { features, labels, lines, label } = Table::read(file, options)?;
    let targets: Result<Vec<f32>, _> =
        labels.iter().zip(lines).map(|(cell, line)| number(file, line, &label, cell)).collect();
    let targets = Array2::from_shape_vec((labels.len(), 1), targets?).expect("one target a line");
    Regression::from_file(file, features, targets)
}

struct Table {
    features: Array2<f32>,
    labels: Vec<String>,
    lines: Vec<u64>,
    /// The name of the label's column.
    label: String,
}

impl Table {
    fn read(file: &Path, options: &CsvOptions) -> Result<Self, DatasetError> {
        read_file(file, MAX_BYTES, |reader| Self::parse(file, reader, options))
    }

    fn parse(file: &Path, reader: &mut impl Read, options: &CsvOptions) -> Result<Self, DatasetError> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(options.header)
            .delimiter(options.delimiter)
            .trim(csv::Trim::All)
            .from_reader(reader);
        let headers = reader.headers().map_err(|error| csv_error(file, error))?.clone();
        let width = headers.len();
        let names: Vec<String> = match options.header {
            true => headers.iter().map(String::from).collect(),
            false => (0..width).map(|column| column.to_string()).collect(),
        };
        let label = label_column(file, options, &names)?;

        let (mut values, mut labels, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for record in reader.records() {
            let record = record.map_err(|error| csv_error(file, error))?;
            let line = record.position().map_or(0, csv::Position::line);
            for (column, cell) in record.iter().enumerate() {
                if column == label {
                    labels.push(cell.to_string());
                } else {
                    values.push(number(file, line, &names[column], cell)?);
                }
            }
            lines.push(line);
        }
        let shape = (labels.len(), width - 1);
        let features = Array2::from_shape_vec(shape, values).expect("all lines are equally long");
        Ok(Self { features, labels, lines, label: names[label].clone() })
    }
}

fn label_column(file: &Path, options: &CsvOptions, names: &[String]) -> Result<usize, DatasetError> {
    let (found, wanted) = match &options.label {
        Column::Last => (names.len().checked_sub(1), "last".to_string()),
        Column::Index(index) => (Some(*index).filter(|&i| i < names.len()), index.to_string()),
        Column::Name(name) => (names.iter().position(|n| n == name && options.header), name.clone()),
    };
    found.ok_or_else(|| DatasetError::Cell {
        file: file.to_path_buf(),
        line: 1,
        column: wanted,
        expected: "the label's column",
        found: names.join(","),
    })
}

fn number(file: &Path, line: u64, column: &str, cell: &str) -> Result<f32, DatasetError> {
    let value = cell.parse().ok().filter(|value: &f32| value.is_finite());
    value.ok_or_else(|| DatasetError::Cell {
        file: file.to_path_buf(),
        line,
        column: column.to_string(),
        expected: "a finite number",
        found: cell.to_string(),
    })
}

fn csv_error(file: &Path, error: csv::Error) -> DatasetError {
    let file: PathBuf = file.to_path_buf();
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => DatasetError::Io { file, source },
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => DatasetError::Cell {
            file,
            line,
            column: len.min(expected_len).to_string(),
            expected: "as many cells as in the first line",
            found: format!("{len} cells, not {expected_len}"),
        },
        csv::ErrorKind::Utf8 { err, .. } => DatasetError::Cell {
            file,
            line,
            column: err.field().to_string(),
            expected: "UTF-8",
            found: err.to_string(),
        },
        other => DatasetError::Io { file, source: std::io::Error::other(format!("{other:?}")) },
    }
}
