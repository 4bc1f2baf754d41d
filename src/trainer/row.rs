//! The figures of an epoch.

use super::Trainer;
use crate::evaluate::score;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Training images that tell the loss of the untrained network: an epoch may take less time than all of them would.
pub const UNTRAINED: u32 = 10_000;

/// The figures of one epoch; of the untrained network as epoch 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// Counted from 1.
    pub epoch: u32,
    /// Mean loss over the images of the epoch, each as its step saw it; of epoch 0, over the first [`UNTRAINED`] of them.
    pub train_loss: f64,
    /// Share of correct answers, likewise.
    pub train_accuracy: f64,
    /// Mean loss over the test images after the epoch.
    pub test_loss: f64,
    /// Share of correct answers, likewise.
    pub test_accuracy: f64,
    /// Mean loss over the images held out, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// Share of correct answers, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// The learning rate of the epoch's last step; none in epoch 0.
    pub learning_rate: Option<f64>,
    /// Training images per second of training; none in epoch 0.
    pub images_per_second: Option<f64>,
    /// Seconds of training alone, without evaluation; none in epoch 0.
    pub seconds: Option<f64>,
}

impl Trainer {
    /// The row of the epoch that just ended.
    pub(super) fn row(&mut self) -> Result<EpochRow> {
        let epoch = self.next_row;
        let images = f64::from(self.train.end);
        let trained = epoch > 0;
        let (train_loss, train_accuracy) = if trained {
            (self.epoch_loss / images, self.epoch_correct / images)
        } else {
            let some = self.train.start..self.train.end.min(self.train.start + UNTRAINED);
            let untrained = score(&mut *self.session, &some)?;
            (untrained.loss, untrained.accuracy)
        };
        let test = score(&mut *self.session, &self.test)?;
        let held_out = !self.validation.is_empty();
        let validation = held_out.then(|| score(&mut *self.session, &self.validation)).transpose()?;
        for loss in [Some(train_loss), Some(test.loss), validation.map(|score| score.loss)].into_iter().flatten() {
            // The last step's loss was a number, but what it did to the weights was not.
            if !loss.is_finite() {
                let step = self.step.saturating_sub(1);
                let learning_rate = self.course.learning_rate(step);
                return Err(Error::Diverged { loss, step: u64::from(step), epoch, learning_rate });
            }
        }
        let seconds = self.epoch_time.as_secs_f64();
        self.epoch_loss = 0.0;
        self.epoch_correct = 0.0;
        self.epoch_time = Duration::ZERO;
        Ok(EpochRow {
            epoch,
            train_loss,
            train_accuracy,
            test_loss: test.loss,
            test_accuracy: test.accuracy,
            validation_loss: validation.map(|score| score.loss),
            validation_accuracy: validation.map(|score| score.accuracy),
            learning_rate: trained.then(|| self.course.learning_rate(self.step - 1)),
            images_per_second: trained.then(|| images / seconds),
            seconds: trained.then_some(seconds),
        })
    }
}
