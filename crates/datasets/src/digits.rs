//! The embedded handwritten digits.

use std::sync::LazyLock;

use ndarray::Axis;
use striate_formats::{Arrays, Limits, npz};

use crate::{Labelled, Split};

/// 1,797 handwritten digits of 8×8 pixels: pictures (N, 1, 8, 8) with values in 0..=1, and ten classes.
///
/// 1,437 are for training and 360 for testing, stratified, always the same ones. They are embedded, and decoded at the
/// first call.
///
/// Source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits* (the test part), UCI Machine
/// Learning Repository 1998, [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49), licence CC BY 4.0; the values
/// 0..=16 are divided by 16. scikit-learn: `load_digits`.
///
/// ```
/// use striate_datasets::{Dataset, digits};
/// let digits = digits();
/// assert_eq!((digits.train().len(), digits.test().len()), (1437, 360));
/// assert_eq!(digits.test().images().shape(), [360, 1, 8, 8]);
/// assert_eq!(digits.train().classes()[7], "7");
/// ```
pub fn digits() -> &'static Split {
    static DIGITS: LazyLock<Split> = LazyLock::new(|| {
        let file = include_bytes!("../data/digits.npz");
        let arrays = npz::from_bytes(file, &Limits::default()).expect("the embedded file is whole");
        Split::new(part(&arrays, "train"), part(&arrays, "test"))
    });
    &DIGITS
}

fn part(arrays: &Arrays, name: &str) -> Labelled {
    let images = arrays[&format!("{name}_images")].to_f32() / 16.0;
    let labels = arrays[&format!("{name}_labels")].to_indices().expect("labels are integers");
    let classes = (0..10).map(|digit: usize| digit.to_string());
    Labelled::new(images.insert_axis(Axis(1)), labels, classes).expect("the embedded file is whole")
}
