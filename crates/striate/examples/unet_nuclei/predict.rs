//! Marks the nuclei of a picture.

use std::path::Path;

use image::{GrayImage, Luma};
use striate::datasets::{Segmentation, image_folder};
use striate::nn::ParamStore;
use striate::tensor::{Tensor, no_grad};

use crate::network::Network;
use crate::program::Outcome;
use crate::{Config, NUCLEUS, standardized};

/// Writes a mask as large as the picture, nuclei white, into the folder of all networks.
pub(crate) fn predict(folder: &Path, network: Network, file: &Path) -> Outcome<()> {
    let config_file = folder.join(network.folder()).join("config.json");
    let text = std::fs::read_to_string(&config_file).map_err(|error| {
        format!("{}: {error}; train a network first, or name its folder with --out", config_file.display())
    })?;
    let config: Config =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", config_file.display()))?;
    let store = ParamStore::seeded(config.seed);
    let net = config.network.build(&store, 2);
    store.load(folder.join(network.folder()).join("model.safetensors"))?;
    store.eval();

    let image = read_picture(file)?;
    let x = Tensor::from(image.images());
    net.check_input(x.shape())?;
    let classes = no_grad(|| net.fuse().forward(&x)).argmax_dim(1, false);
    let (height, width) = (x.shape()[2] as u32, x.shape()[3] as u32);
    let mask = GrayImage::from_fn(width, height, |x, y| {
        let nucleus = classes[[0, y as usize, x as usize]] == NUCLEUS;
        Luma([if nucleus { 255 } else { 0 }])
    });
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let out = folder.join(format!("{stem}_mask.png"));
    mask.save(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let nuclei = classes.iter().filter(|&&class| class == NUCLEUS).count();
    println!(
        "{}: {width}×{height} pixels, {:.1} % of them nuclei by the {}; the mask is {}",
        file.display(),
        100.0 * nuclei as f64 / classes.len() as f64,
        network.title(),
        out.display(),
    );
    Ok(())
}

/// The grey values of one picture, standardised as the training images are.
fn read_picture(file: &Path) -> Outcome<Segmentation> {
    let grey = image_folder::read_grey(file)?;
    let (height, width) = grey.dim();
    let image = grey.into_shape_with_order((1, 1, height, width))?.into_dyn();
    let unknown = ndarray::Array3::zeros((1, height, width));
    standardized(&Segmentation::new(image, unknown, ["background", "nucleus"], None)?)
}
