//! Perceptron, logistic regression, multi-layer perceptron, and the summary of a model.

use ndarray::{Array2, array};
use striate_compute::rng::Rng;
use striate_nn::models::logistic::{LogisticOptions, LogisticRegression};
use striate_nn::models::perceptron::{BinaryDataError, Perceptron, PerceptronOptions, margin_bound};
use striate_nn::{Activation, BatchNorm1d, Linear, Mlp, MlpOptions, Module, ParamStore, Sequential, summary};
use striate_tensor::Tensor;

/// Points in three dimensions, at least `margin` away from the plane 2a − b + c/2 = 0.3.
fn separable(count: usize, margin: f64, seed: u64) -> (Array2<f64>, Vec<usize>) {
    let mut rng = Rng::new(seed);
    let (mut x, mut labels) = (Vec::new(), Vec::new());
    while labels.len() < count {
        let p = [rng.normal(), rng.normal(), rng.normal()];
        let side = 2.0 * p[0] - p[1] + 0.5 * p[2] - 0.3;
        if side.abs() > margin {
            x.extend(p);
            labels.push(usize::from(side > 0.0));
        }
    }
    (Array2::from_shape_vec((count, 3), x).unwrap(), labels)
}

#[test]
fn the_perceptron_stops_on_separable_data_within_the_bound() {
    for seed in 0..20 {
        let (x, labels) = separable(200, 0.2, seed);
        for learning_rate in [1.0, 0.1] {
            let mut unit = Perceptron::new(3);
            let options = PerceptronOptions { learning_rate, ..Default::default() };
            let report = unit.fit(x.view(), &labels, options).unwrap();
            assert!(report.converged);
            assert_eq!(unit.predict(x.view()).unwrap(), labels);
            let known = margin_bound(x.view(), &labels, &[2.0, -1.0, 0.5, -0.3]).unwrap();
            assert!(report.mistakes as f64 <= known.min(report.margin_bound.unwrap()));
            assert!(report.mistakes > 0);
        }
    }
}

/// Every step by hand: (1, 0) is first a miss, then (0, 1) is.
#[test]
fn the_perceptron_follows_its_rule() {
    let x = array![[1.0, 0.0], [0.0, 1.0]];
    let mut unit = Perceptron::new(2);
    let one = PerceptronOptions { learning_rate: 0.5, max_epochs: 1 };
    let report = unit.fit(x.view(), &[1, 0], one).unwrap();
    assert_eq!(unit.weights, [0.5, -0.5, 0.0]);
    assert_eq!((report.mistakes, report.epochs, report.converged), (2, 1, false));
    let report = unit.fit(x.view(), &[1, 0], PerceptronOptions::default()).unwrap();
    assert_eq!((report.mistakes, report.epochs, report.converged), (0, 1, true));
}

#[test]
fn the_perceptron_ends_on_xor_without_success() {
    let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let options = PerceptronOptions { max_epochs: 50, ..Default::default() };
    let report = Perceptron::new(2).fit(x.view(), &[0, 1, 1, 0], options).unwrap();
    assert_eq!((report.epochs, report.converged, report.margin_bound), (50, false, None));
}

#[test]
fn data_that_does_not_fit_is_an_error() {
    let mut unit = Perceptron::new(2);
    let mut fit = |x: Array2<f64>, labels: &[usize]| {
        unit.fit(x.view(), labels, PerceptronOptions::default()).unwrap_err().to_string()
    };
    assert_eq!(fit(array![[1.0, 2.0]], &[2]), "label 2 of sample 0 is neither 0 nor 1");
    assert_eq!(fit(array![[1.0, 2.0]], &[0, 1]), "1 samples come with 2 labels");
    assert_eq!(fit(array![[1.0], [2.0]], &[0, 1]), "samples have 1 features, the model 2");
    assert_eq!(fit(Array2::zeros((0, 2)), &[]), "there are no samples");
    assert_eq!(fit(array![[1.0, f64::INFINITY]], &[0]), "feature 1 of sample 0 is inf, not a finite number");
    let options = PerceptronOptions { learning_rate: 0.0, ..Default::default() };
    let error = unit.fit(array![[1.0, 2.0]].view(), &[0], options).unwrap_err();
    assert!(matches!(error, BinaryDataError::Option { name: "learning_rate", .. }));
    assert!(unit.predict(Array2::zeros((1, 3)).view()).is_err());
}

