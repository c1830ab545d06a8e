//! Convolution and transposed convolution. Three maps, each linear in both of its inputs, are each other's derivatives:
//! y = x ⋆ w, its gradient dx = G(dy, w), and its gradient dw = H(x, dy).

use striate_tensor::{Array, Grads, Op, Outputs, Real, Tensor, apply};

use super::expect::expect;
use crate::boundary::Boundary;
use crate::geometry::{ConvOptions, Geometry, GeometryError};
use crate::kernels::conv::{self, ConvAlgorithm};

/// What the three maps share.
#[derive(Clone, Copy)]
struct Conv {
    geometry: Geometry,
    axes: usize,
    algorithm: ConvAlgorithm,
}

impl Conv {
    fn shape(&self, channels: usize, spatial: [usize; 3]) -> Vec<usize> {
        [self.geometry.batch, channels].into_iter().chain(spatial[3 - self.axes..].iter().copied()).collect()
    }

    fn x_shape(&self) -> Vec<usize> {
        self.shape(self.geometry.channels, self.geometry.input)
    }

    fn y_shape(&self) -> Vec<usize> {
        self.shape(self.geometry.features, self.geometry.output)
    }

    fn w_shape(&self) -> Vec<usize> {
        let g = &self.geometry;
        [g.features, g.group_channels()]
            .into_iter()
            .chain(g.kernel[3 - self.axes..].iter().copied())
            .collect()
    }
}

/// The elements of an array that was made contiguous.
fn slice<E: Real>(x: &Array<E>) -> &[E] {
    x.as_slice().expect("made contiguous")
}

/// y = b + x ⋆ w; dx = G(dy, w), dw = H(x, dy), db = Σ dy
struct Forward(Conv);

impl<E: Real> Op<E> for Forward {
    const NAME: &'static str = "conv";
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let (input, w, bias) = (x[0].contiguous(), x[1].contiguous(), x.get(2).map(Array::contiguous));
        let y = Array::build(&self.0.y_shape(), |y| {
            let bias = bias.as_ref().map(slice);
            conv::forward(&self.0.geometry, self.0.algorithm, slice(&input), slice(&w), bias, y);
        });
        ([y].into(), keep.then_some([input, w]))
    }

    fn backward(&self, [x, w]: &Self::Saved, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dy) = &dy[0] else { return };
        let (dy, Conv { geometry, algorithm, .. }) = (dy.contiguous(), self.0);
        if dx.wants(0) {
            dx.write(0, |dx, beta| {
                conv::input_gradient(&geometry, algorithm, slice(w), slice(&dy), None, beta, dx);
            });
        }
        if dx.wants(1) {
            dx.write(1, |dw, beta| {
                conv::weight_gradient(&geometry, algorithm, slice(x), slice(&dy), beta, dw);
            });
        }
        if dx.wants(2) {
            dx.write(2, |db, beta| conv::bias_gradient(&geometry, slice(&dy), beta, db));
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dy = dy[0].as_ref()?;
        let mut dx = vec![
            Some(apply(InputGradient(self.0), &[dy, &x[1]])),
            Some(apply(WeightGradient(self.0), &[&x[0], dy])),
        ];
        dx.extend(x.get(2).map(|_| Some(over_places(dy))));
        Some(dx)
    }
}

/// x = b + G(y, w), the transposed convolution; dy = dx ⋆ w, dw = H(dx, y), db = Σ dx
struct InputGradient(Conv);

impl<E: Real> Op<E> for InputGradient {
    const NAME: &'static str = "conv_transpose";
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let (y, w, bias) = (x[0].contiguous(), x[1].contiguous(), x.get(2).map(Array::contiguous));
        let x = Array::build(&self.0.x_shape(), |x| {
            let bias = bias.as_ref().map(slice);
            conv::input_gradient(
                &self.0.geometry,
                self.0.algorithm,
                slice(&w),
                slice(&y),
                bias,
                E::zero(),
                x,
            );
        });
        ([x].into(), keep.then_some([y, w]))
    }

    fn backward(&self, [y, w]: &Self::Saved, dx: &[Option<Array<E>>], dy: &mut Grads<E>) {
        let Some(dx) = &dx[0] else { return };
        let (dx, Conv { geometry, algorithm, .. }) = (dx.contiguous(), self.0);
        if dy.wants(0) {
            dy.write(0, |dy, beta| {
                conv::forward_onto(&geometry, algorithm, slice(&dx), slice(w), None, beta, dy);
            });
        }
        if dy.wants(1) {
            dy.write(1, |dw, beta| {
                conv::weight_gradient(&geometry, algorithm, slice(&dx), slice(y), beta, dw);
            });
        }
        if dy.wants(2) {
            dy.add(2, dx.sum_to(&channel_shape(dx.shape())).reshape(&[geometry.channels]));
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dx: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dx = dx[0].as_ref()?;
        let mut dy = vec![
            Some(apply(Forward(self.0), &[dx, &x[1]])),
            Some(apply(WeightGradient(self.0), &[dx, &x[0]])),
        ];
        dy.extend(x.get(2).map(|_| Some(over_places(dx))));
        Some(dy)
    }
}

