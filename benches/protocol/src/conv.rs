//! The convolution, pooling and upsampling rows, which every peer runs with its own operations.

use std::rc::Rc;

use crate::data::{GRADIENT, INPUT, fill};
use crate::{Prepare, Row};

/// What a row computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// y = x ⋆ w + b
    Conv,
    /// The transposed convolution of x with w, plus b.
    ConvTranspose,
    /// The largest element of each 2×2 window.
    MaxPool2,
    /// Each element twice along both axes.
    Upsample2,
}

/// One operation on x (N, C, S, S), with its sizes.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// The rows are called so, with `/fwd` and `/fb`.
    pub name: &'static str,
    /// What is computed.
    pub operation: Operation,
    /// N
    pub batch: usize,
    /// C
    pub channels: usize,
    /// Channels of y.
    pub features: usize,
    /// S
    pub size: usize,
    /// Elements of the kernel along each axis.
    pub kernel: usize,
    /// Steps of the window.
    pub stride: usize,
    /// Zeros around x; of a transposed convolution what is cut off around y.
    pub padding: usize,
    /// Distance of neighbouring kernel elements.
    pub dilation: usize,
    /// Groups of channels that do not mix.
    pub groups: usize,
}

const fn conv(name: &'static str, [batch, channels, features, size]: [usize; 4], kernel: usize) -> Layer {
    Layer {
        name,
        operation: Operation::Conv,
        batch,
        channels,
        features,
        size,
        kernel,
        stride: 1,
        padding: kernel / 2,
        dilation: 1,
        groups: 1,
    }
}

const fn transposed(name: &'static str, sizes: [usize; 4], kernel: usize, padding: usize) -> Layer {
    Layer { operation: Operation::ConvTranspose, stride: 2, padding, ..conv(name, sizes, kernel) }
}

const fn plane(name: &'static str, operation: Operation, [batch, channels, size]: [usize; 3]) -> Layer {
    Layer { operation, stride: 2, padding: 0, ..conv(name, [batch, channels, channels, size], 2) }
}

/// The layers of the rows.
pub const LAYERS: [Layer; 13] = [
    conv("conv-16x64-64-56-k3", [16, 64, 64, 56], 3),
    conv("conv-16x128-128-28-k3", [16, 128, 128, 28], 3),
    conv("conv-16x256-256-14-k3", [16, 256, 256, 14], 3),
    conv("conv-16x512-512-7-k3", [16, 512, 512, 7], 3),
    Layer { stride: 2, ..conv("conv-4x3-64-224-k7s2", [4, 3, 64, 224], 7) },
    conv("conv-16x256-64-56-k1", [16, 256, 64, 56], 1),
    conv("conv-64x1-16-28-k5", [64, 1, 16, 28], 5),
    Layer { padding: 2, dilation: 2, ..conv("conv-16x64-64-56-k3d2", [16, 64, 64, 56], 3) },
    Layer { groups: 128, ..conv("dw-16x128-56-k3", [16, 128, 128, 56], 3) },
    transposed("convt-8x64-32-64-k2s2", [8, 64, 32, 64], 2, 0),
    transposed("convt-8x64-64-32-k4s2", [8, 64, 64, 32], 4, 1),
    plane("maxpool2-16x64-112", Operation::MaxPool2, [16, 64, 112]),
    plane("upsample2-16x64-56", Operation::Upsample2, [16, 64, 56]),
];

impl Layer {
    /// (N, C, S, S)
    pub fn x_shape(&self) -> [usize; 4] {
        [self.batch, self.channels, self.size, self.size]
    }

    /// The weight's shape; none for pooling and upsampling.
    pub fn w_shape(&self) -> Option<[usize; 4]> {
        let k = self.kernel;
        match self.operation {
            Operation::Conv => Some([self.features, self.channels / self.groups, k, k]),
            Operation::ConvTranspose => Some([self.channels, self.features / self.groups, k, k]),
            Operation::MaxPool2 | Operation::Upsample2 => None,
        }
    }

