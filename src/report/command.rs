//! The command that trains a run again.

use crate::config::TrainConfig;
use crate::model::{Layer, ModelSpec, defaults, preset};
use crate::optimizer::Optimizer;
use crate::run::Run;

/// The file beside a report that a model of one's own is written to.
pub const MODEL_FILE: &str = "model.json";

/// Whether a model is a preset, so that its name is enough.
pub fn is_preset(model: &ModelSpec) -> bool {
    let classes = match model.layers.last() {
        Some(Layer::Linear { outputs }) => *outputs,
        _ => 0,
    };
    preset(&model.name, classes).as_ref() == Some(model)
}

/// The command.
pub fn command(run: &Run) -> String {
    let mut command = format!("mnist-gpu train {}", options(&run.config, MODEL_FILE));
    // Among adapters of one name the native ones come before OpenGL's.
    let device = &run.device;
    let device = if ["cpu", "gl"].contains(&device.backend.as_str()) { &device.backend } else { &device.name };
    for (option, value) in [("data-dir", &run.data_dir), ("init", &run.init), ("device", &Some(device.clone()))] {
        if let Some(value) = value {
            command.push_str(&format!(" --{option} {}", quoted(value)));
        }
    }
    command
}

/// The options that make a configuration out of its model's defaults; what is no preset is in the file.
pub fn options(config: &TrainConfig, file: &str) -> String {
    let model = if is_preset(&config.model) { &config.model.name } else { file };
    let mut options = format!("--model {}", quoted(model));
    let mut add = |option: &str, value: String| options.push_str(&format!(" --{option} {value}"));
    let defaults = defaults(config.model.clone());
    if config.epochs != defaults.epochs {
        add("epochs", config.epochs.to_string());
    }
    if config.batch_size != defaults.batch_size {
        add("batch-size", config.batch_size.to_string());
    }
    if config.schedule != defaults.schedule {
        add("schedule", config.schedule.name());
    }
    let other_optimizer = config.optimizer != defaults.optimizer;
    if other_optimizer || config.learning_rate.to_bits() != defaults.learning_rate.to_bits() {
        add("learning-rate", config.learning_rate.to_string());
    }
    if other_optimizer {
        // All of it: another kind of optimizer brings other defaults.
        match config.optimizer {
            Optimizer::Sgd { momentum, nesterov, weight_decay } => {
                add("optimizer", if nesterov { "sgd --nesterov".into() } else { "sgd".into() });
                add("momentum", momentum.to_string());
                add("weight-decay", weight_decay.to_string());
            }
            Optimizer::Adam { betas: [b1, b2], epsilon, weight_decay, decoupled } => {
                add("optimizer", if decoupled { "adamw".into() } else { "adam".into() });
                add("betas", format!("{b1},{b2}"));
                add("epsilon", format!("{epsilon:e}"));
                add("weight-decay", weight_decay.to_string());
            }
        }
    }
    if config.seed != defaults.seed {
        add("seed", config.seed.to_string());
    }
    if let Some(size) = config.train_size {
        add("train-size", size.to_string());
    }
    if let Some(size) = config.validation {
        add("validation", size.to_string());
    }
    if let Some(target) = config.target_accuracy {
        add("target-accuracy", target.to_string());
    }
    options
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./,:=+@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::run;

    #[test]
    fn the_command_has_what_differs_from_the_models_defaults_and_where_it_ran() {
        let mut run = run("mlp", &[[2.3, 0.1], [0.5, 0.9]]);
        run.config.seed = 7;
        run.data_dir = Some("/data/my set".into());
        assert_eq!(
            command(&run),
            "mnist-gpu train --model mlp --epochs 1 --seed 7 --data-dir '/data/my set' --device cpu"
        );
        run.config.model.name = "a model; of mine".into();
        run.config.learning_rate = 0.5;
        (run.device.name, run.device.backend) = ("llvmpipe (LLVM 15)".into(), "vulkan".into());
        run.data_dir = None;
        run.init = Some("runs/0001-mlp".into());
        let start = "mnist-gpu train --model model.json --epochs 1 ";
        let found = command(&run);
        assert!(found.starts_with(start) && found.contains(" --learning-rate 0.5 "), "{found}");
        assert!(found.ends_with(" --init runs/0001-mlp --device 'llvmpipe (LLVM 15)'"), "{found}");
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(quoted("runs/0001-cnn"), "runs/0001-cnn");
        assert_eq!(quoted("llvmpipe (LLVM 15)"), "'llvmpipe (LLVM 15)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
