//! Exponential moving averages of parameters.

use striate_compute::map;
use striate_formats::Arrays;
use striate_tensor::{Real, Tensor};

use crate::store::ParamStore;
use crate::weights::WeightsError;

/// A slowly moving copy of a store's parameters, often better to evaluate than the parameters themselves
/// (Polyak and Juditsky 1992): e ← d e + (1 − d) w after every step.
///
/// Buffers and counters are not averaged: those of the store serve. PyTorch's `AveragedModel` with
/// `get_ema_multi_avg_fn(d)`, which starts from the parameters after the first step; this one starts from those at its
/// creation.
///
/// ```
/// use striate_nn::ema::Ema;
/// use striate_nn::{Init, ParamStore};
///
/// let store = ParamStore::<f32>::seeded(0);
/// let w = store.root().parameter("w", &[1], Init::Constant(0.0));
/// let mut ema = Ema::new(&store, 0.75);
/// w.update(|w| w.make_mut()[0] = 4.0); // a step
/// ema.update();
///
/// assert_eq!(ema.snapshot().get("w").unwrap().item(), 1.0);
/// assert_eq!(ema.with_averages(|| w.item()), 1.0);
/// assert_eq!(w.item(), 4.0);
/// ```
pub struct Ema<E: Real = f32> {
    store: ParamStore<E>,
    averages: ParamStore<E>,
    decay: f64,
}

impl<E: Real> Ema<E> {
    /// Starts from the parameters as they are.
    ///
    /// # Panics
    /// When `decay` is not in [0, 1].
    #[track_caller]
    pub fn new(store: &ParamStore<E>, decay: f64) -> Self {
        assert!((0.0..=1.0).contains(&decay), "Ema: decay must be in [0, 1], it is {decay}");
        Ema { store: store.clone(), averages: store.copy_of_parameters(), decay }
    }

    /// e ← e + (1 − d) (w − e): call it after each optimiser step.
    pub fn update(&mut self) {
        let rest = E::of(1.0 - self.decay);
        self.each(|w, average| {
            let w = w.array().contiguous();
            let w = w.as_slice().expect("made contiguous");
            map::update(average.lock().as_mut_slice(), w, |e, w| e + rest * (w - e));
        });
    }

    /// Runs `f` while the store holds the averages, and puts the parameters back, also when `f` panics.
    pub fn with_averages<R>(&mut self, f: impl FnOnce() -> R) -> R {
        struct Swapped<'a, E: Real>(&'a Ema<E>);
        impl<E: Real> Drop for Swapped<'_, E> {
            fn drop(&mut self) {
                self.0.swap();
            }
        }
        self.swap();
        let _swapped = Swapped(self);
        f()
    }

    /// Exchanges parameters and averages.
    fn swap(&self) {
        self.each(|w, average| w.update(|w| average.update(|average| std::mem::swap(w, average))));
    }

    /// Calls `f` with each parameter and its average.
    fn each(&self, f: impl Fn(&Tensor<E>, &Tensor<E>)) {
        for (name, average) in self.averages.parameters().iter() {
            f(&self.store.get(name).expect("a store keeps its parameters"), average);
        }
    }

    /// The store with the averages in place of its parameters, immutable as every [`ParamStore::snapshot`].
    pub fn snapshot(&self) -> ParamStore<E> {
        self.store.snapshot_with(&self.averages)
    }

    /// The averages by name, to be saved.
    pub fn to_arrays(&self) -> Arrays {
        self.averages.to_arrays()
    }

    /// Goes on from saved averages; `source` names where they came from, for messages.
    ///
    /// # Errors
    /// When a name is missing, unexpected or of another shape: all are named together, and nothing changes.
    pub fn set_arrays(&mut self, arrays: &Arrays, source: &str) -> Result<(), WeightsError> {
        self.averages.set_arrays(arrays, &[], source)
    }
}