    /// The shape of y.
    pub fn y_shape(&self) -> [usize; 4] {
        let span = self.dilation * (self.kernel - 1) + 1;
        let size = match self.operation {
            Operation::Conv | Operation::MaxPool2 => (self.size + 2 * self.padding - span) / self.stride + 1,
            Operation::ConvTranspose => (self.size - 1) * self.stride + span - 2 * self.padding,
            Operation::Upsample2 => 2 * self.size,
        };
        [self.batch, self.features, size, size]
    }

    /// x
    pub fn x(&self) -> Vec<f32> {
        fill(INPUT, self.x_shape().iter().product(), 1.0)
    }

    /// The weight and the bias, both uniform within one over the square root of a weight's size for one channel of
    /// its first axis; none for pooling and upsampling.
    pub fn parameters(&self) -> Option<(Vec<f32>, Vec<f32>)> {
        let shape = self.w_shape()?;
        let fan: usize = shape[1..].iter().product();
        let scale = 1.0 / (fan as f32).sqrt();
        let w = fill(INPUT + 1, shape.iter().product(), scale);
        Some((w, fill(INPUT + 2, self.features, scale)))
    }

    /// dL/dy
    pub fn dy(&self) -> Vec<f32> {
        fill(GRADIENT, self.y_shape().iter().product(), 1.0)
    }

    /// Multiplications and additions of y: two for each weight that meets an element. The gradients of x and of w take
    /// as many each.
    pub fn operations(&self) -> usize {
        let places = match self.operation {
            Operation::ConvTranspose => self.x_shape(),
            _ => self.y_shape(),
        };
        let weights: usize = self.w_shape().map_or(0, |shape| shape.iter().product());
        2 * places[0] * places[2] * places[3] * weights
    }

    /// Bytes that have to be moved at least: x and y in the forward pass; and dy, dx, and x again where the gradient
    /// needs it in the backward pass.
    pub fn bytes(&self, backward: bool) -> usize {
        let (x, y) = (self.x_shape().iter().product::<usize>(), self.y_shape().iter().product::<usize>());
        let again = if self.operation == Operation::Upsample2 { 0 } else { x };
        size_of::<f32>() * (x + y + if backward { again + x + y } else { 0 })
    }
}

/// The rows of all layers, without and with gradients, which `prepare` makes ready. The check is the summary of y
/// and, with gradients, those of dx, dw and db.
pub fn conv_rows(prepare: impl Fn(&Layer, bool) -> Row + 'static) -> Vec<(String, Prepare)> {
    let prepare = Rc::new(prepare);
    let both = LAYERS.iter().flat_map(|layer| [(layer, false), (layer, true)]);
    let rows = both.map(|(layer, backward)| {
        let prepare = prepare.clone();
        let name = format!("{}/{}", layer.name, if backward { "fb" } else { "fwd" });
        (name, Box::new(move || prepare(layer, backward)) as Prepare)
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str) -> &'static Layer {
        LAYERS.iter().find(|layer| layer.name == name).unwrap()
    }

    #[test]
    fn the_shapes_are_those_of_the_definitions() {
        let y = |name| layer(name).y_shape();
        assert_eq!(y("conv-4x3-64-224-k7s2"), [4, 64, 112, 112]);
        assert_eq!(y("conv-16x64-64-56-k3d2"), [16, 64, 56, 56]);
        assert_eq!(y("convt-8x64-32-64-k2s2"), [8, 32, 128, 128]);
        assert_eq!(y("convt-8x64-64-32-k4s2"), [8, 64, 64, 64]);
        assert_eq!(y("maxpool2-16x64-112"), [16, 64, 56, 56]);
        assert_eq!(y("upsample2-16x64-56"), [16, 64, 112, 112]);
        assert_eq!(layer("dw-16x128-56-k3").w_shape(), Some([128, 1, 3, 3]));
    }

    #[test]
    fn operations_count_products_and_sums() {
        assert_eq!(layer("conv-16x64-64-56-k3").operations(), 2 * 16 * 56 * 56 * 64 * 64 * 9);
        assert_eq!(layer("convt-8x64-32-64-k2s2").operations(), 2 * 8 * 64 * 64 * 64 * 32 * 4);
        assert_eq!(layer("maxpool2-16x64-112").operations(), 0);
    }
}