#[test]
fn logistic_regression_finds_the_maximum() {
    let mut rng = Rng::new(3);
    let truth = [1.5, -0.7, 0.4];
    let x = Array2::from_shape_simple_fn((3000, 2), || rng.normal());
    let labels: Vec<usize> = x
        .rows()
        .into_iter()
        .map(|x| {
            let z = truth[0] * x[0] + truth[1] * x[1] + truth[2];
            usize::from(rng.uniform() < 1.0 / (1.0 + (-z).exp()))
        })
        .collect();
    let mut model = LogisticRegression::new(2);
    let report = model.fit(x.view(), &labels, LogisticOptions::default()).unwrap();
    assert!(report.converged && report.steps < 12, "{report:?}");
    for (w, truth) in model.weights.iter().zip(truth) {
        assert!((w - truth).abs() < 0.2, "{:?}", model.weights);
    }
    let likelihood = |w: &[f64]| -> f64 {
        let one = |(x, &y): (ndarray::ArrayView1<f64>, &usize)| {
            let z = w[0] * x[0] + w[1] * x[1] + w[2];
            let p = 1.0 / (1.0 + (-z).exp());
            if y == 1 { p.ln() } else { (1.0 - p).ln() }
        };
        x.rows().into_iter().zip(&labels).map(one).sum()
    };
    assert!((report.log_likelihood - likelihood(&model.weights)).abs() < 1e-8);
    for i in 0..3 {
        for step in [-0.01, 0.01] {
            let mut other = model.weights.clone();
            other[i] += step;
            assert!(likelihood(&other) < report.log_likelihood);
        }
    }
}

#[test]
fn logistic_regression_ends_on_separable_data_and_the_ridge_keeps_it_finite() {
    let (x, labels) = separable(50, 0.2, 1);
    let mut model = LogisticRegression::new(3);
    let report =
        model.fit(x.view(), &labels, LogisticOptions { max_steps: 20, ..Default::default() }).unwrap();
    assert!(report.log_likelihood <= 0.0 && report.log_likelihood > -1e-3);
    let mut model = LogisticRegression::new(3);
    let options = LogisticOptions { ridge: 1.0, ..Default::default() };
    let report = model.fit(x.view(), &labels, options).unwrap();
    assert!(report.converged && model.weights.iter().all(|w| w.abs() < 10.0));
}

#[test]
fn the_mlp_is_its_equation() {
    let store = ParamStore::<f64>::seeded(2);
    let options = MlpOptions { hidden: Activation::Sigmoid, ..Default::default() };
    let net = Mlp::with(&store.root(), &[3, 5, 2], options);
    let x = Tensor::from_vec(&[4, 3], (0..12).map(|i| f64::from(i) / 6.0 - 1.0).collect());
    let names: Vec<_> = store.parameters().names().map(str::to_string).collect();
    assert_eq!(names, ["0.weight", "0.bias", "1.weight", "1.bias"]);
    let [w0, b0, w1, b1] = ["0.weight", "0.bias", "1.weight", "1.bias"].map(|name| store.get(name).unwrap());
    let expected = (x.matmul(&w0.t()) + &b0).sigmoid().matmul(&w1.t()) + &b1;
    for (a, b) in net.forward(&x).to_vec().into_iter().zip(expected.to_vec()) {
        assert!((a - b).abs() < 1e-14);
    }
}

#[test]
fn a_summary_counts_each_layer_and_leaves_the_modes_alone() {
    let store = ParamStore::<f32>::seeded(0);
    let root = store.root();
    let net =
        Sequential::new().then(Linear::new(&root.sub("fc"), 4, 3)).then(BatchNorm1d::new(&root.sub("bn"), 3));
    store.select("fc.bias").freeze();
    let frozen_mode = root.sub("body").mode();
    store.set_training("body", false);
    let summary = summary(&store, || net.forward(&Tensor::zeros(&[1, 4])));
    assert_eq!((summary.parameters, summary.trainable), (21, 18));
    assert_eq!(
        summary.to_string(),
        "layer             output  parameters\n\
         fc (Linear)       [1, 3]          15\n\
         bn (BatchNorm1d)  [1, 3]           6\n\
         21 parameters, 18 of them trainable"
    );
    assert!(root.sub("new").mode().is_training() && !frozen_mode.is_training());
    assert_eq!(store.get("bn.running_var").unwrap().to_vec(), [1.0; 3]);
}
