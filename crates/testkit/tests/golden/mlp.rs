//! A network that PyTorch saved.

use striate_nn::{Linear, Module, ParamStore, Sequential, cross_entropy};
use striate_tensor::Tensor;
use testkit::golden::{assert_close, load, path, within};

/// Loads by name in the given precision and gives the logits, the loss and the gradients of PyTorch.
fn same_as_pytorch(precision: &str) {
    let golden = load("mlp");
    let expected = |what: &str| golden.f64(&format!("{precision}:{what}"));
    let store = ParamStore::<f32>::seeded(3);
    let root = store.root();
    let net = Sequential::new()
        .then(Linear::new(&root.sub("fc1"), 7, 11))
        .then(Tensor::relu)
        .then(Linear::new(&root.sub("fc2"), 11, 5))
        .then(Tensor::tanh)
        .then(Linear::new(&root.sub("fc3"), 5, 3));
    store.load(path(&format!("mlp_{precision}"))).unwrap();

    let logits = net.forward(&golden.tensor("x"));
    let loss = cross_entropy(&logits, &golden.indices("labels"));
    let gradients = loss.backward();
    let close = |what: &str, actual: &Tensor| {
        assert_close(&format!("mlp {precision}: {what}"), actual, &expected(what), within(1e-6));
    };
    close("logits", &logits);
    close("loss", &loss);
    for (name, parameter) in store.parameters().iter() {
        close(&format!("grad.{name}"), gradients.get(parameter).unwrap());
    }
}

#[test]
fn single_precision() {
    same_as_pytorch("f32");
}

#[test]
fn half_precisions_are_widened() {
    same_as_pytorch("f16");
    same_as_pytorch("bf16");
}
