//! Layers against PyTorch: outputs, gradients of inputs and parameters, and what they keep between steps.

use std::collections::BTreeSet;

use striate_nn::layers::batch_norm::{BatchNorm1d, BatchNorm2d, BatchNormOptions};
use striate_nn::layers::embedding::{Embedding, EmbeddingOptions};
use striate_nn::layers::group_norm::{GroupNorm, GroupNormOptions};
use striate_nn::layers::layer_norm::{LayerNorm, LayerNormOptions};
use striate_nn::{Linear, LinearOptions, Module, ParamStore, Path};
use striate_tensor::{Real, Tensor};
use testkit::golden::{F64, Golden, assert_close, load, weights, within};

pub(super) type Forward<E> = Box<dyn Fn(&Tensor<E>) -> Tensor<E>>;
/// A case and the layer that it is about.
pub(super) type LayerRow<E> = (&'static str, fn(&Path<E>) -> Forward<E>);

pub(super) fn layer<E: Real>(layer: impl Module<E> + 'static) -> Forward<E> {
    Box::new(move |x| layer.forward(x))
}

/// Runs a layer on each of the case's inputs in turn; the loss is Σ c·y over all of them.
fn check<E: Real>(golden: &Golden, (case, make): LayerRow<E>) {
    let tolerance = if E::NAME == "f64" { F64 } else { within(4e-6) };
    let store = ParamStore::<E>::seeded(1);
    let forward = make(&store.root());
    store.set_arrays(&golden.under(&format!("{case}:before.")), &[], case).unwrap();
    store.set_training("", !case.contains("evaluation"));

    let x: Vec<Tensor<E>> = golden.inputs(case);
    let y: Vec<Tensor<E>> = x.iter().map(&forward).collect();
    let loss = y.iter().map(|y| (y * weights(y.shape())).sum()).reduce(|a, b| a + b).unwrap();
    let gradients = loss.backward();

    let close = |part: &str, actual: &Tensor<E>| {
        let name = format!("{case}:{part}");
        assert_close(&name, actual, &golden.f64(&name), tolerance);
    };
    (0..).zip(&y).for_each(|(i, y)| close(&format!("y{i}"), y));
    let differentiable = (0..).zip(&x).filter(|(i, _)| golden.has(&format!("{case}:dx{i}")));
    differentiable.for_each(|(i, x)| close(&format!("dx{i}"), gradients.get(x).unwrap()));
    let mut parameters: Vec<String> =
        golden.under(&format!("{case}:grad.")).names().map(str::to_string).collect();
    for (name, parameter) in store.parameters().iter() {
        close(&format!("grad.{name}"), gradients.get(parameter).unwrap());
        parameters.retain(|other| other != name);
    }
    assert!(parameters.is_empty(), "{case}: the layer has no parameters {parameters:?}");
    let after = store.to_arrays();
    for (name, expected) in golden.under(&format!("{case}:after.")).iter() {
        let actual = Tensor::<f64>::from(after[name].to_f64());
        assert_close(&format!("{case}:after.{name}"), &actual, &expected.to_f64(), tolerance);
    }
}

pub(super) fn check_all<E: Real>(file: &str, rows: Vec<LayerRow<E>>) {
    let golden = load(file);
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.0).collect();
    assert_eq!(listed, golden.cases(), "{file}: the rows (left) are not the cases of the file (right)");
    rows.into_iter().for_each(|row| check(&golden, row));
}

fn linear<E: Real>() -> Vec<LayerRow<E>> {
    let no_bias =
        |path: &Path<E>| layer(Linear::with(path, 5, 3, LinearOptions { bias: false, ..Default::default() }));
    vec![
        ("plain", |path| layer(Linear::new(path, 5, 3))),
        ("no bias", no_bias),
        ("sequence", |path| layer(Linear::new(path, 5, 3))),
        ("vector", |path| layer(Linear::new(path, 5, 3))),
        ("used twice", |path| layer(Linear::new(path, 7, 9))),
    ]
}

#[test]
fn linear_layer() {
    check_all("linear", linear::<f64>());
    check_all("linear", linear::<f32>());
}

