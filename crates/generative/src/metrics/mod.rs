//! How disentangled a code is: whether each of its dimensions stands for one of the factors that made the data.
//!
//! [`mig`], [`sap`] and [`dci`] read codes and factors of a set; [`beta_vae_metric`] and [`factor_vae_metric`] choose
//! factors themselves and ask for the codes of what these make. None is the truth (Locatello et al. 2019 compare them),
//! and 1 is the best for all.
//!
//! ```
//! use ndarray::{Array2, array};
//! use striate_generative::metrics::mig;
//!
//! // All pairs of two factors, and codes that hold one each.
//! let factors = Array2::from_shape_fn((100, 2), |(n, k)| if k == 0 { n / 10 } else { n % 10 });
//! let values = factors.mapv(|value| value as f64);
//! assert!((mig(values.view(), factors.view())?.score - 1.0).abs() < 1e-12);
//!
//! // Turned by 45 degrees, both dimensions say as much about either.
//! let turned = values.dot(&array![[1.0, 1.0], [1.0, -1.0]]);
//! assert!(mig(turned.view(), factors.view())?.score < 1e-12);
//! # Ok::<(), striate_generative::GenerativeError>(())
//! ```

mod beta_vae;
mod classifier;
mod dci;
mod factor_vae;
mod lasso;
mod mig;
mod sap;
mod set;

pub use beta_vae::{BetaVaeMetricOptions, beta_vae_metric};
pub use dci::{Dci, DciOptions, dci};
pub use factor_vae::{FactorVaeMetricOptions, factor_vae_metric};
pub use mig::{Mig, mig};
pub use sap::{Sap, sap};
pub use set::FactorKind;
