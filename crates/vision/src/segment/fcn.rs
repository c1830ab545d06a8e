//! Fully convolutional networks on VGG.

use striate_conv::{Boundary, Conv2d, ConvLayerOptions, ConvTranspose2d, PoolOptions, pad};
use striate_nn::{Dropout, Init, Linear, Module, Path};
use striate_tensor::{Real, Tensor};

use super::upsampling::{Upsampling, bilinear_transposed, enlarged, frozen_transposed};
use crate::classify::linear_as_conv;
use crate::classify::vgg::{VggBody, VggOptions, WIDTHS, linear_options};
use crate::network::{ImageInput, ImageNetwork, image_size};
use crate::units::{crop, frozen, frozen_conv, size};

/// Zeros around the image, so that the smallest map is as large as the first linear layer's window.
const PADDING: usize = 100;
/// Height and width of the first linear layer's window.
const WINDOW: usize = 7;

/// How fine the finest scores of an [`Fcn`] are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FcnDetail {
    /// One score for 32 × 32 pixels.
    Fcn32s,
    /// One for 16 × 16: scores of the fourth pooling are added.
    Fcn16s,
    /// One for 8 × 8: those of the third as well.
    #[default]
    Fcn8s,
}

impl FcnDetail {
    /// Names and factors of the upsamplings, of which all but the last double.
    fn upsamplings(self) -> &'static [(&'static str, usize)] {
        match self {
            FcnDetail::Fcn32s => &[("upscore", 32)],
            FcnDetail::Fcn16s => &[("upscore2", 2), ("upscore16", 16)],
            FcnDetail::Fcn8s => &[("upscore2", 2), ("upscore_pool4", 2), ("upscore8", 8)],
        }
    }
}

/// Names and blocks of the maps whose scores are added after the first upsamplings.
const SKIPS: [(&str, usize); 2] = [("score_pool4", 3), ("score_pool3", 2)];

/// Options of an [`Fcn`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FcnOptions {
    /// How fine the finest scores are.
    pub detail: FcnDetail,
    /// How scores become larger: not by max-unpooling, since scores were never pooled.
    pub upsampling: Upsampling,
    /// The classifier it is made from.
    pub vgg: VggOptions,
}

/// A fully convolutional network: VGG whose linear layers are convolutions, scores of its last map upsampled to the
/// image, with finer scores of earlier maps added on the way.
///
/// x (N, C, H, W) → logits (N, classes, H, W), for any H and W. All sizes, paddings and croppings are the paper's; scores
/// start at 0, transposed convolutions as bilinear interpolation.
///
/// Paths: `features.0`, …, `classifier.0`, `classifier.3` are a [`Vgg`](crate::Vgg)'s, whose file loads with
/// `load_except(file, &["classifier.6.", "score_", "upscore"])`; `score_fr`, `score_pool4`, `score_pool3`, `upscore2`, ….
/// Long, Shelhamer and Darrell 2015; notes, section 6.
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::{Fcn, FcnOptions, VggOptions};
///
/// let small = FcnOptions { vgg: VggOptions { width: 4, hidden: 32, ..Default::default() }, ..Default::default() };
/// let net = Fcn::with(&ParamStore::<f32>::seeded(0).root(), 2, &small);
/// assert_eq!(net.forward(&Tensor::ones(&[1, 3, 45, 60])).shape(), [1, 2, 45, 60]);
/// ```
pub struct Fcn<E: Real = f32> {
    body: VggBody<E>,
    hidden: [Linear<E>; 2],
    dropouts: Option<[Dropout; 2]>,
    score: Conv2d<E>,
    skips: Vec<(Conv2d<E>, usize)>,
    upsamplings: Vec<Enlarging<E>>,
}

impl<E: Real> Fcn<E> {
    /// A network with options.
    ///
    /// # Panics
    /// When scores are to be unpooled.
    #[track_caller]
    pub fn with(path: &Path<E>, classes: usize, options: &FcnOptions) -> Self {
        let FcnOptions { detail, upsampling, vgg } = options;
        assert!(
            *upsampling != Upsampling::MaxUnpooling,
            "fcn: scores were never pooled, so nothing unpools them"
        );
        let maps = WIDTHS.map(|times| times * vgg.width);
        let classifier = path.sub("classifier");
        let linear =
            |name: usize, inputs| Linear::with(&classifier.sub(name), inputs, vgg.hidden, linear_options());
        let score = |name: &str, channels| {
            let zero = Some(Init::Constant(0.0));
            let options = ConvLayerOptions { weight_init: zero, bias_init: zero, ..Default::default() };
            Conv2d::with(&path.sub(name), channels, classes, [1, 1], options)
        };
        let enlarge = |&(name, factor): &(&str, usize)| match upsampling {
            Upsampling::Transposed => {
                let conv = bilinear_transposed(&path.sub(name), classes, factor);
                Enlarging { factor, way: Way::Transposed(Box::new(conv)) }
            }
            &upsampling => Enlarging { factor, way: Way::Fixed(upsampling) },
        };
        let steps = detail.upsamplings();
        Fcn {
            body: VggBody::new(&path.sub("features"), vgg),
            hidden: [linear(0, maps[4] * WINDOW * WINDOW), linear(3, vgg.hidden)],
            dropouts: Some([2, 5].map(|name| Dropout::new(&classifier.sub(name), vgg.dropout))),
            score: score("score_fr", vgg.hidden),
            skips: SKIPS[..steps.len() - 1]
                .iter()
                .map(|&(name, block)| (score(name, maps[block]), block))
                .collect(),
            upsamplings: steps.iter().map(enlarge).collect(),
        }
    }
}

