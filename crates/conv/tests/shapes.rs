//! Illegal sizes: typed errors from kernels and shape rules, panics at the caller's line from operations.

use ndarray::Array4;
use proptest::prelude::*;
use striate_conv::kernels::{convolve, convolve_transposed, input_gradient, weight_gradient};
use striate_conv::*;

const PLAIN: ConvOptions<2> = ConvOptions {
    stride: [1, 1],
    padding: Padding::Valid,
    dilation: [1, 1],
    groups: 1,
    algorithm: ConvAlgorithm::Auto,
};

fn message(x: &[usize], w: &[usize], options: ConvOptions<2>) -> String {
    Geometry::new(x, w, &options).unwrap_err().to_string()
}

#[test]
fn messages_say_what_was_expected() {
    let (x, w) = ([8, 2, 28, 28], [16, 3, 5, 5]);
    assert_eq!(
        message(&x, &w, PLAIN),
        "input has 2 channels, kernel expects 3 (x [8, 2, 28, 28], w [16, 3, 5, 5], groups 1)"
    );
    let cases = [
        (message(&[8, 3, 28], &w, PLAIN), "x must have 4 axes, not 3"),
        (
            message(&[8, 3, 4, 28], &w, PLAIN),
            "window of 5 (kernel 5, dilation 1) exceeds the 4 elements of axis 0",
        ),
        (message(&[8, 3, 0, 28], &w, PLAIN), "exceeds the 0 elements of axis 0"),
        (message(&[8, 3, 9, 9], &[16, 3, 5, 0], PLAIN), "kernel of axis 1 must be at least 1"),
        (
            message(&[8, 3, 9, 9], &w, ConvOptions { stride: [1, 0], ..PLAIN }),
            "stride of axis 1 must be at least 1",
        ),
        (message(&[8, 3, 9, 9], &w, ConvOptions { dilation: [0, 1], ..PLAIN }), "dilation of axis 0"),
        (
            message(&[8, 3, 9, 9], &w, ConvOptions { groups: 0, ..PLAIN }),
            "16 output channels do not split into 0 groups",
        ),
        (
            message(&[8, 9, 9, 9], &w, ConvOptions { groups: 3, ..PLAIN }),
            "16 output channels do not split into 3 groups",
        ),
        (
            message(&[8, 3, 9, 9], &w, ConvOptions { stride: [2, 1], padding: Padding::Same, ..PLAIN }),
            "padding 'same' needs stride 1, not 2 at axis 0",
        ),
        (
            message(&[8, 3, 9, 9], &w, ConvOptions { algorithm: ConvAlgorithm::Winograd, ..PLAIN }),
            "Winograd does not compute a convolution of kernel [1, 5, 5]",
        ),
        (message(&[8, 3, usize::MAX, 9], &w, ConvOptions { padding: 1.into(), ..PLAIN }), "sizes overflow"),
        (message(&[usize::MAX / 4, 3, 9, 9], &w, PLAIN), "sizes overflow"),
    ];
    for (message, part) in cases {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn transposed_messages() {
    let message = |x: &[usize], options: ConvOptions<2>, output_padding| {
        Geometry::transposed(x, &[4, 3, 3, 3], &options, output_padding).unwrap_err().to_string()
    };
    let cases = [
        (message(&[2, 5, 6, 6], PLAIN, [0, 0]), "input has 5 channels, kernel expects 4"),
        (message(&[2, 4, 6, 0], PLAIN, [0, 0]), "input of axis 1 must be at least 1"),
        (message(&[2, 4, 6, 6], PLAIN, [0, 1]), "output padding 1 of axis 1 must be smaller than stride 1"),
        (
            message(&[2, 4, 1, 6], ConvOptions { padding: 2.into(), ..PLAIN }, [0, 0]),
            "leaves nothing of the 3 elements",
        ),
    ];
    for (message, part) in cases {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn views_return_errors() {
    let (x, w) = (Array4::<f32>::zeros((2, 4, 6, 6)), Array4::<f32>::zeros((3, 4, 3, 3)));
    let bias = ndarray::Array1::zeros(4);
    assert!(convolve(x.view(), w.view(), Some(bias.view()), &PLAIN).is_err());
    assert!(convolve(x.view(), w.view(), None, &ConvOptions::<1>::default()).is_err());
    assert!(convolve_transposed(x.view(), w.view(), None, &PLAIN, [0, 0]).is_err());
    assert!(input_gradient(x.shape(), w.view(), x.view(), &PLAIN).is_err());
    assert!(weight_gradient(x.view(), w.shape(), x.view(), &PLAIN).is_err());
}

/// Memory order plays no part.
#[test]
fn views_in_any_order() {
    let fill = |shape: (usize, usize, usize, usize)| {
        Array4::from_shape_fn(shape, |(a, b, c, d)| ((a * 7 + b * 5 + c * 3 + d) % 11) as f64 - 5.0)
    };
    let (x, w) = (fill((2, 4, 6, 5)), fill((3, 4, 3, 2)));
    let (x_other, w_other) =
        (x.t().as_standard_layout().into_owned(), w.t().as_standard_layout().into_owned());
    let y = convolve(x.view(), w.view(), None, &PLAIN).unwrap();
    assert_eq!(convolve(x_other.t(), w_other.t(), None, &PLAIN).unwrap(), y);
    assert_eq!(y.shape(), [2, 3, 4, 4]);
    let dx = input_gradient(x.shape(), w.view(), y.view(), &PLAIN).unwrap();
    assert_eq!(convolve_transposed(y.view(), w.view(), None, &PLAIN, [0, 0]).unwrap(), dx);
    assert_eq!(weight_gradient(x_other.t(), w.shape(), y.view(), &PLAIN).unwrap().shape(), w.shape());
}

proptest! {
    #[test]
    fn size_rules_never_panic(
        input: usize, kernel: usize, stride: usize, dilation: usize, before: usize, after: usize, extra: usize, shift in 0u32..64
    ) {
        let cut = |n: usize| n >> shift;
        let window =
            Window { kernel: cut(kernel), stride: cut(stride), padding: (cut(before), cut(after)), dilation: cut(dilation) };
        let _ = transposed_output_size(0, cut(input), window, cut(extra));
        if let Ok(output) = output_size(0, cut(input), window) {
            // The last window fits, one more would not.
            let span = window.dilation * (window.kernel - 1) + 1;
            let padded = cut(input) + window.padding.0 + window.padding.1;
            prop_assert!(output >= 1 && (output - 1) * window.stride + span <= padded);
            prop_assert!(output.checked_mul(window.stride).is_none_or(|last| last + span > padded));
        }
    }

    #[test]
    fn geometries_never_panic(sizes in prop::collection::vec(any::<usize>(), 21), shift in 0u32..64) {
        let size: Vec<usize> = sizes.iter().map(|n| n >> shift).collect();
        let options = ConvOptions::<3> {
            stride: [size[0], size[1], size[2]],
            padding: [(size[3], size[4]), (size[5], size[6]), (size[7], size[8])].into(),
            dilation: [size[9], size[10], size[11]],
            groups: 1 + size[12] % 3,
            algorithm: ConvAlgorithm::Auto,
        };
        let _ = Geometry::new(&size[11..16], &size[16..21], &options);
        let _ = Geometry::transposed(&size[11..16], &size[16..21], &options, [0, size[3], 1]);
    }

    /// Transposed convolution gives back the sizes that convolution had, with the right output padding.
    #[test]
    fn transposed_sizes_invert(input in 1usize..60, kernel in 1usize..6, stride in 1usize..5, dilation in 1usize..4, padding in 0usize..4) {
        let window = Window { kernel, stride, padding: (padding, padding), dilation };
        if let Ok(output) = output_size(0, input, window) {
            let smallest = transposed_output_size(0, output, window, 0);
            let missing = smallest.as_ref().map_or(0, |&n| input - n);
            if smallest.is_ok() && missing < stride.max(dilation) {
                prop_assert_eq!(transposed_output_size(0, output, window, missing), Ok(input));
            }
        }
    }
}

#[cfg(feature = "autograd")]
mod operations {
    use striate_conv::{ConvOptions, conv_transpose2d, conv2d};
    use striate_tensor::Tensor;

    #[test]
    #[should_panic(expected = "conv2d: input has 2 channels, kernel expects 3")]
    fn conv2d_names_itself() {
        conv2d(
            &Tensor::<f32>::ones(&[8, 2, 28, 28]),
            &Tensor::ones(&[16, 3, 5, 5]),
            None,
            &ConvOptions::default(),
        );
    }

    #[test]
    #[should_panic(expected = "conv_transpose2d: bias must be (3), not [4]")]
    fn conv_transpose2d_names_itself() {
        let (x, w, b) = (Tensor::<f32>::ones(&[1, 4, 5, 5]), Tensor::ones(&[4, 3, 2, 2]), Tensor::ones(&[4]));
        conv_transpose2d(&x, &w, Some(&b), &ConvOptions::default(), [0, 0]);
    }
}
