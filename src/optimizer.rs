//! How parameters are updated, as configuration.

use crate::{Error, Result};
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
    /// Adam, or AdamW, with the usual β and ε.
    pub fn adam(weight_decay: f64, decoupled: bool) -> Self {
        Self::Adam { betas: [0.9, 0.999], epsilon: 1e-8, weight_decay, decoupled }
    }

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

impl Optimizer {
    /// Checks every hyperparameter's range.
    pub fn validate(&self) -> Result<()> {
        let share = |name: &str, value: f64| {
            if (0.0..1.0).contains(&value) {
                Ok(())
            } else {
                Err(Error::Usage(format!("{name} must be at least 0 and below 1, not {value}")))
            }
        };
        let (Self::Sgd { weight_decay, .. } | Self::Adam { weight_decay, .. }) = self;
        if !(0.0..=1e3).contains(weight_decay) {
            return Err(Error::Usage(format!("--weight-decay must be 0 to 1000, not {weight_decay}")));
        }
        match self {
            Self::Sgd { momentum, nesterov, .. } => {
                if *nesterov && *momentum == 0.0 {
                    return Err(Error::Usage("--nesterov looks ahead along the momentum and needs --momentum".into()));
                }
                share("--momentum", *momentum)
            }
            Self::Adam { betas, epsilon, .. } => {
                // In f32, where anything smaller would be zero.
                if !(1e-30..=1.0).contains(epsilon) {
                    return Err(Error::Usage(format!("--epsilon must be 1e-30 to 1, not {epsilon}")));
                }
                share("the first of --betas", betas[0])?;
                share("the second of --betas", betas[1])
            }
        }
    }
}
