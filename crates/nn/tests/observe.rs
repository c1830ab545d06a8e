//! Watching what layers give out.

use striate_nn::{Linear, Module, ParamStore, Path, observe};
use striate_tensor::Tensor;

/// Two layers below each of two paths.
struct Net([Linear<f64>; 4]);

impl Net {
    fn new(path: &Path<f64>) -> Self {
        Net(["a.0", "a.1", "ab.0", "ab.1"].map(|name| Linear::new(&path.sub(name), 2, 2)))
    }
}

impl Module<f64> for Net {
    fn forward(&self, x: &Tensor<f64>) -> Tensor<f64> {
        self.0.iter().fold(x.clone(), |x, layer| layer.forward(&x))
    }
}

fn input() -> Tensor<f64> {
    Tensor::from_vec(&[3, 2], vec![0.5, -1.0, 2.0, 0.0, 1.0, -3.0])
}

#[test]
fn a_name_stands_for_its_layer_or_the_last_one_below_it() {
    let store = ParamStore::seeded(0);
    let net = Net::new(&store.root());
    let (y, [first, a, ab]) = observe::outputs(&net, &input(), ["a.0", "a", "ab"]);
    let after = |count: usize| net.0[..count].iter().fold(input(), |x, layer| layer.forward(&x)).to_vec();
    assert_eq!(first.to_vec(), after(1));
    assert_eq!(a.to_vec(), after(2));
    assert_eq!(ab.to_vec(), after(4));
    assert_eq!(y.to_vec(), after(4));
}

#[test]
fn gradients_flow_through_what_was_watched() {
    let store = ParamStore::seeded(0);
    let net = Net::new(&store.root());
    let (_, [a]) = observe::outputs(&net, &input(), ["a"]);
    let gradients = a.sum().backward();
    let reached = net.0.each_ref().map(|layer| gradients.get(&layer.weight).is_some());
    assert_eq!(reached, [true, true, false, false]);
}

#[test]
fn watching_inside_watching_ends_with_its_call() {
    let store = ParamStore::seeded(0);
    let net = Net::new(&store.root());
    let both = |x: &Tensor<f64>| observe::outputs(&net, &net.0[1].forward(x), ["ab"]).1[0].clone();
    let (ab, [outer]) = observe::outputs(&both, &input(), ["a"]);
    assert_eq!(outer.to_vec(), net.0[1].forward(&input()).to_vec());
    assert_eq!(ab.to_vec(), net.forward(&outer).to_vec());
}

#[test]
#[should_panic(expected = "outputs: no layer \"b\" was called")]
fn a_name_that_no_layer_has_is_named() {
    let net = Net::new(&ParamStore::seeded(0).root());
    observe::outputs(&net, &input(), ["b"]);
}