impl<E: Real> Module<E> for Fcn<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let image = image_size(self.input(), x);
        // The first convolution pads by one itself.
        let padded = pad(x, [(PADDING - 1, PADDING - 1); 2], Boundary::Zero);
        let pools = self.body.pools(&padded, PoolOptions { ceil_mode: true, ..2.into() });
        let mut y = pools[4].clone();
        for (i, layer) in self.hidden.iter().enumerate() {
            y = linear_as_conv(layer, &y, if i == 0 { WINDOW } else { 1 }).relu();
            y = self.dropouts.as_ref().map_or_else(|| y.clone(), |dropouts| dropouts[i].forward(&y));
        }
        let mut scores = self.score.forward(&y);
        let mut grid = Grid::of_pool(4).windows(WINDOW);
        for (enlarging, (score, block)) in self.upsamplings.iter().zip(&self.skips) {
            (scores, grid) = enlarging.enlarge(&scores, grid);
            let finer = score.forward(&pools[*block]);
            scores = crop(&finer, Grid::of_pool(*block).before(grid), size(&scores)) + scores;
        }
        let last = &self.upsamplings[self.upsamplings.len() - 1];
        (scores, grid) = last.enlarge(&scores, grid);
        crop(&scores, grid.before(Grid::IMAGE), image)
    }
}

impl<E: Real> ImageNetwork<E> for Fcn<E> {
    fn input(&self) -> ImageInput {
        ImageInput { network: "FCN", channels: self.body.channels, smallest: 1 }
    }

    fn fuse(&self) -> Box<dyn ImageNetwork<E>> {
        Box::new(Fcn {
            body: self.body.fuse(),
            hidden: self.hidden.each_ref().map(frozen),
            dropouts: None,
            score: frozen_conv(&self.score),
            skips: self.skips.iter().map(|(score, block)| (frozen_conv(score), *block)).collect(),
            upsamplings: self.upsamplings.iter().map(Enlarging::fuse).collect(),
        })
    }
}

/// One upsampling of scores.
struct Enlarging<E: Real> {
    factor: usize,
    way: Way<E>,
}

enum Way<E: Real> {
    Transposed(Box<ConvTranspose2d<E>>),
    Fixed(Upsampling),
}

impl<E: Real> Enlarging<E> {
    /// The larger scores, and where they lie.
    #[track_caller]
    fn enlarge(&self, scores: &Tensor<E>, grid: Grid) -> (Tensor<E>, Grid) {
        match &self.way {
            Way::Transposed(conv) => (conv.forward(scores), grid.finer(self.factor, 2 * self.factor)),
            &Way::Fixed(upsampling) => {
                (enlarged(upsampling, scores, self.factor), grid.finer(self.factor, self.factor))
            }
        }
    }

    fn fuse(&self) -> Self {
        let way = match &self.way {
            Way::Transposed(conv) => Way::Transposed(Box::new(frozen_transposed(conv))),
            &Way::Fixed(upsampling) => Way::Fixed(upsampling),
        };
        Enlarging { factor: self.factor, way }
    }
}

/// Where a map lies in the image: the middle of element i at start + i · step pixels, along each axis.
#[derive(Clone, Copy)]
struct Grid {
    start: f64,
    step: f64,
}

impl Grid {
    const IMAGE: Grid = Grid { start: 0.0, step: 1.0 };

    /// The map that pooling gives after block `block` of the padded image.
    fn of_pool(block: usize) -> Self {
        let padded = Grid { start: 1.0 - PADDING as f64, ..Self::IMAGE };
        (0..=block).fold(padded, |grid, _| {
            let grid = grid.windows(2);
            Grid { step: 2.0 * grid.step, ..grid }
        })
    }

    /// After windows of `kernel` elements at every place.
    fn windows(self, kernel: usize) -> Self {
        Grid { start: self.start + (kernel as f64 - 1.0) / 2.0 * self.step, ..self }
    }

    /// After each element became `kernel` elements, at a distance of `factor` from the next one's.
    fn finer(self, factor: usize, kernel: usize) -> Self {
        let step = self.step / factor as f64;
        Grid { start: self.start - (kernel as f64 - 1.0) / 2.0 * step, step }
    }

    /// How many elements come before `other`'s first, which lies on one of them.
    fn before(self, other: Grid) -> usize {
        ((other.start - self.start) / self.step) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_the_papers() {
        let up = |grid: Grid, factor| grid.finer(factor, 2 * factor);
        let scores = Grid::of_pool(4).windows(WINDOW);
        assert_eq!(up(scores, 32).before(Grid::IMAGE), 19);
        let doubled = up(scores, 2);
        assert_eq!(Grid::of_pool(3).before(doubled), 5);
        assert_eq!(up(doubled, 16).before(Grid::IMAGE), 27);
        let fourfold = up(doubled, 2);
        assert_eq!(Grid::of_pool(2).before(fourfold), 9);
        assert_eq!(up(fourfold, 8).before(Grid::IMAGE), 31);
    }
}
