//! HMAX: a hierarchy of simple and complex cells.

mod bar;
mod cells;
mod gabor;

pub use bar::Bar;
pub use cells::{s_cells, s1_cells};
pub use gabor::gabor_bank;

use striate_nn::{Module, Path, Stream, observe};
use striate_tensor::{Array, Real, Tensor, no_grad};

use crate::network::{ImageInput, ImageNetwork, image_size};
use cells::{c_cells, global_c_cells, stride};

/// Scales that complex cells take the maximum over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmaxBand {
    /// Sizes of the Gabor filters, which are odd.
    pub filters: Vec<usize>,
    /// Side of the square of places.
    pub pool: usize,
}

/// Prototypes of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HmaxPrototypes {
    /// Side, in complex cells.
    pub size: usize,
    /// How many.
    pub count: usize,
}

/// Options of [`Hmax`]: for images from 25×25 pixels on, unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct HmaxOptions {
    /// Orientations of the Gabor filters.
    pub orientations: usize,
    /// Scales.
    pub bands: Vec<HmaxBand>,
    /// Prototypes of the second simple cells.
    pub prototypes: Vec<HmaxPrototypes>,
    /// σ of the second simple cells: how far from its prototype one still responds.
    pub sigma: f64,
}

impl Default for HmaxOptions {
    fn default() -> Self {
        let band = |filters: [usize; 2], pool| HmaxBand { filters: filters.to_vec(), pool };
        HmaxOptions {
            orientations: 4,
            bands: vec![band([7, 9], 8), band([11, 13], 10)],
            prototypes: vec![HmaxPrototypes { size: 2, count: 100 }, HmaxPrototypes { size: 4, count: 100 }],
            sigma: 1.0,
        }
    }
}

/// HMAX: simple cells S that respond to one pattern, complex cells C that respond to it at many places and scales, twice.
///
/// - S1: Gabor filters at all places, orientations and scales; [`s1_cells`].
/// - C1: the largest of them over squares of places and over neighbouring scales.
/// - S2: y = exp(−1/(2σ²) Σ (w_j − x_j)²) of each window of C1 and each prototype w; [`s_cells`].
/// - C2: y = max y_j over all places and scales: one number for each prototype.
///
/// x (N, 1, H, W) → C2 (N, prototypes), for a linear layer to read. Nothing here is learnt by gradients: prototypes are
/// [sampled](Hmax::sample_prototypes) from images, and are 0 before. In the store they are the buffers `prototypes.0`, …,
/// (P, orientations, k, k); watch `s1`, `c1`, `s2` and `c2` with [`outputs`](observe::outputs), which gives the last band's.
/// Riesenhuber and Poggio 1999; Serre et al. 2007; notes, section 5.
///
/// ```
/// use striate_nn::{Linear, Module, ParamStore};
/// use striate_tensor::Tensor;
/// use striate_vision::{Hmax, HmaxOptions};
///
/// let store = ParamStore::<f32>::seeded(0);
/// let hmax = Hmax::with(&store.root().sub("hmax"), &HmaxOptions::default());
/// let images = Tensor::linspace(0.0, 1.0, 3 * 28 * 28).reshape(&[3, 1, 28, 28]);
/// hmax.sample_prototypes(&images);
/// let read_out = Linear::new(&store.root().sub("fc"), hmax.prototypes(), 10);
/// assert_eq!(read_out.forward(&hmax.forward(&images)).shape(), [3, 10]);
/// ```
pub struct Hmax<E: Real = f32> {
    options: HmaxOptions,
    /// Of each band, by size.
    filters: Vec<Vec<Tensor<E>>>,
    prototypes: Vec<Tensor<E>>,
    stream: Stream,
    name: String,
}

impl<E: Real> Hmax<E> {
    /// Cells with options.
    ///
    /// # Panics
    /// When there is no band, no filter in one, no orientation or no prototype, or a filter's size is even or 1.
    #[track_caller]
    pub fn with(path: &Path<E>, options: &HmaxOptions) -> Self {
        let HmaxOptions { orientations, bands, prototypes, .. } = options;
        let empty = bands.is_empty() || bands.iter().any(|band| band.filters.is_empty());
        assert!(
            !empty && *orientations > 0 && !prototypes.is_empty(),
            "hmax: some cells are missing: {options:?}"
        );
        let bank = |&size: &usize| gabor_bank(size, *orientations);
        let buffer = |(i, &HmaxPrototypes { size, count }): (usize, &HmaxPrototypes)| {
            path.sub("prototypes").buffer(&i.to_string(), &[count, *orientations, size, size], 0.0)
        };
        Hmax {
            filters: bands.iter().map(|band| band.filters.iter().map(bank).collect()).collect(),
            prototypes: prototypes.iter().enumerate().map(buffer).collect(),
            options: options.clone(),
            stream: path.stream(),
            name: path.name().to_string(),
        }
    }

