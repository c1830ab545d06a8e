//! GoogLeNet.

use striate_conv::{PoolOptions, global_avg_pool};
use striate_nn::{Dropout, Linear, Mode, Module, Path};
use striate_tensor::{Real, Tensor};

use super::inception::{AuxiliaryHead, Inception, InceptionWidths, Unit, linear};
use crate::network::{ImageInput, ImageNetwork};
use crate::units::{frozen, max_pool};

/// Name, input channels and widths of the inception modules. Szegedy et al. 2015, table 1.
pub(super) const MODULES: [(&str, usize, [usize; 6]); 9] = [
    ("inception3a", 192, [64, 96, 128, 16, 32, 32]),
    ("inception3b", 256, [128, 128, 192, 32, 96, 64]),
    ("inception4a", 480, [192, 96, 208, 16, 48, 64]),
    ("inception4b", 512, [160, 112, 224, 24, 64, 64]),
    ("inception4c", 512, [128, 128, 256, 24, 64, 64]),
    ("inception4d", 512, [112, 144, 288, 32, 64, 64]),
    ("inception4e", 528, [256, 160, 320, 32, 128, 128]),
    ("inception5a", 832, [256, 160, 320, 32, 128, 128]),
    ("inception5b", 832, [384, 192, 384, 48, 128, 128]),
];
const FEATURES: usize = 1024;
/// Modules after which the map is pooled: number, name and kernel of the pooling.
const POOLS: [(usize, &str, usize); 2] = [(1, "maxpool3", 3), (6, "maxpool4", 2)];
/// Modules whose output an auxiliary head classifies: number, name of the head, channels.
const HEADS: [(usize, &str, usize); 2] = [(2, "aux1", 512), (5, "aux2", 528)];
/// α, the weight of an auxiliary head's loss.
const HEAD_WEIGHT: f64 = 0.3;

/// Options of a [`GoogLeNet`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoogLeNetOptions {
    /// Whether there are auxiliary heads.
    pub aux_heads: bool,
    /// Probability of dropout before the last layer.
    pub dropout: f64,
    /// Probability of dropout in the auxiliary heads.
    pub aux_dropout: f64,
    /// Whether images normalised by ImageNet's means and deviations are brought to [−1, 1] first, which the weights that
    /// torchvision offers expect: torchvision's `transform_input`.
    pub transform_input: bool,
}

impl Default for GoogLeNetOptions {
    fn default() -> Self {
        GoogLeNetOptions { aux_heads: true, dropout: 0.2, aux_dropout: 0.7, transform_input: false }
    }
}

/// GoogLeNet: nine inception modules with batch norm, and two auxiliary heads that keep gradients from drying out.
///
/// x (N, 3, H, W) → logits (N, classes), for H and W from 15 on. [`ImageNetwork::loss`] is
/// ℓ(y) + 0.3 ℓ(y₁) + 0.3 ℓ(y₂) in training, with the logits of the heads; in evaluation they are not computed.
///
/// Paths: `conv1`, `conv2`, `conv3`, `inception3a`, …, `inception5b`, `aux1`, `aux2`, `fc`; the modules can be watched with
/// [`outputs`](striate_nn::observe::outputs). Weights without the heads, as torchvision offers them, load with
/// `load_except(file, &["aux1.", "aux2."])`, or into a network without `aux_heads`.
/// Szegedy et al. 2015; notes, section 5.3; torchvision's `GoogLeNet`, whose third branch has 3×3 for the paper's 5×5.
///
/// ```
/// use striate_nn::{Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::{GoogLeNet, GoogLeNetOptions};
///
/// let headless = GoogLeNetOptions { aux_heads: false, ..Default::default() };
/// let net = GoogLeNet::with(&ParamStore::<f32>::seeded(0).root(), 10, &headless);
/// assert_eq!(net.forward(&Tensor::ones(&[2, 3, 64, 64])).shape(), [2, 10]);
/// ```
pub struct GoogLeNet<E: Real = f32> {
    stem: [Unit<E>; 3],
    modules: Vec<Inception<E>>,
    heads: Vec<AuxiliaryHead<E>>,
    dropout: Option<Dropout>,
    /// The head, which maps the means of the last map's planes to logits.
    pub fc: Linear<E>,
    transform_input: bool,
    mode: Mode,
}

