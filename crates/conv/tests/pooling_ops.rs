//! Pooling and upsampling of tensors: the notes' figures, edge cases, errors, layers.
#![cfg(feature = "autograd")]

use ndarray::{Array2, ArrayD, array};
use striate_conv::filter::{Kernel, convolve};
use striate_conv::*;
use striate_nn::{Module, Sequential, observe};
use striate_tensor::{Tensor, no_grad};

/// One image of one channel.
fn image<const W: usize>(rows: &[[f32; W]]) -> Tensor {
    Tensor::from_vec(&[1, 1, rows.len(), W], rows.concat())
}

#[test]
fn figures_7_and_8_max_pooling() {
    let x = image(&[[1., 1., 2., 4.], [5., 6., 7., 8.], [3., 2., 1., 0.], [1., 2., 3., 4.]]);
    assert_eq!(max_pool2d(&x, 2).to_vec(), [6., 8., 3., 4.]);
}

#[test]
fn figure_13_nearest_neighbours() {
    let y = upsample_nearest2d(&image(&[[1., 2.], [3., 4.]]), 2);
    let expected = image(&[[1., 1., 2., 2.], [1., 1., 2., 2.], [3., 3., 4., 4.], [3., 3., 4., 4.]]);
    assert_eq!((y.shape(), y.to_vec()), (expected.shape(), expected.to_vec()));
}

#[test]
fn figure_14_bed_of_nails() {
    let y = bed_of_nails2d(&image(&[[1., 2.], [3., 4.]]), [2, 2]);
    let expected = image(&[[1., 0., 2., 0.], [0., 0., 0., 0.], [3., 0., 4., 0.], [0., 0., 0., 0.]]);
    assert_eq!((y.shape(), y.to_vec()), (expected.shape(), expected.to_vec()));
}

#[test]
fn figure_15_max_unpooling() {
    let x = image(&[[1., 2., 6., 3.], [3., 5., 2., 1.], [1., 2., 2., 1.], [7., 3., 4., 8.]]);
    let (y, places) = max_pool2d_with_indices(&x, 2);
    assert_eq!(y.to_vec(), [5., 6., 7., 8.]);
    let back = max_unpool2d(&image(&[[1., 2.], [3., 4.]]), &places, 2, None);
    let expected = image(&[[0., 0., 2., 0.], [0., 1., 0., 0.], [0., 0., 0., 0.], [3., 0., 0., 4.]]);
    assert_eq!((back.shape(), back.to_vec()), (expected.shape(), expected.to_vec()));
}

/// A 3 × 3 transposed convolution of stride 2 and padding 1: each input weighs a copy of the filter, and copies that
/// overlap add up. That is a convolution of a bed of nails.
#[test]
fn figure_16_transposed_convolution() {
    let x = array![[1.0f64, 2.0], [3.0, 4.0]];
    let filter = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]];
    let mut stamped = Array2::<f64>::zeros((5, 5));
    for ((i, j), &x) in x.indexed_iter() {
        for ((m, n), &w) in filter.indexed_iter() {
            stamped[[2 * i + m, 2 * j + n]] += x * w;
        }
    }
    let nails = bed_of_nails2d(&Tensor::<f64>::from(x).reshape(&[1, 1, 2, 2]), [2, 2]);
    let nails = Array2::from_shape_vec((4, 4), nails.to_vec()).unwrap();
    let kernel = Kernel::new(filter, (1, 1)).unwrap();
    let y = convolve(nails.view(), &kernel, Boundary::Zero);
    assert_eq!(y, stamped.slice(ndarray::s![1.., 1..]));
    assert_eq!(y.row(0).to_vec(), [5., 14., 10., 12.]);
}

#[test]
fn empty_batches_and_channels() {
    for shape in [[0, 3, 6, 6], [2, 0, 6, 6]] {
        let x = Tensor::<f32>::zeros(&shape).requires_grad();
        for y in [
            max_pool2d(&x, 2),
            max_pool2d_with_indices(&x, 2).0,
            avg_pool2d(&x, 2),
            lp_pool2d(&x, 2.0, 2),
            adaptive_avg_pool2d(&x, [3, 3]),
            adaptive_max_pool2d(&x, [3, 3]),
        ] {
            assert_eq!(y.shape(), [shape[0], shape[1], 3, 3]);
            assert_eq!(y.sum().backward().get(&x).unwrap().shape(), shape);
        }
        assert_eq!(global_avg_pool(&x).shape(), &shape[..2]);
        assert_eq!(upsample_nearest2d(&x, 2).shape(), [shape[0], shape[1], 12, 12]);
        assert_eq!(upsample_bilinear2d(&x, 2, false).shape(), [shape[0], shape[1], 12, 12]);
        let places = ArrayD::zeros(shape.to_vec());
        assert_eq!(max_unpool2d(&x, &places, 2, None).shape(), [shape[0], shape[1], 12, 12]);
    }
}

#[test]
fn without_a_tape_the_same_values() {
    let x = Tensor::<f32>::arange(0.0, 2 * 3 * 7 * 9).sin().reshape(&[2, 3, 7, 9]).requires_grad();
    let overlapping =
        PoolOptions { kernel: [3, 3], stride: Some([2, 2]), padding: [1, 1], ..Default::default() };
    for options in [2.into(), overlapping] {
        let y = no_grad(|| max_pool2d(&x, options));
        assert!(!y.is_tracked());
        assert_eq!(y.to_vec(), max_pool2d(&x, options).to_vec());
    }
}

