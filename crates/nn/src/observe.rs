//! Watching layers from outside: model summaries read what each layer gives out.

use std::cell::RefCell;

use striate_tensor::{Real, Tensor};

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
}

/// Runs `f` and returns, besides its result, the calls of all layers on this thread, in order.
pub fn layer_calls<R>(f: impl FnOnce() -> R) -> (R, Vec<LayerCall>) {
    let outer = CALLS.replace(Some(Vec::new()));
    let result = f();
    let calls = CALLS.replace(outer).unwrap_or_default();
    (result, calls)
}

/// Says that the layer at `path` gave out `y`: every layer calls this at the end of its forward.
pub fn layer<E: Real>(path: &str, kind: &'static str, y: Tensor<E>) -> Tensor<E> {
    CALLS.with_borrow_mut(|calls| {
        if let Some(calls) = calls {
            calls.push(LayerCall { path: path.into(), kind, shape: y.shape().to_vec() });
        }
    });
    y
}
