//! Inputs that are the same in every peer and language, and the numbers that compare results.

/// Seed of a row's first input; the second has the next one.
pub const INPUT: u32 = 100;
/// Seed of the first gradient handed to a row's backward pass.
pub const GRADIENT: u32 = 200;

/// `n` numbers, uniform in [−scale, scale): element i is a 32-bit mix of i and `seed`, its top 24 bits as a fraction.
pub fn fill(seed: u32, n: usize, scale: f32) -> Vec<f32> {
    (0..n as u32)
        .map(|i| {
            let mut h = i.wrapping_add(seed.wrapping_mul(0x9e37_79b9));
            h = (h ^ (h >> 16)).wrapping_mul(0x045d_9f3b);
            h = (h ^ (h >> 16)).wrapping_mul(0x045d_9f3b);
            h ^= h >> 16;
            ((h >> 8) as f32 / 8_388_608.0 - 1.0) * scale
        })
        .collect()
}

/// `n` class labels: label i is 7·i mod `classes`.
pub fn labels(n: usize, classes: usize) -> Vec<usize> {
    (0..n).map(|i| 7 * i % classes).collect()
}

/// A linear layer's PyTorch-shaped parameters, weight (outputs, inputs) and bias, uniform within 1/√inputs:
/// layer l's weight has seed 2·l + 1 and its bias 2·l + 2.
pub fn linear(layer: u32, inputs: usize, outputs: usize) -> (Vec<f32>, Vec<f32>) {
    let scale = 1.0 / (inputs as f32).sqrt();
    (fill(2 * layer + 1, inputs * outputs, scale), fill(2 * layer + 2, outputs, scale))
}

/// The values with which a model's parameter starts, the `place`th by name from 0 on, of the seed `place` + 1: arrays of
/// two or more axes uniform within √(3 / n), n the product of all axes but the first, biases within 0.1. `None` for what
/// starts at 1, the weight of a norm.
pub fn parameter(place: usize, name: &str, shape: &[usize]) -> Option<Vec<f32>> {
    let scale = match shape {
        [_, fan @ ..] if !fan.is_empty() => (3.0 / fan.iter().product::<usize>() as f64).sqrt() as f32,
        _ if name.ends_with("bias") => 0.1,
        _ => return None,
    };
    Some(fill(place as u32 + 1, shape.iter().product(), scale))
}

/// The mean of |x|, and the mean of |x|·(i mod 13), which sees where an element stands.
pub fn summary(x: &[f32]) -> [f64; 2] {
    let mean = |weight: fn(usize) -> usize| {
        let sum: f64 = x.iter().enumerate().map(|(i, &v)| f64::from(v).abs() * weight(i) as f64).sum();
        sum / x.len() as f64
    };
    [mean(|_| 1), mean(|i| i % 13)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `common.py` checks itself against the same numbers.
    #[test]
    fn the_formula_is_the_one_of_the_python_peers() {
        assert_eq!(fill(100, 3, 1.0), [0.318_325_4, -0.932_750_94, -0.790_931_1]);
    }

    #[test]
    fn a_parameter_starts_by_its_place_its_name_and_its_shape() {
        assert_eq!(parameter(99, "conv1.weight", &[1, 3, 1, 1]), Some(fill(100, 3, 1.0)));
        assert_eq!(parameter(99, "conv1.bias", &[3]), Some(fill(100, 3, 0.1)));
        assert_eq!(parameter(99, "norm1.weight", &[3]), None);
    }
}
