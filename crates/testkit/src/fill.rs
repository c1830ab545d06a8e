//! Parameters, buffers and images as functions of their names, so that no file of weights is needed:
//! `golden/cases/fill.py` gives PyTorch's models the same numbers.

use striate_formats::{AnyArray, Arrays};
use striate_nn::ParamStore;
use striate_tensor::{Real, Tensor};

/// FNV-1a.
fn hash(bytes: impl IntoIterator<Item = u8>) -> u32 {
    bytes.into_iter().fold(0x811C_9DC5, |h, byte| (h ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Numbers in [−1, 1) that f32 holds exactly, by name and index: a hash of both.
pub fn noise<E: Real>(name: &str, shape: &[usize]) -> Tensor<E> {
    let seed = hash(name.bytes());
    let one = |i: usize| {
        let mut h = (i as u32).wrapping_mul(0x9E37_79B9).wrapping_add(seed);
        h = (h ^ h >> 16).wrapping_mul(0x85EB_CA6B);
        h = (h ^ h >> 13).wrapping_mul(0xC2B2_AE35);
        E::of(f64::from((h ^ h >> 16) >> 8) / f64::from(1 << 23) - 1.0)
    };
    Tensor::from_vec(shape, (0..shape.iter().product()).map(one).collect())
}

/// Weights that keep the size of signals, norms near the identity; counters stay.
pub fn fill<E: Real>(store: &ParamStore<E>) {
    let one = |(name, now): (&str, &AnyArray)| {
        let counter = name.ends_with("num_batches_tracked");
        (name.to_string(), if counter { now.clone() } else { start(name, now.shape()) })
    };
    let filled: Arrays = store.to_arrays().iter().map(one).collect();
    store.set_arrays(&filled, &[], "fill").expect("the store's own names");
}

fn start(name: &str, shape: &[usize]) -> AnyArray {
    let (shift, scale) = if name.ends_with("running_mean") || name.ends_with("bias") {
        (0.0, 0.125)
    } else if name.ends_with("running_var") {
        (1.0, 0.5)
    } else if shape.len() <= 1 {
        (1.0, 0.25)
    } else {
        (0.0, (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt())
    };
    noise::<f64>(name, shape).to_ndarray().mapv(|u| (shift + scale * u) as f32).into()
}

/// A hash of the names and shapes of all parameters and buffers, in the order of their names.
pub fn digest<E: Real>(store: &ParamStore<E>) -> i64 {
    let state = store.to_arrays();
    let mut lines: Vec<(&str, &[usize])> = state.iter().map(|(name, array)| (name, array.shape())).collect();
    lines.sort_unstable();
    let text: String = lines.iter().map(|(name, shape)| format!("{name} {shape:?}\n")).collect();
    hash(text.bytes()).into()
}
