use thiserror::Error;

/// What does not fit a network for images.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VisionError {
    /// Images have another number of axes.
    #[error("{network} takes images (N, C, H, W), the shape is {shape:?}")]
    Axes {
        /// The network.
        network: &'static str,
        /// The shape that came.
        shape: Vec<usize>,
    },
    /// There is no image.
    #[error("{network} needs at least one image, the shape is {shape:?}")]
    Empty {
        /// The network.
        network: &'static str,
        /// The shape that came.
        shape: Vec<usize>,
    },
    /// Images have another number of channels than the network takes.
    #[error("{network} takes images of {expected} channels, not {found} (shape {shape:?})")]
    Channels {
        /// The network.
        network: &'static str,
        /// The channels that it takes.
        expected: usize,
        /// The channels that came.
        found: usize,
        /// The shape that came.
        shape: Vec<usize>,
    },
    /// Images leave nothing of the map somewhere in the network.
    #[error(
        "{network} takes images of at least {smallest} × {smallest} pixels, not {height} × {width} (shape {shape:?})"
    )]
    TooSmall {
        /// The network.
        network: &'static str,
        /// The least height and width.
        smallest: usize,
        /// The height that came.
        height: usize,
        /// The width that came.
        width: usize,
        /// The shape that came.
        shape: Vec<usize>,
    },
    /// No network has that name.
    #[error("no network is called {name:?}; there are {}", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<&'static str>,
    },
}
