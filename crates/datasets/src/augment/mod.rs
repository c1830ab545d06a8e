//! Small random changes to pictures, and to masks that label their pixels.

mod elastic;
mod resample;
mod warp;

use ndarray::{Array3, Array4, ArrayD, ArrayViewMutD, Axis};
use striate_compute::rng::Rng;

pub use elastic::Elastic;
pub use resample::Outside;
use resample::{bilinear, nearest};
pub use warp::{Crop, RandomAffine};

/// Random changes to pictures, drawn anew for each; none by default, and then nothing is drawn.
///
/// A picture is mirrored, rotated, scaled, shifted, bent and cut, in this order but in one step: every pixel of the
/// result is looked up once, bilinearly. Its mask moves with it, each pixel's label that of the nearest one. Then the
/// values change. PyTorch: `torchvision.transforms.v2`.
///
/// ```
/// use striate_compute::rng::Rng;
/// use striate_datasets::{Augment, Dataset, RandomAffine, digits};
///
/// let affine = RandomAffine { degrees: 10.0, shift: 0.5, ..Default::default() };
/// let augment = Augment { affine, noise: 0.01, ..Default::default() };
/// let mut batch = digits().train().batches(64).next().unwrap();
/// augment.apply(&mut batch.images, &mut Rng::new(0));
/// assert_eq!(batch.images.shape(), [64, 1, 8, 8]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    /// Mirrored left to right, with probability ½.
    pub flip_horizontal: bool,
    /// Mirrored upside down, with probability ½.
    pub flip_vertical: bool,
    /// Rotated, scaled and shifted.
    pub affine: RandomAffine,
    /// Bent.
    pub elastic: Elastic,
    /// Cut to a window at a random place.
    pub crop: Option<Crop>,
    /// What lies beyond the edge, where the changes above look there.
    pub outside: Outside,
    /// Largest relative change of all values together: 0.2 multiplies them by 0.8 to 1.2.
    pub brightness: f64,
    /// Standard deviation of the Gaussian noise that is added to every value.
    pub noise: f64,
}

impl Augment {
    /// Changes pictures (N, …, H, W); the channels of one picture move alike.
    ///
    /// # Panics
    /// When the array has fewer than three axes, or the pictures are smaller than the window that they are cut to.
    #[track_caller]
    pub fn apply(&self, pictures: &mut ArrayD<f32>, rng: &mut Rng) {
        self.change(pictures, None, rng);
    }

    /// Changes pictures (N, …, H, W) as [`apply`](Self::apply) does, and moves their masks (N, H, W) with them.
    ///
    /// # Panics
    /// As [`apply`](Self::apply), and when the masks are not as many or as large as the pictures.
    ///
    /// ```
    /// use ndarray::{Array, Array3};
    /// use striate_compute::rng::Rng;
    /// use striate_datasets::Augment;
    ///
    /// let mut pictures = Array::from_shape_fn((2, 1, 5, 7), |(_, _, y, x)| (y * x) as f32).into_dyn();
    /// let mut masks = Array3::from_shape_fn((2, 5, 7), |(_, y, x)| y * x);
    /// let flip = Augment { flip_horizontal: true, ..Default::default() };
    /// flip.apply_with_masks(&mut pictures, &mut masks, &mut Rng::new(1));
    /// assert!(pictures.iter().zip(&masks).all(|(&value, &label)| value == label as f32));
    /// ```
    #[track_caller]
    pub fn apply_with_masks(&self, pictures: &mut ArrayD<f32>, masks: &mut Array3<usize>, rng: &mut Rng) {
        self.change(pictures, Some(masks), rng);
    }

    #[track_caller]
    fn change(&self, pictures: &mut ArrayD<f32>, masks: Option<&mut Array3<usize>>, rng: &mut Rng) {
        let &[samples, .., height, width] = pictures.shape() else {
            panic!("augment: expected (N, …, H, W), got {:?}", pictures.shape());
        };
        if let Some(masks) = &masks {
            let (expected, found) = ([samples, height, width], masks.shape());
            assert_eq!(
                found, expected,
                "augment: masks (left) must be as many and as large as pictures (right)"
            );
        }
        if self.moves() {
            self.move_all(pictures, masks, rng);
        }
        for picture in pictures.outer_iter_mut() {
            self.change_values(picture, rng);
        }
    }

    fn moves(&self) -> bool {
        let Augment { flip_horizontal, flip_vertical, affine, elastic, crop, .. } = self;
        *flip_horizontal
            || *flip_vertical
            || *affine != RandomAffine::default()
            || elastic.amplitude != 0.0
            || crop.is_some()
    }

    #[track_caller]
    fn move_all(&self, pictures: &mut ArrayD<f32>, masks: Option<&mut Array3<usize>>, rng: &mut Rng) {
        let mut shape = pictures.shape().to_vec();
        let (samples, size) = (shape[0], [shape[shape.len() - 2], shape[shape.len() - 1]]);
        let channels = shape[1..shape.len() - 2].iter().product();
        let [height, width] = self.crop.map_or(size, |crop| crop.size);
        let old = pictures.to_shape((samples, channels, size[0], size[1])).expect("as many values");
        let mut new = Array4::zeros((samples, channels, height, width));
        let mut new_masks = Array3::zeros((if masks.is_some() { samples } else { 0 }, height, width));
        for n in 0..samples {
            let sources = warp::sources(self, size, rng);
            for (channel, mut moved) in
                old.index_axis(Axis(0), n).outer_iter().zip(new.index_axis_mut(Axis(0), n).outer_iter_mut())
            {
                moved.assign(&sources.map(|&place| bilinear(&channel, place, self.outside)));
            }
            if let Some(masks) = &masks {
                let mask = masks.index_axis(Axis(0), n);
                new_masks
                    .index_axis_mut(Axis(0), n)
                    .assign(&sources.map(|&place| nearest(&mask, place, self.outside)));
            }
        }
        let rank = shape.len();
        shape[rank - 2..].copy_from_slice(&[height, width]);
        *pictures = new.into_shape_with_order(shape).expect("as many values");
        if let Some(masks) = masks {
            *masks = new_masks;
        }
    }

    fn change_values(&self, mut picture: ArrayViewMutD<f32>, rng: &mut Rng) {
        if self.brightness != 0.0 {
            let factor = (1.0 + within(self.brightness, rng)) as f32;
            picture.mapv_inplace(|value| factor * value);
        }
        if self.noise != 0.0 {
            let mut noise = vec![0.0; picture.len()];
            rng.fill_normal(&mut noise, 0.0, self.noise);
            picture.iter_mut().zip(noise).for_each(|(value, noise)| *value += noise);
        }
    }
}

/// A uniform number in ±`bound`.
fn within(bound: f64, rng: &mut Rng) -> f64 {
    bound * (2.0 * rng.uniform() - 1.0)
}
