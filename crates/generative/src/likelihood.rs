//! What a decoder's distribution is.

use ndarray::{ArrayD, Dimension};
use striate_tensor::{Real, Tensor};

use crate::check::finite;
use crate::error::GenerativeError;

/// The distribution p(x|z) of a decoder: every element of x independent of the others, given z.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Likelihood {
    /// Bernoulli(p), p = σ(logit): for pixels in [0, 1]. Between 0 and 1 the likelihood p^x (1 − p)^(1−x) is no
    /// distribution of x, but serves as one, as everyone has it for grey values.
    #[default]
    Bernoulli,
    /// N(μ, σ²)
    Gaussian(Variance),
    /// One of `classes` categories, by softmax: for elements that are 0, 1, …, `classes` − 1.
    Categorical {
        /// K
        classes: usize,
    },
}

/// The variance σ² of a Gaussian decoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Variance {
    /// This number. Then −ln p(x|z) is ‖x − μ‖² / 2σ² and a constant: the mean squared error.
    Fixed(f64),
    /// One parameter for all elements, `decoder.log_variance` in the store, which starts at ln σ² = 0.
    /// Rybkin, Daniilidis and Levine 2021.
    Shared,
    /// A second output of the decoder for every element. A variance below 10⁻⁶ counts as that.
    Predicted,
}

impl Likelihood {
    /// Whether every element of x is a number that the distribution can give.
    ///
    /// # Errors
    /// With the first that is not.
    ///
    /// ```
    /// use striate_generative::Likelihood;
    /// use striate_tensor::Tensor;
    ///
    /// let bytes = Tensor::from_slice(&[0.0f32, 255.0]);
    /// let error = Likelihood::Bernoulli.check(&bytes).unwrap_err();
    /// assert_eq!(error.to_string(), "x is 255 at [1]: a Bernoulli decoder needs numbers in [0, 1]");
    /// ```
    pub fn check<E: Real>(self, x: &Tensor<E>) -> Result<(), GenerativeError> {
        let array = x.array();
        finite("x", &array.view())?;
        let (likelihood, support) = match self {
            Likelihood::Bernoulli => ("a Bernoulli decoder", "numbers in [0, 1]".to_string()),
            Likelihood::Gaussian(_) => return Ok(()),
            Likelihood::Categorical { classes } => {
                ("a categorical decoder", format!("integers below {classes}"))
            }
        };
        let given = |x: f64| match self {
            Likelihood::Categorical { classes } => x >= 0.0 && x < classes as f64 && x.fract() == 0.0,
            _ => (0.0..=1.0).contains(&x),
        };
        match array.view().indexed_iter().find(|(_, x)| !given(x.f64())) {
            Some((index, value)) => {
                let (index, value) = (index.slice().to_vec(), value.f64());
                Err(GenerativeError::Support { likelihood, support, index, value })
            }
            None => Ok(()),
        }
    }

    /// Whether its own numbers make sense.
    pub(crate) fn check_options(self) -> Result<(), GenerativeError> {
        match self {
            Likelihood::Gaussian(Variance::Fixed(value)) if !(value > 0.0 && value.is_finite()) => {
                Err(GenerativeError::Option { name: "the variance", rule: "positive and finite", value })
            }
            Likelihood::Categorical { classes: 0 } => {
                Err(GenerativeError::Zero { what: "the number of classes" })
            }
            _ => Ok(()),
        }
    }

    /// The shape of what the decoder's network gives for a sample, before it is split: several times the first axis.
    pub(crate) fn parameter_shape(self, shape: &[usize]) -> Vec<usize> {
        let times = match self {
            Likelihood::Gaussian(Variance::Predicted) => 2,
            Likelihood::Categorical { classes } => classes,
            _ => 1,
        };
        std::iter::once(times * shape[0]).chain(shape[1..].iter().copied()).collect()
    }

    /// The shape of what the encoder's network takes for a sample.
    pub(crate) fn feature_shape(self, shape: &[usize]) -> Vec<usize> {
        match self {
            Likelihood::Categorical { .. } => self.parameter_shape(shape),
            _ => shape.to_vec(),
        }
    }

    /// What an encoder sees of x (N, C, …): x, or its categories as ones among zeros (N, K C, …).
    #[track_caller]
    pub(crate) fn features<E: Real>(self, x: &Tensor<E>) -> Tensor<E> {
        let Likelihood::Categorical { classes } = self else { return x.clone() };
        let ones = Tensor::one_hot(&categories(x), classes);
        let last = x.rank() as isize;
        let order: Vec<isize> = [0, last].into_iter().chain(1..last).collect();
        ones.permute(&order).flatten(1, 2)
    }
}

/// The elements of x as categories.
pub(crate) fn categories<E: Real>(x: &Tensor<E>) -> ArrayD<usize> {
    x.array().view().mapv(|x| x.f64() as usize)
}
