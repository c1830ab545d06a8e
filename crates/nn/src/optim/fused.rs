//! The pass over all parameters that every optimiser shares.

use smallvec::SmallVec;
use striate_compute::par;
use striate_formats::Arrays;
use striate_tensor::{Array, ElementsLock, Gradients, Real, Tensor};

use super::rule::Rule;
use super::state::{self, StateError};
use crate::store::Parameters;

/// What all optimisers do, whatever their rule: to hold one as `Box<dyn Optimizer>`.
pub trait Optimizer<E: Real = f32>: Send {
    /// Changes the parameters that have a gradient.
    fn step(&mut self, gradients: &Gradients<E>);

    /// The learning rate of the first group.
    fn lr(&self) -> f64;

    /// Sets the learning rate of the first group; others keep their ratio to it.
    fn set_lr(&mut self, lr: f64);

    /// Step counts, moments and learning rates, by name. PyTorch's `state_dict()`.
    fn state(&self) -> Arrays;

    /// Whether `state` is one of this optimiser.
    ///
    /// # Errors
    /// When it is not: all differences together.
    fn check_state(&self, state: &Arrays) -> Result<(), StateError>;

    /// Goes on from what [`Optimizer::state`] returned. Nothing changes unless all of it fits.
    ///
    /// # Errors
    /// As [`Optimizer::check_state`].
    fn set_state(&mut self, state: &Arrays) -> Result<(), StateError>;
}

/// An optimiser: a [`Rule`] applied to all parameters in one pass, in place and in parallel.
///
/// Parameters that are frozen or have no gradient stay as they are, and so does their state. Memory for the state is
/// taken at a parameter's first step.
pub struct Fused<R: Rule, E: Real = f32> {
    pub(super) groups: Vec<Group<R, E>>,
}

/// Parameters that share their options.
pub(super) struct Group<R, E: Real> {
    pub(super) rule: R,
    /// The learning rate relative to the first group's.
    ratio: f64,
    pub(super) members: Vec<Member<E>>,
}

/// A parameter and what the rule remembers of it.
pub(super) struct Member<E: Real> {
    pub(super) name: String,
    pub(super) variable: Tensor<E>,
    pub(super) steps: u64,
    /// One array per slot; none before the first step.
    pub(super) state: Vec<Array<E>>,
}

impl<R: Rule, E: Real> Fused<R, E> {
    /// An optimiser of all of a store's parameters, or of a selection.
    ///
    /// # Panics
    /// When the options make no sense; [`Rule::check`] tells beforehand.
    #[track_caller]
    pub fn new(parameters: impl Into<Parameters<E>>, options: R) -> Self {
        let mut optimizer = Fused { groups: Vec::new() };
        optimizer.add_group(parameters, options);
        optimizer
    }

    /// More parameters, with options of their own. PyTorch's `add_param_group`.
    ///
    /// ```
    /// use striate_nn::optim::{Sgd, SgdOptions};
    /// use striate_nn::{Linear, ParamStore};
    ///
    /// let store = ParamStore::<f32>::seeded(0);
    /// let _body = Linear::new(&store.root().sub("body"), 4, 4);
    /// let _head = Linear::new(&store.root().sub("head"), 4, 2);
    /// let mut opt = Sgd::new(store.select("body."), SgdOptions { lr: 0.01, ..Default::default() });
    /// opt.add_group(store.select("head."), SgdOptions { lr: 0.1, ..Default::default() });
    ///
    /// opt.set_lr(0.001);
    /// assert!((opt.options(1).lr - 0.01).abs() < 1e-12);
    /// ```
    ///
    /// # Panics
    /// As [`Fused::new`]; or when a name is in a group already.
    #[track_caller]
    pub fn add_group(&mut self, parameters: impl Into<Parameters<E>>, options: R) {
        if let Err(error) = options.check() {
            panic!("{error}");
        }
        let parameters = parameters.into();
        let known: std::collections::HashSet<&str> = self.members().map(|member| &*member.name).collect();
        if let Some(name) = parameters.names().find(|name| known.contains(name)) {
            panic!("{}: {name} is in a group already", R::OPTIMIZER);
        }
        let first = self.groups.first().map_or(options.lr(), |group| group.rule.lr());
        let ratio = if first == options.lr() || first == 0.0 { 1.0 } else { options.lr() / first };
        let members = parameters.iter().map(|(name, variable)| Member {
            name: name.to_string(),
            variable: variable.clone(),
            steps: 0,
            state: Vec::new(),
        });
        let members = members.collect();
        self.groups.push(Group { rule: options, ratio, members });
    }

    /// The options of group `group`, counted from 0 in the order of [`Fused::add_group`].
    ///
    /// # Panics
    /// When there is no such group.
    pub fn options(&self, group: usize) -> &R {
        &self.groups[group].rule
    }

    /// Changes the options of group `group`, all but those that decide which state is kept.
    ///
    /// # Panics
    /// When there is no such group, when the new options make no sense, or when they need other state.
    #[track_caller]
    pub fn set_options(&mut self, group: usize, options: R) {
        if let Err(error) = options.check() {
            panic!("{error}");
        }
        let rule = &mut self.groups[group].rule;
        assert_eq!(options.slots(), rule.slots(), "{}: these options need other state", R::OPTIMIZER);
        *rule = options;
    }

