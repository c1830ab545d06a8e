//! The tape: nodes that remember how a value came about, and the walk back over them.
//!
//! Node numbers grow with time, so a node's number is larger than its parents'. Taking always the largest number
//! from a heap visits every node after all that used it: no recursion, and no sorting pass before it.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use smallvec::{SmallVec, smallvec};
use striate_compute::{Real, par};

use crate::array::Array;
use crate::gradients::Gradients;
use crate::op::{Grads, Op};
use crate::shape::Dims;
use crate::tensor::Tensor;
use crate::watch;

/// Gradients that have arrived so far: node number → one per output.
pub(crate) type Pending<E> = HashMap<u64, SmallVec<[Option<Array<E>>; 1]>>;

type Hook<E> = Arc<dyn Fn(&Tensor<E>) + Send + Sync>;

/// One recorded operation, or a leaf.
pub(crate) struct Node<E: Real> {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    /// `None` for an input that is not tracked.
    pub(crate) parents: SmallVec<[Option<Edge<E>>; 3]>,
    pub(crate) shapes: SmallVec<[Dims; 1]>,
    leaf: bool,
    step: Mutex<Option<Arc<dyn Step<E>>>>,
    /// Inputs and outputs, recorded only inside [`higher_order`].
    values: Option<Values<E>>,
    hooks: Mutex<Vec<(usize, Hook<E>)>>,
}

struct Values<E: Real> {
    x: Vec<Array<E>>,
    y: Vec<Array<E>>,
}

/// An output of a node.
#[derive(Clone)]
pub(crate) struct Edge<E: Real> {
    pub(crate) node: Arc<Node<E>>,
    pub(crate) output: usize,
}

/// An operation with what it saved.
trait Step<E: Real>: Send + Sync {
    fn backward(&self, dy: &[Option<Array<E>>], dx: &mut Grads<E>);
    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>>;
}

struct Recorded<O, S> {
    op: O,
    saved: S,
}

impl<E: Real, O: Op<E>> Step<E> for Recorded<O, O::Saved> {
    fn backward(&self, dy: &[Option<Array<E>>], dx: &mut Grads<E>) {
        self.op.backward(&self.saved, dy, dx);
    }