    /// How many prototypes there are of all sizes: the features that come out.
    pub fn prototypes(&self) -> usize {
        self.options.prototypes.iter().map(|set| set.count).sum()
    }

    /// The responses of S1 by band and filter size, each (N, orientations, H, W).
    ///
    /// # Panics
    /// When images do not fit: see [`ImageNetwork::check_input`].
    #[track_caller]
    pub fn s1(&self, x: &Tensor<E>) -> Vec<Vec<Tensor<E>>> {
        image_size(self.input(), x);
        let responses = |filters: &Tensor<E>| self.observed("s1", s1_cells(x, filters));
        self.filters.iter().map(|band| band.iter().map(responses).collect()).collect()
    }

    /// The responses of C1 by band, each (N, orientations, H', W').
    ///
    /// # Panics
    /// As [`Hmax::s1`].
    #[track_caller]
    pub fn c1(&self, x: &Tensor<E>) -> Vec<Tensor<E>> {
        let bands = self.s1(x).into_iter().zip(&self.options.bands);
        bands.map(|(maps, band)| self.observed("c1", c_cells(&maps, band.pool))).collect()
    }

    /// The prototypes become windows of the C1 maps of images (N, 1, H, W), at random places: what S2 then knows.
    ///
    /// Images, bands and places are drawn from the store's stream.
    ///
    /// # Panics
    /// When images do not fit, or the store is a snapshot.
    #[track_caller]
    pub fn sample_prototypes(&self, images: &Tensor<E>) {
        image_size(self.input(), images);
        let mut rng = self.stream.next();
        for prototypes in &self.prototypes {
            let &[count, orientations, size, _] = prototypes.shape() else {
                unreachable!("made with four axes")
            };
            let chosen: Vec<usize> = (0..count).map(|_| rng.below(images.shape()[0])).collect();
            let bands = no_grad(|| self.c1(&images.index_select(0, &chosen)));
            let windows = (0..count).flat_map(|i| {
                let map = &bands[rng.below(bands.len())];
                let [top, left] = [2, 3].map(|axis| rng.below(map.shape()[axis] - size + 1));
                map.narrow(0, i, 1).narrow(2, top, size).narrow(3, left, size).to_vec()
            });
            let shape = [count, orientations, size, size];
            let windows = Array::from_vec(&shape, windows.collect());
            prototypes.update(|now| *now = windows);
        }
    }

    fn observed(&self, kind: &'static str, y: Tensor<E>) -> Tensor<E> {
        let dot = if self.name.is_empty() { "" } else { "." };
        observe::layer(&format!("{}{dot}{kind}", self.name), kind, y)
    }
}

impl<E: Real> Module<E> for Hmax<E> {
    #[track_caller]
    fn forward(&self, x: &Tensor<E>) -> Tensor<E> {
        let bands = self.c1(x);
        let sigma = self.options.sigma;
        let c2 = self.prototypes.iter().map(|prototypes| {
            global_c_cells(bands.iter().map(|map| self.observed("s2", s_cells(map, prototypes, sigma))))
        });
        let c2: Vec<Tensor<E>> = c2.collect();
        self.observed("c2", Tensor::concat(&c2.iter().collect::<Vec<_>>(), 1))
    }
}

impl<E: Real> ImageNetwork<E> for Hmax<E> {
    fn input(&self) -> ImageInput {
        let HmaxOptions { bands, prototypes, .. } = &self.options;
        let largest = prototypes.iter().map(|set| set.size).max().unwrap_or(1);
        let pixels = |band: &HmaxBand| band.pool + (largest.max(1) - 1) * stride(band.pool);
        ImageInput { network: "HMAX", channels: 1, smallest: bands.iter().map(pixels).max().unwrap_or(1) }
    }

    fn fuse(&self) -> Box<dyn ImageNetwork<E>> {
        Box::new(Hmax {
            options: self.options.clone(),
            filters: self.filters.clone(),
            prototypes: self.prototypes.iter().map(Tensor::detach).collect(),
            stream: self.stream.clone(),
            name: self.name.clone(),
        })
    }
}
