//! Pictures of simple shapes whose causes are known.

use std::f64::consts::TAU;

use ndarray::{Array2, ArrayD, ArrayView2};

use crate::Dataset;

/// Height and width of the pictures.
const SIDE: usize = 64;
/// Row and column of the first centre, from which the last one is 31 pixels away.
const FIRST: f64 = 16.0;
/// No point of a shape is further than this from its centre, in pixels.
const REACH: f64 = 10.5;

/// Binary pictures of 64 × 64 pixels with one white shape each, for every combination of five factors: shape (square,
/// ellipse, heart), scale, rotation, x and y.
///
/// Nothing is stored: a picture is drawn when it is asked for. Sample numbers count the combinations in the order of
/// the factors, y fastest. All shapes of one scale have nearly the same area. A quarter turn of the square and half a
/// turn of the ellipse are the same picture. Unlike dSprites (Matthey et al. 2017), whose factors these are, a full
/// turn is not counted twice.
///
/// ```
/// use striate_datasets::{Dataset, Sprites};
///
/// let sprites = Sprites::default();
/// assert_eq!(sprites.len(), 3 * 6 * 40 * 32 * 32);
/// let batch = sprites.gather(&[0, 500_000]);
/// assert_eq!(batch.images.shape(), [2, 1, 64, 64]);
/// assert_eq!(batch.factors.row(1).to_vec(), sprites.factors(500_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sprites {
    sizes: [usize; 5],
}

impl Default for Sprites {
    /// 3 shapes, 6 scales, 40 rotations, and 32 places along each axis.
    fn default() -> Self {
        Sprites { sizes: [3, 6, 40, 32, 32] }
    }
}

impl Sprites {
    /// The factors' names.
    pub const FACTORS: [&str; 5] = ["shape", "scale", "rotation", "x", "y"];

    /// Fewer or more values of each factor: scales from ½ to 1, rotations around the circle, places over 31 pixels.
    ///
    /// # Panics
    /// When a factor has no value, or there are more than three shapes.
    ///
    /// ```
    /// use striate_datasets::{Dataset, Sprites};
    /// assert_eq!(Sprites::with_sizes([3, 2, 4, 8, 8]).len(), 1536);
    /// ```
    #[track_caller]
    pub fn with_sizes(sizes: [usize; 5]) -> Self {
        let fits = sizes.iter().all(|&size| size > 0) && sizes[0] <= 3;
        assert!(
            fits,
            "sprites: every factor needs a value, and there are three shapes, the sizes are {sizes:?}"
        );
        Sprites { sizes }
    }

    /// How many values each factor has.
    pub fn sizes(&self) -> [usize; 5] {
        self.sizes
    }

    /// The factors of a sample.
    ///
    /// # Panics
    /// When there is no sample of that number.
    #[track_caller]
    pub fn factors(&self, sample: usize) -> [usize; 5] {
        assert!(sample < self.len(), "sprites: sample {sample}, there are {}", self.len());
        let mut rest = sample;
        let mut factors = [0; 5];
        for (factor, size) in factors.iter_mut().zip(self.sizes).rev() {
            (*factor, rest) = (rest % size, rest / size);
        }
        factors
    }

    /// The pictures (N, 1, 64, 64) of given factors (N, 5): 1 within the shape, 0 around it.
    ///
    /// # Panics
    /// When there are not five factors, or one has no such value.
    #[track_caller]
    pub fn images(&self, factors: ArrayView2<usize>) -> ArrayD<f32> {
        assert_eq!(factors.ncols(), 5, "sprites: five factors make a picture");
        let mut images = vec![0.0; factors.nrows() * SIDE * SIDE];
        for (image, factors) in images.chunks_exact_mut(SIDE * SIDE).zip(factors.rows()) {
            let fits = factors.iter().zip(&self.sizes).all(|(factor, size)| factor < size);
            assert!(fits, "sprites: the factors {factors} are not below {:?}", self.sizes);
            self.draw(std::array::from_fn(|i| factors[i]), image);
        }
        ArrayD::from_shape_vec(vec![factors.nrows(), 1, SIDE, SIDE], images).expect("whole pictures")
    }

    fn draw(&self, [shape, scale, rotation, x, y]: [usize; 5], image: &mut [f32]) {
        // From 0 to 1.
        let part = |value: usize, size: usize| value as f64 / (size - 1).max(1) as f64;
        let [_, scales, rotations, columns, rows] = self.sizes;
        let scale = 0.5 + 0.5 * part(scale, scales);
        let (sin, cos) = (TAU * rotation as f64 / rotations as f64).sin_cos();
        let [column, row] = [part(x, columns), part(y, rows)].map(|place| FIRST + 31.0 * place);
        let near = |centre: f64| (centre - REACH).ceil() as usize..=(centre + REACH) as usize;
        for i in near(row) {
            for j in near(column) {
                // Right and up from the centre, turned back, in units of the scale.
                let (right, up) = (j as f64 - column, row - i as f64);
                let (u, v) = ((cos * right + sin * up) / scale, (cos * up - sin * right) / scale);
                if inside(shape, u, v) {
                    image[i * SIDE + j] = 1.0;
                }
            }
        }
    }
}

/// Whether a point, in pixels from the centre, lies in a shape of scale 1.
fn inside(shape: usize, u: f64, v: f64) -> bool {
    match shape {
        0 => u.abs().max(v.abs()) <= 7.3,
        1 => (u / 10.3).powi(2) + (v / 6.6).powi(2) <= 1.0,
        _ => {
            let (x, y) = (u / 7.6, v / 7.6);
            (x * x + y * y - 1.0).powi(3) <= x * x * y.powi(3)
        }
    }
}

impl Dataset for Sprites {
    type Batch = SpriteBatch;

    fn len(&self) -> usize {
        self.sizes.iter().product()
    }

    #[track_caller]
    fn gather(&self, indices: &[usize]) -> SpriteBatch {
        let factors: Vec<usize> = indices.iter().flat_map(|&sample| self.factors(sample)).collect();
        let factors = Array2::from_shape_vec((indices.len(), 5), factors).expect("five factors each");
        SpriteBatch { images: self.images(factors.view()), factors }
    }
}

/// Some pictures of [`Sprites`].
#[derive(Clone, Debug, PartialEq)]
pub struct SpriteBatch {
    /// The pictures (N, 1, 64, 64), of zeros and ones.
    pub images: ArrayD<f32>,
    /// What they show (N, 5): see [`Sprites::FACTORS`].
    pub factors: Array2<usize>,
}
