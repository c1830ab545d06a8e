//! The usual step and evaluation of a classifier.

use striate_datasets::{Batch, Dataset, Labelled};
use striate_nn::Module;
use striate_nn::losses::cross_entropy;
use striate_tensor::{Tensor, no_grad};

use crate::confusion::Confusion;
use crate::record::{Metrics, RunningMean};
use crate::trainer::Step;

/// Cross-entropy of a batch, with the accuracy.
///
/// # Panics
/// When the network does not take the batch's pictures or gives too few classes.
pub fn step(net: &impl Module, batch: &Batch) -> Step {
    let logits = net.forward(&Tensor::from(batch.images.view()));
    let right =
        logits.argmax_dim(-1, false).iter().zip(&batch.labels).filter(|(p, label)| p == label).count();
    let accuracy = right as f64 / batch.labels.len() as f64;
    Step {
        loss: cross_entropy(&logits, &batch.labels),
        samples: batch.labels.len(),
        metrics: vec![("accuracy", accuracy)],
    }
}

/// How many labels are among the `k` classes of the largest logits (N, classes); of equal logits the first are taken.
///
/// ```
/// use striate_tensor::Tensor;
/// use striate_train::classification::top_k;
///
/// let logits = Tensor::from_vec(&[2, 3], vec![0.1, 0.7, 0.2, 5.0, 5.0, 5.0]);
/// assert_eq!([1, 2, 3].map(|k| top_k(&logits, &[2, 2], k)), [0, 1, 2]);
/// ```
///
/// # Panics
/// When there is not one label below the number of classes for each row.
#[track_caller]
pub fn top_k(logits: &Tensor, labels: &[usize], k: usize) -> usize {
    let &[n, classes] = logits.shape() else {
        panic!("top_k: logits must be (N, C), are {:?}", logits.shape())
    };
    assert_eq!(n, labels.len(), "top_k: logits and labels differ in number");
    let logits = logits.to_vec();
    let found = logits.chunks(classes.max(1)).zip(labels).filter(|(row, label)| {
        let own = row[**label];
        // No logit is worse than NaN, so that a label with it is not found.
        let worse = |i: usize, y: f32| y < own || (y == own && i >= **label);
        let before = row.iter().enumerate().filter(|&(i, &y)| !worse(i, y));
        before.count() < k
    });
    found.count()
}

/// What a classifier does on a data set.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Mean cross-entropy in nats.
    pub loss: f64,
    /// Who was taken for whom.
    pub confusion: Confusion,
    /// The predicted class of every sample.
    pub predictions: Vec<usize>,
}

impl Evaluation {
    /// Loss and accuracy.
    pub fn metrics(&self) -> Metrics {
        let mut metrics = self.confusion.metrics();
        metrics.insert("loss".to_string(), self.loss);
        metrics
    }
}

/// Evaluates a classifier in batches, without a tape. Set the store to evaluation first; [`crate::Trainer`] does.
pub fn evaluate(net: &impl Module, data: &Labelled, batch_size: usize) -> Evaluation {
    let mut mean = RunningMean::default();
    let mut confusion = Confusion::new(data.classes());
    let mut predictions = Vec::with_capacity(data.len());
    no_grad(|| {
        for batch in data.batches(batch_size) {
            let logits = net.forward(&Tensor::from(batch.images));
            mean.add([("loss", cross_entropy(&logits, &batch.labels).item())], batch.labels.len());
            let predicted = logits.argmax_dim(-1, false).into_raw_vec_and_offset().0;
            confusion.add(&batch.labels, &predicted);
            predictions.extend(predicted);
        }
    });
    Evaluation { loss: mean.means().get("loss").copied().unwrap_or(0.0), confusion, predictions }
}
