//! U-Net.

use striate_conv::{Boundary, Conv2d, ConvLayerOptions, pad};
use striate_nn::{Fan, Init, Module, Path};
use striate_tensor::{Real, Tensor};

use super::upsampling::{Doubling, Pooled, Upsampling};
use crate::network::{ImageInput, ImageNetwork, image_size};
use crate::units::{ConvNorm, Norm, crop, frozen_conv, size};

/// Options of a [`UNet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UNetOptions {
    /// How often the map is halved.
    pub depth: usize,
    /// Channels of the first level; each level below has twice as many.
    pub width: usize,
    /// What follows each 3×3 convolution.
    pub norm: Norm,
    /// Whether zeros around each map keep its size; else the paper's valid convolutions, which lose a border.
    pub padded: bool,
    /// How maps become larger.
    pub upsampling: Upsampling,
    /// Levels whose map is not handed to the decoder, to see what the skip connections bring: 0 is the finest.
    pub without_skips: Vec<usize>,
    /// Channels of the images.
    pub channels: usize,
}

impl Default for UNetOptions {
    fn default() -> Self {
        UNetOptions {
            depth: 4,
            width: 64,
            norm: Norm::Batch,
            padded: true,
            upsampling: Upsampling::Transposed,
            without_skips: Vec::new(),
            channels: 3,
        }
    }
}

/// U-Net: maps are halved and their channels doubled, level by level, and back again; on the way up each level also sees
/// the map that the way down had there.
///
/// x (N, C, H, W) → logits (N, classes, H, W), for any H and W: images are mirrored at their end up to a multiple of
/// 2^depth, and logits cropped. With valid convolutions the output is the image without a border of
/// [`UNet::margin`] pixels on each side.
///
/// Paths: `encoder.0.conv1`, `encoder.0.norm1`, …, `encoder.4` at the bottom, `decoder.0.up`, `decoder.0.conv1`, …, `head`.
/// Ronneberger, Fischer and Brox 2015, which has valid convolutions and no norm; notes, section 6.
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::{UNet, UNetOptions};
///
/// let options = UNetOptions { width: 4, channels: 1, ..Default::default() };
/// let net = UNet::with(&ParamStore::<f32>::seeded(0).root(), 2, &options);
/// assert_eq!(net.forward(&Tensor::ones(&[2, 1, 45, 60])).shape(), [2, 2, 45, 60]);
/// ```
pub struct UNet<E: Real = f32> {
    encoder: Vec<Level<E>>,
    /// From the finest level on.
    decoder: Vec<Ascent<E>>,
    head: Conv2d<E>,
    padded: bool,
    channels: usize,
}

/// Two 3×3 convolutions.
struct Level<E: Real>([ConvNorm<E>; 2]);

/// One step up.
struct Ascent<E: Real> {
    /// Half the channels, unless a transposed convolution does both.
    reduce: Option<Conv2d<E>>,
    doubling: Doubling<E>,
    skip: bool,
    level: Level<E>,
}

impl<E: Real> UNet<E> {
    /// A network with options.
    ///
    /// # Panics
    /// When valid convolutions are to be unpooled: their maps are smaller than what was pooled.
    #[track_caller]
    pub fn with(path: &Path<E>, classes: usize, options: &UNetOptions) -> Self {
        let &UNetOptions { depth, width, padded, upsampling, channels, .. } = options;
        assert!(
            padded || upsampling != Upsampling::MaxUnpooling,
            "unet: valid convolutions leave maps that are smaller than what was pooled, so nothing unpools them"
        );
        let features = |level: usize| width << level;
        let encoder = (0..=depth).map(|level| {
            let before = if level == 0 { channels } else { features(level - 1) };
            Level::new(&path.sub("encoder").sub(level), [before, features(level)], options)
        });
        let encoder = encoder.collect();
        let decoder = (0..depth).map(|level| {
            let path = path.sub("decoder").sub(level);
            let (skip, halved) =
                (!options.without_skips.contains(&level), [features(level + 1), features(level)]);
            let transposed = upsampling == Upsampling::Transposed;
            let up = path.sub("up");
            Ascent {
                reduce: (!transposed).then(|| Conv2d::new(&up, halved[0], halved[1], [1, 1])),
                doubling: Doubling::new(upsampling, &up, halved),
                skip,
                level: Level::new(&path, [halved[usize::from(!skip)], features(level)], options),
            }
        });
        UNet {
            encoder,
            decoder: decoder.collect(),
            head: Conv2d::new(&path.sub("head"), width, classes, [1, 1]),
            padded,
            channels,
        }
    }

