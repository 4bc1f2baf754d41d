//! The models that come with the program.

use super::{Layer, ModelSpec};

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
