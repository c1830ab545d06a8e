//! The networks that are compared.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use striate::nn::ParamStore;
use striate::vision::{Fcn, FcnOptions, ImageNetwork, UNet, UNetOptions, VggOptions};

/// A network by its name.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Network {
    /// U-Net of depth 4.
    Unet,
    /// The same without skip connections.
    UnetWithoutSkips,
    /// FCN-8s on a small VGG with batch norm.
    Fcn,
}

/// Channels of the first maps.
const WIDTH: usize = 16;
const DEPTH: usize = 4;

impl Network {
    /// The name in tables and pictures.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Network::Unet => "U-Net",
            Network::UnetWithoutSkips => "U-Net without skips",
            Network::Fcn => "FCN-8s",
        }
    }

    /// The name of its folder.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Network::Unet => "unet",
            Network::UnetWithoutSkips => "unet_without_skips",
            Network::Fcn => "fcn",
        }
    }

    /// The network for grey images.
    pub(crate) fn build(self, store: &ParamStore, classes: usize) -> Box<dyn ImageNetwork> {
        let without_skips = if self == Network::UnetWithoutSkips { (0..DEPTH).collect() } else { Vec::new() };
        let unet =
            UNetOptions { depth: DEPTH, width: WIDTH, channels: 1, without_skips, ..Default::default() };
        let vgg = VggOptions {
            convolutions: [1, 1, 2, 2, 2],
            width: WIDTH,
            hidden: 8 * WIDTH,
            dropout: 0.0,
            batch_norm: true,
            channels: 1,
        };
        match self {
            Network::Unet | Network::UnetWithoutSkips => Box::new(UNet::with(&store.root(), classes, &unet)),
            Network::Fcn => {
                Box::new(Fcn::with(&store.root(), classes, &FcnOptions { vgg, ..Default::default() }))
            }
        }
    }
}
