//! Signs of trouble in the gradients of a run that goes on.

use std::collections::{HashMap, HashSet};

use striate_nn::ParamStore;
use striate_tensor::Gradients;

/// What to warn of, and how often to look. Each warning comes once per parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthOptions {
    /// Steps from one look to the next.
    pub every: u64,
    /// ‖∂L/∂w‖ / ‖w‖ of a weight below which its gradient has vanished.
    pub vanishing: f64,
    /// ‖∂L/∂w‖ / ‖w‖ above which it explodes.
    pub exploding: f64,
    /// Looks in a row at which a unit's bias had no gradient at all before it counts as dead.
    pub dead_looks: u32,
    /// Share of denormal numbers among gradients and parameters that slows a run: the processor computes with them in
    /// a slow way.
    pub denormal: f64,
}

impl Default for HealthOptions {
    fn default() -> Self {
        HealthOptions { every: 50, vanishing: 1e-9, exploding: 1e4, dead_looks: 10, denormal: 0.01 }
    }
}

/// Looks at the gradients of a run.
#[derive(Default)]
pub(crate) struct Health {
    warned: HashSet<(String, &'static str)>,
    /// By bias, looks in a row at which each of its units had no gradient.
    silent: HashMap<String, Vec<u32>>,
}

impl Health {
    /// Warnings that are new.
    pub(crate) fn look(
        &mut self,
        options: &HealthOptions,
        store: &ParamStore,
        gradients: &Gradients,
    ) -> Vec<String> {
        let mut warnings = Vec::new();
        let (mut denormals, mut numbers) = (0, 0);
        for (name, parameter) in store.parameters().iter() {
            let Some(gradient) = gradients.get(parameter) else { continue };
            let (w, g) = (parameter.to_vec(), gradient.to_vec());
            denormals += w.iter().chain(&g).filter(|x| x.is_subnormal()).count();
            numbers += w.len() + g.len();
            if parameter.shape().len() < 2 {
                let dead = if name.ends_with("bias") { self.dead(options, name, &g) } else { 0 };
                if dead > 0 {
                    let (units, looks) = (g.len(), options.dead_looks);
                    let text = format!(
                        "{dead} of {units} units of {name} had no gradient at {looks} looks: dead ReLUs?"
                    );
                    self.once(name, "dead", text, &mut warnings);
                }
                continue;
            }
            let ratio = norm(&g) / norm(&w).max(f64::MIN_POSITIVE);
            if ratio < options.vanishing {
                let text =
                    format!("the gradient of {name} vanishes: its norm is {ratio:.1e} of the weight's");
                self.once(name, "vanishing", text, &mut warnings);
            } else if ratio > options.exploding {
                let text =
                    format!("the gradient of {name} explodes: its norm is {ratio:.1e} times the weight's");
                self.once(name, "exploding", text, &mut warnings);
            }
        }
        let share = denormals as f64 / numbers.max(1) as f64;
        if share > options.denormal {
            let text =
                format!("{:.1} % of parameters and gradients are denormal, which is slow", 100.0 * share);
            self.once("", "denormal", text, &mut warnings);
        }
        warnings
    }

    fn once(&mut self, name: &str, what: &'static str, text: String, warnings: &mut Vec<String>) {
        if self.warned.insert((name.to_string(), what)) {
            warnings.push(text);
        }
    }

    /// How many units of a bias have been silent for too long.
    fn dead(&mut self, options: &HealthOptions, name: &str, gradient: &[f32]) -> usize {
        let silent = self.silent.entry(name.to_string()).or_insert_with(|| vec![0; gradient.len()]);
        for (looks, &g) in silent.iter_mut().zip(gradient) {
            *looks = if g == 0.0 { *looks + 1 } else { 0 };
        }
        silent.iter().filter(|&&looks| looks >= options.dead_looks).count()
    }
}

fn norm(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use striate_nn::Init;
    use striate_tensor::Tensor;

    use super::*;

    /// The warnings of so many looks at the gradients of a loss of a weight (3, 2) and a bias (3).
    fn warnings(looks: u32, loss: impl Fn(&Tensor, &Tensor) -> Tensor) -> Vec<String> {
        let store = ParamStore::<f32>::seeded(0);
        let w = store.root().parameter("weight", &[3, 2], Init::Constant(1.0));
        let b = store.root().parameter("bias", &[3], Init::Constant(1.0));
        let mut health = Health::default();
        let look = |_| health.look(&HealthOptions::default(), &store, &loss(&w, &b).backward());
        (0..looks).flat_map(look).collect()
    }

    #[test]
    fn healthy_gradients_pass() {
        assert!(warnings(20, |w, b| (w * w).sum() + b.sum()).is_empty());
    }

    #[test]
    fn vanishing_and_exploding_gradients_are_named_once() {
        let vanishing = warnings(3, |w, _| (w * 1e-12).sum());
        assert!(vanishing.len() == 1 && vanishing[0].contains("of weight vanishes"), "{vanishing:?}");
        let exploding = warnings(3, |w, _| (w * 1e6).sum());
        assert!(exploding.len() == 1 && exploding[0].contains("of weight explodes"), "{exploding:?}");
    }

    #[test]
    fn units_without_a_gradient_are_counted_when_they_stay_silent() {
        let mask = Tensor::from_slice(&[1.0f32, 0.0, 1.0]);
        let loss = |w: &Tensor, b: &Tensor| (b * &mask).sum() + w.sum();
        assert!(warnings(9, loss).is_empty());
        let dead = warnings(12, loss);
        assert!(dead.len() == 1 && dead[0].starts_with("1 of 3 units of bias"), "{dead:?}");
    }

    #[test]
    fn denormal_numbers_are_a_warning() {
        let denormal = warnings(2, |w, _| (w * 1e-40).sum());
        assert!(denormal.iter().any(|text| text.contains("50.0 %")), "{denormal:?}");
    }
}