/// w = H(x, y); dx = G(y, dw), dy = x ⋆ dw
struct WeightGradient(Conv);

impl<E: Real> Op<E> for WeightGradient {
    const NAME: &'static str = "conv_weight_gradient";
    type Saved = [Array<E>; 2];

    fn forward(&self, x: &[Array<E>], keep: bool) -> (Outputs<E>, Option<Self::Saved>) {
        let (input, y) = (x[0].contiguous(), x[1].contiguous());
        let w = Array::build(&self.0.w_shape(), |w| {
            conv::weight_gradient(&self.0.geometry, self.0.algorithm, slice(&input), slice(&y), E::zero(), w);
        });
        ([w].into(), keep.then_some([input, y]))
    }

    fn backward(&self, [x, y]: &Self::Saved, dw: &[Option<Array<E>>], dx: &mut Grads<E>) {
        let Some(dw) = &dw[0] else { return };
        let (dw, Conv { geometry, algorithm, .. }) = (dw.contiguous(), self.0);
        if dx.wants(0) {
            dx.write(0, |dx, beta| {
                conv::input_gradient(&geometry, algorithm, slice(&dw), slice(y), None, beta, dx);
            });
        }
        if dx.wants(1) {
            dx.write(1, |dy, beta| {
                conv::forward_onto(&geometry, algorithm, slice(x), slice(&dw), None, beta, dy);
            });
        }
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        _y: &[Tensor<E>],
        dw: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        let dw = dw[0].as_ref()?;
        Some(vec![
            Some(apply(InputGradient(self.0), &[&x[1], dw])),
            Some(apply(Forward(self.0), &[&x[0], dw])),
        ])
    }
}

/// (1, C, 1, …)
fn channel_shape(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|axis| if axis == 1 { shape[1] } else { 1 }).collect()
}

/// Σ over images and places: (N, C, *) → (C)
fn over_places<E: Real>(x: &Tensor<E>) -> Tensor<E> {
    x.sum_to(&channel_shape(x.shape())).flatten(0, -1)
}

fn bias_rule(expected: usize, bias: Option<&[usize]>) -> Result<(), GeometryError> {
    match bias {
        Some(shape) if shape != [expected] => Err(GeometryError::Bias { expected, shape: shape.to_vec() }),
        _ => Ok(()),
    }
}

#[track_caller]
pub(crate) fn conv<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&Tensor<E>>,
    options: &ConvOptions<D>,
) -> Tensor<E> {
    let rule = |bias: Option<&[usize]>| {
        let geometry = Geometry::new(x.shape(), weight.shape(), options)?;
        bias_rule(geometry.features, bias)?;
        Ok(geometry)
    };
    let geometry = expect(op, rule(bias.map(Tensor::shape)));
    let map = Forward(Conv { geometry, axes: D, algorithm: options.algorithm });
    match bias {
        Some(bias) => apply(map, &[x, weight, bias]),
        None => apply(map, &[x, weight]),
    }
}

#[track_caller]
pub(crate) fn conv_transpose<E: Real, const D: usize>(
    op: &str,
    x: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&Tensor<E>>,
    options: &ConvOptions<D>,
    output_padding: [usize; D],
) -> Tensor<E> {
    let rule = |bias: Option<&[usize]>| {
        let geometry = Geometry::transposed(x.shape(), weight.shape(), options, output_padding)?;
        bias_rule(geometry.channels, bias)?;
        Ok(geometry)
    };
    let geometry = expect(op, rule(bias.map(Tensor::shape)));
    let map = InputGradient(Conv { geometry, axes: D, algorithm: options.algorithm });
    match bias {
        Some(bias) => apply(map, &[x, weight, bias]),
        None => apply(map, &[x, weight]),
    }
}

