//! Codes of whole sets.

use ndarray::{Array2, ArrayView2, Axis, Ix2};
use striate_tensor::{Real, Tensor, no_grad};

use crate::check::{columns, finite};
use crate::error::GenerativeError;

/// The codes (N, J) of all samples x (N, …), `batch` at a time and without a tape.
///
/// # Panics
/// When a batch has no sample, or the code of a batch of B is not (B, J).
///
/// ```
/// use striate_generative::latent::encode_set;
/// use striate_tensor::Tensor;
///
/// let x = Tensor::<f32>::arange(0.0, 6).reshape(&[3, 2]);
/// assert_eq!(encode_set(&x, 2, |x| x * 2.0), ndarray::array![[0.0, 2.0], [4.0, 6.0], [8.0, 10.0]]);
/// ```
#[track_caller]
pub fn encode_set<E: Real>(
    x: &Tensor<E>,
    batch: usize,
    encode: impl Fn(&Tensor<E>) -> Tensor<E>,
) -> Array2<E> {
    assert!(batch > 0, "encode_set: a batch must have a sample");
    let samples = x.shape()[0];
    let pieces: Vec<Array2<E>> = (0..samples.max(1))
        .step_by(batch)
        .map(|start| {
            let piece = x.narrow(0, start, batch.min(samples - start));
            let codes = no_grad(|| encode(&piece)).to_ndarray().into_dimensionality::<Ix2>();
            codes.expect("encode_set: the codes of a batch must be a matrix (B, J)")
        })
        .collect();
    let views: Vec<ArrayView2<E>> = pieces.iter().map(|piece| piece.view()).collect();
    ndarray::concatenate(Axis(0), &views).expect("encode_set: all codes must be equally long")
}

/// The direction of an attribute: the mean code of samples that have it (N, J), less that of samples without it (M, J).
///
/// d = 1/N Σ zₙ − 1/M Σ zₘ (J); z + d adds the attribute to another sample's code z, z − d takes it away
///
/// # Errors
/// When there is no sample, a number is not finite, or the codes have different lengths.
///
/// ```
/// use ndarray::array;
/// use striate_generative::latent::direction;
///
/// let d = direction(array![[1.0, 5.0], [3.0, 5.0]].view(), array![[1.0, 4.0]].view())?;
/// assert_eq!(d.to_vec(), [1.0, 1.0]);
/// # Ok::<(), striate_generative::GenerativeError>(())
/// ```
pub fn direction<E: Real>(with: ArrayView2<E>, without: ArrayView2<E>) -> Result<Tensor<E>, GenerativeError> {
    columns("without", &without, with.ncols())?;
    let mean = |what, codes: ArrayView2<E>| {
        finite(what, &codes)?;
        let needed = GenerativeError::Samples { what: "an attribute's direction", needed: 1, found: 0 };
        codes.mapv(E::f64).mean_axis(Axis(0)).ok_or(needed)
    };
    Ok((mean("with", with)? - mean("without", without)?).mapv(E::of).into())
}