fn batch_norm<E: Real>() -> Vec<LayerRow<E>> {
    fn one<E: Real>(path: &Path<E>) -> Forward<E> {
        layer(BatchNorm1d::new(path, 4))
    }
    fn averaging<E: Real>(path: &Path<E>) -> Forward<E> {
        layer(BatchNorm1d::with(path, 4, BatchNormOptions { momentum: None, ..Default::default() }))
    }
    fn two<E: Real>(path: &Path<E>, options: BatchNormOptions) -> Forward<E> {
        layer(BatchNorm2d::with(path, 4, options))
    }
    vec![
        ("rows, training", one),
        ("rows, two steps", one),
        ("rows, momentum None", averaging),
        ("rows, evaluation", one),
        ("sequence, training", one),
        ("sequence, two steps", one),
        ("sequence, momentum None", averaging),
        ("sequence, evaluation", one),
        ("image, training", |path| two(path, BatchNormOptions::default())),
        ("image, two steps", |path| two(path, BatchNormOptions::default())),
        ("image, momentum None", |path| two(path, BatchNormOptions { momentum: None, ..Default::default() })),
        ("image, evaluation", |path| two(path, BatchNormOptions::default())),
        ("image, options", |path| {
            two(path, BatchNormOptions { eps: 0.1, momentum: Some(0.3), ..Default::default() })
        }),
        ("image, plain", |path| two(path, BatchNormOptions { affine: false, ..Default::default() })),
        ("image, untracked, evaluation", |path| {
            two(path, BatchNormOptions { track_running_stats: false, ..Default::default() })
        }),
    ]
}

#[test]
fn batch_norm_layers() {
    check_all("batch_norm", batch_norm::<f64>());
    check_all("batch_norm", batch_norm::<f32>());
}

fn layer_norm<E: Real>() -> Vec<LayerRow<E>> {
    vec![
        ("plain", |path| layer(LayerNorm::new(path, &[5]))),
        ("two axes", |path| layer(LayerNorm::new(path, &[3, 5]))),
        ("not affine", |path| {
            layer(LayerNorm::with(path, &[5], LayerNormOptions { affine: false, ..Default::default() }))
        }),
        ("no bias, eps", |path| {
            let options = LayerNormOptions { eps: 0.1, bias: false, ..Default::default() };
            layer(LayerNorm::with(path, &[5], options))
        }),
        ("wide", |path| layer(LayerNorm::new(path, &[37]))),
    ]
}

#[test]
fn layer_norm_layer() {
    check_all("layer_norm", layer_norm::<f64>());
    check_all("layer_norm", layer_norm::<f32>());
}

fn group_norm<E: Real>() -> Vec<LayerRow<E>> {
    vec![
        ("1 groups", |path| layer(GroupNorm::new(path, 1, 6))),
        ("2 groups", |path| layer(GroupNorm::new(path, 2, 6))),
        ("3 groups", |path| layer(GroupNorm::new(path, 3, 6))),
        ("6 groups", |path| layer(GroupNorm::new(path, 6, 6))),
        ("rows", |path| layer(GroupNorm::new(path, 2, 6))),
        ("not affine, eps", |path| {
            layer(GroupNorm::with(path, 3, 6, GroupNormOptions { eps: 0.1, affine: false }))
        }),
    ]
}

#[test]
fn group_norm_layer() {
    check_all("group_norm", group_norm::<f64>());
    check_all("group_norm", group_norm::<f32>());
}

fn embedding<E: Real>() -> Vec<LayerRow<E>> {
    fn rows<E: Real>(path: &Path<E>, options: EmbeddingOptions) -> Forward<E> {
        let embedding = Embedding::with(path, 7, 3, options);
        Box::new(move |indices| embedding.forward(&indices.to_ndarray().mapv(|i| i.f64() as usize)))
    }
    vec![
        ("plain", |path| rows(path, EmbeddingOptions::default())),
        ("padded", |path| rows(path, EmbeddingOptions { padding_index: Some(1) })),
    ]
}

#[test]
fn embedding_layer() {
    check_all("embedding", embedding::<f64>());
    check_all("embedding", embedding::<f32>());
}
