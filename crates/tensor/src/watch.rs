//! Which operation first gave out a number that is not finite.

use std::cell::RefCell;
use std::fmt::{self, Display};

use striate_compute::Real;

use crate::array::Array;

/// The first operation with an infinity or a NaN in what it gave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonFinite {
    /// The operation, such as `log`.
    pub op: &'static str,
    /// Whether it was its gradient that gave it out.
    pub backward: bool,
    /// Whether it had read one before: then the number came from outside, such as from the data or a parameter.
    pub from_input: bool,
}

impl Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let NonFinite { op, backward, from_input } = self;
        write!(f, "{}{op}", if *backward { "the gradient of " } else { "" })?;
        if *from_input { f.write_str(", which read one") } else { Ok(()) }
    }
}

/// What a watch has found so far.
type Found = Option<NonFinite>;

thread_local! {
    static WATCH: RefCell<Option<Found>> = const { RefCell::new(None) };
}

/// Runs `f` and returns, besides its result, the first operation on this thread that gave out a number that is not
/// finite, forward or backward. Slow: every number is looked at. PyTorch's `torch.autograd.detect_anomaly`.
///
/// ```
/// # use striate_tensor::{Tensor, watch};
/// let x = Tensor::from_slice(&[1.0f32, 0.0]);
/// let (_, first) = watch::first_non_finite(|| (&x * 2.0).log().sum());
/// assert_eq!(first.unwrap().op, "log");
/// ```
pub fn first_non_finite<R>(f: impl FnOnce() -> R) -> (R, Option<NonFinite>) {
    let outer = WATCH.replace(Some(None));
    let result = f();
    (result, WATCH.replace(outer).flatten())
}

/// What the watch on this thread has found so far.
pub fn found() -> Option<NonFinite> {
    WATCH.with_borrow(|watch| watch.clone().flatten())
}

/// Whether something is still to be found.
pub(crate) fn looking() -> bool {
    WATCH.with_borrow(|watch| matches!(watch, Some(None)))
}

/// An operation read `x` and gave out `y`.
pub(crate) fn look<'a, E: Real>(
    op: &'static str,
    backward: bool,
    x: impl IntoIterator<Item = &'a Array<E>>,
    y: impl IntoIterator<Item = &'a Array<E>>,
) {
    let finite = |array: &Array<E>| array.view().iter().all(|x| x.f64().is_finite());
    if looking() && !y.into_iter().all(finite) {
        let from_input = !x.into_iter().all(finite);
        WATCH.set(Some(Some(NonFinite { op, backward, from_input })));
    }
}
