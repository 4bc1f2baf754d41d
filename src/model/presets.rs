//! The models that come with the program, each with hyperparameters of its own.

use super::{Layer, ModelSpec};
use crate::config::TrainConfig;
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

/// The names of all presets, the simplest first.
pub const PRESETS: [&str; 2] = ["linear", "mlp"];

/// The preset of that name for a number of classes; none if there is none.
pub fn preset(name: &str, classes: u32) -> Option<ModelSpec> {
    let logits = Layer::Linear { outputs: classes };
    let layers = match name {
        "linear" => vec![logits],
        "mlp" => vec![Layer::Linear { outputs: 128 }, Layer::Relu, logits],
        _ => return None,
    };
    Some(ModelSpec { name: name.into(), layers })
}

/// How a model is trained where nothing else is asked for. Tuned on images held out of the training set.
pub fn defaults(model: ModelSpec) -> TrainConfig {
    TrainConfig {
        model,
        epochs: 5,
        batch_size: 128,
        learning_rate: 3e-3,
        schedule: Schedule::OneCycle,
        optimizer: Optimizer::adam(0.01, true),
        seed: 1,
        train_size: None,
        validation: None,
        target_accuracy: None,
    }
}
