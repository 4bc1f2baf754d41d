//! The options of `train`, and the configuration that they make.

use super::super::options::{DataArgs, DeviceArgs};
use crate::config::TrainConfig;
use crate::model::{DEFAULT_PRESET, ModelSpec, PRESETS, defaults, preset};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;
use crate::{Error, Result};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// Train a model and keep it as a run
#[derive(Debug, clap::Args)]
#[command(after_help = examples())]
pub struct Args {
    /// The architecture: a preset's name, or a JSON file of layers
    #[arg(long, value_name = "NAME|FILE.json", default_value = DEFAULT_PRESET)]
    pub model: String,
    /// Passes over the training images
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<u32>,
    /// Images of one step
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    batch_size: Option<u32>,
    /// The highest learning rate of the schedule
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// How the learning rate changes over the run
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// How parameters are updated
    #[arg(long, value_enum)]
    optimizer: Option<OptimizerName>,
    /// Momentum of SGD
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    momentum: Option<f64>,
    /// Nesterov's momentum, for SGD
    #[arg(long)]
    nesterov: bool,
    /// Decay rates of Adam's two averages
    #[arg(long, value_name = "B1,B2", allow_negative_numbers = true, value_delimiter = ',', num_args = 1..=2)]
    betas: Option<Vec<f64>>,
    /// L2 penalty (SGD, Adam) or decay (AdamW)
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    weight_decay: Option<f64>,
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
    /// Go on with a run that was interrupted, to the same bytes as if it had not been
    #[arg(long, value_name = "RUN", conflicts_with_all = CONFIGURATION)]
    pub resume: Option<PathBuf>,
    /// Print one JSON object a line instead of the table
    #[arg(long)]
    pub json: bool,
}

/// What a resumed run knows already.
const CONFIGURATION: [&str; 18] = [
    "model",
    "epochs",
    "batch_size",
    "learning_rate",
    "schedule",
    "optimizer",
    "momentum",
    "nesterov",
    "betas",
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

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ScheduleName {
    Constant,
    Step,
    Cosine,
    OneCycle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OptimizerName {
    Sgd,
    Adam,
    Adamw,
}

fn examples() -> String {
    let mut text = String::from("Defaults by model (each of the options above replaces one):\n");
    for name in PRESETS {
        let config = defaults(preset(name, 10).expect("a preset's name"));
        text.push_str(&format!("  {name:8} {}\n", summary(&config)));
    }
    text.push_str(
        "\nExamples:
  mnist-gpu train                                    the default model on the best device
  mnist-gpu train --model mlp --epochs 10 --seed 3
  mnist-gpu train --validation 5000 --target-accuracy 0.975
  mnist-gpu train --data-dir fashion --device vulkan --out runs/fashion
  mnist-gpu train --json | jq .test_accuracy
  mnist-gpu train --resume runs/0007-cnn

The run's folder holds model.safetensors (the weights), run.json (configuration, device, figures)
and metrics.csv (the table). Ctrl-C stops after the current steps and keeps what there is; --resume
goes on from there, also after a crash.",
    );
    text
}

/// A configuration in a line.
pub fn summary(config: &TrainConfig) -> String {
    let schedule = serde_json::to_value(config.schedule).expect("a schedule is plain data");
    let optimizer = match config.optimizer {
        Optimizer::Sgd { momentum, nesterov, weight_decay } => {
            let nesterov = if nesterov { " (Nesterov)" } else { "" };
            format!("SGD, momentum {momentum}{nesterov}, weight decay {weight_decay}")
        }
        Optimizer::Adam { betas: [b1, b2], weight_decay, decoupled, .. } => {
            let name = if decoupled { "AdamW" } else { "Adam" };
            format!("{name}, betas {b1} and {b2}, weight decay {weight_decay}")
        }
    };
    format!(
        "{} epochs, batch {}, {optimizer}, learning rate {} ({})",
        config.epochs,
        config.batch_size,
        config.learning_rate,
        schedule.as_str().unwrap_or_default()
    )
}

impl Args {
    /// The model's defaults with what the options replace.
    pub fn config(&self, classes: u32) -> Result<TrainConfig> {
        let mut config = defaults(model(&self.model, classes)?);
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.batch_size = self.batch_size.unwrap_or(config.batch_size);
        config.schedule = self.schedule.map_or(config.schedule, |name| match name {
            ScheduleName::Constant => Schedule::Constant,
            ScheduleName::Step => Schedule::Step,
            ScheduleName::Cosine => Schedule::Cosine,
            ScheduleName::OneCycle => Schedule::OneCycle,
        });
        if let Some(name) = self.optimizer {
            let already = matches!(
                (name, config.optimizer),
                (OptimizerName::Sgd, Optimizer::Sgd { .. })
                    | (OptimizerName::Adam, Optimizer::Adam { decoupled: false, .. })
                    | (OptimizerName::Adamw, Optimizer::Adam { decoupled: true, .. })
            );
            if !already {
                (config.optimizer, config.learning_rate) = match name {
                    OptimizerName::Sgd => (Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 }, 0.1),
                    OptimizerName::Adam => (Optimizer::adam(0.0, false), config.learning_rate),
                    OptimizerName::Adamw => (Optimizer::adam(0.01, true), config.learning_rate),
                };
            }
        }
        config.learning_rate = self.learning_rate.unwrap_or(config.learning_rate);
        match &mut config.optimizer {
            Optimizer::Sgd { momentum, nesterov, weight_decay } => {
                if self.betas.is_some() {
                    return Err(Error::Usage("--betas belongs to Adam: add --optimizer adam or adamw".into()));
                }
                *momentum = self.momentum.unwrap_or(*momentum);
                *nesterov |= self.nesterov;
                *weight_decay = self.weight_decay.unwrap_or(*weight_decay);
            }
            Optimizer::Adam { betas, weight_decay, .. } => {
                if self.momentum.is_some() || self.nesterov {
                    return Err(Error::Usage("--momentum and --nesterov belong to SGD: add --optimizer sgd".into()));
                }
                if let Some(given) = &self.betas {
                    *betas = given[..].try_into().map_err(|_| {
                        Error::Usage(format!("--betas takes two numbers (0.9,0.999), not {}", given.len()))
                    })?;
                }
                *weight_decay = self.weight_decay.unwrap_or(*weight_decay);
            }
        }
        config.seed = self.seed;
        config.train_size = self.train_size;
        config.validation = self.validation;
        config.target_accuracy = self.target_accuracy;
        config.validate()?;
        Ok(config)
    }
}

/// A preset, or the model of a file.
pub fn model(name: &str, classes: u32) -> Result<ModelSpec> {
    if let Some(spec) = preset(name, classes) {
        return Ok(spec);
    }
    let path = Path::new(name);
    if path.extension().is_none_or(|extension| extension != "json") {
        let names = PRESETS.join(", ");
        return Err(Error::Usage(format!("--model {name}: neither a preset ({names}) nor a file that ends in .json")));
    }
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::format(path, format!("is not a model: {error}")))
}
