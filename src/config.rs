//! Everything that decides how a model is trained, apart from the data.

use crate::model::ModelSpec;
use crate::optimizer::Optimizer;
use crate::schedule::{Course, Schedule};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The configuration of a training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    /// The network.
    pub model: ModelSpec,
    /// Passes over the training images.
    pub epochs: u32,
    /// Images of one step.
    pub batch_size: u32,
    /// The highest learning rate of the schedule.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// How parameters are updated.
    pub optimizer: Optimizer,
    /// Of initial weights, the order of images, and dropout masks.
    pub seed: u32,
    /// How many training images to use; none for all.
    pub train_size: Option<u32>,
    /// How many training images to hold out.
    pub validation: Option<u32>,
    /// Stops once the validation accuracy reaches this.
    pub target_accuracy: Option<f64>,
}

impl TrainConfig {
    /// Checks every value by itself.
    pub fn validate(&self) -> Result<()> {
        let usage = |text: String| Err(Error::Usage(text));
        if self.epochs == 0 || self.epochs > 1_000_000 {
            return usage(format!("--epochs must be 1 to 1,000,000, not {}", self.epochs));
        }
        if self.batch_size == 0 {
            return usage("--batch-size must be at least 1, not 0".into());
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1e6) {
            return usage(format!("--learning-rate must be above 0 and at most 1e6, not {}", self.learning_rate));
        }
        if let Some(target) = self.target_accuracy {
            if !(0.0..=1.0).contains(&target) {
                return usage(format!("--target-accuracy is a share from 0 to 1 (0.99 is 99 %), not {target}"));
            }
            if self.validation.is_none() {
                return usage(
                    "--target-accuracy stops on held-out images and needs some: add --validation 5000".into(),
                );
            }
        }
        self.optimizer.validate()
    }

    /// The learning rates of a run with so many steps in an epoch.
    #[doc(hidden)]
    pub fn course(&self, steps_per_epoch: u32) -> Course {
        Course {
            schedule: self.schedule,
            learning_rate: self.learning_rate,
            epochs: self.epochs,
            steps_per_epoch,
            betas: self.optimizer.betas(),
        }
    }

    /// How a model is trained, in a line.
    pub fn summary(&self) -> String {
        let optimizer = match self.optimizer {
            Optimizer::Sgd { momentum, nesterov, weight_decay } => {
                let nesterov = if nesterov { " (Nesterov)" } else { "" };
                format!("SGD, momentum {momentum}{nesterov}, weight decay {weight_decay}")
            }
            Optimizer::Adam { betas: [b1, b2], epsilon, weight_decay, decoupled } => {
                let name = if decoupled { "AdamW" } else { "Adam" };
                format!("{name}, betas {b1} and {b2}, epsilon {epsilon:e}, weight decay {weight_decay}")
            }
        };
        format!(
            "{} epoch{}, batch {}, {optimizer}, learning rate {} ({})",
            self.epochs,
            if self.epochs == 1 { "" } else { "s" },
            self.batch_size,
            self.learning_rate,
            self.schedule.name()
        )
    }
}
