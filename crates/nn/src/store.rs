//! Where parameters live: an ordered store that hands out paths.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use indexmap::IndexMap;
use striate_compute::rng::Rng;
use striate_tensor::{Array, Real, Tensor};

use crate::init::Init;

/// All that a model learns and remembers, by name: parameters, buffers, counters, the training mode and a seeded
/// random stream.
///
/// Cloning is another handle on the same store. Training runs on one store from one thread; to serve from many
/// threads take a [`ParamStore::snapshot`].
///
/// ```
/// use striate_nn::{Linear, ParamStore};
///
/// let store = ParamStore::<f32>::seeded(7);
/// let _layer = Linear::new(&store.root().sub("fc"), 3, 2);
/// let names: Vec<_> = store.parameters().names().map(str::to_string).collect();
/// assert_eq!(names, ["fc.weight", "fc.bias"]);
/// ```
#[derive(Clone)]
pub struct ParamStore<E: Real = f32> {
    pub(crate) shared: Arc<Shared<E>>,
}

pub(crate) struct Shared<E: Real> {
    seed: u64,
    /// A snapshot: what a path asks for must be there, and nothing changes it.
    frozen: bool,
    entries: Mutex<IndexMap<String, Entry<E>>>,
    draws: Stream,
    modes: Mutex<Modes>,
}

#[derive(Clone)]
pub(crate) enum Entry<E: Real> {
    Parameter(Tensor<E>),
    Buffer(Tensor<E>),
    Counter(Counter),
}

/// Modes that layers hold, by path with a dot at the end, and the settings that later layers start from: the last that fits wins.
#[derive(Default)]
struct Modes {
    of: Vec<(String, Mode)>,
    settings: Vec<(String, bool)>,
}

/// Whether the layer that holds this is being trained.
#[derive(Clone, Debug)]
pub struct Mode(Arc<AtomicBool>);

