//! Ways through a latent space.

use striate_tensor::{Real, Tensor};

/// Codes on the straight line from one code to another, both included: (J), (J) → (`steps`, J).
///
/// z_t = (1 − t) a + t b
///
/// # Panics
/// When the codes have different shapes.
///
/// ```
/// use striate_generative::latent::interpolate;
/// use striate_tensor::Tensor;
///
/// let (a, b) = (Tensor::from_slice(&[0.0f32, 4.0]), Tensor::from_slice(&[2.0, 0.0]));
/// assert_eq!(interpolate(&a, &b, 3).to_vec(), [0.0, 4.0, 1.0, 2.0, 2.0, 0.0]);
/// ```
#[track_caller]
pub fn interpolate<E: Real>(a: &Tensor<E>, b: &Tensor<E>, steps: usize) -> Tensor<E> {
    mix("interpolate", a, b, steps, |t| [1.0 - t, t])
}

/// Codes on the arc from one code to another, both included: (J), (J) → (`steps`, J).
///
/// z_t = (sin((1 − t) Ω) a + sin(t Ω) b) / sin Ω, Ω the angle between a and b
///
/// Codes drawn from the prior lie near a sphere, through whose inside the straight line leads: the arc keeps their
/// length. Codes on one line, where there is no arc or no single one, are mixed as [`interpolate`] does.
/// Shoemake 1985, White 2016.
///
/// # Panics
/// When the codes have different shapes.
///
/// ```
/// use striate_generative::latent::interpolate_spherical;
/// use striate_tensor::Tensor;
///
/// let (a, b) = (Tensor::from_slice(&[2.0f64, 0.0]), Tensor::from_slice(&[0.0, 2.0]));
/// let middle = interpolate_spherical(&a, &b, 3).select(0, 1);
/// assert!((middle.norm().item() - 2.0).abs() < 1e-12);
/// ```
#[track_caller]
pub fn interpolate_spherical<E: Real>(a: &Tensor<E>, b: &Tensor<E>, steps: usize) -> Tensor<E> {
    let lengths = a.norm().item() * b.norm().item();
    let cosine = if lengths > 0.0 { (a * b).sum().item() / lengths } else { 1.0 };
    let angle = cosine.clamp(-1.0, 1.0).acos();
    let sine = angle.sin();
    if sine < 1e-6 {
        return mix("interpolate_spherical", a, b, steps, |t| [1.0 - t, t]);
    }
    mix("interpolate_spherical", a, b, steps, |t| {
        [((1.0 - t) * angle).sin() / sine, (t * angle).sin() / sine]
    })
}

/// wₐ a + w_b b for t from 0 to 1.
#[track_caller]
fn mix<E: Real>(
    name: &str,
    a: &Tensor<E>,
    b: &Tensor<E>,
    steps: usize,
    weights: impl Fn(f64) -> [f64; 2],
) -> Tensor<E> {
    let fits = a.rank() == 1 && a.shape() == b.shape();
    assert!(fits, "{name}: both codes must be (J), are {:?} and {:?}", a.shape(), b.shape());
    let weights: Vec<E> =
        (0..steps).flat_map(|step| weights(step as f64 / (steps - 1).max(1) as f64).map(E::of)).collect();
    Tensor::from_vec(&[steps, 2], weights).matmul(&Tensor::stack(&[a, b], 0))
}

/// Codes in which one dimension after the other takes some values, while the others stay: z (J) → (J · V, J).
///
/// What a dimension does to the decoded sample is seen in its row. The notes' figure 41 has such rows.
///
/// # Panics
/// When the code is not (J).
///
/// ```
/// use striate_generative::latent::traverse;
/// use striate_tensor::Tensor;
///
/// let z = Tensor::from_slice(&[5.0f32, 7.0]);
/// assert_eq!(traverse(&z, &[-1.0, 1.0]).to_vec(), [-1.0, 7.0, 1.0, 7.0, 5.0, -1.0, 5.0, 1.0]);
/// ```
#[track_caller]
pub fn traverse<E: Real>(z: &Tensor<E>, values: &[f64]) -> Tensor<E> {
    assert_eq!(z.rank(), 1, "traverse: the code must be (J), is {:?}", z.shape());
    let (start, latent) = (z.to_vec(), z.len());
    let mut codes = Vec::with_capacity(latent * values.len() * latent);
    for dimension in 0..latent {
        for &value in values {
            let mut code = start.clone();
            code[dimension] = E::of(value);
            codes.extend(code);
        }
    }
    Tensor::from_vec(&[latent * values.len(), latent], codes)
}
