//! Embedding: a learnt vector for every index.

use striate_tensor::{Real, Tensor};

use crate::indices::{Indices, check_labels};
use crate::init::Init;
use crate::observe;
use crate::store::Path;

/// Options of [`Embedding`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbeddingOptions {
    /// The index whose row starts as zeros and gets no gradient.
    pub padding_index: Option<usize>,
}

/// y = the rows of W (count, width) at the given indices. PyTorch's `nn.Embedding`.
///
/// dW adds dy to the rows that were taken, in the order of the indices. W starts from N(0, 1).
///
/// ```
/// use striate_nn::{Embedding, ParamStore};
///
/// let store = ParamStore::<f32>::seeded(0);
/// let embedding = Embedding::new(&store.root().sub("embedding"), 65, 16);
/// assert_eq!(embedding.forward(&[3, 64, 3]).shape(), [3, 16]);
/// ```
pub struct Embedding<E: Real = f32> {
    /// W (count, width), `weight` in the store.
    pub weight: Tensor<E>,
    padding_index: Option<usize>,
    name: String,
}

impl<E: Real> Embedding<E> {
    /// A layer of `count` rows of `width` numbers.
    #[track_caller]
    pub fn new(path: &Path<E>, count: usize, width: usize) -> Self {
        Self::with(path, count, width, EmbeddingOptions::default())
    }

    /// A layer with options.
    ///
    /// # Panics
    /// When the padding index is not below `count`.
    #[track_caller]
    pub fn with(path: &Path<E>, count: usize, width: usize, options: EmbeddingOptions) -> Self {
        let start = match options.padding_index {
            Some(row) => {
                assert!(row < count, "embedding: padding index {row} is not below {count}");
                Init::Padded { row }
            }
            None => Init::Normal { mean: 0.0, std: 1.0 },
        };
        Embedding {
            weight: path.parameter("weight", &[count, width], start),
            padding_index: options.padding_index,
            name: path.name().to_string(),
        }
    }

    /// The rows at `indices` (any shape …) → (…, width).
    ///
    /// # Panics
    /// When an index is not below the number of rows; check data from outside with [`crate::check_labels`].
    #[track_caller]
    pub fn forward(&self, indices: &(impl Indices + ?Sized)) -> Tensor<E> {
        observe::layer(&self.name, "Embedding", embedding(&self.weight, indices, self.padding_index))
    }
}

/// The rows of `weight` (count, width) at `indices` (…) → (…, width); the row `padding_index` gets no gradient.
///
/// PyTorch's `F.embedding`.
///
/// # Panics
/// When an index is not below `count`.
///
/// ```
/// use striate_nn::layers::embedding::embedding;
/// use striate_tensor::Tensor;
///
/// let weight = Tensor::from_vec(&[2, 2], vec![1.0f32, 2.0, 3.0, 4.0]);
/// assert_eq!(embedding(&weight, &[1, 0, 1], None).to_vec(), [3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
/// ```
#[track_caller]
pub fn embedding<E: Real>(
    weight: &Tensor<E>,
    indices: &(impl Indices + ?Sized),
    padding_index: Option<usize>,
) -> Tensor<E> {
    let &[count, width] = weight.shape() else {
        panic!("embedding: weight must be (count, width), is {:?}", weight.shape());
    };
    if let Err(error) = check_labels(indices, count, None) {
        panic!("embedding: {error}");
    }
    let shape: Vec<isize> = indices.lengths().into_iter().chain([width]).map(|n| n as isize).collect();
    let indices = indices.values();
    let rows = weight.index_select(0, &indices);
    let rows = match padding_index {
        Some(padding) => {
            let learnt = indices.iter().map(|&i| if i == padding { E::zero() } else { E::one() }).collect();
            rows.where_(&Tensor::from_vec(&[indices.len(), 1], learnt), &rows.detach())
        }
        None => rows,
    };
    rows.reshape(&shape)
}