impl Mode {
    /// Training (`true`) or evaluation.
    pub fn is_training(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// An integer in a store, such as batch norm's `num_batches_tracked`.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicI64>);

impl Counter {
    /// The count.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the count.
    pub fn set(&self, count: i64) {
        self.0.store(count, Ordering::Relaxed);
    }

    /// Counts one more.
    pub fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A sequence of generators that the layers of a store share: dropout draws its masks from it.
#[derive(Clone, Debug)]
pub struct Stream {
    seed: u64,
    drawn: Arc<AtomicU64>,
}

impl Stream {
    /// The next generator.
    pub fn next(&self) -> Rng {
        // Streams from 2⁶³ on: apart from those of parameters, which are hashes of names, all but surely.
        Rng::with_stream(self.seed, (1 << 63) | self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    /// How many generators were taken: save it, and [`Stream::set_position`] goes on from there.
    pub fn position(&self) -> u64 {
        self.drawn.load(Ordering::Relaxed)
    }

    /// Goes on from a saved position.
    pub fn set_position(&self, position: u64) {
        self.drawn.store(position, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl<E: Real> ParamStore<E> {
    /// An empty store. What it draws depends on `seed` and, for a parameter's start, on the parameter's name alone:
    /// adding a layer does not change how the others start.
    pub fn seeded(seed: u64) -> Self {
        Self::with_entries(seed, false, IndexMap::new())
    }

    fn with_entries(seed: u64, frozen: bool, entries: IndexMap<String, Entry<E>>) -> Self {
        let draws = Stream { seed, drawn: Arc::default() };
        let modes = Modes { of: Vec::new(), settings: Vec::new() };
        let shared = Shared { seed, frozen, entries: Mutex::new(entries), draws, modes: Mutex::new(modes) };
        ParamStore { shared: Arc::new(shared) }
    }

    /// The path that names everything in the store: layers and sub-paths come from it.
    pub fn root(&self) -> Path<E> {
        Path { shared: self.shared.clone(), prefix: String::new(), tied: false }
    }

    /// The seed that the store was made with.
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// The random stream that layers share.
    pub fn stream(&self) -> &Stream {
        &self.shared.draws
    }

    /// All parameters, in the order of their creation.
    pub fn parameters(&self) -> Parameters<E> {
        self.select("")
    }

    /// The parameters whose names start with `prefix`, such as `head.`: parameter groups, a part to freeze, two optimisers.
    pub fn select(&self, prefix: &str) -> Parameters<E> {
        let entries = self.entries();
        let list =
            entries.iter().filter(|(name, _)| name.starts_with(prefix)).filter_map(
                |(name, entry)| match entry {
                    Entry::Parameter(tensor) => Some((name.clone(), tensor.clone())),
                    _ => None,
                },
            );
        Parameters { list: list.collect() }
    }

    /// The parameter, or buffer, of that name.
    pub fn get(&self, name: &str) -> Option<Tensor<E>> {
        match self.entries().get(name)? {
            Entry::Parameter(tensor) | Entry::Buffer(tensor) => Some(tensor.clone()),
            Entry::Counter(_) => None,
        }
    }

    /// Sets every layer to training: dropout drops, batch norm uses and updates batch statistics.
    pub fn train(&self) {
        self.set_training("", true);
    }

    /// Sets every layer to evaluation, in which a forward writes nothing.
    pub fn eval(&self) {
        self.set_training("", false);
    }

    /// Sets the layers whose paths start with `prefix`, now and later, to training or evaluation:
    /// the batch norm of a frozen body can stay in evaluation while the head trains.
    /// A layer's path ends with a dot here, so that `layer1.` is that layer and all below it, but not `layer10`.
    ///
    /// # Panics
    /// When a snapshot is set to training.
    #[track_caller]
    pub fn set_training(&self, prefix: &str, training: bool) {
        if self.shared.frozen {
            return assert!(!training, "set_training: a snapshot stays in evaluation");
        }
        let mut modes = lock(&self.shared.modes);
        modes.settings.retain(|(other, _)| !other.starts_with(prefix));
        modes.settings.push((prefix.to_string(), training));
        let chosen = modes.of.iter().filter(|(path, _)| path.starts_with(prefix));
        chosen.for_each(|(_, mode)| mode.0.store(training, Ordering::Relaxed));
    }

    /// Runs `f` with every layer in evaluation, then sets those that were training back to it.
    pub fn in_evaluation<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Restore(Vec<Mode>);
        impl Drop for Restore {
            fn drop(&mut self) {
                self.0.iter().for_each(|mode| mode.0.store(true, Ordering::Relaxed));
            }
        }
        let modes = lock(&self.shared.modes).of.iter().map(|(_, mode)| mode.clone()).collect::<Vec<_>>();
        let restore = Restore(modes.into_iter().filter(Mode::is_training).collect());
        restore.0.iter().for_each(|mode| mode.0.store(false, Ordering::Relaxed));
        f()
    }

    /// The values as they are now, immutable: layers made from its [`ParamStore::root`] hold plain values, take no
    /// lock, are in evaluation mode, and can serve from many threads while this store trains on.
    ///
    /// No element is copied until the next optimiser step, which copies what it changes.
    ///
    /// Take it on the thread that trains, between two steps: then all values are of the same step.
    pub fn snapshot(&self) -> Self {
        self.snapshot_with(&Self::seeded(0))
    }

    /// A snapshot in which the parameters of `other` replace those of the same names.
    pub(crate) fn snapshot_with(&self, other: &Self) -> Self {
        let freeze = |entry: &Entry<E>| match entry {
            Entry::Parameter(tensor) => Entry::Parameter(tensor.detach()),
            Entry::Buffer(tensor) => Entry::Buffer(tensor.detach()),
            Entry::Counter(counter) => {
                let copy = Counter::default();
                copy.set(counter.get());
                Entry::Counter(copy)
            }
        };
        let pick = |(name, entry): (&String, &Entry<E>)| {
            (name.clone(), freeze(other.entries().get(name).unwrap_or(entry)))
        };
        let entries = self.entries().iter().map(pick).collect();
        Self::with_entries(self.shared.seed, true, entries)
    }

    /// A store with variables of its own that start from this one's parameters.
    pub(crate) fn copy_of_parameters(&self) -> Self {
        let copy = |(name, tensor): (&str, &Tensor<E>)| {
            (name.to_string(), Entry::Parameter(Tensor::variable(tensor.array())))
        };
        let entries = self.parameters().iter().map(copy).collect();
        Self::with_entries(self.shared.seed, false, entries)
    }

    /// Whether this is a snapshot.
    pub(crate) fn is_frozen(&self) -> bool {
        self.shared.frozen
    }

    pub(crate) fn entries(&self) -> MutexGuard<'_, IndexMap<String, Entry<E>>> {
        lock(&self.shared.entries)
    }
}

/// Parameters of a store with their names, for optimisers.
#[derive(Clone)]
pub struct Parameters<E: Real = f32> {
    list: Vec<(String, Tensor<E>)>,
}

impl<E: Real> Parameters<E> {
    /// Names and variables.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor<E>)> {
        self.list.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(name, _)| name.as_str())
    }

    /// Number of numbers.
    pub fn count(&self) -> usize {
        self.list.iter().map(|(_, tensor)| tensor.len()).sum()
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Those whose names do not start with `prefix`.
    pub fn without(mut self, prefix: &str) -> Self {
        self.list.retain(|(name, _)| !name.starts_with(prefix));
        self
    }

    /// Freezes them: no gradient is computed for them, and optimisers leave them as they are.
    pub fn freeze(&self) {
        self.list.iter().for_each(|(_, tensor)| tensor.set_requires_grad(false));
    }

    /// Thaws them.
    pub fn unfreeze(&self) {
        self.list.iter().for_each(|(_, tensor)| tensor.set_requires_grad(true));
    }
}

impl<E: Real> From<&ParamStore<E>> for Parameters<E> {
    fn from(store: &ParamStore<E>) -> Self {
        store.parameters()
    }
}

/// A place in a store's tree of names, such as `layer1.0.conv1`.
#[derive(Clone)]
pub struct Path<E: Real = f32> {
    shared: Arc<Shared<E>>,
    prefix: String,
    tied: bool,
}

impl<E: Real> Path<E> {
    /// The path `name` below this one; a number is a name, too.
    pub fn sub(&self, name: impl Display) -> Self {
        Path { prefix: self.join(&name.to_string()), ..self.clone() }
    }

    /// The same path, where asking for a parameter that is there gives that one: tied weights.
    pub fn tied(&self) -> Self {
        Path { tied: true, ..self.clone() }
    }

    /// The dotted name.
    pub fn name(&self) -> &str {
        &self.prefix
    }

    fn join(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) }
    }

    /// A parameter: drawn on first use, or the snapshot's.
    ///
    /// # Panics
    /// When the name is taken and this path is not [`Path::tied`], when a tied or snapshot's parameter has another
    /// shape, or when a snapshot lacks it.
    #[track_caller]
    pub fn parameter(&self, name: &str, shape: &[usize], init: Init) -> Tensor<E> {
        self.parameter_with(name, shape, |rng| init.draw(shape, rng))
    }

    /// [`Path::parameter`] that starts from what `draw` makes of the parameter's own generator: for one whose parts
    /// start differently, such as the gates of an LSTM.
    ///
    /// # Panics
    /// As [`Path::parameter`], and when `draw` gives another shape.
    ///
    /// ```
    /// use striate_nn::{Init, ParamStore};
    /// use striate_tensor::Array;
    ///
    /// let store = ParamStore::<f32>::seeded(0);
    /// let bias = store.root().parameter_with("bias", &[3], |_| Array::from_vec(&[3], vec![0.0, 1.0, 0.0]));
    /// assert_eq!(bias.to_vec(), [0.0, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn parameter_with(
        &self,
        name: &str,
        shape: &[usize],
        draw: impl FnOnce(&mut Rng) -> Array<E>,
    ) -> Tensor<E> {
        let full = self.join(name);
        let make = || Entry::Parameter(Tensor::variable(draw(&mut Rng::named(self.shared.seed, &full))));
        match self.entry(&full, make) {
            Entry::Parameter(tensor) => same_shape(&full, tensor, shape),
            _ => panic!("parameter: {full} is in the store, but is no parameter"),
        }
    }

    /// A buffer: saved with the model, but not learnt, such as a running mean.
    ///
    /// # Panics
    /// As [`Path::parameter`].
    #[track_caller]
    pub fn buffer(&self, name: &str, shape: &[usize], value: f64) -> Tensor<E> {
        let full = self.join(name);
        let fill = || {
            let tensor = Tensor::variable(Array::full(shape, E::of(value)));
            tensor.set_requires_grad(false);
            Entry::Buffer(tensor)
        };
        match self.entry(&full, fill) {
            Entry::Buffer(tensor) => same_shape(&full, tensor, shape),
            _ => panic!("buffer: {full} is in the store, but is no buffer"),
        }
    }

    /// A counter that starts at 0.
    ///
    /// # Panics
    /// As [`Path::parameter`].
    #[track_caller]
    pub fn counter(&self, name: &str) -> Counter {
        let full = self.join(name);
        match self.entry(&full, || Entry::Counter(Counter::default())) {
            Entry::Counter(counter) => counter,
            _ => panic!("counter: {full} is in the store, but is no counter"),
        }
    }

    /// Whether the layer here trains: changes with [`ParamStore::set_training`].
    pub fn mode(&self) -> Mode {
        if self.shared.frozen {
            return Mode(Arc::new(AtomicBool::new(false)));
        }
        let mut modes = lock(&self.shared.modes);
        let path = if self.prefix.is_empty() { String::new() } else { format!("{}.", self.prefix) };
        let fits = |(prefix, training): &(String, bool)| path.starts_with(prefix).then_some(*training);
        let training = modes.settings.iter().rev().find_map(fits).unwrap_or(true);
        let mode = Mode(Arc::new(AtomicBool::new(training)));
        modes.of.push((path, mode.clone()));
        mode
    }

    /// The random stream that the store's layers share.
    pub fn stream(&self) -> Stream {
        self.shared.draws.clone()
    }

    #[track_caller]
    fn entry(&self, full: &str, make: impl FnOnce() -> Entry<E>) -> Entry<E> {
        let entries = lock(&self.shared.entries);
        match entries.get(full) {
            Some(entry) if self.tied || self.shared.frozen => entry.clone(),
            Some(_) => {
                drop(entries);
                panic!("{full} is in the store already; use Path::tied to share it")
            }
            None if self.shared.frozen => {
                drop(entries);
                panic!("{full} is not in the snapshot")
            }
            None => {
                // Drawn without the lock: filling a large parameter may run other jobs of the pool.
                drop(entries);
                let made = make();
                lock(&self.shared.entries).entry(full.to_string()).or_insert(made).clone()
            }
        }
    }
}

#[track_caller]
fn same_shape<E: Real>(name: &str, tensor: Tensor<E>, shape: &[usize]) -> Tensor<E> {
    assert_eq!(tensor.shape(), shape, "{name} is in the store with another shape");
    tensor
}
