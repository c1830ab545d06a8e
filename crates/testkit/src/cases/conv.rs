//! Convolution and transposed convolution of `striate-conv`.

use striate_conv::{
    Boundary, ConvAlgorithm, ConvOptions, Padding, conv_transpose1d, conv_transpose2d, conv_transpose3d,
    conv_weight, conv1d, conv2d, conv3d, pad,
};

use crate::Case;
use crate::gradcheck::values;

/// Stride, padding and dilation that differ by axis.
fn uneven() -> ConvOptions<2> {
    ConvOptions {
        stride: [2, 1],
        padding: Padding::Sides([(1, 0), (2, 1)]),
        dilation: [1, 2],
        groups: 2,
        ..Default::default()
    }
}

fn strided() -> ConvOptions<2> {
    ConvOptions { stride: [2, 3], padding: 1.into(), ..Default::default() }
}

fn by(algorithm: ConvAlgorithm) -> ConvOptions<2> {
    ConvOptions { padding: 1.into(), algorithm, ..Default::default() }
}

pub(super) fn cases() -> Vec<Case> {
    let case = |op, name, inputs, call| Case { op, name, inputs, call, second_order: true };
    let image = || vec![values(&[2, 2, 5, 6], 1), values(&[3, 2, 3, 3], 2), values(&[3], 3)];
    let grouped = || vec![values(&[2, 4, 5, 6], 1), values(&[6, 2, 3, 2], 2), values(&[6], 3)];
    let up = || vec![values(&[2, 4, 3, 4], 1), values(&[4, 3, 3, 2], 2), values(&[6], 3)];
    let depthwise = || vec![values(&[1, 3, 4, 19], 1), values(&[3, 1, 3, 3], 2)];
    vec![
        case("conv", "2d", image(), |x| conv2d(&x[0], &x[1], Some(&x[2]), &strided())),
        case("conv", "uneven, grouped", grouped(), |x| conv2d(&x[0], &x[1], Some(&x[2]), &uneven())),
        case("conv", "direct", image(), |x| conv2d(&x[0], &x[1], Some(&x[2]), &by(ConvAlgorithm::Direct))),
        case("conv", "as a matrix", image(), |x| {
            conv2d(&x[0], &x[1], Some(&x[2]), &by(ConvAlgorithm::Matrix))
        }),
        case("conv", "depthwise", depthwise(), |x| {
            conv2d(&x[0], &x[1], None, &ConvOptions { padding: 1.into(), groups: 3, ..Default::default() })
        }),
        case("conv", "same", image(), |x| {
            conv2d(&x[0], &x[1], None, &ConvOptions { padding: Padding::Same, ..Default::default() })
        }),
        case("conv", "reflected", image(), |x| {
            conv2d(&pad(&x[0], [(1, 2), (2, 0)], Boundary::Reflect), &x[1], None, &ConvOptions::default())
        }),
        case("conv", "1d", vec![values(&[2, 2, 9], 1), values(&[3, 2, 4], 2), values(&[3], 3)], |x| {
            conv1d(
                &x[0],
                &x[1],
                Some(&x[2]),
                &ConvOptions { stride: [2], padding: 1.into(), ..Default::default() },
            )
        }),
        case("conv", "3d", vec![values(&[1, 2, 3, 4, 3], 1), values(&[2, 2, 2, 3, 1], 2)], |x| {
            let options = ConvOptions { stride: [1, 2, 1], padding: [0, 1, 0].into(), ..Default::default() };
            conv3d(&x[0], &x[1], None, &options)
        }),
        case("conv_transpose", "uneven, grouped", up(), |x| {
            let options = ConvOptions { dilation: [3, 1], padding: [1, 0].into(), ..uneven() };
            conv_transpose2d(&x[0], &x[1], Some(&x[2]), &options, [2, 0])
        }),
        case("conv_transpose", "doubling", vec![values(&[2, 3, 3, 4], 1), values(&[3, 2, 2, 2], 2)], |x| {
            conv_transpose2d(
                &x[0],
                &x[1],
                None,
                &ConvOptions { stride: [2, 2], ..Default::default() },
                [0, 0],
            )
        }),
        case(
            "conv_transpose",
            "1d",
            vec![values(&[2, 2, 5], 1), values(&[2, 3, 4], 2), values(&[3], 3)],
            |x| {
                let options = ConvOptions { stride: [3], padding: 1.into(), ..Default::default() };
                conv_transpose1d(&x[0], &x[1], Some(&x[2]), &options, [1])
            },
        ),
        case("conv_transpose", "3d", vec![values(&[1, 2, 2, 3, 2], 1), values(&[2, 1, 2, 2, 3], 2)], |x| {
            conv_transpose3d(
                &x[0],
                &x[1],
                None,
                &ConvOptions { stride: [2, 1, 2], ..Default::default() },
                [0; 3],
            )
        }),
        case(
            "conv_weight_gradient",
            "uneven, grouped",
            vec![values(&[2, 4, 5, 6], 1), values(&[2, 6, 2, 7], 2)],
            |x| conv_weight(&x[0], &[6, 2, 3, 2], &x[1], &uneven()),
        ),
    ]
}