impl<E: Real> GoogLeNet<E> {
    /// A network with options.
    #[track_caller]
    pub fn with(path: &Path<E>, classes: usize, options: &GoogLeNetOptions) -> Self {
        let &GoogLeNetOptions { aux_heads, dropout, aux_dropout, transform_input } = options;
        let stem = [("conv1", 3, 64, 7, 2), ("conv2", 64, 64, 1, 1), ("conv3", 64, 192, 3, 1)];
        let stem = stem.map(|(name, channels, features, kernel, stride)| {
            Unit::new(&path.sub(name), channels, features, kernel, stride)
        });
        let modules = MODULES.iter().map(|&(name, channels, [one, three, three3, five, five5, pool])| {
            let widths = InceptionWidths { one, three: [three, three3], five: [five, five5], pool };
            Inception::new(&path.sub(name), channels, widths)
        });
        let modules = modules.collect();
        let heads = HEADS
            .iter()
            .filter(|_| aux_heads)
            .map(|&(_, name, channels)| AuxiliaryHead::new(&path.sub(name), channels, classes, aux_dropout));
        GoogLeNet {
            stem,
            modules,
            heads: heads.collect(),
            dropout: Some(Dropout::new(&path.sub("dropout"), dropout)),
            fc: linear(&path.sub("fc"), FEATURES, classes),
            transform_input,
            mode: path.mode(),
        }
    }

    /// The logits, and in training those of the auxiliary heads.
    #[track_caller]
    pub fn forward_with_heads(&self, x: &Tensor<E>) -> (Tensor<E>, Vec<Tensor<E>>) {
        let halving = |name, kernel: usize, x: &Tensor<E>| {
            max_pool(name, x, PoolOptions { stride: Some([2, 2]), ceil_mode: true, ..kernel.into() })
        };
        let x = if self.transform_input { transformed(x) } else { x.clone() };
        let [conv1, conv2, conv3] = &self.stem;
        let x = halving("maxpool1", 3, &conv1.forward(&x));
        let mut x = halving("maxpool2", 3, &conv3.forward(&conv2.forward(&x)));
        let heads = if self.mode.is_training() { &self.heads[..] } else { &[] };
        let mut logits = Vec::new();
        for (number, module) in self.modules.iter().enumerate() {
            x = module.forward(&x);
            let head = HEADS.iter().zip(heads).find(|((place, ..), _)| *place == number);
            logits.extend(head.map(|(_, head)| head.forward(&x)));
            if let Some(&(_, name, kernel)) = POOLS.iter().find(|(place, ..)| *place == number) {
                x = halving(name, kernel, &x);
            }
        }
        let x = global_avg_pool(&x);
        let x = self.dropout.as_ref().map_or_else(|| x.clone(), |dropout| dropout.forward(&x));
        (self.fc.forward(&x), logits)
    }
}

/// (x σ + μ − ½) / ½ by channel, with ImageNet's means μ and deviations σ.
#[track_caller]
fn transformed<E: Real>(x: &Tensor<E>) -> Tensor<E> {
    let channels = |values: [f64; 3]| Tensor::from_vec(&[3, 1, 1], values.map(E::of).to_vec());
    let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    x * channels(deviation.map(|s| s / 0.5)) + channels(mean.map(|m| (m - 0.5) / 0.5))
}

impl<E: Real> Module<E> for GoogLeNet<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        self.forward_with_heads(x).0
    }
}

impl<E: Real> ImageNetwork<E> for GoogLeNet<E> {
    fn input(&self) -> ImageInput {
        ImageInput { network: "GoogLeNet", channels: 3, smallest: 15 }
    }

    fn loss(&self, x: &Tensor<E>, loss: &dyn Fn(&Tensor<E>) -> Tensor<E>) -> Tensor<E> {
        let (logits, heads) = self.forward_with_heads(x);
        heads.iter().fold(loss(&logits), |sum, logits| sum + HEAD_WEIGHT * loss(logits))
    }

    fn fuse(&self) -> Box<dyn ImageNetwork<E>> {
        Box::new(GoogLeNet {
            stem: self.stem.each_ref().map(Unit::fuse),
            modules: self.modules.iter().map(Inception::fuse).collect(),
            heads: Vec::new(),
            dropout: None,
            fc: frozen(&self.fc),
            transform_input: self.transform_input,
            mode: self.mode.clone(),
        })
    }
}

/// GoogLeNet for ImageNet: 13,004,888 parameters with 1000 classes, 6,624,904 of them not in the auxiliary heads. See
/// [`GoogLeNet`]. torchvision's `googlenet(init_weights=True)`.
#[track_caller]
pub fn googlenet<E: Real>(path: &Path<E>, classes: usize) -> GoogLeNet<E> {
    GoogLeNet::with(path, classes, &GoogLeNetOptions::default())
}