    fn backward_tensors(
        &self,
        x: &[Tensor<E>],
        y: &[Tensor<E>],
        dy: &[Option<Tensor<E>>],
    ) -> Option<Vec<Option<Tensor<E>>>> {
        self.op.backward_tensors(x, y, dy)
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl<E: Real> Node<E> {
    pub(crate) fn leaf(shape: &[usize]) -> Arc<Self> {
        Arc::new(Node {
            id: next_id(),
            name: "leaf",
            parents: SmallVec::new(),
            shapes: smallvec![shape.into()],
            leaf: true,
            step: Mutex::new(None),
            values: None,
            hooks: Mutex::default(),
        })
    }

    pub(crate) fn add_hook(&self, output: usize, hook: Hook<E>) {
        lock(&self.hooks).push((output, hook));
    }

    fn call_hooks(&self, gradients: &[Option<Tensor<E>>]) {
        // A copy of the list: a hook may add hooks, or walk back itself.
        let hooks = lock(&self.hooks).clone();
        for (output, hook) in hooks {
            if let Some(gradient) = &gradients[output] {
                hook(gradient);
            }
        }
    }
}

impl<E: Real> Drop for Node<E> {
    /// Drops ancestors in a loop: a long chain must not recurse.
    fn drop(&mut self) {
        let mut parents = std::mem::take(&mut self.parents);
        while let Some(parent) = parents.pop() {
            if let Some(mut node) = parent.and_then(|edge| Arc::into_inner(edge.node)) {
                parents.append(&mut node.parents);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Off,
    First,
    Higher,
}

/// The mode of this thread, which parallel loops keep out of other jobs and carry into [`par::install`].
fn mode() -> Mode {
    match par::context() {
        0 => Mode::First,
        1 => Mode::Off,
        _ => Mode::Higher,
    }
}

fn with_mode<R>(mode: Mode, f: impl FnOnce() -> R) -> R {
    let context = match mode {
        Mode::First => 0,
        Mode::Off => 1,
        Mode::Higher => 2,
    };
    par::with_context(context, f)
}

/// Runs `f` without a tape: operations on this thread record nothing and save nothing. PyTorch's `torch.no_grad`.
///
/// ```
/// # use striate_tensor::{no_grad, Tensor};
/// let x = Tensor::from_slice(&[1.0f32]).requires_grad();
/// assert!(!no_grad(|| &x * 2.0).is_tracked());
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    with_mode(Mode::Off, f)
}

/// Runs `f` with a tape that also keeps what gradients of gradients read: the inputs and outputs of every operation.
///
/// ```
/// # use striate_tensor::{grad, higher_order, GradOptions, Tensor};
/// let x = Tensor::from_slice(&[2.0f64]).requires_grad();
/// let second = higher_order(|| {
///     let y = (&x * &x * &x).sum();
///     let first = grad(&y, &[&x], GradOptions { create_graph: true, ..Default::default() });
///     grad(&first[0].sum(), &[&x], GradOptions::default())
/// });
/// assert_eq!(second[0].to_vec(), [12.0]); // d²(x³)/dx² = 6x
/// ```
pub fn higher_order<R>(f: impl FnOnce() -> R) -> R {
    with_mode(Mode::Higher, f)
}

/// Applies an operation with one output.
///
/// # Panics
/// When the operation panics, as on shapes that do not fit.
#[track_caller]
pub fn apply<E: Real, O: Op<E>>(op: O, x: &[&Tensor<E>]) -> Tensor<E> {
    apply_many(op, x).pop().expect("an operation has an output")
}

/// Applies an operation with any number of outputs.
#[track_caller]
pub fn apply_many<E: Real, O: Op<E>>(op: O, x: &[&Tensor<E>]) -> SmallVec<[Tensor<E>; 1]> {
    let mode = mode();
    let arrays: SmallVec<[Array<E>; 3]> = x.iter().map(|x| x.array()).collect();
    let keep = mode != Mode::Off && x.iter().any(|x| x.is_tracked());
    let (y, saved) = op.forward(&arrays, keep);
    watch::look(O::NAME, false, &arrays, &y);
    if !keep {
        return y.into_iter().map(Tensor::from).collect();
    }
    let saved = saved.unwrap_or_else(|| panic!("{}: forward saved nothing though it was to keep", O::NAME));
    let node = Arc::new(Node {
        id: next_id(),
        name: O::NAME,
        parents: x.iter().map(|x| x.edge()).collect(),
        shapes: y.iter().map(|y| y.shape().into()).collect(),
        leaf: false,
        step: Mutex::new(Some(Arc::new(Recorded { op, saved }))),
        values: (mode == Mode::Higher).then(|| Values { x: arrays.to_vec(), y: y.to_vec() }),
        hooks: Mutex::default(),
    });
    y.into_iter()
        .enumerate()
        .map(|(output, y)| Tensor::recorded(y, Edge { node: node.clone(), output }))
        .collect()
}

/// How to walk back.
#[derive(Clone, Copy, Debug, Default)]
pub struct GradOptions {
    /// Keep what the operations saved, so that another walk over the same tape can follow.
    pub retain_graph: bool,
    /// Record the walk itself, for gradients of gradients; the forward must have run inside [`higher_order`].
    pub create_graph: bool,
}

/// Nodes by number, the largest first.
struct Queue<E: Real> {
    heap: BinaryHeap<u64>,
    nodes: HashMap<u64, Arc<Node<E>>>,
}

impl<E: Real> Queue<E> {
    fn new(root: &Arc<Node<E>>) -> Self {
        let mut queue = Queue { heap: BinaryHeap::new(), nodes: HashMap::new() };
        queue.push(root);
        queue
    }

    fn push(&mut self, node: &Arc<Node<E>>) {
        if self.nodes.insert(node.id, node.clone()).is_none() {
            self.heap.push(node.id);
        }
    }

    fn pop(&mut self) -> Option<Arc<Node<E>>> {
        self.heap.pop().and_then(|id| self.nodes.remove(&id))
    }
}

/// The numbers of all nodes between `root` and `targets`.
fn between<E: Real>(root: &Arc<Node<E>>, targets: &HashSet<u64>) -> HashSet<u64> {
    let oldest = targets.iter().copied().min().unwrap_or(u64::MAX);
    let mut queue = Queue::new(root);
    let mut visited = Vec::new();
    while let Some(node) = queue.pop() {
        node.parents
            .iter()
            .flatten()
            .filter(|edge| edge.node.id >= oldest)
            .for_each(|edge| queue.push(&edge.node));
        visited.push(node);
    }
    let mut found = HashSet::new();
    for node in visited.iter().rev() {
        if targets.contains(&node.id)
            || node.parents.iter().flatten().any(|edge| found.contains(&edge.node.id))
        {
            found.insert(node.id);
        }
    }
    found
}

/// Walks back from `root` with dL/dy = `seed`, to all leaves or to the `targets` alone.
#[track_caller]
pub(crate) fn backward<E: Real>(
    root: &Tensor<E>,
    seed: Tensor<E>,
    targets: Option<&[&Tensor<E>]>,
    options: GradOptions,
) -> Gradients<E> {
    let mut results = Gradients::default();
    let Some(edge) = root.edge() else { return results };
    let targets: Option<HashSet<u64>> =
        targets.map(|targets| targets.iter().filter_map(|t| t.edge()).map(|edge| edge.node.id).collect());
    let region = targets.as_ref().map(|targets| between(&edge.node, targets));
    let wanted = |node: &Node<E>| region.as_ref().is_none_or(|region| region.contains(&node.id));
    let asked = |node: &Node<E>| targets.as_ref().map_or(node.leaf, |targets| targets.contains(&node.id));
    if options.create_graph {
        let mode = if mode() == Mode::Off { Mode::First } else { mode() };
        with_mode(mode, || walk_tensors(&edge, seed, &wanted, &asked, &mut results));
    } else {
        no_grad(|| walk_arrays(&edge, seed, &wanted, &asked, options.retain_graph, &mut results));
    }
    results
}

fn walk_arrays<E: Real>(
    root: &Edge<E>,
    seed: Tensor<E>,
    wanted: &dyn Fn(&Node<E>) -> bool,
    asked: &dyn Fn(&Node<E>) -> bool,
    retain: bool,
    results: &mut Gradients<E>,
) {
    let mut pending = Pending::new();
    pending.insert(root.node.id, smallvec![None; root.node.shapes.len()]);
    pending.get_mut(&root.node.id).unwrap()[root.output] = Some(seed.array());
    let mut queue = Queue::new(&root.node);
    while let Some(node) = queue.pop() {
        let Some(dy) = pending.remove(&node.id).filter(|_| wanted(&node)) else { continue };
        if !lock(&node.hooks).is_empty() {
            node.call_hooks(&dy.iter().map(|dy| dy.clone().map(Tensor::from)).collect::<Vec<_>>());
        }
        if asked(&node) {
            results.insert(node.id, dy.iter().map(|dy| dy.clone().map(Tensor::from)));
        }
        if !node.parents.iter().flatten().any(|edge| wanted(&edge.node)) {
            continue;
        }
        // Not under the lock: kernels may run other jobs while they wait for their own pieces.
        let step = if retain { lock(&node.step).clone() } else { lock(&node.step).take() };
        let Some(step) = step else { panic!("{}", freed(node.name)) };
        step.backward(&dy, &mut Grads { node: &node, pending: &mut pending, wanted });
        if watch::looking() {
            let parents = node.parents.iter().flatten().filter_map(|edge| pending.get(&edge.node.id));
            watch::look(node.name, true, dy.iter().flatten(), parents.flatten().flatten());
        }
        node.parents
            .iter()
            .flatten()
            .filter(|edge| wanted(&edge.node))
            .for_each(|edge| queue.push(&edge.node));
    }
}

fn freed(name: &str) -> String {
    format!(
        "{name}: backward over a tape that an earlier backward has freed; set GradOptions::retain_graph there"
    )
}

fn walk_tensors<E: Real>(
    root: &Edge<E>,
    seed: Tensor<E>,
    wanted: &dyn Fn(&Node<E>) -> bool,
    asked: &dyn Fn(&Node<E>) -> bool,
    results: &mut Gradients<E>,
) {
    let mut pending: HashMap<u64, Vec<Option<Tensor<E>>>> = HashMap::new();
    pending.insert(root.node.id, vec![None; root.node.shapes.len()]);
    pending.get_mut(&root.node.id).unwrap()[root.output] = Some(seed);
    let mut queue = Queue::new(&root.node);
    while let Some(node) = queue.pop() {
        let Some(dy) = pending.remove(&node.id).filter(|_| wanted(&node)) else { continue };
        node.call_hooks(&dy);
        if asked(&node) {
            results.insert(node.id, dy.iter().cloned());
        }
        if !node.parents.iter().flatten().any(|edge| wanted(&edge.node)) {
            continue;
        }
        let dx = differentiable_backward(&node, &dy);
        for (edge, dx) in node.parents.iter().zip(dx) {
            let (Some(edge), Some(dx)) = (edge.as_ref().filter(|edge| wanted(&edge.node)), dx) else {
                continue;
            };
            let outputs = edge.node.shapes.len();
            let slot = &mut pending.entry(edge.node.id).or_insert_with(|| vec![None; outputs])[edge.output];
            *slot = Some(match slot.take() {
                Some(sum) => sum + dx,
                None => dx,
            });
            queue.push(&edge.node);
        }
    }
}

fn differentiable_backward<E: Real>(node: &Arc<Node<E>>, dy: &[Option<Tensor<E>>]) -> Vec<Option<Tensor<E>>> {
    let name = node.name;
    let Some(values) = &node.values else {
        panic!("{name}: recorded outside higher_order, so there is no gradient of its gradient");
    };
    let x: Vec<Tensor<E>> = (values.x.iter().zip(&node.parents))
        .map(|(x, edge)| match edge {
            Some(edge) => Tensor::recorded(x.clone(), edge.clone()),
            None => Tensor::from(x.clone()),
        })
        .collect();
    let y: Vec<Tensor<E>> = (values.y.iter().enumerate())
        .map(|(output, y)| Tensor::recorded(y.clone(), Edge { node: node.clone(), output }))
        .collect();
    let Some(step) = lock(&node.step).clone() else { panic!("{}", freed(name)) };
    match step.backward_tensors(&x, &y, dy) {
        Some(dx) if dx.len() != x.len() => {
            panic!("{name}: backward_tensors gave {} of {}", dx.len(), x.len())
        }
        Some(dx) => dx,
        None => panic!("{name}: has no gradient of its gradient"),
    }
}
