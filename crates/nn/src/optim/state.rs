//! An optimiser's state as named arrays.

use ndarray::arr0;
use striate_formats::{AnyArray, Arrays};
use striate_tensor::{Array, Real};

use super::fused::{Fused, Member};
use super::rule::Rule;
use crate::weights::{from_any, list, to_any};

/// Arrays that are not the state of this optimiser: all differences together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the state is not this {optimizer}'s{}{}{}",
    list("missing", missing),
    list("unexpected", unexpected),
    list("not as expected", mismatched)
)]
pub struct StateError {
    /// The optimiser.
    pub optimizer: &'static str,
    /// Names that the optimiser needs and the state lacks.
    pub missing: Vec<String>,
    /// Names that the state has and the optimiser does not keep.
    pub unexpected: Vec<String>,
    /// Names in both, with what was expected and what came.
    pub mismatched: Vec<String>,
}

const STEP: &str = "step";

fn lr_name(group: usize) -> String {
    format!("param_groups.{group}.lr")
}

fn name<E: Real>(member: &Member<E>, slot: &str) -> String {
    format!("{}.{slot}", member.name)
}

pub(super) fn export<R: Rule, E: Real>(optimizer: &Fused<R, E>) -> Arrays {
    let mut arrays = Arrays::new();
    for (i, group) in optimizer.groups.iter().enumerate() {
        arrays.push(lr_name(i), arr0(group.rule.lr()));
        for member in group.members.iter().filter(|member| member.steps > 0) {
            arrays.push(name(member, STEP), arr0(member.steps as i64));
            for (slot, array) in group.rule.slots().iter().zip(&member.state) {
                arrays.push(name(member, slot), to_any(array));
            }
        }
    }
    arrays
}

/// What [`import`] sets, once all of it fits.
struct Plan<E: Real> {
    lrs: Vec<f64>,
    members: Vec<(u64, Vec<Array<E>>)>,
}

pub(super) fn check<R: Rule, E: Real>(optimizer: &Fused<R, E>, arrays: &Arrays) -> Result<(), StateError> {
    plan(optimizer, arrays, |_| Array::full(&[], E::zero())).map(drop)
}

pub(super) fn import<R: Rule, E: Real>(
    optimizer: &mut Fused<R, E>,
    arrays: &Arrays,
) -> Result<(), StateError> {
    let Plan { lrs, members } = plan(optimizer, arrays, from_any)?;
    let mut members = members.into_iter();
    for (group, lr) in optimizer.groups.iter_mut().zip(lrs) {
        group.rule.set_lr(lr);
        for (member, (steps, state)) in group.members.iter_mut().zip(&mut members) {
            (member.steps, member.state) = (steps, state);
        }
    }
    Ok(())
}

/// Holds `arrays` against what the optimiser keeps; `convert` makes its state of those that fit.
fn plan<R: Rule, E: Real>(
    optimizer: &Fused<R, E>,
    arrays: &Arrays,
    convert: impl Fn(&AnyArray) -> Array<E>,
) -> Result<Plan<E>, StateError> {
    let mut error = StateError {
        optimizer: R::OPTIMIZER,
        missing: Vec::new(),
        unexpected: Vec::new(),
        mismatched: Vec::new(),
    };
    let mut plan = Plan { lrs: Vec::new(), members: Vec::new() };
    let mut known = std::collections::HashSet::new();
    for (i, group) in optimizer.groups.iter().enumerate() {
        let name_of_lr = lr_name(i);
        match arrays.get(&name_of_lr) {
            None => error.missing.push(name_of_lr.clone()),
            Some(AnyArray::F64(lr))
                if lr.shape().is_empty() && lr.iter().all(|lr| (0.0..f64::INFINITY).contains(lr)) =>
            {
                plan.lrs.extend(lr);
            }
            Some(other) => error.mismatched.push(difference(
                &name_of_lr,
                "one f64 that is finite and not negative",
                other,
            )),
        }
        known.insert(name_of_lr);
        for member in &group.members {
            let names: Vec<String> = group.rule.slots().iter().map(|slot| name(member, slot)).collect();
            let name_of_step = name(member, STEP);
            let mut steps = 0;
            let mut state = Vec::new();
            match arrays.get(&name_of_step) {
                None if names.iter().any(|name| arrays.get(name).is_some()) => {
                    error.missing.push(name_of_step.clone());
                }
                None => (),
                Some(array) => {
                    match array.to_i64().as_deref() {
                        Some(&[count]) if count > 0 => steps = count as u64,
                        _ => error.mismatched.push(difference(&name_of_step, "one positive integer", array)),
                    }
                    for name in &names {
                        match arrays.get(name) {
                            None => error.missing.push(name.clone()),
                            Some(array @ (AnyArray::F32(_) | AnyArray::F64(_)))
                                if array.shape() == member.variable.shape() =>
                            {
                                state.push(convert(array));
                            }
                            Some(array) => {
                                let expected = format!("floats of shape {:?}", member.variable.shape());
                                error.mismatched.push(difference(name, &expected, array));
                            }
                        }
                    }
                }
            }
            known.insert(name_of_step);
            known.extend(names);
            plan.members.push((steps, state));
        }
    }
    error.unexpected = arrays.names().filter(|name| !known.contains(*name)).map(str::to_string).collect();
    let fits = error.missing.is_empty() && error.unexpected.is_empty() && error.mismatched.is_empty();
    if fits { Ok(plan) } else { Err(error) }
}

fn difference(name: &str, expected: &str, found: &AnyArray) -> String {
    format!("{name} (expected {expected}, found {:?} of shape {:?})", found.dtype(), found.shape())
}
