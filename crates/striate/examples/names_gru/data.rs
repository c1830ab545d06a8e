//! Names as numbers, and what counting letters makes of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use ndarray::Array2;
use striate::compute::rng::Rng;
use striate::datasets::{Dataset, Vocabulary, names};

/// What stands before and after a name; as the first character of the vocabulary it has number 0.
pub(crate) const EDGE: char = '\n';

/// The label of a place after a name's end.
pub(crate) const PADDING: usize = usize::MAX;

/// Names as numbers, an edge before and after each.
#[derive(Clone)]
pub(crate) struct Names(Arc<Vec<Vec<usize>>>);

/// Names padded to the longest of them.
pub(crate) struct NameBatch {
    /// (T, N)
    pub(crate) letters: Array2<usize>,
    /// The letter after each, (T, N).
    pub(crate) next: Array2<usize>,
    pub(crate) lengths: Vec<usize>,
}

impl Names {
    pub(crate) fn new(names: &[&str], vocabulary: &Vocabulary) -> Self {
        let encode = |name: &&str| vocabulary.encode(&format!("{EDGE}{name}{EDGE}")).expect("known letters");
        Names(Arc::new(names.iter().map(encode).collect()))
    }
}

impl Dataset for Names {
    type Batch = NameBatch;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn gather(&self, indices: &[usize]) -> NameBatch {
        let name = |n: usize| &self.0[indices[n]];
        let lengths: Vec<usize> = (0..indices.len()).map(|n| name(n).len() - 1).collect();
        let shape = (lengths.iter().copied().max().unwrap_or(0), indices.len());
        let letter = |t: usize, n: usize| name(n).get(t).copied();
        NameBatch {
            letters: Array2::from_shape_fn(shape, |(t, n)| letter(t, n).unwrap_or(0)),
            next: Array2::from_shape_fn(shape, |(t, n)| letter(t + 1, n).unwrap_or(PADDING)),
            lengths,
        }
    }
}

/// Nine tenths of the different names to learn, and one tenth held out: the same for all seeds.
pub(crate) fn split() -> (Vec<&'static str>, Vec<&'static str>) {
    let mut names = Vec::from_iter(BTreeSet::from_iter(names().iter().copied()));
    Rng::named(0, "held-out names").shuffle(&mut names);
    let held_out = names.split_off(names.len() - names.len() / 10);
    (names, held_out)
}

/// Cross-entropy on `names`, in nats, of P(b after a) by counting pairs of letters in `training`, each once more than it
/// is there: what the network has to be better than.
pub(crate) fn pair_loss(training: &Names, names: &Names, letters: usize) -> f64 {
    let pairs = |names: &Names| -> Vec<[usize; 2]> {
        names.0.iter().flat_map(|name| name.array_windows::<2>().copied()).collect()
    };
    let mut counts = Array2::from_elem((letters, letters), 1.0);
    pairs(training).into_iter().for_each(|pair| counts[pair] += 1.0);
    let nats = |[first, second]: [usize; 2]| f64::ln(counts.row(first).sum() / counts[[first, second]]);
    let pairs = pairs(names);
    pairs.iter().map(|&pair| nats(pair)).sum::<f64>() / pairs.len() as f64
}
