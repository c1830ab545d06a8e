//! Dropout and embedding.

use striate_nn::{Dropout, Embedding, EmbeddingOptions, Module, ParamStore};
use striate_tensor::Tensor;

#[test]
fn dropout_keeps_the_mean_and_its_backward_uses_the_same_mask() {
    let store = ParamStore::<f32>::seeded(1);
    let dropout = Dropout::new(&store.root(), 0.25);
    let x = Tensor::<f32>::ones(&[100_000]).requires_grad();
    let y = dropout.forward(&x);
    let values = y.to_vec();
    assert!(values.iter().all(|&y| y == 0.0 || y == 1.0 / 0.75));
    assert!((y.mean().item() - 1.0).abs() < 0.01);
    assert_eq!(y.sum().backward().get(&x).unwrap().to_vec(), values);
}

#[test]
fn dropout_draws_anew_each_time_and_the_same_from_the_same_seed() {
    let draw = |seed| {
        let store = ParamStore::<f32>::seeded(seed);
        let dropout = Dropout::new(&store.root(), 0.5);
        let x = Tensor::<f32>::ones(&[1000]);
        [dropout.forward(&x).to_vec(), dropout.forward(&x).to_vec()]
    };
    let [first, second] = draw(3);
    assert_ne!(first, second);
    assert_eq!(draw(3), [first.clone(), second]);
    assert_ne!(draw(4)[0], first);
}

#[test]
fn dropout_in_evaluation_is_the_identity_and_draws_nothing() {
    let store = ParamStore::<f32>::seeded(1);
    let dropout = Dropout::new(&store.root(), 0.5);
    store.eval();
    let x = Tensor::<f32>::linspace(-1.0, 1.0, 7);
    assert_eq!(dropout.forward(&x).to_vec(), x.to_vec());
    assert_eq!(store.stream().position(), 0);
}

#[test]
fn dropout_of_everything_is_zero() {
    let store = ParamStore::<f64>::seeded(1);
    let y = Dropout::new(&store.root(), 1.0).forward(&Tensor::<f64>::ones(&[3]));
    assert_eq!(y.to_vec(), [0.0; 3]);
}

#[test]
#[should_panic(expected = "dropout: probability must be in [0, 1], is 1.5")]
fn a_probability_above_one_panics() {
    Dropout::new(&ParamStore::<f32>::seeded(0).root(), 1.5);
}

#[test]
fn embedding_takes_rows_and_adds_gradients_to_them() {
    let store = ParamStore::<f64>::seeded(0);
    let options = EmbeddingOptions { padding_index: Some(2) };
    let embedding = Embedding::with(&store.root(), 4, 3, options);
    let rows = embedding.weight.to_ndarray();
    assert!(rows.index_axis(ndarray::Axis(0), 2).iter().all(|&w| w == 0.0));
    assert!(rows.index_axis(ndarray::Axis(0), 1).iter().all(|&w| w != 0.0));

    let indices = ndarray::array![[1, 2, 1], [0, 1, 2]];
    let y = embedding.forward(&indices);
    assert_eq!(y.shape(), [2, 3, 3]);
    assert_eq!(y.to_vec()[..3], embedding.weight.to_vec()[3..6]);
    let gradients = y.sum().backward();
    let expected = [1.0, 3.0, 0.0, 0.0].iter().flat_map(|&g| [g; 3]).collect::<Vec<f64>>();
    assert_eq!(gradients.get(&embedding.weight).unwrap().to_vec(), expected);
}

#[test]
#[should_panic(expected = "embedding: label 4 at position 1 is out of range: there are 4 classes")]
fn an_index_out_of_range_panics() {
    Embedding::new(&ParamStore::<f32>::seeded(0).root(), 4, 3).forward(&[0, 4]);
}
