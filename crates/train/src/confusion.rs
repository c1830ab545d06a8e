//! Which class was taken for which.

use std::fmt;

use ndarray::Array2;

use crate::record::Metrics;

/// Counts of true class (row) against predicted class (column), and what follows from them.
///
/// ```
/// use striate_train::Confusion;
///
/// let mut confusion = Confusion::new(&["cat", "dog"]);
/// confusion.add(&[0, 0, 1, 1], &[0, 1, 1, 1]);
/// assert_eq!(confusion.accuracy(), 0.75);
/// assert_eq!(confusion.precision(1), Some(2.0 / 3.0));
/// assert_eq!(confusion.recall(0), Some(0.5));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    classes: Vec<String>,
    counts: Array2<usize>,
}

impl Confusion {
    /// No sample yet.
    pub fn new<S: AsRef<str>>(classes: &[S]) -> Self {
        let classes: Vec<String> = classes.iter().map(|class| class.as_ref().to_string()).collect();
        Confusion { counts: Array2::zeros((classes.len(), classes.len())), classes }
    }

    /// Counts samples.
    ///
    /// # Panics
    /// When a class does not exist, or there are not as many labels as predictions.
    #[track_caller]
    pub fn add(&mut self, labels: &[usize], predictions: &[usize]) {
        assert_eq!(labels.len(), predictions.len(), "confusion: labels and predictions differ in number");
        for (&label, &prediction) in labels.iter().zip(predictions) {
            self.counts[(label, prediction)] += 1;
        }
    }

    /// The counts: row = true class, column = predicted class.
    pub fn counts(&self) -> &Array2<usize> {
        &self.counts
    }

    /// The classes' names.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Share of samples on the diagonal; 0 without samples.
    pub fn accuracy(&self) -> f64 {
        self.counts.diag().sum() as f64 / self.counts.sum().max(1) as f64
    }

    /// Of those predicted as `class`, the share that are; `None` when none was.
    pub fn precision(&self, class: usize) -> Option<f64> {
        share(self.counts[(class, class)], self.counts.column(class).sum())
    }

    /// Of those that are `class`, the share predicted so; `None` when there is none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        share(self.counts[(class, class)], self.counts.row(class).sum())
    }

    /// The accuracy, as metrics.
    pub fn metrics(&self) -> Metrics {
        Metrics::from([("accuracy".to_string(), self.accuracy())])
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl fmt::Display for Confusion {
    /// The per-class table, then the matrix.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let name = self.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0).max(5);
        let percent =
            |share: Option<f64>| share.map_or("–".to_string(), |share| format!("{:.1} %", 100.0 * share));
        writeln!(f, "{:<name$}  precision    recall  samples", "class")?;
        for (class, label) in self.classes.iter().enumerate() {
            let samples = self.counts.row(class).sum();
            let (precision, recall) = (percent(self.precision(class)), percent(self.recall(class)));
            writeln!(f, "{label:<name$}  {precision:>9} {recall:>9}  {samples:>7}")?;
        }
        let largest = self.counts.iter().max().copied().unwrap_or(0);
        let width = largest.to_string().len().max((self.classes.len().max(1) - 1).to_string().len());
        writeln!(f, "\nconfusion matrix: true class down, predicted class across, by number")?;
        write!(f, "{:name$}  ", "")?;
        (0..self.classes.len()).try_for_each(|class| write!(f, " {class:>width$}"))?;
        for (class, row) in self.counts.rows().into_iter().enumerate() {
            write!(f, "\n{:<name$}  ", self.classes[class])?;
            row.iter().try_for_each(|count| match count {
                0 => write!(f, " {:>width$}", "·"),
                _ => write!(f, " {count:>width$}"),
            })?;
        }
        writeln!(f)
    }
}
