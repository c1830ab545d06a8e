//! No algorithm writes down all columns or tiles: beside its arrays a convolution takes little memory.
#![cfg(feature = "autograd")]

use peak_alloc::PeakAlloc;
use striate_compute::pool;
use striate_conv::{ConvAlgorithm, ConvOptions, conv2d};
use striate_tensor::{GradOptions, Tensor};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a forward and backward pass may take beside inputs, outputs and gradients. All columns take 115 MB.
const EXTRA: usize = 32_000_000;

#[test]
fn forward_and_backward_take_little_beside_inputs_outputs_and_gradients() {
    use ConvAlgorithm::{Auto, Direct, Im2col, Winograd};

    let x = Tensor::<f32>::full(&[16, 64, 56, 56], 0.5).requires_grad();
    let w = Tensor::full(&[64, 64, 3, 3], 0.01).requires_grad();
    let b = Tensor::full(&[64], 0.1).requires_grad();
    let dy = Tensor::full(x.shape(), 0.25);
    // x, w, b and their gradients, y and dy.
    let elements = 2 * (x.len() + w.len() + b.len()) + 2 * dy.len();
    let arrays = elements * size_of::<f32>();

    for algorithm in [Auto, Direct, Im2col, Winograd] {
        let options = ConvOptions { padding: 1.into(), algorithm, ..Default::default() };
        pool::release();
        MEMORY.reset_peak_usage();
        let y = conv2d(&x, &w, Some(&b), &options);
        let gradients = y.backward_from(&dy, GradOptions::default());
        let peak = MEMORY.peak_usage();
        assert!([&x, &w, &b].iter().all(|x| gradients.get(x).is_some()));
        let (peak, most) = (peak as f64 / 1e6, (arrays + EXTRA) as f64 / 1e6);
        assert!(peak <= most, "{algorithm:?}: {peak:.1} MB, {most:.1} MB allowed");
    }
}
