//! Pictures of any kind as a network for colours takes them.

use std::path::Path;

use ndarray::{ArrayD, Axis};
use striate::conv::{Interpolation, Resize, interpolate};
use striate::datasets::image_folder::{self, Folder, FolderOptions};
use striate::datasets::{Labelled, Per, Split, Standardize};
use striate::tensor::{Tensor, no_grad};

use crate::program::Outcome;
use crate::{Arguments, folders};

/// Share of the pictures of a folder without a part for testing that is held out.
const HELD_OUT: f64 = 0.2;

/// The name of the data, for messages, and pictures (N, 3, H, W) from 0 to 1.
pub(crate) fn read(arguments: &Arguments) -> Outcome<(String, Split)> {
    let (name, split) = match &arguments.data {
        Some(folder) if has_folders(folder) => {
            (folder.display().to_string(), class_folders(folder, arguments)?)
        }
        folder => folders::read(folder.as_deref())?,
    };
    let prepared = |part: &Labelled| prepared(part, arguments.size);
    Ok((name, Split::new(prepared(split.train())?, prepared(split.test())?)))
}

fn has_folders(folder: &Path) -> bool {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().is_dir())
}

/// A folder for each class, or such folders in `train` and in `test`, `val` or `valid`.
fn class_folders(folder: &Path, arguments: &Arguments) -> Outcome<Split> {
    let train = folder.join("train");
    if !train.is_dir() {
        return Ok(read_folder(folder, arguments)?.split(HELD_OUT, arguments.seed));
    }
    let test = ["test", "val", "valid"].map(|name| folder.join(name)).into_iter().find(|path| path.is_dir());
    let test = test.ok_or_else(|| {
        format!("{}: has a folder train, but none called test, val or valid", folder.display())
    })?;
    let [train, tested] = [read_folder(&train, arguments)?, read_folder(&test, arguments)?];
    if train.classes() != tested.classes() {
        let classes = [&train, &tested].map(|part| part.classes().join(", "));
        return Err(format!("{}: the classes are {}, not {}", test.display(), classes[1], classes[0]).into());
    }
    Ok(Split::new(train, tested))
}

fn read_folder(folder: &Path, arguments: &Arguments) -> Outcome<Labelled> {
    let size = arguments.size.map(|side| (side, side));
    let options = FolderOptions { size, skip_broken: arguments.skip_broken, ..Default::default() };
    let Folder { pictures, skipped } = image_folder::read_with(folder, &options)?;
    skipped.iter().for_each(|broken| eprintln!("warning: left out {broken}"));
    Ok(pictures)
}

/// Squares of the size that was asked for, grey in all three colours.
fn prepared(part: &Labelled, size: Option<u32>) -> Outcome<Labelled> {
    let images = Tensor::from(part.images());
    let &[_, channels, height, width] = images.shape() else {
        return Err("the data are not pictures".into());
    };
    let size = size.map_or([height, width], |side| [side as usize; 2]);
    if channels == 3 && size == [height, width] {
        return Ok(part.clone());
    }
    let sized = no_grad(|| {
        let linear = Interpolation::Linear { align_corners: false };
        let images =
            if size == [height, width] { images } else { interpolate(&images, Resize::Size(size), linear) };
        if channels == 1 { Tensor::concat(&[&images; 3], 1) } else { images }
    });
    Ok(Labelled::new(sized.to_ndarray(), part.labels().to_vec(), part.classes().to_vec())?)
}

/// Values around 0: by the means and deviations of ImageNet, which the weights of torchvision expect, or by those of the
/// training pictures.
pub(crate) fn normalized(split: &Split, imagenet: bool) -> Outcome<Split> {
    if !imagenet {
        let standardize = Standardize::fit(split.train(), Per::Channel);
        return Ok(Split::new(standardize.apply(split.train()), standardize.apply(split.test())));
    }
    let apply = |part: &Labelled| {
        let mut images: ArrayD<f32> = part.images().to_owned();
        let channels = images.axis_iter_mut(Axis(1)).zip([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]);
        for (mut channel, (mean, deviation)) in channels {
            channel.mapv_inplace(|value| (value - mean) / deviation);
        }
        Labelled::new(images, part.labels().to_vec(), part.classes().to_vec())
    };
    Ok(Split::new(apply(split.train())?, apply(split.test())?))
}

/// The first pictures as grey ones, for drawing.
pub(crate) fn grey(part: &Labelled) -> Outcome<Labelled> {
    let images = part.images().mean_axis(Axis(1)).ok_or("pictures have no channels")?.insert_axis(Axis(1));
    Ok(Labelled::new(images, part.labels().to_vec(), part.classes().to_vec())?)
}
