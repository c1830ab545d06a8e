//! PCA by its laws, and the linear auto-encoder that finds the same subspace.

use ndarray::{Array2, ArrayView2, Axis, array, concatenate, s};
use striate_generative::{
    AutoEncoder, AutoEncoderOptions, GenerativeError, Network, Pca, Penalty, principal_angles,
};
use striate_nn::optim::{Adam, AdamOptions};
use striate_nn::{ParamStore, Rng};
use striate_tensor::Tensor;

/// Normal numbers around (1, 2, …) whose spread falls by half from column to column, turned by mixing neighbours.
fn cloud(samples: usize, features: usize, seed: u64) -> Array2<f64> {
    let mut x = Array2::zeros((samples, features));
    Rng::new(seed).fill_normal(x.as_slice_mut().unwrap(), 0.0, 1.0);
    for (j, mut column) in x.columns_mut().into_iter().enumerate() {
        column *= 0.5f64.powi(j as i32);
    }
    for j in 1..features {
        let (left, right) = (x.column(j - 1).to_owned(), x.column(j).to_owned());
        x.column_mut(j - 1).assign(&(&left * 0.6 - &right * 0.8));
        x.column_mut(j).assign(&(&left * 0.8 + &right * 0.6));
    }
    x + &Array2::from_shape_fn((1, features), |(_, j)| j as f64 + 1.0)
}

#[track_caller]
fn assert_near(a: &Array2<f64>, b: ArrayView2<f64>) {
    assert_eq!(a.dim(), b.dim());
    let furthest = (a - &b).iter().fold(0.0, |most: f64, d| most.max(d.abs()));
    assert!(furthest < 1e-10, "differ by {furthest}:\n{a}\n{b}");
}

/// Covariance, as the definition reads.
fn covariance(x: ArrayView2<f64>) -> Array2<f64> {
    let centred = &x - &x.mean_axis(Axis(0)).unwrap();
    centred.t().dot(&centred) / (x.nrows() - 1) as f64
}

#[test]
fn components_are_orthonormal_and_decorrelate_the_data() {
    for (samples, features, components) in [(50, 6, 6), (50, 6, 2), (7, 6, 6), (6, 6, 5), (5, 12, 4)] {
        let x = cloud(samples, features, 1);
        let pca = Pca::fit(x.view(), components).unwrap();
        assert_near(&pca.components().dot(&pca.components().t()), Array2::eye(components).view());
        let codes = pca.transform(x.view()).unwrap();
        let variances = Array2::from_diag(&pca.explained_variance());
        assert_near(&covariance(codes.view()), variances.view());
        assert!(pca.explained_variance().windows(2).into_iter().all(|pair| pair[0] >= pair[1]));
        for row in pca.components().rows() {
            let largest = row.iter().fold(0.0, |a: f64, &b| if b.abs() > a.abs() { b } else { a });
            assert!(largest > 0.0);
        }
    }
}

#[test]
fn the_error_of_reconstruction_is_the_variance_left_out() {
    let x = cloud(80, 5, 2);
    let every = Pca::fit(x.view(), 5).unwrap();
    assert!((every.explained_variance_ratio().sum() - 1.0).abs() < 1e-12);
    for components in 1..=5 {
        let pca = Pca::fit(x.view(), components).unwrap();
        let back = pca.inverse(pca.transform(x.view()).unwrap().view()).unwrap();
        let error = (&x - &back).mapv(|d| d * d).sum() / 79.0;
        let left = every.explained_variance().slice(s![components..]).sum();
        assert!((error - left).abs() < 1e-12, "{components}: {error} and {left}");
    }
}

#[test]
fn fewer_samples_than_features_are_all_reconstructed_also_when_they_repeat() {
    let x = cloud(4, 9, 3);
    let repeated = concatenate(Axis(0), &[x.view(), x.slice(s![..2, ..])]).unwrap();
    for x in [x, repeated] {
        let pca = Pca::fit(x.view(), x.nrows() - 1).unwrap();
        let identity = Array2::eye(x.nrows() - 1);
        assert_near(&pca.components().dot(&pca.components().t()), identity.view());
        let back = pca.inverse(pca.transform(x.view()).unwrap().view()).unwrap();
        assert_near(&back, x.view());
    }
}