/// Convolution over one axis: a correlation, as all of deep learning's convolutions.
///
/// `y[n, o, l] = b[o] + Σ over c and t of w[o, c, t] · x[n, c, l·s + t·d − p]`; dx is the transposed convolution of dy, dw the correlation of x with dy. PyTorch's `F.conv1d`.
///
/// x (N, C, L), weight (O, C / groups, K), bias (O) → (N, O, L′)
///
/// # Panics
/// When shapes and options do not fit; see [`Geometry::new`].
///
/// ```
/// use striate_conv::{ConvOptions, conv1d};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::from_vec(&[1, 1, 4], vec![1.0, 4.0, 9.0, 16.0]);
/// let slope = Tensor::from_vec(&[1, 1, 2], vec![-1.0, 1.0]);
/// assert_eq!(conv1d(&x, &slope, None, &ConvOptions::default()).to_vec(), [3.0, 5.0, 7.0]);
/// ```
#[track_caller]
pub fn conv1d<E: Real>(
    x: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&Tensor<E>>,
    options: &ConvOptions<1>,
) -> Tensor<E> {
    conv("conv1d", x, weight, bias, options)
}

/// [`conv1d`] over two axes: x (N, C, H, W), weight (O, C / groups, Kh, Kw), bias (O) → (N, O, H′, W′).
/// PyTorch's `F.conv2d`.
///
/// # Panics
/// As [`conv1d`].
///
/// ```
/// use striate_conv::{ConvOptions, conv2d};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::ones(&[8, 3, 28, 28]);
/// let w = Tensor::ones(&[16, 3, 5, 5]);
/// let options = ConvOptions { stride: [2, 2], padding: 2.into(), ..Default::default() };
/// assert_eq!(conv2d(&x, &w, None, &options).shape(), [8, 16, 14, 14]);
/// ```
#[track_caller]
pub fn conv2d<E: Real>(
    x: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&Tensor<E>>,
    options: &ConvOptions<2>,
) -> Tensor<E> {
    conv("conv2d", x, weight, bias, options)
}

/// [`conv1d`] over three axes: x (N, C, D, H, W), weight (O, C / groups, Kd, Kh, Kw), bias (O) → (N, O, D′, H′, W′).
/// PyTorch's `F.conv3d`.
///
/// # Panics
/// As [`conv1d`].
///
/// ```
/// use striate_conv::{ConvOptions, conv3d};
/// use striate_tensor::Tensor;
///
/// let (x, w) = (Tensor::<f32>::ones(&[1, 2, 5, 6, 7]), Tensor::ones(&[4, 2, 3, 3, 3]));
/// assert_eq!(conv3d(&x, &w, None, &ConvOptions::default()).shape(), [1, 4, 3, 4, 5]);
/// ```
#[track_caller]
pub fn conv3d<E: Real>(
    x: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&Tensor<E>>,
    options: &ConvOptions<3>,
) -> Tensor<E> {
    conv("conv3d", x, weight, bias, options)
}

/// The transposed convolution, the gradient of [`conv1d`] with respect to its input:
/// `y[n, o, i] = b[o] + Σ over c, l and t with l·s + t·d − p = i of w[c, o, t] · x[n, c, l]`.
/// PyTorch's `F.conv_transpose1d`.
///
/// x (N, C, L), weight (C, O / groups, K), bias (O) → (N, O, (L − 1)·s − 2p + d·(K − 1) + output padding + 1)
///
/// # Panics
/// When shapes and options do not fit; see [`Geometry::transposed`].
///
/// ```
/// use striate_conv::{ConvOptions, conv_transpose1d};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::from_vec(&[1, 1, 2], vec![1.0, 10.0]);
/// let w = Tensor::from_vec(&[1, 1, 2], vec![1.0, 2.0]);
/// let options = ConvOptions { stride: [2], ..Default::default() };
/// assert_eq!(conv_transpose1d(&x, &w, None, &options, [0]).to_vec(), [1.0, 2.0, 10.0, 20.0]);
/// ```
#[track_caller]
pub fn conv_transpose1d<E: Real>(
    x: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&Tensor<E>>,
    options: &ConvOptions<1>,
    output_padding: [usize; 1],
) -> Tensor<E> {
    conv_transpose("conv_transpose1d", x, weight, bias, options, output_padding)
}

/// [`conv_transpose1d`] over two axes. PyTorch's `F.conv_transpose2d`.
///
/// # Panics
/// As [`conv_transpose1d`].
///
/// ```
/// use striate_conv::{ConvOptions, conv_transpose2d};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::ones(&[8, 64, 16, 16]);
/// let w = Tensor::ones(&[64, 32, 2, 2]);
/// let options = ConvOptions { stride: [2, 2], ..Default::default() };
/// assert_eq!(conv_transpose2d(&x, &w, None, &options, [0, 0]).shape(), [8, 32, 32, 32]);
/// ```
#[track_caller]
pub fn conv_transpose2d<E: Real>(
    x: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&Tensor<E>>,
    options: &ConvOptions<2>,
    output_padding: [usize; 2],
) -> Tensor<E> {
    conv_transpose("conv_transpose2d", x, weight, bias, options, output_padding)
}

