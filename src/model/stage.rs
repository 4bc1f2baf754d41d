//! From layers to stages: what runs as one op, with every shape known.

use super::{Layer, ModelSpec, Shape};
use crate::{Error, Result};

/// A linear layer with the activation that follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dense {
    /// PyTorch's name of the layer: fc1, fc2, …
    pub name: String,
    /// Numbers per image that go in.
    pub inputs: u32,
    /// Numbers per image that come out.
    pub outputs: u32,
    /// Whether a ReLU follows.
    pub relu: bool,
}

/// One or more layers that run as one op.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A linear layer.
    Dense(Dense),
}

impl Stage {
    /// The layer's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Dense(dense) => &dense.name,
        }
    }

    /// What one image is after the stage.
    pub fn output(&self) -> Shape {
        match self {
            Self::Dense(dense) => Shape::vector(dense.outputs),
        }
    }

    /// Whether the stage ends in a ReLU.
    pub fn relu(&self) -> bool {
        match self {
            Self::Dense(dense) => dense.relu,
        }
    }

    /// Name, shape and bound of the initial distribution of each parameter: PyTorch's default, uniform within
    /// ±1 / √(inputs of one output).
    pub fn parameters(&self) -> Vec<(String, Vec<u32>, f32)> {
        match self {
            Self::Dense(Dense { name, inputs, outputs, .. }) => {
                let bound = (1.0 / f64::from(*inputs).sqrt()) as f32;
                vec![
                    (format!("{name}.weight"), vec![*outputs, *inputs], bound),
                    (format!("{name}.bias"), vec![*outputs], bound),
                ]
            }
        }
    }
}

impl ModelSpec {
    /// The stages of the model for images of this shape.
    ///
    /// # Errors
    /// Names the layer that does not fit, with the shape that it got.
    pub fn stages(&self, image: Shape, classes: u32) -> Result<Vec<Stage>> {
        let fail = |index: usize, problem: String| {
            Err(Error::Program(format!("model {}, layer {} of {}: {problem}", self.name, index + 1, self.layers.len())))
        };
        let mut stages: Vec<Stage> = Vec::new();
        let mut shape = image;
        let mut linear = 0;
        let mut may_follow = false;
        for (index, layer) in self.layers.iter().enumerate() {
            match layer {
                Layer::Linear { outputs } => {
                    if *outputs == 0 || *outputs > 65_536 {
                        return fail(index, format!("a linear layer has 1 to 65,536 outputs, not {outputs}"));
                    }
                    linear += 1;
                    stages.push(Stage::Dense(Dense {
                        name: format!("fc{linear}"),
                        inputs: shape.len(),
                        outputs: *outputs,
                        relu: false,
                    }));
                    shape = Shape::vector(*outputs);
                    may_follow = true;
                }
                Layer::Relu => match stages.last_mut() {
                    Some(Stage::Dense(dense)) if may_follow => {
                        dense.relu = true;
                        may_follow = false;
                    }
                    _ => return fail(index, "relu must follow a linear layer".into()),
                },
            }
        }
        match stages.last() {
            Some(Stage::Dense(Dense { outputs, relu: false, .. })) if *outputs == classes => Ok(stages),
            Some(Stage::Dense(Dense { outputs, relu: false, .. })) => fail(
                self.layers.len() - 1,
                format!("the data has {classes} classes, but the last layer has {outputs} outputs"),
            ),
            _ => Err(Error::Program(format!(
                "model {}: the last layer must be linear, with one output per class",
                self.name
            ))),
        }
    }
}
