//! What an update rule is, and the loop that every rule runs in.

use striate_tensor::Real;

/// An option outside of what an optimiser can work with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{optimizer}: {option} must be {expected}, it is {found}")]
pub struct OptionError {
    /// The optimiser.
    pub optimizer: &'static str,
    /// The option.
    pub option: &'static str,
    /// What it may be.
    pub expected: &'static str,
    /// What it is.
    pub found: f64,
}

impl OptionError {
    /// `Ok` when `fits`, else an error on this option.
    pub(crate) fn require(
        fits: bool,
        optimizer: &'static str,
        option: &'static str,
        expected: &'static str,
        found: f64,
    ) -> Result<(), Self> {
        if fits { Ok(()) } else { Err(OptionError { optimizer, option, expected, found }) }
    }

    /// `Ok` for a finite number that is not negative.
    pub(crate) fn not_negative(
        optimizer: &'static str,
        option: &'static str,
        found: f64,
    ) -> Result<(), Self> {
        Self::require(found >= 0.0 && found.is_finite(), optimizer, option, "finite and not negative", found)
    }

    /// `Ok` in [0, 1).
    pub(crate) fn fraction(optimizer: &'static str, option: &'static str, found: f64) -> Result<(), Self> {
        Self::require((0.0..1.0).contains(&found), optimizer, option, "in [0, 1)", found)
    }
}

/// How an optimiser changes a parameter: its options and its equation. [`super::Fused`] makes an optimiser of it.
pub trait Rule: Clone + Send + Sync + 'static {
    /// The optimiser's name, for messages.
    const OPTIMIZER: &'static str;

    /// The learning rate.
    fn lr(&self) -> f64;

    /// Sets the learning rate.
    fn set_lr(&mut self, lr: f64);

    /// Whether the options make sense.
    ///
    /// # Errors
    /// When they do not: the first that is wrong.
    fn check(&self) -> Result<(), OptionError>;

    /// Names of the arrays that the rule remembers for a parameter under these options: numbers per element.
    fn slots(&self) -> &'static [&'static str];

    /// What the state's elements are before the first step.
    fn initial(&self) -> f64 {
        0.0
    }

    /// Changes the elements `w` of a parameter, given their gradients and their state, one slice per slot.
    ///
    /// `step` counts the steps of this parameter from 1. All slices have the same length; a parameter comes in pieces.
    fn update<E: Real>(&self, step: u64, w: &mut [E], g: &[E], state: &mut [&mut [E]]);
}

/// Numbers that [`update`] holds in registers at a time: a few of the widest vectors.
const LANES: usize = 32;

/// (wᵢ, sᵢ) ← f(wᵢ, gᵢ, sᵢ) for every element: the vectorised loop of a [`Rule`].
///
/// Mark the closure `#[inline(always)]`; otherwise the loop may stay scalar.
///
/// # Panics
/// When the slices differ in length.
#[inline(always)]
pub fn update<E: Real, const N: usize>(
    w: &mut [E],
    g: &[E],
    state: [&mut [E]; N],
    f: impl Fn(E, E, [E; N]) -> (E, [E; N]),
) {
    let len = w.len();
    assert!(g.len() == len && state.iter().all(|s| s.len() == len), "update: slices of different lengths");
    striate_compute::isa::vectorized_for::<E, _>(
        #[inline(always)]
        || {
            let (w, w_rest) = w.as_chunks_mut::<LANES>();
            let (g, g_rest) = g.as_chunks::<LANES>();
            let state = state.map(|s| s.as_chunks_mut::<LANES>());
            for (i, (w, g)) in w.iter_mut().zip(g).enumerate() {
                // Copies, so that no write can change what is read next: that lets the loop over lanes vectorise.
                let mut s: [[E; LANES]; N] = std::array::from_fn(|slot| state[slot].0[i]);
                let mut new = *w;
                for lane in 0..LANES {
                    let (w, after) = f(new[lane], g[lane], std::array::from_fn(|slot| s[slot][lane]));
                    new[lane] = w;
                    for slot in 0..N {
                        s[slot][lane] = after[slot];
                    }
                }
                *w = new;
                for slot in 0..N {
                    state[slot].0[i] = s[slot];
                }
            }
            for (i, (w, &g)) in w_rest.iter_mut().zip(g_rest).enumerate() {
                let (new, after) = f(*w, g, std::array::from_fn(|slot| state[slot].1[i]));
                *w = new;
                for slot in 0..N {
                    state[slot].1[i] = after[slot];
                }
            }
        },
    );
}