    /// Changes the parameters that have a gradient.
    pub fn step(&mut self, gradients: &Gradients<E>) {
        let mut jobs = Vec::new();
        for Group { rule, members, .. } in &mut self.groups {
            for Member { variable, steps, state, .. } in members {
                let Some(gradient) = gradients.get(variable) else { continue };
                if state.is_empty() {
                    let initial = E::of(rule.initial());
                    let fill = |_: &&str| Array::build(variable.shape(), |s| s.fill(initial));
                    *state = rule.slots().iter().map(fill).collect();
                }
                *steps += 1;
                let gradient = gradient.array().contiguous();
                jobs.push(Job { rule, step: *steps, variable, gradient, state });
            }
        }
        run(jobs);
    }

    /// The learning rate of the first group.
    pub fn lr(&self) -> f64 {
        self.groups[0].rule.lr()
    }

    /// Sets the learning rate of the first group; others keep the ratio to it that they were added with.
    ///
    /// ```
    /// # use striate_nn::optim::{Adam, AdamOptions};
    /// # use striate_nn::ParamStore;
    /// # use striate_nn::schedule::{Cosine, Schedule};
    /// # let store = ParamStore::<f32>::seeded(0);
    /// # let mut opt = Adam::new(&store, AdamOptions::default());
    /// let schedule = Cosine { lr: 1e-3, steps: 100, ..Default::default() };
    /// for step in 0..100 {
    ///     opt.set_lr(schedule.lr(step));
    ///     // opt.step(&loss.backward());
    /// }
    /// assert!(opt.lr() < 1e-6);
    /// ```
    pub fn set_lr(&mut self, lr: f64) {
        self.groups.iter_mut().for_each(|group| group.rule.set_lr(lr * group.ratio));
    }

    /// Step counts, moments and learning rates, by name: `fc.weight.exp_avg`, `fc.weight.step`, `param_groups.0.lr`.
    pub fn state(&self) -> Arrays {
        state::export(self)
    }

    /// Goes on from what [`Fused::state`] returned. Nothing changes unless all of it fits.
    ///
    /// # Errors
    /// When arrays are missing, unexpected, or not what this optimiser keeps: all differences together.
    pub fn set_state(&mut self, state: &Arrays) -> Result<(), StateError> {
        state::import(self, state)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Member<E>> {
        self.groups.iter().flat_map(|group| &group.members)
    }
}

impl<R: Rule, E: Real> Optimizer<E> for Fused<R, E> {
    fn step(&mut self, gradients: &Gradients<E>) {
        self.step(gradients);
    }

    fn lr(&self) -> f64 {
        self.lr()
    }

    fn set_lr(&mut self, lr: f64) {
        self.set_lr(lr);
    }

    fn state(&self) -> Arrays {
        self.state()
    }

    fn check_state(&self, state: &Arrays) -> Result<(), StateError> {
        state::check(self, state)
    }

    fn set_state(&mut self, state: &Arrays) -> Result<(), StateError> {
        self.set_state(state)
    }
}

/// The step of one parameter.
struct Job<'a, R, E: Real> {
    rule: &'a R,
    step: u64,
    variable: &'a Tensor<E>,
    gradient: Array<E>,
    state: &'a mut Vec<Array<E>>,
}

/// A part of one parameter's step.
struct Piece<'a, R, E> {
    rule: &'a R,
    step: u64,
    w: &'a mut [E],
    g: &'a [E],
    state: SmallVec<[&'a mut [E]; 3]>,
}

/// Elements per piece: few enough to share evenly, and small parameters are stepped together up to as many.
const PIECE: usize = par::PIECE / 2;

/// Cuts large parameters into pieces, bundles small ones, and steps all bundles in parallel.
fn run<R: Rule, E: Real>(mut jobs: Vec<Job<R, E>>) {
    let mut locks: Vec<ElementsLock<E>> = jobs.iter().map(|job| job.variable.lock()).collect();
    let mut bundles: Vec<Vec<Piece<R, E>>> = Vec::new();
    let mut room = 0;
    for (Job { rule, step, gradient, state, .. }, lock) in jobs.iter_mut().zip(&mut locks) {
        let mut w = lock.as_mut_slice();
        let mut g = gradient.as_slice().expect("the gradient was made contiguous");
        let mut state: SmallVec<[&mut [E]; 3]> = state.iter_mut().map(Array::make_mut).collect();
        while !w.is_empty() {
            if room == 0 {
                bundles.push(Vec::new());
                room = PIECE;
            }
            let n = w.len().min(room);
            room -= n;
            let piece = Piece {
                rule: *rule,
                step: *step,
                w: w.split_off_mut(..n).expect("n elements are there"),
                g: g.split_off(..n).expect("the gradient has the parameter's shape"),
                state: state.iter_mut().map(|s| s.split_off_mut(..n).expect("so has the state")).collect(),
            };
            bundles.last_mut().expect("a bundle with room").push(piece);
        }
    }
    par::pieces_mut(&mut bundles, 1, |_, bundle| {
        for Piece { rule, step, w, g, state } in bundle.iter_mut().flatten() {
            rule.update(*step, w, g, state);
        }
    });
}
