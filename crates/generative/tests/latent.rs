//! Latent-space tools by their laws.

use ndarray::{Array2, array};
use striate_generative::GenerativeError;
use striate_generative::latent::{
    direction, encode_set, interpolate, interpolate_spherical, nearest, normal_quantile, prior_grid, traverse,
};
use striate_generative::standard_normal;
use striate_nn::Rng;
use striate_tensor::{Real, Tensor};

#[test]
fn quantiles_invert_the_distribution_function() {
    // scipy.stats.norm.ppf
    for (p, z) in [
        (1e-8, -5.612001244174789),
        (0.01, -2.3263478740408408),
        (0.3, -0.5244005127080409),
        (0.5, 0.0),
        (0.9, 1.2815515655446004),
        (0.999, 3.090232306167813),
    ] {
        let quantile = normal_quantile(p);
        assert!((quantile - z).abs() < 1e-7, "{p}: {quantile}, expected {z}");
        assert!((Real::normal(quantile).0 - p).abs() < 1e-15);
    }
}

#[test]
#[should_panic(expected = "p must be in (0, 1), is 1")]
fn certainty_has_no_quantile() {
    normal_quantile(1.0);
}

#[test]
fn a_grid_covers_the_plane_by_equal_probabilities() {
    let grid = prior_grid::<f64>(4, 5, [3, 1]).to_ndarray();
    assert_eq!(grid.shape(), [16, 5]);
    for row in 0..4 {
        for column in 0..4 {
            let code = grid.index_axis(ndarray::Axis(0), 4 * row + column);
            assert!((code[3] - normal_quantile((column as f64 + 0.5) / 4.0)).abs() < 1e-15);
            assert!((code[1] - normal_quantile((3.5 - row as f64) / 4.0)).abs() < 1e-15);
            assert_eq!([code[0], code[2], code[4]], [0.0; 3]);
        }
    }
}

#[test]
#[should_panic(expected = "[0, 2] are no two of 2 latent dimensions")]
fn a_grid_needs_two_dimensions() {
    prior_grid::<f32>(4, 2, [0, 2]);
}

#[test]
fn an_arc_keeps_the_length_and_goes_at_one_speed() {
    let (a, b) = (Tensor::from_slice(&[3.0f64, 0.0, 0.0]), Tensor::from_slice(&[0.0, 1.8, 2.4]));
    let arc = interpolate_spherical(&a, &b, 7).to_ndarray();
    for (step, code) in arc.outer_iter().enumerate() {
        let length = code.iter().map(|z| z * z).sum::<f64>().sqrt();
        assert!((length - 3.0).abs() < 1e-12);
        let angle = (code[0] / 3.0).acos();
        assert!((angle - step as f64 / 6.0 * std::f64::consts::FRAC_PI_2).abs() < 1e-12);
    }
    let line = interpolate(&a, &b, 7);
    for (path, first, last) in [(&line, &a, &b), (&Tensor::from(arc), &a, &b)] {
        assert!(path.select(0, 0).all_close(first, Default::default()));
        assert!(path.select(0, 6).all_close(last, Default::default()));
    }
    assert!(line.select(0, 3).all_close(&((&a + &b) * 0.5), Default::default()));
}

#[test]
fn codes_on_one_line_are_mixed_straight() {
    let a = Tensor::from_slice(&[1.0f64, 2.0]);
    for b in [&a * 3.0, &a * -1.0, Tensor::zeros(&[2])] {
        assert_eq!(interpolate_spherical(&a, &b, 5).to_vec(), interpolate(&a, &b, 5).to_vec());
    }
    assert_eq!(interpolate(&a, &a, 1).to_vec(), a.to_vec());
}

#[test]
#[should_panic(expected = "interpolate: both codes must be (J), are [2] and [3]")]
fn ends_have_one_length() {
    interpolate(&Tensor::<f32>::zeros(&[2]), &Tensor::zeros(&[3]), 2);
}

#[test]
fn a_traversal_changes_one_dimension_at_a_time() {
    let z = standard_normal::<f32>(&[4], &mut Rng::new(0));
    let codes = traverse(&z, &[-3.0, 0.0, 3.0]).to_ndarray();
    assert_eq!(codes.shape(), [12, 4]);
    for (row, code) in codes.outer_iter().enumerate() {
        for (dimension, (&moved, start)) in code.iter().zip(z.to_vec()).enumerate() {
            let expected = if dimension == row / 3 { [-3.0, 0.0, 3.0][row % 3] } else { start };
            assert_eq!(moved, expected);
        }
    }
}

#[test]
fn sets_are_encoded_in_batches_as_at_once() {
    let x = standard_normal::<f64>(&[23, 6], &mut Rng::new(1));
    let w = standard_normal::<f64>(&[6, 2], &mut Rng::new(2)).requires_grad();
    let whole = encode_set(&x, 100, |x| x.matmul(&w));
    for batch in [1, 5, 23] {
        let pieces = encode_set(&x, batch, |x| {
            assert!(x.shape()[0] <= batch && x.shape()[0] > 0);
            let codes = x.matmul(&w);
            assert!(!codes.is_tracked());
            codes
        });
        assert!((pieces - &whole).iter().all(|d| d.abs() < 1e-12));
    }
    assert_eq!(encode_set(&x.narrow(0, 0, 0), 5, |x| x.matmul(&w)).shape(), [0, 2]);
}

#[test]
fn directions_are_differences_of_means() {
    let (with, without) = (array![[2.0, 0.0], [4.0, 2.0]], array![[1.0, 1.0]]);
    assert_eq!(direction(with.view(), without.view()).unwrap().to_vec(), [2.0, 0.0]);
    let none = Array2::<f64>::zeros((0, 2));
    assert!(matches!(direction(with.view(), none.view()), Err(GenerativeError::Samples { .. })));
    let error = direction(with.view(), array![[1.0]].view()).err().unwrap();
    assert_eq!(error.to_string(), "without must be (N, 2), is [1, 1]");
}

#[test]
fn neighbours_are_the_nearest_in_order() {
    let x = standard_normal::<f32>(&[200, 37], &mut Rng::new(3)).to_ndarray();
    let x: Array2<f32> = x.into_dimensionality().unwrap();
    let queries = x.select(ndarray::Axis(0), &[150, 3]) + 1e-3;
    let found = nearest(queries.view(), x.view(), 5).unwrap();
    assert_eq!(found.indices.column(0).to_vec(), [150, 3]);
    for (q, query) in queries.outer_iter().enumerate() {
        let mut all: Vec<(f64, usize)> = x
            .outer_iter()
            .map(|row| row.iter().zip(&query).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt())
            .zip(0..)
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (k, (distance, index)) in all[..5].iter().enumerate() {
            assert_eq!(found.indices[[q, k]], *index);
            assert!((found.distances[[q, k]] - distance).abs() < 1e-5);
        }
    }
    let copies = Array2::<f32>::zeros((4, 3));
    assert_eq!(nearest(copies.view(), copies.view(), 2).unwrap().indices.row(3).to_vec(), [0, 1]);
    let many = nearest(copies.view(), copies.view(), 5).unwrap_err();
    assert_eq!(many.to_string(), "nearest needs at least 5 samples, there are 4");
    let nan = Array2::from_elem((1, 3), f32::NAN);
    assert!(matches!(nearest(nan.view(), copies.view(), 1), Err(GenerativeError::NotFinite { .. })));
    assert!(matches!(nearest(array![[1.0f32]].view(), copies.view(), 1), Err(GenerativeError::Shape { .. })));
}
