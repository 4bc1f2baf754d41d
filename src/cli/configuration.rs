//! The options that make a configuration: the model, and how it is trained.

use super::HELP_COLUMNS;
use crate::config::TrainConfig;
use crate::model::{DEFAULT_PRESET, PRESETS, defaults, load, preset};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;
use crate::{Error, Result};

/// A model and its hyperparameters.
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    /// The architecture: a preset's name, or a JSON file of layers
    #[arg(long, value_name = "NAME|FILE.json", default_value = DEFAULT_PRESET)]
    pub model: String,
    /// Passes over the training images
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub epochs: Option<u32>,
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
    /// What keeps Adam's divisor from zero
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    epsilon: Option<f64>,
    /// L2 penalty (SGD, Adam) or decay (AdamW)
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    weight_decay: Option<f64>,
}

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

impl ConfigArgs {
    /// The model's defaults with what the options replace.
    pub fn config(&self, classes: u32) -> Result<TrainConfig> {
        let mut config = defaults(load(&self.model, classes)?);
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
                for (option, given) in [("--betas", self.betas.is_some()), ("--epsilon", self.epsilon.is_some())] {
                    if given {
                        let text = format!("{option} belongs to Adam: add --optimizer adam or adamw");
                        return Err(Error::Usage(text));
                    }
                }
                *momentum = self.momentum.unwrap_or(*momentum);
                *nesterov |= self.nesterov;
                *weight_decay = self.weight_decay.unwrap_or(*weight_decay);
            }
            Optimizer::Adam { betas, epsilon, weight_decay, .. } => {
                if self.momentum.is_some() || self.nesterov {
                    return Err(Error::Usage("--momentum and --nesterov belong to SGD: add --optimizer sgd".into()));
                }
                if let Some(given) = &self.betas {
                    *betas = given[..].try_into().map_err(|_| {
                        Error::Usage(format!("--betas takes two numbers (0.9,0.999), not {}", given.len()))
                    })?;
                }
                *epsilon = self.epsilon.unwrap_or(*epsilon);
                *weight_decay = self.weight_decay.unwrap_or(*weight_decay);
            }
        }
        config.validate()?;
        Ok(config)
    }
}

/// What each option that is not given is, by model.
pub fn defaults_by_model() -> String {
    let mut text = String::from("Defaults by model (each of the options above replaces one):\n");
    for name in PRESETS {
        let summary = defaults(preset(name, 10).expect("a preset's name")).summary();
        let mut line = format!("  {name:8}");
        for word in summary.split(' ') {
            if line.chars().count() + 1 + word.chars().count() > HELP_COLUMNS {
                text.push_str(&line);
                line = format!("\n{:10}", "");
            }
            line.push(' ');
            line.push_str(word);
        }
        text.push_str(&line);
        text.push('\n');
    }
    text + "A model of your own has those of convnet, unless it has one of these names.\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        config: ConfigArgs,
    }

    #[test]
    fn a_configuration_says_which_options_make_it() {
        for options in [
            "--model cnn",
            "--model mlp --epochs 7 --batch-size 64 --schedule cosine --learning-rate 0.002",
            "--model linear --learning-rate 0.1 --optimizer sgd --momentum 0.9 --weight-decay 0",
            "--model linear --learning-rate 0.05 --optimizer sgd --nesterov --momentum 0.8 --weight-decay 0.001",
            "--model lenet --learning-rate 0.01 --optimizer adam --betas 0.8,0.99 --epsilon 1e-8 --weight-decay 0.1",
            "--model cnn --learning-rate 0.01 --optimizer adamw --betas 0.7,0.9 --epsilon 1e-6 --weight-decay 0.3",
        ] {
            let line = Line::try_parse_from(std::iter::once("train").chain(options.split(' '))).expect("options");
            let config = line.config.config(10).expect("in range");
            assert_eq!(crate::report::command::options(&config, "model.json"), options);
        }
    }
}
