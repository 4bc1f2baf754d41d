//! How parameters are updated, as configuration.

use serde::{Deserialize, Serialize};

/// An optimizer with its hyperparameters; the learning rate comes from the [schedule](crate::schedule).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "name")]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd {
        /// µ; 0 keeps no velocity.
        momentum: f64,
        /// Looks ahead by one step of momentum.
        nesterov: bool,
        /// The coefficient of the L2 penalty's gradient.
        weight_decay: f64,
    },
    /// Adam, or AdamW where decay is decoupled.
    Adam {
        /// β₁ and β₂.
        betas: [f64; 2],
        /// Keeps the divisor from zero.
        epsilon: f64,
        /// L2 penalty (Adam) or decay (AdamW).
        weight_decay: f64,
        /// Whether it is AdamW.
        decoupled: bool,
    },
}

impl Optimizer {
    /// The names of the tensors that the optimizer keeps, each as large as the parameters.
    pub fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd { momentum: 0.0, .. } => &[],
            Self::Sgd { .. } => &["velocity"],
            Self::Adam { .. } => &["first_moment", "second_moment"],
        }
    }

    /// Adam's β₁ and β₂, for its bias corrections; any numbers below 1 for SGD.
    pub fn betas(&self) -> [f64; 2] {
        match self {
            Self::Sgd { .. } => [0.0; 2],
            Self::Adam { betas, .. } => *betas,
        }
    }
}
