//! Normalisation layers against the formulas written out.

use striate_nn::{
    BatchNorm1d, BatchNorm2d, BatchNormOptions, GroupNorm, LayerNorm, LayerNormOptions, Module, ParamStore,
};
use striate_tensor::{Real, Tensor};

fn numbers(len: usize) -> Vec<f64> {
    (0..len).map(|i| 3.0 + 2.0 * ((i * 37 + 11) as f64 * 0.7).sin()).collect()
}

fn tensor<E: Real>(shape: &[usize]) -> Tensor<E> {
    Tensor::from_vec(shape, numbers(shape.iter().product()).into_iter().map(E::of).collect())
}

fn moments(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (mean, x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64)
}

fn set<E: Real>(parameter: &Tensor<E>, f: impl Fn(usize) -> f64) {
    parameter.update(|p| p.make_mut().iter_mut().enumerate().for_each(|(i, p)| *p = E::of(f(i))));
}

fn close<E: Real>(a: &[E], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a.f64() - b).abs() <= tolerance * (1.0 + b.abs()), "[{i}]: {a} is not {b}");
    }
}

/// The elements of every channel of (N, C, …).
fn channel(x: &[f64], shape: &[usize], c: usize) -> Vec<f64> {
    let inner: usize = shape[2..].iter().product();
    (0..x.len()).filter(|i| i / inner % shape[1] == c).map(|i| x[i]).collect()
}

fn check_batch_norm<E: Real>(shape: &[usize], tolerance: f64) {
    let store = ParamStore::<E>::seeded(0);
    let root = store.root();
    let norm: Box<dyn Module<E>> = match shape.len() {
        4 => Box::new(BatchNorm2d::new(&root, shape[1])),
        _ => Box::new(BatchNorm1d::new(&root, shape[1])),
    };
    set(&store.get("weight").unwrap(), |c| 1.0 + 0.25 * c as f64);
    set(&store.get("bias").unwrap(), |c| c as f64 - 0.5);
    let (x, values) = (tensor::<E>(shape), numbers(shape.iter().product()));
    let inner: usize = shape[2..].iter().product();
    let expected = |statistics: &dyn Fn(usize) -> (f64, f64)| -> Vec<f64> {
        let one = |(i, x): (usize, &f64)| {
            let c = i / inner % shape[1];
            let (mean, variance) = statistics(c);
            (1.0 + 0.25 * c as f64) * (x - mean) / (variance + 1e-5).sqrt() + c as f64 - 0.5
        };
        values.iter().enumerate().map(one).collect()
    };
    let batch: Vec<_> = (0..shape[1]).map(|c| moments(&channel(&values, shape, c))).collect();
    close(&norm.forward(&x).to_vec(), &expected(&|c| batch[c]), tolerance);

    let count = (values.len() / shape[1]) as f64;
    let running: Vec<_> =
        batch.iter().map(|(mean, var)| (0.1 * mean, 0.9 + 0.1 * var * count / (count - 1.0))).collect();
    let [means, variances] = ["running_mean", "running_var"].map(|name| store.get(name).unwrap());
    close(&means.to_vec(), &running.iter().map(|r| r.0).collect::<Vec<_>>(), tolerance);
    close(&variances.to_vec(), &running.iter().map(|r| r.1).collect::<Vec<_>>(), tolerance);

    store.eval();
    close(&norm.forward(&x).to_vec(), &expected(&|c| running[c]), tolerance);
    assert_eq!(store.get("running_mean").unwrap().to_vec(), means.to_vec(), "evaluation writes nothing");
    assert_eq!(root.tied().counter("num_batches_tracked").get(), 1);
}

#[test]
fn batch_norm_in_training_and_evaluation() {
    for shape in [&[4, 3][..], &[300, 200], &[2, 3, 5], &[3, 2, 40], &[2, 3, 4, 5], &[5, 7, 33, 31]] {
        check_batch_norm::<f64>(shape, 1e-12);
        check_batch_norm::<f32>(shape, 1e-5);
    }
}

#[test]
fn batch_norm_without_momentum_keeps_the_mean_over_batches() {
    let store = ParamStore::<f64>::seeded(0);
    let options = BatchNormOptions { momentum: None, affine: false, ..Default::default() };
    let norm = BatchNorm1d::with(&store.root(), 1, options);
    assert!(store.parameters().is_empty());
    for values in [[1.0, 3.0], [4.0, 6.0], [0.0, 8.0]] {
        norm.forward(&Tensor::from_vec(&[2, 1], values.to_vec()));
    }
    close(&store.get("running_mean").unwrap().to_vec(), &[11.0 / 3.0], 1e-14);
    close(&store.get("running_var").unwrap().to_vec(), &[(2.0 + 2.0 + 32.0) / 3.0], 1e-14);
}

#[test]
fn batch_norm_without_running_statistics_uses_the_batch_always() {
    let store = ParamStore::<f64>::seeded(0);
    let options = BatchNormOptions { track_running_stats: false, ..Default::default() };
    let norm = BatchNorm1d::with(&store.root(), 2, options);
    let x = tensor(&[4, 2]);
    let training = norm.forward(&x).to_vec();
    store.eval();
    assert_eq!(norm.forward(&x).to_vec(), training);
    assert!(store.get("running_mean").is_none());
}