#[test]
fn single_precision_data_gives_single_precision_codes() {
    let x = cloud(30, 4, 4);
    let wide = Pca::fit(x.view(), 2).unwrap().transform(x.view()).unwrap();
    let narrow = x.mapv(|x| x as f32);
    let codes = Pca::fit(narrow.view(), 2).unwrap().transform(narrow.view()).unwrap();
    assert!(codes.iter().zip(&wide).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5));
}

#[test]
fn data_without_variance_has_zero_ratios() {
    let pca = Pca::fit(Array2::<f64>::ones((5, 3)).view(), 3).unwrap();
    assert_eq!(pca.explained_variance_ratio().to_vec(), [0.0; 3]);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let fit = |x: Array2<f64>, components| Pca::fit(x.view(), components).unwrap_err();
    let nan = fit(array![[0.0, 1.0], [2.0, f64::NAN], [1.0, 1.0]], 1);
    assert_eq!(nan.to_string(), "x must be finite, is NaN at [1, 1]");
    assert_eq!(fit(array![[0.0, 1.0]], 1), GenerativeError::Samples { what: "pca", needed: 2, found: 1 });
    assert_eq!(
        fit(cloud(4, 9, 0), 4).to_string(),
        "the number of components must be 1 to 3 for this data, is 4"
    );
    assert_eq!(fit(cloud(9, 4, 0), 0), GenerativeError::Components { components: 0, most: 4 });
    assert_eq!(fit(cloud(9, 4, 0), 5), GenerativeError::Components { components: 5, most: 4 });
    let pca = Pca::fit(cloud(9, 4, 0).view(), 2).unwrap();
    let error = pca.transform(cloud(3, 5, 0).view()).unwrap_err();
    assert_eq!(error.to_string(), "x must be (N, 4), is [3, 5]");
    let error = pca.inverse(array![[f64::INFINITY, 0.0]].view()).unwrap_err();
    assert_eq!(error.to_string(), "z must be finite, is inf at [0, 0]");
}

#[test]
fn principal_angles_of_known_subspaces() {
    let angle: f64 = 0.3;
    let plane = array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    let turned = array![[2.0, 0.0, 0.0], [5.0, angle.cos(), angle.sin()]];
    let angles = principal_angles(plane.view(), turned.view()).unwrap();
    assert!(angles[0].abs() < 1e-7 && (angles[1] - angle).abs() < 1e-12, "{angles:?}");
    let across = principal_angles(array![[0.0, 0.0, 1.0]].view(), plane.view()).unwrap();
    assert!((across[0] - std::f64::consts::FRAC_PI_2).abs() < 1e-12 && across.len() == 1);
    assert!(principal_angles(plane.view(), array![[1.0, 0.0]].view()).is_err());
    assert!(principal_angles(array![[1.0], [2.0]].view(), array![[1.0]].view()).is_err());
}

#[test]
fn a_linear_auto_encoder_finds_the_subspace_of_pca() {
    let x = cloud(100, 6, 5) / 4.0;
    let x = &x - &x.mean_axis(Axis(0)).unwrap() + 0.1;
    let pca = Pca::fit(x.view(), 2).unwrap();
    let store = ParamStore::<f64>::seeded(0);
    let options = AutoEncoderOptions { network: Network::dense(&[]), code: 2, ..Default::default() };
    let net = AutoEncoder::new(&store.root(), &[6], &options).unwrap();
    let data = Tensor::from(x.view());
    let mut adam = Adam::new(&store, AdamOptions { lr: 0.02, ..Default::default() });
    let mut loss = f64::INFINITY;
    for _ in 0..1000 {
        let squared = net.loss(&data, &data, Penalty::None);
        adam.step(&squared.backward());
        loss = squared.item();
    }
    let decoder = store.get("decoder.fc1.weight").unwrap().t().to_ndarray();
    let decoder = decoder.into_dimensionality().unwrap();
    let angles = principal_angles(pca.components(), decoder.view()).unwrap();
    assert!(angles[1] < 1e-3, "{angles:?}");
    let left = (covariance(x.view()).diag().sum() - pca.explained_variance().sum()) * 0.99;
    assert!((left..1.01 * left).contains(&loss), "{loss}, PCA leaves {left}");
}
