//! The models that come with the program, each with hyperparameters of its own.

use super::{Layer, ModelSpec};
use crate::config::TrainConfig;
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;
use crate::{Error, Result};
use std::path::Path;

/// The names of all presets, the simplest first.
pub const PRESETS: [&str; 5] = ["linear", "mlp", "cnn", "lenet", "convnet"];

/// The preset that is trained where none is named.
pub const DEFAULT_PRESET: &str = "cnn";

/// The preset of that name for a number of classes; none if there is none.
pub fn preset(name: &str, classes: u32) -> Option<ModelSpec> {
    let linear = |outputs| Layer::Linear { outputs };
    let conv = |channels, size, padding| Layer::Conv2d {
        channels,
        kernel: [size, size],
        stride: [1, 1],
        padding: [padding, padding],
    };
    let pool = Layer::MaxPool { size: [2, 2], stride: None };
    let dropout = |rate| Layer::Dropout { rate };
    let relu = || Layer::Relu;
    let logits = linear(classes);
    let layers = match name {
        "linear" => vec![logits],
        "mlp" => vec![linear(128), relu(), logits],
        "cnn" => {
            vec![conv(24, 5, 0), relu(), pool.clone(), conv(32, 3, 0), relu(), pool, linear(256), relu(), logits]
        }
        "lenet" => vec![conv(16, 5, 2), relu(), pool.clone(), conv(32, 5, 2), relu(), pool, logits],
        "convnet" => vec![
            conv(32, 3, 0),
            relu(),
            conv(64, 3, 0),
            relu(),
            pool,
            dropout(0.25),
            linear(128),
            relu(),
            dropout(0.5),
            logits,
        ],
        _ => return None,
    };
    Some(ModelSpec { name: name.into(), layers })
}

/// A preset, or the model of a JSON file: an object with `name` and `layers`.
///
/// # Errors
/// When there is no such preset, or the file holds no model.
pub fn load(name: &str, classes: u32) -> Result<ModelSpec> {
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

/// How a model is trained where nothing else is asked for. Tuned on images held out of the training set.
pub fn defaults(model: ModelSpec) -> TrainConfig {
    let (batch_size, learning_rate, optimizer) = match model.name.as_str() {
        "cnn" => (256, 1e-2, Optimizer::Adam { betas: [0.7, 0.9], epsilon: 1e-5, weight_decay: 0.2, decoupled: true }),
        "mlp" => (128, 5e-3, Optimizer::adam(0.1, true)),
        "lenet" => (128, 8e-3, Optimizer::adam(0.01, true)),
        _ => (128, 3e-3, Optimizer::adam(0.01, true)),
    };
    TrainConfig {
        model,
        epochs: 5,
        batch_size,
        learning_rate,
        schedule: Schedule::OneCycle,
        optimizer,
        seed: 1,
        train_size: None,
        validation: None,
        target_accuracy: None,
    }
}
