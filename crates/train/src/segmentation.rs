//! The usual evaluation of a network that labels every pixel.

use ndarray::{Array3, Axis, Ix3};
use striate_datasets::{Dataset, Segmentation, SegmentationBatch};
use striate_nn::{CrossEntropyOptions, Module, cross_entropy_with};
use striate_tensor::{Tensor, no_grad};

use crate::confusion::Confusion;
use crate::record::{Metrics, RunningMean};

/// What a network makes of the pixels of a data set.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Mean cross-entropy of a pixel in nats.
    pub loss: f64,
    /// Who was taken for whom, the pixels of all images pooled.
    pub confusion: Confusion,
    /// The same for each image.
    pub images: Vec<Confusion>,
    /// The predicted class of every pixel (N, H, W).
    pub predictions: Array3<usize>,
}

impl Evaluation {
    /// The mean over the images of the Dice coefficient of a class, those that neither have nor predict it left out.
    pub fn dice_per_image(&self, class: usize) -> f64 {
        let values: Vec<f64> = self.images.iter().filter_map(|image| image.dice(class)).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    }

    /// Loss, accuracy of pixels, and mean IoU and Dice coefficient of the classes.
    pub fn metrics(&self) -> Metrics {
        let mut metrics = self.confusion.metrics();
        let others =
            [("loss", self.loss), ("iou", self.confusion.mean_iou()), ("dice", self.confusion.mean_dice())];
        metrics.extend(others.map(|(name, value)| (name.to_string(), value)));
        metrics
    }
}

/// Evaluates a network that maps images (N, C, H, W) to logits (N, classes, H, W), in batches, without a tape. Set the
/// store to evaluation first; [`crate::Trainer`] does.
///
/// ```
/// use ndarray::{Array3, Array4};
/// use striate_datasets::Segmentation;
/// use striate_tensor::Tensor;
/// use striate_train::segmentation;
///
/// let images = Array4::from_shape_fn((2, 1, 3, 4), |(_, _, _, x)| x as f32 - 2.0).into_dyn();
/// let masks = Array3::from_shape_fn((2, 3, 4), |(_, _, x)| usize::from(x >= 2));
/// let data = Segmentation::new(images, masks, ["left", "right"], None)?;
/// let net = |x: &Tensor| Tensor::concat(&[&(-x), x], 1);
/// let evaluation = segmentation::evaluate(&net, &data, 2);
/// assert_eq!(evaluation.confusion.dice(0), Some(8.0 / 10.0)); // at x = 2 both logits are 0, the first wins
/// println!("{}", evaluation.confusion.pixel_table());
/// # Ok::<(), striate_datasets::DatasetError>(())
/// ```
pub fn evaluate(net: &(impl Module + ?Sized), data: &Segmentation, batch_size: usize) -> Evaluation {
    let options = CrossEntropyOptions { ignore_index: data.ignored(), ..Default::default() };
    let none = Confusion::new(data.classes()).ignoring(data.ignored());
    let (mut mean, mut confusion, mut images) = (RunningMean::default(), none.clone(), Vec::new());
    let mut predictions = Array3::zeros(data.masks().dim());
    no_grad(|| {
        for SegmentationBatch { images: x, masks } in data.batches(batch_size) {
            let logits = net.forward(&Tensor::from(x));
            let loss = cross_entropy_with(&logits, &masks, options.clone());
            mean.add([("loss", loss.item())], masks.len_of(Axis(0)));
            let predicted = logits.argmax_dim(1, false).into_dimensionality::<Ix3>().expect("(N, H, W)");
            for (mask, predicted) in masks.outer_iter().zip(predicted.outer_iter()) {
                let mut image = none.clone();
                image.add(&mask, &predicted);
                confusion.merge(&image);
                predictions.index_axis_mut(Axis(0), images.len()).assign(&predicted);
                images.push(image);
            }
        }
    });
    Evaluation { loss: mean.means().get("loss").copied().unwrap_or(0.0), confusion, images, predictions }
}
