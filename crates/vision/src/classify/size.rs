//! How deep and how large networks are, and what 1×1 convolutions save.

use striate_nn::ParamStore;

use super::by_name::classifier;
use super::googlenet::MODULES;
use crate::error::VisionError;

/// Depth and size of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassifierSize {
    /// Convolutions and linear layers on the longest way from the image to the logits, shortcuts not counted.
    pub weight_layers: usize,
    /// Numbers that it learns.
    pub parameters: usize,
    /// How many of them are in auxiliary heads, which only training needs.
    pub auxiliary: usize,
}

/// Depth and size of the network of that name, which is made to be counted. Notes, section 5.1, figure 9.
///
/// # Errors
/// When there is none: see [`classifier_names`](crate::classifier_names).
///
/// ```
/// use striate_vision::{ClassifierSize, classifier_size};
///
/// let size = classifier_size("resnet20", 10)?;
/// assert_eq!(size, ClassifierSize { weight_layers: 20, parameters: 269_722, auxiliary: 0 });
/// # Ok::<(), striate_vision::VisionError>(())
/// ```
pub fn classifier_size(name: &str, classes: usize) -> Result<ClassifierSize, VisionError> {
    let store = ParamStore::<f32>::seeded(0);
    classifier(name, &store.root(), classes)?;
    let parameters = store.parameters();
    // Of an inception module's branches, the second is as long as the third and longer than the others.
    let aside = ["aux", ".downsample.", ".branch1.", ".branch3.", ".branch4."];
    let in_line = |name: &str| !aside.iter().any(|part| name.contains(part));
    let weights = parameters.iter().filter(|(name, value)| value.shape().len() > 1 && in_line(name));
    Ok(ClassifierSize {
        weight_layers: weights.count(),
        parameters: parameters.count(),
        auxiliary: store.select("aux").count(),
    })
}

/// What one inception module costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InceptionCost {
    /// The module's name in [`GoogLeNet`](crate::GoogLeNet).
    pub module: &'static str,
    /// Channels that it takes.
    pub channels: usize,
    /// Channels that it gives.
    pub features: usize,
    /// Weights of its convolutions, each of which is multiplied once for every place of the map.
    pub weights: usize,
    /// The same without the 1×1 convolutions that reduce the channels for the two larger kernels.
    pub weights_without: usize,
}

/// What 1×1 convolutions save in each module of [`GoogLeNet`](crate::GoogLeNet), whose third branch has kernels of
/// `kernel` × `kernel`: 5 in the paper, 3 in torchvision and here.
///
/// A branch of k × k from C channels to O costs C R + k² R O weights over R channels, and k² C O without them. The 1×1
/// convolution after the pooling stays in both. Szegedy et al. 2015; notes, section 5.3.
///
/// ```
/// use striate_vision::inception_costs;
///
/// let first = inception_costs(5)[0];
/// assert_eq!((first.module, first.channels, first.features), ("inception3a", 192, 256));
/// assert_eq!((first.weights, first.weights_without), (163_328, 393_216));
/// ```
pub fn inception_costs(kernel: usize) -> Vec<InceptionCost> {
    let cost = |(module, channels, widths): (_, usize, [usize; 6])| {
        let [one, three, three3, five, five5, pool] = widths;
        let branch = |kernel: usize, from: usize, to: usize| kernel * kernel * from * to;
        let same = branch(1, channels, one + pool);
        let reduced = |kernel, inner, to| branch(1, channels, inner) + branch(kernel, inner, to);
        InceptionCost {
            module,
            channels,
            features: one + three3 + five5 + pool,
            weights: same + reduced(3, three, three3) + reduced(kernel, five, five5),
            weights_without: same + branch(3, channels, three3) + branch(kernel, channels, five5),
        }
    };
    MODULES.map(cost).to_vec()
}
