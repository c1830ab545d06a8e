//! Lower bounds of ln p(x) on test pictures, from loose to tight, and how certain their means are.

use serde::Serialize;
use striate::compute::rng::Rng;
use striate::datasets::{Batch, Dataset, Labelled};
use striate::generative::{EvidenceOptions, Vae, standard_normal};
use striate::tensor::{Tensor, no_grad};

/// A bound's mean over pictures, in nats, and that of its distance from the bound before: both with the standard error.
#[derive(Serialize)]
pub(crate) struct Bound {
    pub(crate) name: String,
    pub(crate) mean: [f64; 2],
    pub(crate) gain: Option<[f64; 2]>,
}

/// The evidence lower bound, and the importance weighted bounds of 10 samples, or fewer, and of `most`.
pub(crate) fn bounds(vae: &Vae, pictures: &Labelled, most: usize, seed: u64) -> Vec<Bound> {
    let mut bounds = vec![("ELBO".to_string(), of_all(pictures, seed, |x, rng| elbos(vae, x, rng)))];
    let mut counts = vec![most.min(10), most];
    counts.dedup();
    for samples in counts {
        let options = EvidenceOptions { samples, ..Default::default() };
        let values = of_all(pictures, seed, |x, rng| vae.log_evidence(x, options, rng));
        bounds.push((format!("IWAE-{samples}"), values));
    }
    let before = std::iter::once(None).chain(bounds.iter().map(|(_, values)| Some(values)));
    let gain = |values: &[f64], before: &Vec<f64>| {
        mean_and_error(&values.iter().zip(before).map(|(after, before)| after - before).collect::<Vec<_>>())
    };
    let all = bounds.iter().zip(before).map(|((name, values), before)| Bound {
        name: name.clone(),
        mean: mean_and_error(values),
        gain: before.map(|before| gain(values, before)),
    });
    all.collect()
}

/// E_q\[ln p(x|z)\] − D(q(z|x)‖p(z)) of each picture, by one z.
fn elbos(vae: &Vae, x: &Tensor, rng: &mut Rng) -> Vec<f64> {
    let values = no_grad(|| {
        let q = vae.encode(x);
        let noise = standard_normal(q.mean.shape(), rng);
        vae.decode(&q.at(&noise)).log_likelihoods(x) - q.kl_from_standard_normal().sum_dim(&[1], false)
    });
    values.to_vec().into_iter().map(f64::from).collect()
}

fn of_all(pictures: &Labelled, seed: u64, bound: impl Fn(&Tensor, &mut Rng) -> Vec<f64>) -> Vec<f64> {
    let mut rng = Rng::named(seed, "bounds");
    let batch = |Batch { images, .. }| bound(&Tensor::from(images), &mut rng);
    pictures.batches(250).flat_map(batch).collect()
}

fn mean_and_error(values: &[f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    [mean, (variance / n).sqrt()]
}
