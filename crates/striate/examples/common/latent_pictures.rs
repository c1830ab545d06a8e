//! Pictures of a latent space: where the classes lie, and what its points decode to.

use ndarray::{Array2, Axis};
use striate::datasets::Labelled;
use striate::generative::latent::{encode_set, prior_grid};
use striate::generative::{GenerativeError, Pca, Vae};
use striate::tensor::no_grad;
use striate::train::figures::{Grid, Scatter};

use crate::grids::{cells, grid};

/// μ of every picture (N, J).
pub(crate) fn means(vae: &Vae, pictures: &Labelled) -> Array2<f32> {
    encode_set(&pictures.images().into(), 1024, |x| vae.encode(x).mean)
}

/// The codes of pictures: in the latent plane, or in that of the two directions in which they vary most.
pub(crate) fn scatter(
    title: &str,
    codes: &Array2<f32>,
    pictures: &Labelled,
) -> Result<Scatter, GenerativeError> {
    let shown = match codes.ncols() {
        1 => codes.select(Axis(1), &[0, 0]),
        2 => codes.clone(),
        _ => Pca::fit(codes.view(), 2)?.transform(codes.view())?,
    };
    let axis = |number| match codes.ncols() {
        1 => "z1".into(),
        2 => format!("z{number}"),
        _ => format!("component {number} of z"),
    };
    Ok(Scatter {
        title: title.into(),
        x_label: axis(1),
        y_label: axis(2),
        points: shown.rows().into_iter().map(|z| (f64::from(z[0]), f64::from(z[1]))).collect(),
        labels: pictures.labels().to_vec(),
        classes: pictures.classes().to_vec(),
    })
}

/// What a grid over the two latent dimensions that vary most decodes to, at quantiles of the prior.
pub(crate) fn manifold(title: &str, vae: &Vae, codes: &Array2<f32>) -> Grid {
    const SIDE: usize = 15;
    let decoded = |codes| no_grad(|| vae.decode(&codes).mean()).to_ndarray();
    if vae.latent() == 1 {
        let line = prior_grid(SIDE, 2, [0, 1]).narrow(1, 0, 1).narrow(0, 0, SIDE);
        return grid(title, cells(decoded(line).view(), ""), SIDE);
    }
    let spread = codes.std_axis(Axis(0), 0.0);
    let mut order: Vec<usize> = (0..vae.latent()).collect();
    order.sort_by(|&a, &b| spread[b].total_cmp(&spread[a]));
    let mut dimensions = [order[0], order[1]];
    dimensions.sort_unstable();
    grid(title, cells(decoded(prior_grid(SIDE, vae.latent(), dimensions)).view(), ""), SIDE)
}
