//! Convolution and transposed convolution against PyTorch, by every algorithm.

use striate_conv::*;
use striate_tensor::Real;
use testkit::golden::{Row, check, row};

use super::layers::{LayerRow, check_all, layer};

/// The shape, with how it is computed.
fn forward<E: Real>(case: &str, algorithm: ConvAlgorithm, options: ConvOptions<2>) -> Row<E> {
    let options = ConvOptions { algorithm, ..options };
    row(format!("conv2d, {case}"), move |x, _| conv2d(&x[0], &x[1], x.get(2), &options))
}

fn transposed<E: Real>(
    case: &str,
    algorithm: ConvAlgorithm,
    options: ConvOptions<2>,
    output_padding: [usize; 2],
) -> Row<E> {
    let options = ConvOptions { algorithm, ..options };
    row(format!("conv_transpose2d, {case}"), move |x, _| {
        conv_transpose2d(&x[0], &x[1], x.get(2), &options, output_padding)
    })
}

fn rows<E: Real>(by: ConvAlgorithm) -> Vec<Row<E>> {
    let plain = ConvOptions::<2>::default();
    let doubling = ConvOptions { stride: [2, 2], ..plain };
    let uneven = ConvOptions {
        stride: [3, 2],
        padding: [1, 3].into(),
        dilation: [1, 2],
        groups: 2,
        ..Default::default()
    };
    vec![
        forward("3x3", by, ConvOptions { padding: 1.into(), ..plain }),
        forward("same, even kernel", by, ConvOptions { padding: Padding::Same, ..plain }),
        forward("strided", by, ConvOptions { stride: [2, 3], padding: [1, 2].into(), ..plain }),
        forward("dilated", by, ConvOptions { dilation: [2, 3], padding: [2, 1].into(), ..plain }),
        forward("grouped", by, ConvOptions { groups: 2, stride: [2, 2], ..plain }),
        forward("depthwise", by, ConvOptions { groups: 4, padding: 1.into(), ..plain }),
        forward("1x1", by, plain),
        forward("all", by, uneven),
        forward("no bias", by, ConvOptions { padding: 2.into(), ..plain }),
        transposed("doubling", by, doubling, [0, 0]),
        transposed("k4 s2", by, ConvOptions { padding: 1.into(), ..doubling }, [0, 0]),
        transposed(
            "output padding",
            by,
            ConvOptions { stride: [3, 2], padding: [1, 0].into(), ..plain },
            [2, 1],
        ),
        transposed(
            "dilated, grouped",
            by,
            ConvOptions { stride: [2, 1], dilation: [2, 3], groups: 2, padding: 1.into(), ..plain },
            [0, 0],
        ),
        row("conv1d", move |x, _| {
            let options = ConvOptions {
                stride: [2],
                padding: 3.into(),
                dilation: [2],
                algorithm: by,
                ..Default::default()
            };
            conv1d(&x[0], &x[1], x.get(2), &options)
        }),
        row("conv3d", move |x, _| {
            let options = ConvOptions {
                stride: [1, 2, 1],
                padding: [1, 0, 2].into(),
                algorithm: by,
                ..Default::default()
            };
            conv3d(&x[0], &x[1], x.get(2), &options)
        }),
        row("conv_transpose1d", move |x, _| {
            let options = ConvOptions { stride: [3], padding: 1.into(), algorithm: by, ..Default::default() };
            conv_transpose1d(&x[0], &x[1], x.get(2), &options, [1])
        }),
        row("conv_transpose3d", move |x, _| {
            let options = ConvOptions {
                stride: [2, 1, 2],
                padding: [0, 1, 1].into(),
                algorithm: by,
                ..Default::default()
            };
            conv_transpose3d(&x[0], &x[1], x.get(2), &options, [0; 3])
        }),
    ]
}

#[test]
fn operations() {
    for by in [ConvAlgorithm::Auto, ConvAlgorithm::Direct, ConvAlgorithm::Im2col, ConvAlgorithm::Matrix] {
        check::<f64>("conv", &rows(by));
        // Weight gradients are sums of some hundred products, which partly cancel.
        let rows: Vec<Row<f32>> = rows(by).into_iter().map(|row| row.f32_within(5e-6)).collect();
        check("conv", &rows);
    }
}

fn layer_rows<E: Real>() -> Vec<LayerRow<E>> {
    fn conv2d<E: Real>(path: &striate_nn::Path<E>, padding_mode: Boundary) -> super::layers::Forward<E> {
        let options = ConvLayerOptions {
            stride: [1, 2],
            padding: [2, 1].into(),
            groups: 2,
            padding_mode,
            ..Default::default()
        };
        layer(Conv2d::with(path, 4, 6, [3, 2], options))
    }
    vec![
        ("conv2d, zeros", |path| conv2d(path, Boundary::Zero)),
        ("conv2d, reflect", |path| conv2d(path, Boundary::Reflect)),
        ("conv2d, replicate", |path| conv2d(path, Boundary::Replicate)),
        ("conv2d, circular", |path| conv2d(path, Boundary::Wrap)),
        ("conv2d, no bias", |path| {
            layer(Conv2d::with(path, 4, 3, [3, 3], ConvLayerOptions { bias: false, ..Default::default() }))
        }),
        ("conv1d, circular, same", |path| {
            let padding_mode = Boundary::Wrap;
            let options = ConvLayerOptions { padding: Padding::Same, padding_mode, ..Default::default() };
            layer(Conv1d::with(path, 3, 2, [4], options))
        }),
        ("conv3d, reflect", |path| {
            let padding_mode = Boundary::Reflect;
            let options = ConvLayerOptions { padding: 1.into(), padding_mode, ..Default::default() };
            layer(Conv3d::with(path, 2, 3, [2, 2, 2], options))
        }),
        ("conv_transpose2d", |path| {
            let options = ConvTransposeOptions {
                stride: [2, 2],
                padding: 1.into(),
                output_padding: [1, 1],
                ..Default::default()
            };
            layer(ConvTranspose2d::with(path, 4, 3, [3, 4], options))
        }),
        ("conv_transpose1d", |path| {
            let options = ConvTransposeOptions { stride: [2], groups: 2, ..Default::default() };
            layer(ConvTranspose1d::with(path, 4, 6, [3], options))
        }),
        ("conv_transpose3d", |path| {
            let options = ConvTransposeOptions { dilation: [2, 2, 2], ..Default::default() };
            layer(ConvTranspose3d::with(path, 2, 1, [2, 2, 2], options))
        }),
    ]
}

#[test]
fn layers() {
    check_all::<f64>("conv_layers", layer_rows());
    check_all::<f32>("conv_layers", layer_rows());
}