/// A window of more than 256 elements.
#[test]
fn wide_windows() {
    let x = Tensor::<f32>::arange(0.0, 20 * 20).reshape(&[1, 1, 20, 20]).requires_grad();
    let (y, places) = max_pool2d_with_indices(&x, 20);
    assert_eq!((y.to_vec(), places.iter().copied().collect()), (vec![399.0], vec![399]));
    assert_eq!(y.sum().backward().get(&x).unwrap().to_vec()[399], 1.0);
}

#[test]
fn layers_say_what_they_are() {
    let net = Sequential::<f32>::new()
        .then(MaxPool2d::new(2))
        .then(Upsample::<2>::new(2, Interpolation::Nearest))
        .then(PixelShuffle { factor: 2 })
        .then(PixelUnshuffle { factor: 2 })
        .then(AvgPool2d::new([3, 2]))
        .then(LpPool2d::new(2.0, 1))
        .then(AdaptiveMaxPool2d::new([2, 2]))
        .then(AdaptiveAvgPool2d::new([2, 1]))
        .then(GlobalAvgPool);
    let (y, calls) = observe::layer_calls(|| net.forward(&Tensor::ones(&[2, 4, 12, 8])));
    assert_eq!(y.to_vec(), [1.0; 8]);
    let kinds: Vec<_> = calls.iter().map(|call| call.kind).collect();
    let expected = [
        "MaxPool2d",
        "Upsample",
        "PixelShuffle",
        "PixelUnshuffle",
        "AvgPool2d",
        "LpPool2d",
        "AdaptiveMaxPool2d",
        "AdaptiveAvgPool2d",
        "GlobalAvgPool",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(calls[1].shape, [2, 4, 12, 8]);
}

#[test]
fn unpooling_to_a_size_and_along_other_axes() {
    let (y, places) =
        MaxPool1d::new(2).forward_with_indices(&Tensor::<f32>::arange(0.0, 5).reshape(&[1, 1, 5]));
    let back = MaxUnpool1d::new(2).forward_to(&y, &places, [5]);
    assert_eq!(back.to_vec(), [0.0, 1.0, 0.0, 3.0, 0.0]);
    let (y, places) =
        MaxPool3d::new(2).forward_with_indices(&Tensor::<f32>::arange(0.0, 8).reshape(&[1, 1, 2, 2, 2]));
    assert_eq!(MaxUnpool3d::new(2).forward(&y, &places).to_vec(), [0., 0., 0., 0., 0., 0., 0., 7.]);
}

#[test]
#[should_panic(expected = "max_pool2d: x must have 4 axes, not 3 (x [3, 8, 8])")]
fn too_few_axes() {
    max_pool2d(&Tensor::<f32>::zeros(&[3, 8, 8]), 2);
}

#[test]
#[should_panic(expected = "avg_pool2d: window of 4 (kernel 4, dilation 1) exceeds the 3 elements of axis 1")]
fn windows_too_large() {
    avg_pool2d(&Tensor::<f32>::zeros(&[1, 1, 8, 3]), 4);
}

#[test]
#[should_panic(expected = "max_pool1d: padding 2 of axis 0 must be at most half of the window's 3 elements")]
fn too_much_padding() {
    max_pool1d(&Tensor::<f32>::zeros(&[1, 1, 8]), PoolOptions { padding: [2], ..3.into() });
}

#[test]
#[should_panic(expected = "adaptive_avg_pool2d: output of axis 1 must be at least 1")]
fn no_output() {
    adaptive_avg_pool2d(&Tensor::<f32>::zeros(&[1, 1, 8, 8]), [2, 0]);
}

#[test]
#[should_panic(expected = "global_avg_pool: x must have 3 axes, not 2")]
fn nothing_to_average() {
    global_avg_pool(&Tensor::<f32>::zeros(&[3, 8]));
}

#[test]
#[should_panic(expected = "max_unpool2d: index 4 is outside the 4 elements of a plane")]
fn index_outside() {
    max_unpool2d(&Tensor::<f32>::zeros(&[1, 1, 1, 1]), &array![[[[4usize]]]], 2, None);
}

#[test]
#[should_panic(expected = "max_unpool2d: indices must be [1, 1, 1, 2], not [1, 1, 2, 1]")]
fn other_indices() {
    max_unpool2d(&Tensor::<f32>::zeros(&[1, 1, 1, 2]), &array![[[[0usize], [1]]]], 2, None);
}

#[test]
#[should_panic(expected = "max_unpool1d: output size 6 of axis 0 must lie between 3 and 5")]
fn unpooled_too_far() {
    max_unpool1d(&Tensor::<f32>::zeros(&[1, 1, 2]), &array![[[0usize, 1]]], 2, Some([6]));
}

#[test]
#[should_panic(expected = "pixel_shuffle: channels (6) must be a multiple of 4")]
fn channels_that_do_not_shuffle() {
    pixel_shuffle(&Tensor::<f32>::zeros(&[1, 6, 2, 2]), 2);
}

#[test]
#[should_panic(expected = "upsample_bilinear2d: output of axis 0 must be at least 1")]
fn nothing_upsampled() {
    upsample_bilinear2d(&Tensor::<f32>::zeros(&[1, 6, 2, 2]), Resize::Size([0, 2]), true);
}
