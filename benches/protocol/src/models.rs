//! The rows of whole models: training steps, and single pictures.

use crate::data::{INPUT, fill, labels};

/// A model that gives logits for pictures: the training step has the mean cross-entropy of all labels, and the check is
/// the loss before the first step and by how much that lowers it, since few digits of a loss near 0 are sure; without
/// training the check is the summary of the logits.
#[derive(Clone, Copy, Debug)]
pub struct Classifier {
    /// The row.
    pub name: &'static str,
    /// (N, C, H, W)
    pub shape: [usize; 4],
    /// How many logits there are for each label.
    pub classes: usize,
}

const fn classifier(name: &'static str, shape: [usize; 4], classes: usize) -> Classifier {
    Classifier { name, shape, classes }
}

/// ResNet-18 of torchvision with a stem of 3×3, stride 1 and no pooling.
pub const RESNET18_CIFAR: Classifier = classifier("train/resnet18-cifar-b16", [16, 3, 32, 32], 10);
/// U-Net of [`UNET_DEPTH`] with batch norm and transposed convolutions of 2×2; every pixel has a label.
pub const UNET: Classifier = classifier("train/unet-128-b4", [4, 1, 128, 128], 2);
/// How often the U-Net halves its map.
pub const UNET_DEPTH: usize = 4;
/// Channels of the U-Net's first level.
pub const UNET_WIDTH: usize = 16;
/// Convolutions of 5×5 to 16 and 32 channels, each with ReLU and 2×2 max pooling, and 128 units.
pub const LENET: [Classifier; 2] =
    [classifier("train/lenet-b64", [64, 1, 28, 28], 10), classifier("train/lenet-b1", [1, 1, 28, 28], 10)];
/// torchvision's ResNet-18, in evaluation.
pub const RESNET18: Classifier = classifier("infer/resnet18-b1", [1, 3, 224, 224], 1000);
/// torchvision's VGG-16, in evaluation.
pub const VGG16: Classifier = classifier("infer/vgg16-b1", [1, 3, 224, 224], 1000);
/// torchvision's GoogLeNet without auxiliary heads, in evaluation.
pub const GOOGLENET: Classifier = classifier("infer/googlenet-b1", [1, 3, 224, 224], 1000);

impl Classifier {
    /// x
    pub fn x(&self) -> Vec<f32> {
        fill(INPUT, self.shape.iter().product(), 1.0)
    }

    /// One label for each picture.
    pub fn labels(&self) -> Vec<usize> {
        labels(self.shape[0], self.classes)
    }
}

/// A variational auto-encoder of pictures in [0, 1], Bernoulli: the training step has −ELBO, summed over pixels and
/// averaged over the batch, and the check is this loss before and after the first step.
#[derive(Clone, Copy, Debug)]
pub struct Vae {
    /// The row.
    pub name: &'static str,
    /// (N, …)
    pub shape: &'static [usize],
    /// J, dimensions of the latent space.
    pub latent: usize,
    /// Weight of the divergence.
    pub beta: f64,
}

/// Encoder and decoder with 400 units.
pub const VAE: Vae = Vae { name: "train/vae-b128", shape: &[128, 784], latent: 20, beta: 1.0 };
/// Four convolutions of 4×4 and stride 2 to 32, 32, 64 and 64 channels and 256 units, and the same way back.
pub const CONV_VAE: Vae = Vae { name: "train/convvae-b32", shape: &[32, 1, 64, 64], latent: 10, beta: 4.0 };

impl Vae {
    /// x
    pub fn x(&self) -> Vec<f32> {
        fill(INPUT, self.shape.iter().product(), 0.5).into_iter().map(|x| 0.5 + x).collect()
    }

    /// The noise (N, J) of the first two steps, of variance 1; later ones draw their own.
    pub fn noise(&self) -> [Vec<f32>; 2] {
        [1, 2].map(|step| fill(INPUT + step, self.shape[0] * self.latent, 3f32.sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_shares_and_noise_has_variance_1() {
        assert!(VAE.x().iter().all(|x| (0.0..1.0).contains(x)));
        let [first, second] = VAE.noise();
        let variance = first.iter().map(|e| e * e).sum::<f32>() / first.len() as f32;
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
        assert_ne!(first, second);
    }
}
