//! Filters that differ from place to place, and what makes them the same everywhere.

use ndarray::{Array2, ArrayView2};
use striate_compute::{Real, par};

use super::Kernel;
use crate::Boundary;

/// Correlation with a kernel that depends on the place: I′(i, j) = Σₘₙ K(i, j, m, n) · I(i + m, j + n),
/// |m| ≤ `radius.0`, |n| ≤ `radius.1`.
///
/// image (H, W) → (H, W); `boundary` says what I is outside.
///
/// ```
/// use ndarray::array;
/// use striate_conv::Boundary;
/// use striate_conv::filter::correlate_local;
///
/// // The left half stays, the right half takes its left neighbour.
/// let image = array![[1.0, 2.0, 3.0, 4.0]];
/// let kernel = |_, j, _, n| if n == if j < 2 { 0 } else { -1 } { 1.0 } else { 0.0 };
/// assert_eq!(correlate_local(image.view(), (0, 1), Boundary::Zero, kernel), array![[1.0, 2.0, 2.0, 3.0]]);
/// ```
pub fn correlate_local<E: Real>(
    image: ArrayView2<E>,
    radius: (usize, usize),
    boundary: Boundary,
    kernel: impl Fn(usize, usize, isize, isize) -> E + Sync,
) -> Array2<E> {
    let (height, width) = image.dim();
    let mut filtered = Array2::zeros((height, width));
    if filtered.is_empty() {
        return filtered;
    }
    let out = filtered.as_slice_mut().expect("a new array is contiguous");
    par::pieces_mut(out, width, |i, out| {
        for (j, out) in out.iter_mut().enumerate() {
            for (m, n) in offsets(radius) {
                let row = boundary.index(i as isize + m, height);
                let column = boundary.index(j as isize + n, width);
                if let Some(place) = row.zip(column) {
                    *out += kernel(i, j, m, n) * image[place];
                }
            }
        }
    });
    filtered
}

/// The kernel K(m, n) that K(i, j, m, n) is at every pixel of an image of `size`; `None` when it depends on (i, j),
/// or when the image is empty.
///
/// Exactly the kernels without dependence on (i, j) filter shift-equivariantly: T(f(u)) = f(T(u)) for shifts T.
///
/// ```
/// use striate_conv::filter::shift_invariant;
///
/// let blur = shift_invariant((4, 4), (1, 1), |_, _, _, _| 1.0 / 9.0);
/// assert_eq!(blur.unwrap().at(1, -1), 1.0 / 9.0);
/// assert_eq!(shift_invariant((4, 4), (1, 1), |i, _, _, _| i as f32), None);
/// ```
pub fn shift_invariant<E: Real>(
    size: (usize, usize),
    radius: (usize, usize),
    kernel: impl Fn(usize, usize, isize, isize) -> E,
) -> Option<Kernel<E>> {
    let mut pixels = (0..size.0).flat_map(|i| (0..size.1).map(move |j| (i, j)));
    let at = |(i, j): (usize, usize)| offsets(radius).map(|(m, n)| kernel(i, j, m, n)).collect::<Vec<_>>();
    let first = at(pixels.next()?);
    pixels.all(|pixel| at(pixel) == first).then(|| of_radius(radius, first))
}

/// The point-spread function of a transform: its answer to an image that is 1 in the middle and 0 elsewhere.
///
/// K(m, n) = T(δ)(m, n), |m| ≤ `radius.0`, |n| ≤ `radius.1`, where δ is the impulse at the origin. When T is linear and
/// shift-equivariant and reaches no further than `radius`, T(I) is [`convolve`](super::convolve)(I, K) for every image.
///
/// # Panics
/// When the transform changes the shape of the image.
///
/// ```
/// use striate_conv::Boundary;
/// use striate_conv::filter::{Kernel, correlate, impulse_response};
///
/// let sobel = Kernel::<f64>::sobel_x();
/// let seen = impulse_response((1, 1), |image| correlate(image, &sobel, Boundary::Zero));
/// assert_eq!(seen, sobel.rotated()); // a correlation spreads a point by the turned kernel
/// ```
#[track_caller]
pub fn impulse_response<E: Real>(
    radius: (usize, usize),
    transform: impl FnOnce(ArrayView2<E>) -> Array2<E>,
) -> Kernel<E> {
    let mut impulse = Array2::zeros((2 * radius.0 + 1, 2 * radius.1 + 1));
    impulse[radius] = E::one();
    let response = transform(impulse.view());
    assert_eq!(response.dim(), impulse.dim(), "impulse_response: the transform must keep the image's shape");
    Kernel::new(response, radius).expect("the middle lies inside")
}

/// All (m, n) with |m| ≤ `radius.0` and |n| ≤ `radius.1`, row by row.
fn offsets(radius: (usize, usize)) -> impl Iterator<Item = (isize, isize)> {
    let (rows, columns) = (radius.0 as isize, radius.1 as isize);
    (-rows..=rows).flat_map(move |m| (-columns..=columns).map(move |n| (m, n)))
}

fn of_radius<E: Real>(radius: (usize, usize), weights: Vec<E>) -> Kernel<E> {
    let weights = Array2::from_shape_vec((2 * radius.0 + 1, 2 * radius.1 + 1), weights);
    Kernel::new(weights.expect("one weight for each offset"), radius).expect("the middle lies inside")
}