    fn depth(&self) -> usize {
        self.decoder.len()
    }

    /// Pixels that the output lacks on each side: none, or with valid convolutions those that they lose, 92 at depth 4.
    pub fn margin(&self) -> usize {
        // A level loses four elements on the way down and four on the way up; the levels below it count twice.
        if self.padded { 0 } else { (0..self.depth()).fold(2, |below, _| 2 * below + 4) }
    }

    /// The next size from `n` on that halves without remainder at every level.
    fn fitting(&self, n: usize) -> usize {
        let lost = if self.padded { 0 } else { 4 };
        let bottom = (0..self.depth()).fold(n, |n, _| n.saturating_sub(lost).div_ceil(2));
        (0..self.depth()).fold(bottom, |n, _| 2 * n + lost)
    }
}

impl<E: Real> Module<E> for UNet<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let image = image_size(self.input(), x);
        let x = pad(x, image.map(|n| (0, self.fitting(n) - n)), Boundary::Reflect);
        let (bottom, levels) = self.encoder.split_last().expect("there is a level");
        let (mut x, mut skips) = (x, Vec::new());
        for level in levels {
            let map = level.forward(&x);
            let (pooled, pool) = Pooled::pool(&map);
            skips.push((map, pool));
            x = pooled;
        }
        x = bottom.forward(&x);
        for (ascent, (map, pool)) in self.decoder.iter().zip(&skips).rev() {
            x = ascent.forward(&x, map, pool);
        }
        crop(&self.head.forward(&x), 0, image.map(|n| n - 2 * self.margin()))
    }
}

impl<E: Real> ImageNetwork<E> for UNet<E> {
    fn input(&self) -> ImageInput {
        ImageInput { network: "U-Net", channels: self.channels, smallest: 2 * self.margin() + 1 }
    }

    fn fuse(&self) -> Box<dyn ImageNetwork<E>> {
        Box::new(UNet {
            encoder: self.encoder.iter().map(Level::fuse).collect(),
            decoder: self.decoder.iter().map(Ascent::fuse).collect(),
            head: frozen_conv(&self.head),
            ..*self
        })
    }
}

impl<E: Real> Level<E> {
    #[track_caller]
    fn new(path: &Path<E>, [channels, features]: [usize; 2], options: &UNetOptions) -> Self {
        let conv = ConvLayerOptions {
            padding: usize::from(options.padded).into(),
            bias: options.norm == Norm::None,
            weight_init: Some(Init::HeNormal { fan: Fan::In, gain: std::f64::consts::SQRT_2 }),
            bias_init: Some(Init::Constant(0.0)),
            ..Default::default()
        };
        Level([(1, channels), (2, features)].map(|(number, channels)| {
            let conv = Conv2d::with(&path.sub(format!("conv{number}")), channels, features, [3, 3], conv);
            ConvNorm::with_norm(conv, options.norm, &path.sub(format!("norm{number}")))
        }))
    }

    fn fuse(&self) -> Self {
        Level(self.0.each_ref().map(ConvNorm::fuse))
    }
}

impl<E: Real> Module<E> for Level<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        self.0.iter().fold(x.clone(), |x, unit| unit.forward(&x).relu())
    }
}

impl<E: Real> Ascent<E> {
    /// x from the level below, the map of the way down at this level, and what was pooled there.
    #[track_caller]
    fn forward(&self, x: &Tensor<E>, map: &Tensor<E>, pool: &Pooled) -> Tensor<E> {
        let x = self.reduce.as_ref().map_or_else(|| x.clone(), |conv| conv.forward(x));
        let x = self.doubling.forward(&x, pool);
        if !self.skip {
            return self.level.forward(&x);
        }
        let [[inner, width], [outer, _]] = [size(&x), size(map)];
        let middle = crop(map, (outer - inner) / 2, [inner, width]);
        self.level.forward(&Tensor::concat(&[&middle, &x], 1))
    }

    fn fuse(&self) -> Self {
        Ascent {
            reduce: self.reduce.as_ref().map(frozen_conv),
            doubling: self.doubling.fuse(),
            skip: self.skip,
            level: self.level.fuse(),
        }
    }
}
