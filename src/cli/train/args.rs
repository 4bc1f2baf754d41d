//! The options of `train`, and the configuration that they make.

use super::super::configuration::{ConfigArgs, defaults_by_model};
use super::super::options::{DataArgs, DeviceArgs};
use crate::Result;
use crate::config::TrainConfig;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Train a model and keep it as a run
#[derive(Debug, clap::Args)]
#[command(after_help = examples())]
pub struct Args {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Seed of initial weights, order of images, and masks: the same seed on the same device gives the same bytes
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 1)]
    seed: u32,
    /// Train on so many images only, balanced over the classes; a smaller choice is part of a larger one
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    train_size: Option<u32>,
    /// Hold so many training images out and report on them
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    validation: Option<u32>,
    /// Stop once the accuracy on the images held out reaches this share (0.99 is 99 %)
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, requires = "validation")]
    target_accuracy: Option<f64>,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// The run's folder [default: the next number in the folder of runs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace the run that --out names
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Begin with the weights of a run (its folder, or a .safetensors file) instead of the seed's
    #[arg(long, value_name = "RUN")]
    pub init: Option<PathBuf>,
    /// Save a checkpoint every so many steps, besides the one after each epoch
    #[arg(long, value_name = "N")]
    pub checkpoint_every: Option<NonZeroU32>,
    /// Go on with a run that was interrupted, to the same bytes as if it had not been: on its device, unless --device names
    /// another
    #[arg(long, value_name = "RUN", conflicts_with_all = CONFIGURATION)]
    pub resume: Option<PathBuf>,
    /// Write no report at the end
    #[arg(long)]
    pub no_report: bool,
    /// Print one JSON object a line instead of the table
    #[arg(long)]
    pub json: bool,
}

/// What a resumed run knows already.
const CONFIGURATION: [&str; 19] = [
    "model",
    "epochs",
    "batch_size",
    "learning_rate",
    "schedule",
    "optimizer",
    "momentum",
    "nesterov",
    "betas",
    "epsilon",
    "weight_decay",
    "seed",
    "train_size",
    "validation",
    "target_accuracy",
    "data_dir",
    "out",
    "force",
    "init",
];

fn examples() -> String {
    let mut text = defaults_by_model();
    text.push_str(
        "\nExamples:
  mnist-gpu train                         the default model on the best device
  mnist-gpu train --model mlp --epochs 10 --seed 3
  mnist-gpu train --validation 5000 --target-accuracy 0.975
  mnist-gpu train --data-dir fashion --device vulkan --out runs/fashion
  mnist-gpu train --json | jq .test_accuracy
  mnist-gpu train --resume runs/0007-cnn

The run's folder holds model.safetensors (the weights), run.json (configuration, device, figures), \
metrics.csv (the table) and report.md with its plots. Ctrl-C stops after the current steps and keeps what there \
is; --resume goes on from there, also after a crash.",
    );
    text
}

impl Args {
    /// The model's defaults with what the options replace.
    pub fn config(&self, classes: u32) -> Result<TrainConfig> {
        let config = TrainConfig {
            seed: self.seed,
            train_size: self.train_size,
            validation: self.validation,
            target_accuracy: self.target_accuracy,
            ..self.config.config(classes)?
        };
        config.validate()?;
        Ok(config)
    }
}
