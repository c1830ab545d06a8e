//! Which class was taken for which.

use std::fmt;

use ndarray::Array2;

use crate::record::Metrics;

/// Counts of true class (row) against predicted class (column) of samples or of pixels, and what follows from them.
///
/// With t, f⁺ and f⁻ the right, the wrong and the missing predictions of a class: precision t / (t + f⁺), recall
/// t / (t + f⁻), intersection over union (Jaccard) t / (t + f⁺ + f⁻), Dice (F₁) 2 t / (2 t + f⁺ + f⁻).
///
/// ```
/// use striate_train::Confusion;
///
/// let mut confusion = Confusion::new(&["cat", "dog"]);
/// confusion.add(&[0, 0, 1, 1], &[0, 1, 1, 1]);
/// assert_eq!(confusion.accuracy(), 0.75);
/// assert_eq!(confusion.precision(1), Some(2.0 / 3.0));
/// assert_eq!(confusion.recall(0), Some(0.5));
/// assert_eq!((confusion.iou(1), confusion.dice(1)), (Some(2.0 / 3.0), Some(0.8)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    classes: Vec<String>,
    counts: Array2<usize>,
    ignored: Option<usize>,
}

impl Confusion {
    /// No sample yet.
    pub fn new<S: AsRef<str>>(classes: &[S]) -> Self {
        let classes: Vec<String> = classes.iter().map(|class| class.as_ref().to_string()).collect();
        Confusion { counts: Array2::zeros((classes.len(), classes.len())), classes, ignored: None }
    }

    /// Leaves out what has this label.
    pub fn ignoring(self, label: Option<usize>) -> Self {
        Confusion { ignored: label, ..self }
    }

    /// Counts samples, or pixels: slices, arrays or anything else that gives labels.
    ///
    /// # Panics
    /// When a class does not exist, or there are not as many labels as predictions.
    #[track_caller]
    pub fn add<'a>(
        &mut self,
        labels: impl IntoIterator<Item = &'a usize, IntoIter: ExactSizeIterator>,
        predictions: impl IntoIterator<Item = &'a usize, IntoIter: ExactSizeIterator>,
    ) {
        let (labels, predictions) = (labels.into_iter(), predictions.into_iter());
        assert_eq!(labels.len(), predictions.len(), "confusion: labels and predictions differ in number");
        let classes = self.classes.len();
        for (position, (&label, &prediction)) in labels.zip(predictions).enumerate() {
            if Some(label) == self.ignored {
                continue;
            }
            assert!(
                label.max(prediction) < classes,
                "confusion: label {label} and prediction {prediction} at position {position}, there are {classes} classes"
            );
            self.counts[(label, prediction)] += 1;
        }
    }

    /// Counts what another one counted, too.
    ///
    /// # Panics
    /// When it has other classes.
    #[track_caller]
    pub fn merge(&mut self, other: &Confusion) {
        assert_eq!(self.classes, other.classes, "confusion: merged counts must be of the same classes");
        self.counts += &other.counts;
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

    /// Intersection over union of truth and prediction; `None` when neither has the class.
    pub fn iou(&self, class: usize) -> Option<f64> {
        let [both, either] = self.overlap(class);
        share(both, either)
    }

    /// The Dice coefficient of truth and prediction; `None` when neither has the class.
    pub fn dice(&self, class: usize) -> Option<f64> {
        let [both, either] = self.overlap(class);
        share(2 * both, both + either)
    }

    /// The mean of [`iou`](Self::iou) over the classes that have one.
    pub fn mean_iou(&self) -> f64 {
        self.mean(Self::iou)
    }

    /// The mean of [`dice`](Self::dice) over the classes that have one.
    pub fn mean_dice(&self) -> f64 {
        self.mean(Self::dice)
    }

    fn mean(&self, measure: impl Fn(&Self, usize) -> Option<f64>) -> f64 {
        let values: Vec<f64> = (0..self.classes.len()).filter_map(|class| measure(self, class)).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    }

    /// What is of a class in truth and prediction, and in one of them.
    fn overlap(&self, class: usize) -> [usize; 2] {
        let both = self.counts[(class, class)];
        [both, self.counts.row(class).sum() + self.counts.column(class).sum() - both]
    }

    /// A table of pixels: overlap, precision, recall and number of each class, and the means.
    pub fn pixel_table(&self) -> String {
        let name = self.name_width();
        let mut table = format!("{:<name$}       IoU      Dice precision    recall     pixels\n", "class");
        for (class, label) in self.classes.iter().enumerate() {
            let measures = [self.iou(class), self.dice(class), self.precision(class), self.recall(class)];
            let [iou, dice, precision, recall] = measures.map(percent);
            let pixels = self.counts.row(class).sum();
            table += &format!("{label:<name$} {iou:>9} {dice:>9} {precision:>9} {recall:>9} {pixels:>10}\n");
        }
        let [iou, dice, accuracy] =
            [self.mean_iou(), self.mean_dice(), self.accuracy()].map(|m| percent(Some(m)));
        table + &format!("{:<name$} {iou:>9} {dice:>9}   pixel accuracy {accuracy}\n", "mean")
    }

    fn name_width(&self) -> usize {
        self.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0).max(5)
    }

    /// The accuracy, as metrics.
    pub fn metrics(&self) -> Metrics {
        Metrics::from([("accuracy".to_string(), self.accuracy())])
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_string(), |share| format!("{:.1} %", 100.0 * share))
}

impl fmt::Display for Confusion {
    /// The per-class table, then the matrix.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let name = self.name_width();
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
