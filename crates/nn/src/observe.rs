//! Watching layers from outside: model summaries read the shapes that each layer gives out, users the values.

use std::any::Any;
use std::cell::RefCell;

use striate_tensor::watch::{self, NonFinite};
use striate_tensor::{Real, Tensor};

use crate::module::Module;

/// One call of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerCall {
    /// The layer's path, such as `conv1`.
    pub path: String,
    /// The layer's type, such as `Linear`.
    pub kind: &'static str,
    /// The shape of its output.
    pub shape: Vec<usize>,
}

thread_local! {
    static CALLS: RefCell<Option<Vec<LayerCall>>> = const { RefCell::new(None) };
    static FIRST_LAYER: RefCell<Option<String>> = const { RefCell::new(None) };
    static WATCHED: RefCell<Vec<Watched>> = const { RefCell::new(Vec::new()) };
}

/// A name of [`outputs`], with the tensor that came last.
struct Watched {
    name: String,
    output: Option<Box<dyn Any>>,
}

impl Watched {
    /// Whether `path` is this name or lies below it.
    fn holds(&self, path: &str) -> bool {
        path.strip_prefix(&self.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// Runs `f` and returns, besides its result, the calls of all layers on this thread, in order.
pub fn layer_calls<R>(f: impl FnOnce() -> R) -> (R, Vec<LayerCall>) {
    let outer = CALLS.replace(Some(Vec::new()));
    let result = f();
    let calls = CALLS.replace(outer).unwrap_or_default();
    (result, calls)
}

/// The output of `net` for `x`, and what the layers of these names gave out last on the way: features of a network
/// between its ends, which gradients flow through.
///
/// `layer1` stands for the layer at that path, or else for the last one below it, such as `layer1.2`;
/// [`layer_calls`] lists the paths. Like torchvision's `create_feature_extractor`.
///
/// # Panics
/// When no layer of a name was called on this thread.
///
/// ```
/// use striate_nn::{Linear, ParamStore, Sequential, observe};
/// use striate_tensor::Tensor;
///
/// let root = ParamStore::<f32>::seeded(0).root();
/// let net = Sequential::new()
///     .then(Linear::new(&root.sub("fc1"), 4, 8))
///     .then(Tensor::relu)
///     .then(Linear::new(&root.sub("fc2"), 8, 3));
/// let (y, [hidden]) = observe::outputs(&net, &Tensor::ones(&[5, 4]), ["fc1"]);
/// assert_eq!((y.shape(), hidden.shape()), (&[5, 3][..], &[5, 8][..]));
/// ```
#[track_caller]
pub fn outputs<E: Real, const N: usize>(
    net: &(impl Module<E> + ?Sized),
    x: &Tensor<E>,
    names: [&str; N],
) -> (Tensor<E>, [Tensor<E>; N]) {
    let watch = |name: &str| Watched { name: name.into(), output: None };
    let outer = WATCHED.replace(names.map(watch).into());
    let y = net.forward(x);
    let watched = WATCHED.replace(outer);
    let tensors = std::array::from_fn(|i| {
        let output = watched[i].output.as_ref().and_then(|output| output.downcast_ref::<Tensor<E>>());
        output.unwrap_or_else(|| panic!("outputs: no layer {:?} was called", names[i])).clone()
    });
    (y, tensors)
}

/// Runs `f` and returns, besides its result, the first operation that gave out a number that is not finite, and the
/// layer that it was in or before, `None` when all layers were done. See [`watch::first_non_finite`].
pub fn first_non_finite<R>(f: impl FnOnce() -> R) -> (R, Option<(NonFinite, Option<String>)>) {
    let outer = FIRST_LAYER.take();
    let (result, first) = watch::first_non_finite(f);
    let layer = FIRST_LAYER.replace(outer);
    (result, first.map(|first| (first, layer)))
}

/// Says that the layer at `path` gave out `y`: every layer calls this at the end of its forward.
pub fn layer<E: Real>(path: &str, kind: &'static str, y: Tensor<E>) -> Tensor<E> {
    CALLS.with_borrow_mut(|calls| {
        if let Some(calls) = calls {
            calls.push(LayerCall { path: path.into(), kind, shape: y.shape().to_vec() });
        }
    });
    if watch::found().is_some_and(|first| !first.backward) {
        FIRST_LAYER.with_borrow_mut(|layer| _ = layer.get_or_insert_with(|| path.into()));
    }
    WATCHED.with_borrow_mut(|watched| {
        for watched in watched.iter_mut().filter(|watched| watched.holds(path)) {
            watched.output = Some(Box::new(y.clone()));
        }
    });
    y
}
