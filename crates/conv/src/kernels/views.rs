//! Convolution of `ndarray` views: arrays in, arrays out.

use ndarray::{Array, ArrayView, ArrayView1, Dimension, IxDyn};
use striate_compute::Real;

use super::conv;
use crate::geometry::{ConvOptions, Geometry, GeometryError};

/// y = b + x ⋆ w over D spatial axes: a correlation, as all of deep learning's convolutions. PyTorch: `F.conv1d` to `F.conv3d`.
///
/// `y[n, o, q] = b[o] + Σ over c and t of w[o, c, t] · x[n, c, q·stride + t·dilation − padding]`
///
/// x (N, C, *), w (O, C / groups, *), b (O) → (N, O, *), in any memory order.
///
/// # Errors
/// When shapes and options do not fit.
///
/// ```
/// use ndarray::{Array4, array};
/// use striate_conv::{ConvOptions, kernels::convolve};
///
/// let image = Array4::from_shape_fn((1, 1, 3, 4), |(_, _, i, j)| (i * j) as f32);
/// let edges = array![[[[-1.0, 1.0]]]];
/// let slope = convolve(image.view(), edges.view(), None, &ConvOptions::<2>::default())?;
/// assert_eq!(slope, array![[[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]]]);
/// # Ok::<(), striate_conv::GeometryError>(())
/// ```
pub fn convolve<E: Real, I: Dimension, const D: usize>(
    x: ArrayView<E, I>,
    w: ArrayView<E, I>,
    bias: Option<ArrayView1<E>>,
    options: &ConvOptions<D>,
) -> Result<Array<E, I>, GeometryError> {
    let g = Geometry::new(x.shape(), w.shape(), options)?;
    let bias = bias_of(g.features, bias)?;
    let (x, w) = (x.as_standard_layout(), w.as_standard_layout());
    let mut y = vec![E::zero(); g.batch * g.features * g.output_size()];
    conv::forward(&g, options.algorithm, slice(&x), slice(&w), bias.as_deref(), &mut y);
    Ok(array(&g.output_shape::<D>(), y))
}

/// The transposed convolution, which is the gradient of [`convolve`] with respect to its input.
/// PyTorch: `F.conv_transpose1d` to `F.conv_transpose3d`.
///
/// `y[n, o, i] = b[o] + Σ over c, l and t with l·stride + t·dilation − padding = i of w[c, o, t] · x[n, c, l]`
///
/// x (N, C, *), w (C, O / groups, *), b (O) → (N, O, *), in any memory order.
///
/// # Errors
/// When shapes and options do not fit.
pub fn convolve_transposed<E: Real, I: Dimension, const D: usize>(
    x: ArrayView<E, I>,
    w: ArrayView<E, I>,
    bias: Option<ArrayView1<E>>,
    options: &ConvOptions<D>,
    output_padding: [usize; D],
) -> Result<Array<E, I>, GeometryError> {
    let g = Geometry::transposed(x.shape(), w.shape(), options, output_padding)?;
    let bias = bias_of(g.channels, bias)?;
    let (x, w) = (x.as_standard_layout(), w.as_standard_layout());
    let mut y = vec![E::zero(); g.batch * g.channels * g.input_size()];
    conv::input_gradient(&g, options.algorithm, slice(&w), slice(&x), bias.as_deref(), E::zero(), &mut y);
    Ok(array(&g.input_shape::<D>(), y))
}

/// ∂L/∂x of [`convolve`], given dy = ∂L/∂y and the shape of x.
///
/// With stride 1 it is the full convolution of dy with w: the correlation with w rotated by 180°.
///
/// # Errors
/// When shapes and options do not fit.
pub fn input_gradient<E: Real, I: Dimension, const D: usize>(
    x: &[usize],
    w: ArrayView<E, I>,
    dy: ArrayView<E, I>,
    options: &ConvOptions<D>,
) -> Result<Array<E, I>, GeometryError> {
    let g = Geometry::new(x, w.shape(), options)?;
    fits("dy", &g.output_shape::<D>(), dy.shape())?;
    let (w, dy) = (w.as_standard_layout(), dy.as_standard_layout());
    let mut dx = vec![E::zero(); g.batch * g.channels * g.input_size()];
    conv::input_gradient(&g, options.algorithm, slice(&w), slice(&dy), None, E::zero(), &mut dx);
    Ok(array(x, dx))
}

/// ∂L/∂w of [`convolve`], given dy = ∂L/∂y and the shape of w: the correlation of x with dy.
///
/// # Errors
/// When shapes and options do not fit.
pub fn weight_gradient<E: Real, I: Dimension, const D: usize>(
    x: ArrayView<E, I>,
    w: &[usize],
    dy: ArrayView<E, I>,
    options: &ConvOptions<D>,
) -> Result<Array<E, I>, GeometryError> {
    let g = Geometry::new(x.shape(), w, options)?;
    fits("dy", &g.output_shape::<D>(), dy.shape())?;
    let (x, dy) = (x.as_standard_layout(), dy.as_standard_layout());
    let mut dw = vec![E::zero(); w.iter().product()];
    conv::weight_gradient(&g, options.algorithm, slice(&x), slice(&dy), E::zero(), &mut dw);
    Ok(array(w, dw))
}

fn bias_of<E: Real>(expected: usize, bias: Option<ArrayView1<E>>) -> Result<Option<Vec<E>>, GeometryError> {
    match bias {
        Some(bias) if bias.len() != expected => {
            Err(GeometryError::Bias { expected, shape: bias.shape().to_vec() })
        }
        bias => Ok(bias.map(|bias| bias.to_vec())),
    }
}

fn fits(what: &'static str, expected: &[usize], shape: &[usize]) -> Result<(), GeometryError> {
    if shape == expected {
        return Ok(());
    }
    Err(GeometryError::Shape { what, expected: expected.to_vec(), shape: shape.to_vec() })
}

fn slice<'a, E, I: Dimension>(x: &'a ndarray::CowArray<'_, E, I>) -> &'a [E] {
    x.as_slice().expect("the layout is standard")
}

/// `values` in a shape of as many axes as `I` has: the geometry has checked that.
fn array<E, I: Dimension>(shape: &[usize], values: Vec<E>) -> Array<E, I> {
    let array = Array::from_shape_vec(IxDyn(shape), values).expect("as many as the shape says");
    array.into_dimensionality().expect("as many axes as the inputs")
}
