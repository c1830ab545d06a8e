//! Focal and Dice losses: laws, limits, and what they refuse.

use striate_nn::losses::{
    BinaryFocalOptions, DiceOptions, DiceOver, FocalOptions, binary_focal_loss, dice_loss, focal_loss,
};
use striate_nn::{CrossEntropyOptions, Reduction, cross_entropy_with};
use striate_tensor::Tensor;
use striate_tensor::ops::CloseOptions;

fn logits(shape: &[usize]) -> Tensor<f64> {
    let count = shape.iter().product();
    Tensor::from_vec(shape, (0..count).map(|i| 3.0 * (i as f64 * 2.3 + 0.4).sin()).collect())
}

fn assert_close(a: &Tensor<f64>, b: &Tensor<f64>) {
    assert!(a.all_close(b, CloseOptions { rtol: 1e-12, atol: 1e-12 }), "{a:?}\n{b:?}");
}

#[test]
fn focal_without_focus_is_cross_entropy() {
    let (x, labels) = (logits(&[2, 3, 5]), [0, 2, 1, 1, 9, 2, 0, 0, 9, 1]);
    let class_weights = Some(vec![0.5, 2.0, 3.0]);
    for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
        let ignore_index = Some(9);
        let focal =
            FocalOptions { gamma: 0.0, class_weights: class_weights.clone(), ignore_index, reduction };
        let plain = CrossEntropyOptions {
            class_weights: class_weights.clone(),
            ignore_index,
            reduction,
            ..Default::default()
        };
        assert_close(&focal_loss(&x, &labels, focal), &cross_entropy_with(&x, &labels, plain));
    }
}

#[test]
fn two_classes_and_a_logit_have_one_focal_loss() {
    let (x, labels) = (logits(&[6]), [0, 1, 1, 0, 1, 0]);
    let two = Tensor::stack(&[&(&x * 0.0), &x], 1);
    let classes = FocalOptions { class_weights: Some(vec![0.75, 0.25]), ..Default::default() };
    let y = Tensor::from_vec(&[6], labels.map(|label| label as f64).to_vec());
    let binary = BinaryFocalOptions { reduction: Reduction::Sum, ..Default::default() };
    let classes = FocalOptions { reduction: Reduction::Sum, ..classes };
    assert_close(&focal_loss(&two, &labels, classes), &binary_focal_loss(&x, &y, binary));
}

#[test]
fn two_classes_and_one_channel_have_one_overlap() {
    let (x, labels) = (logits(&[2, 1, 4]), [0, 1, 1, 0, 1, 0, 9, 9]);
    let options = DiceOptions { ignore_index: Some(9), ..Default::default() };
    let both = Tensor::concat(&[&(&x * 0.0), &x], 1);
    let turned = -&x;
    let background = labels.map(|label| if label == 9 { 9 } else { 1 - label });
    let mean = (dice_loss(&x, &labels, options) + dice_loss(&turned, &background, options)) * 0.5;
    assert_close(&dice_loss(&both, &labels, options), &mean);
}

#[test]
fn overlap_of_certain_predictions_is_counted() {
    // Image 0 is right; of image 1's two pixels of class 1 one is found, and none too many.
    let x = Tensor::from_vec(
        &[2, 1, 4],
        [1.0f64, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0, -1.0].map(|x| 1e3 * x).to_vec(),
    );
    let labels = [1, 1, 0, 0, 1, 1, 0, 0];
    let loss = |over| dice_loss(&x, &labels, DiceOptions { smoothing: 0.0, over, ignore_index: None }).item();
    assert_eq!(loss(DiceOver::Image), 1.0 - (1.0 + 2.0 / 3.0) / 2.0);
    assert_eq!(loss(DiceOver::Batch), 1.0 - 6.0 / 7.0);
    let nothing = Tensor::<f64>::full(&[1, 1, 4], -1e3);
    assert_eq!(dice_loss(&nothing, &[0; 4], Default::default()).item(), 0.0);
}

#[test]
fn ignored_positions_leave_nothing_not_even_nan() {
    let x = Tensor::from_vec(&[1, 2, 2], vec![0.5f64, f64::NAN, -0.5, f64::NAN]).requires_grad();
    let dice = DiceOptions { ignore_index: Some(255), ..Default::default() };
    let focal = FocalOptions { ignore_index: Some(255), ..Default::default() };
    for loss in [dice_loss(&x, &[1, 255], dice), focal_loss(&x, &[1, 255], focal)] {
        let dx = loss.backward().get(&x).expect("a gradient").to_vec();
        assert!(loss.item().is_finite() && dx[0] != 0.0, "{loss:?}, {dx:?}");
        assert_eq!([dx[1], dx[3]], [0.0, 0.0]);
    }
}

#[test]
#[should_panic(expected = "dice_loss: label 2 at position 5 is out of range: there are 2 classes")]
fn a_label_of_one_channel_is_0_or_1() {
    dice_loss(&logits(&[2, 1, 3]), &[0, 1, 1, 0, 0, 2], Default::default());
}

#[test]
#[should_panic(expected = "focal_loss: label 255 at position 1 is out of range: there are 3 classes")]
fn an_unknown_label_is_named() {
    focal_loss(&logits(&[2, 3]), &[0, 255], Default::default());
}

#[test]
#[should_panic(expected = "dice_loss: labels must be [2, 3, 4], or as many in one axis")]
fn masks_are_as_large_as_the_scores() {
    dice_loss(&logits(&[2, 5, 3, 4]), &[0; 12], Default::default());
}
