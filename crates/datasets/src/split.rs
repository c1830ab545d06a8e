//! Dividing samples into a part to learn from and a part to judge by.

use striate_compute::rng::Rng;

use crate::{Dataset, Labelled};

/// A data set in two parts: one to learn from, one to judge by.
#[derive(Clone, Debug, PartialEq)]
pub struct Split<D = Labelled> {
    train: D,
    test: D,
}

impl<D> Split<D> {
    /// Two parts that are given.
    pub fn new(train: D, test: D) -> Self {
        Self { train, test }
    }

    /// The part to learn from.
    pub fn train(&self) -> &D {
        &self.train
    }

    /// The part to judge by.
    pub fn test(&self) -> &D {
        &self.test
    }
}

impl Labelled {
    /// Divides the samples at random, `fraction` of every class (rounded) into the test part: a stratified split.
    ///
    /// The same seed gives the same parts; both keep the order of the samples.
    /// scikit-learn: `train_test_split(stratify=labels)`.
    ///
    /// # Panics
    /// When `fraction` is not in 0..=1.
    ///
    /// ```
    /// use striate_datasets::{Dataset, digits};
    /// let split = digits().train().split(0.2, 0);
    /// assert_eq!((split.train().len(), split.test().len()), (1150, 287));
    /// ```
    #[track_caller]
    pub fn split(&self, fraction: f64, seed: u64) -> Split {
        assert!((0.0..=1.0).contains(&fraction), "split: the fraction must be in 0..=1, got {fraction}");
        let mut in_test = vec![false; self.len()];
        for class in 0..self.classes().len() {
            let mut members: Vec<usize> = (0..self.len()).filter(|&i| self.labels()[i] == class).collect();
            Rng::named(seed, "split").stream(class as u64).shuffle(&mut members);
            let count = (members.len() as f64 * fraction).round() as usize;
            members[..count].iter().for_each(|&i| in_test[i] = true);
        }
        let (test, train): (Vec<usize>, Vec<usize>) = (0..self.len()).partition(|&i| in_test[i]);
        Split::new(self.select(&train), self.select(&test))
    }
}