#[test]
fn batch_norm_in_evaluation_is_its_scale_and_shift() {
    let scaled_and_shifted = |affine, track_running_stats| {
        let store = ParamStore::<f64>::seeded(0);
        let options = BatchNormOptions { affine, track_running_stats, ..Default::default() };
        let norm = BatchNorm2d::with(&store.root(), 3, options);
        store.parameters().iter().for_each(|(_, parameter)| set(parameter, |c| 0.5 - c as f64));
        let x = tensor(&[2, 3, 4, 5]);
        norm.forward(&x);
        store.eval();
        let [a, b] = norm.scale_and_shift()?.map(|c| c.reshape(&[3, 1, 1]));
        close(&norm.forward(&x).to_vec(), &(x * a + b).to_vec(), 1e-14);
        Some(())
    };
    assert!(scaled_and_shifted(true, true).is_some());
    assert!(scaled_and_shifted(false, true).is_some());
    assert!(scaled_and_shifted(true, false).is_none());
}

#[test]
fn large_means_do_not_spoil_the_variance() {
    let values: Vec<f32> = (0..64).map(|i| 1e4 + (i % 2) as f32).collect();
    let store = ParamStore::<f32>::seeded(0);
    let y = BatchNorm1d::new(&store.root(), 1).forward(&Tensor::from_vec(&[64, 1], values));
    assert!(y.to_vec().iter().all(|y| (y.abs() - 1.0).abs() < 1e-3), "{y}");
}

#[test]
#[should_panic(expected = "batch_norm: training needs more than one value per channel, x has shape [1, 2]")]
fn one_value_per_channel_panics() {
    BatchNorm1d::new(&ParamStore::<f32>::seeded(0).root(), 2).forward(&Tensor::ones(&[1, 2]));
}

#[test]
#[should_panic(expected = "bn has 3 channels, x has shape [2, 4, 5, 5]")]
fn other_channels_panic() {
    BatchNorm2d::new(&ParamStore::<f32>::seeded(0).root().sub("bn"), 3).forward(&Tensor::ones(&[2, 4, 5, 5]));
}

fn check_layer_norm<E: Real>(shape: &[usize], last: usize, tolerance: f64) {
    let store = ParamStore::<E>::seeded(0);
    let norm = LayerNorm::new(&store.root(), &shape[last..]);
    set(norm.weight.as_ref().unwrap(), |i| 1.0 + (i % 5) as f64);
    set(norm.bias.as_ref().unwrap(), |i| (i % 3) as f64 - 0.5);
    let width: usize = shape[last..].iter().product();
    let values = numbers(shape.iter().product());
    let expected: Vec<f64> = values
        .chunks(width)
        .flat_map(|row| {
            let (mean, variance) = moments(row);
            let one = move |(i, x): (usize, &f64)| {
                (1.0 + (i % 5) as f64) * (x - mean) / (variance + 1e-5).sqrt() + (i % 3) as f64 - 0.5
            };
            row.iter().enumerate().map(one).collect::<Vec<_>>()
        })
        .collect();
    close(&norm.forward(&tensor::<E>(shape)).to_vec(), &expected, tolerance);
}

#[test]
fn layer_norm_over_the_last_axes() {
    for (shape, last) in [(&[3, 5][..], 1), (&[1000, 64], 1), (&[2, 3, 4], 1), (&[2, 3, 4], 2), (&[1, 1], 1)]
    {
        check_layer_norm::<f64>(shape, last, 1e-12);
        check_layer_norm::<f32>(shape, last, 2e-5);
    }
}

/// dγ and dβ over many pieces of rows.
#[test]
fn layer_norm_sums_its_parameters_gradients_over_all_rows() {
    let store = ParamStore::<f64>::seeded(0);
    let norm = LayerNorm::new(&store.root(), &[64]);
    let (rows, values) = (2000, numbers(2000 * 64));
    let gradients = norm.forward(&tensor(&[rows, 64])).sum().backward();
    close(&gradients.get(norm.bias.as_ref().unwrap()).unwrap().to_vec(), &[rows as f64; 64], 1e-12);
    let mut expected = [0.0; 64];
    for row in values.chunks(64) {
        let (mean, variance) = moments(row);
        expected.iter_mut().zip(row).for_each(|(e, x)| *e += (x - mean) / (variance + 1e-5).sqrt());
    }
    close(&gradients.get(norm.weight.as_ref().unwrap()).unwrap().to_vec(), &expected, 1e-10);
}

#[test]
fn layer_norm_can_do_without_bias() {
    let store = ParamStore::<f32>::seeded(0);
    LayerNorm::with(&store.root(), &[3], LayerNormOptions { bias: false, ..Default::default() });
    assert_eq!(store.parameters().names().collect::<Vec<_>>(), ["weight"]);
}

#[test]
#[should_panic(expected = "layer_norm: x must end in [4]")]
fn layer_norm_of_another_width_panics() {
    LayerNorm::new(&ParamStore::<f32>::seeded(0).root(), &[4]).forward(&Tensor::ones(&[2, 3]));
}

#[test]
fn group_norm_normalises_each_group_of_each_sample() {
    let shape = [2, 6, 3, 2];
    let store = ParamStore::<f64>::seeded(0);
    let norm = GroupNorm::new(&store.root(), 3, 6);
    let [weight, bias] = norm.affine.as_ref().unwrap();
    set(weight, |c| 1.0 + c as f64);
    set(bias, |c| 2.0 * c as f64);
    let values = numbers(72);
    let expected: Vec<f64> = (0..72)
        .map(|i| {
            let (group, c) = (i / 12, i / 6 % 6);
            let (mean, variance) = moments(&values[group * 12..][..12]);
            (1.0 + c as f64) * (values[i] - mean) / (variance + 1e-5).sqrt() + 2.0 * c as f64
        })
        .collect();
    close(&norm.forward(&tensor::<f64>(&shape)).to_vec(), &expected, 1e-12);
}

#[test]
#[should_panic(expected = "group_norm: 5 channels do not divide into 2 groups")]
fn uneven_groups_panic() {
    GroupNorm::new(&ParamStore::<f32>::seeded(0).root(), 2, 5);
}