/// [`conv_transpose1d`] over three axes. PyTorch's `F.conv_transpose3d`.
///
/// # Panics
/// As [`conv_transpose1d`].
///
/// ```
/// use striate_conv::{ConvOptions, conv_transpose3d};
/// use striate_tensor::Tensor;
///
/// let (x, w) = (Tensor::<f32>::ones(&[1, 2, 3, 3, 3]), Tensor::ones(&[2, 1, 2, 2, 2]));
/// let options = ConvOptions { stride: [2, 2, 2], ..Default::default() };
/// assert_eq!(conv_transpose3d(&x, &w, None, &options, [0; 3]).shape(), [1, 1, 6, 6, 6]);
/// ```
#[track_caller]
pub fn conv_transpose3d<E: Real>(
    x: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&Tensor<E>>,
    options: &ConvOptions<3>,
    output_padding: [usize; 3],
) -> Tensor<E> {
    conv_transpose("conv_transpose3d", x, weight, bias, options, output_padding)
}

/// The gradient of a convolution with respect to its weight, given that of its output: for D = 2,
/// `dw[o, c, t] = Σ over n and q of dy[n, o, q] · x[n, c, q·s + t·d − p]`. PyTorch's `torch.nn.grad.conv2d_weight`.
///
/// x (N, C, *), weight shape (O, C / groups, *), dy (N, O, *)
///
/// # Panics
/// When shapes and options do not fit.
///
/// ```
/// use striate_conv::{ConvOptions, conv_weight};
/// use striate_tensor::Tensor;
///
/// let (x, dy) = (Tensor::<f32>::ones(&[8, 3, 28, 28]), Tensor::ones(&[8, 16, 26, 26]));
/// let dw = conv_weight(&x, &[16, 3, 3, 3], &dy, &ConvOptions::<2>::default());
/// assert_eq!(dw.to_vec()[0], 8.0 * 26.0 * 26.0);
/// ```
#[track_caller]
pub fn conv_weight<E: Real, const D: usize>(
    x: &Tensor<E>,
    weight: &[usize],
    dy: &Tensor<E>,
    options: &ConvOptions<D>,
) -> Tensor<E> {
    let geometry = expect("conv_weight", Geometry::new(x.shape(), weight, options));
    let map = Conv { geometry, axes: D, algorithm: options.algorithm };
    let fits = if dy.shape() == map.y_shape() {
        Ok(())
    } else {
        Err(GeometryError::Shape { what: "dy", expected: map.y_shape(), shape: dy.shape().to_vec() })
    };
    expect("conv_weight", fits);
    apply(WeightGradient(map), &[x, dy])
}

/// More elements around the spatial axes of x (N, C, *): `sides` before and after each, as the boundary says.
///
/// dx = Σ dy over the places that an element was copied to. PyTorch's `F.pad`, whose reflection may not leave the first
/// period; here it goes on.
///
/// # Panics
/// When x has not D + 2 axes.
///
/// ```
/// use striate_conv::{Boundary, pad};
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::from_vec(&[1, 1, 3], vec![1.0, 2.0, 3.0]);
/// assert_eq!(pad(&x, [(2, 1)], Boundary::Wrap).to_vec(), [2.0, 3.0, 1.0, 2.0, 3.0, 1.0]);
/// ```
#[track_caller]
pub fn pad<E: Real, const D: usize>(
    x: &Tensor<E>,
    sides: [(usize, usize); D],
    boundary: Boundary,
) -> Tensor<E> {
    let (rank, shape) = (x.rank(), x.shape().to_vec());
    expect(
        "pad",
        if rank == D + 2 {
            Ok(())
        } else {
            Err(GeometryError::Rank { what: "x", expected: D + 2, rank, shape })
        },
    );
    if boundary == Boundary::Zero {
        let all: Vec<(usize, usize)> = [(0, 0); 2].into_iter().chain(sides).collect();
        return x.pad(&all, striate_tensor::ops::Padding::Constant(0.0));
    }
    let mut y = x.clone();
    for (axis, &(before, after)) in (2..).zip(&sides).filter(|&(_, &sides)| sides != (0, 0)) {
        let n = x.shape()[axis];
        let place = |i: usize| boundary.index(i as isize - before as isize, n);
        let places: Option<Vec<usize>> = (0..before + n + after).map(place).collect();
        let error = GeometryError::Zero { what: "length", axis };
        y = y.index_select(axis as isize, &expect("pad", places.ok_or(error)));
    }
    y
}
