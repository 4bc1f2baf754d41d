//! From layers to stages: what runs as one op, with every shape known.

use super::{Layer, ModelSpec, Shape};
use crate::program::Convolution;
use crate::{Error, Result};

/// One or more layers that run as one op.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// A convolution with the ReLU and the max-pool that follow it.
    Conv(Conv),
    /// Dropout.
    Dropout(Drop),
    /// A linear layer with the ReLU that follows it.
    Dense(Dense),
}

/// A convolution with what follows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// PyTorch's name of the layer: conv1, conv2, …
    pub name: String,
    /// What goes in.
    pub input: Shape,
    /// What comes out.
    pub output: Shape,
    /// Kernel, strides, padding, pool.
    pub geometry: Convolution,
    /// Whether a ReLU follows.
    pub relu: bool,
}

/// A dropout layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Drop {
    /// dropout1, dropout2, …
    pub name: String,
    /// What goes in and comes out.
    pub shape: Shape,
    /// The share that is zeroed.
    pub rate: f32,
    /// Which dropout layer of the model, counted from 0.
    pub layer: u32,
}

/// A linear layer with the activation that follows it.
#[derive(Clone, Debug, PartialEq)]
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

impl Stage {
    /// The layer's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Conv(Conv { name, .. }) | Self::Dropout(Drop { name, .. }) | Self::Dense(Dense { name, .. }) => name,
        }
    }

    /// What one image is after the stage.
    pub fn output(&self) -> Shape {
        match self {
            Self::Conv(conv) => conv.output,
            Self::Dropout(drop) => drop.shape,
            Self::Dense(dense) => Shape::vector(dense.outputs),
        }
    }

    /// Name, shape and bound of the initial distribution of weight and bias, where the stage has any: PyTorch's default,
    /// uniform within ±1 / √(inputs of one output).
    pub fn parameters(&self) -> Vec<(String, Vec<u32>, f32)> {
        let (name, shape) = match self {
            Self::Conv(Conv { name, input, output, geometry, .. }) => {
                let [height, width] = geometry.kernel;
                (name, vec![output.channels, input.channels, height, width])
            }
            Self::Dropout(_) => return Vec::new(),
            Self::Dense(Dense { name, inputs, outputs, .. }) => (name, vec![*outputs, *inputs]),
        };
        let inputs: f64 = shape[1..].iter().copied().map(f64::from).product();
        let bound = (1.0 / inputs.sqrt()) as f32;
        let outputs = vec![shape[0]];
        vec![(format!("{name}.weight"), shape, bound), (format!("{name}.bias"), outputs, bound)]
    }

    /// How many numbers weight and bias have.
    pub fn parameter_count(&self) -> u64 {
        self.parameters().iter().map(|(_, shape, _)| shape.iter().copied().map(u64::from).product::<u64>()).sum()
    }

    /// Floating-point operations per image, forwards: a multiplication and an addition for each weight that an output
    /// sees.
    pub fn flops(&self) -> u64 {
        match self {
            Self::Conv(Conv { input, output, geometry, .. }) => {
                let [height, width] = geometry.convolved([input.height, input.width]).unwrap_or_default();
                let taps = input.channels * geometry.kernel[0] * geometry.kernel[1];
                2 * [output.channels, height, width, taps].into_iter().map(u64::from).product::<u64>()
            }
            Self::Dropout(_) => 0,
            Self::Dense(Dense { inputs, outputs, .. }) => 2 * u64::from(*inputs) * u64::from(*outputs),
        }
    }
}

/// Workgroups in one dimension of a dispatch that every GPU takes (WebGPU's default limit).
pub(crate) const MOST_GROUPS: u32 = 65_535;
/// The largest number of values per image that a model may have.
const MOST: u32 = 1 << 20;
/// The widest linear layer: a workgroup of the simplest matrix product has 16 × 4 elements of the weights' gradient.
pub(crate) const MOST_INPUTS: u32 = MOST_GROUPS * 16;
pub(crate) const MOST_OUTPUTS: u32 = MOST_GROUPS * 4;

impl ModelSpec {
    /// The stages of the model for images of this shape.
    ///
    /// # Errors
    /// Names the layer that does not fit, with the shape that it got.
    #[doc(hidden)]
    pub fn stages(&self, image: Shape, classes: u32) -> Result<Vec<Stage>> {
        let mut reader = Reader { stages: Vec::new(), shape: image, counts: [0; 3], last: Last::Nothing };
        for (index, layer) in self.layers.iter().enumerate() {
            let shape = reader.shape;
            reader.take(layer).map_err(|problem| {
                let place = format!("model {}, layer {} of {}", self.name, index + 1, self.layers.len());
                Error::Program(format!("{place} ({}) does not fit its input of {shape}: {problem}", layer.name()))
            })?;
        }
        match reader.stages.last() {
            Some(Stage::Dense(Dense { outputs, relu: false, .. })) if *outputs == classes => Ok(reader.stages),
            Some(Stage::Dense(Dense { outputs, relu: false, .. })) => Err(Error::Program(format!(
                "model {}: the last layer has {outputs} outputs, but the data has {classes} classes",
                self.name
            ))),
            _ => Err(Error::Program(format!(
                "model {}: the last layer must be linear, with one output per class and nothing behind it",
                self.name
            ))),
        }
    }
}

impl Layer {
    /// The name of the layer in a model's file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Conv2d { .. } => "conv2d",
            Self::Relu => "relu",
            Self::MaxPool { .. } => "max_pool",
            Self::Dropout { .. } => "dropout",
        }
    }
}

/// What the layer before was, which decides what may follow.
#[derive(PartialEq)]
enum Last {
    Nothing,
    Conv,
    ConvRelu,
    Pool,
    Dense,
    DenseRelu,
}

/// Reads layers one after another.
struct Reader {
    stages: Vec<Stage>,
    shape: Shape,
    /// Convolutions, dropout layers and linear layers so far.
    counts: [u32; 3],
    last: Last,
}

impl Reader {
    fn take(&mut self, layer: &Layer) -> Result<(), String> {
        let shape = self.shape;
        match layer {
            Layer::Linear { outputs } => {
                in_range("inputs", shape.len(), MOST_INPUTS)?;
                in_range("outputs", *outputs, MOST_OUTPUTS)?;
                let name = self.count(2, "fc");
                self.stages.push(Stage::Dense(Dense { name, inputs: shape.len(), outputs: *outputs, relu: false }));
                self.shape = Shape::vector(*outputs);
                self.last = Last::Dense;
            }
            Layer::Conv2d { .. } if self.counts[2] > 0 => return Err("a linear layer leaves no picture".into()),
            Layer::Conv2d { channels, kernel, stride, padding } => {
                in_range("channels", *channels, 4096)?;
                for [height, width] in [kernel, stride] {
                    in_range("kernel and stride", *height, 64)?;
                    in_range("kernel and stride", *width, 64)?;
                }
                if padding[0] >= kernel[0] || padding[1] >= kernel[1] {
                    return Err(format!("a padding of {padding:?} is not smaller than the kernel of {kernel:?}"));
                }
                let (kernel, stride, padding) = (*kernel, *stride, *padding);
                let geometry = Convolution { kernel, stride, padding, pool: [1, 1], pool_stride: [1, 1] };
                let output = Shape { channels: *channels, ..convolved(&geometry, shape)? };
                let name = self.count(0, "conv");
                self.stages.push(Stage::Conv(Conv { name, input: shape, output, geometry, relu: false }));
                self.shape = output;
                self.last = Last::Conv;
            }
            Layer::Relu => match (self.stages.last_mut(), &self.last) {
                (Some(Stage::Conv(conv)), Last::Conv) => {
                    conv.relu = true;
                    self.last = Last::ConvRelu;
                }
                (Some(Stage::Dense(dense)), Last::Dense) => {
                    dense.relu = true;
                    self.last = Last::DenseRelu;
                }
                _ => return Err("it must follow a linear layer or a convolution".into()),
            },
            Layer::MaxPool { size, stride } => match (self.stages.last_mut(), &self.last) {
                (Some(Stage::Conv(conv)), Last::Conv | Last::ConvRelu) => {
                    let stride = stride.unwrap_or(*size);
                    for extent in [size[0], size[1], stride[0], stride[1]] {
                        in_range("size and stride", extent, 64)?;
                    }
                    let geometry = Convolution { pool: *size, pool_stride: stride, ..conv.geometry };
                    conv.output = Shape { channels: conv.output.channels, ..convolved(&geometry, conv.input)? };
                    conv.geometry = geometry;
                    self.shape = conv.output;
                    self.last = Last::Pool;
                }
                _ => return Err("it must follow a convolution or its relu".into()),
            },
            Layer::Dropout { rate } => {
                if !(0.0..1.0).contains(rate) {
                    return Err(format!("the rate must be at least 0 and below 1, not {rate}"));
                }
                let name = self.count(1, "dropout");
                let layer = self.counts[1] - 1;
                self.stages.push(Stage::Dropout(Drop { name, shape, rate: *rate, layer }));
                self.last = Last::Nothing;
            }
        }
        if self.shape.is_empty() || u64::from(self.shape.channels) * self.shape.area() > u64::from(MOST) {
            return Err(format!("it puts out {}, more than {MOST} numbers", self.shape));
        }
        Ok(())
    }

    fn count(&mut self, kind: usize, name: &str) -> String {
        self.counts[kind] += 1;
        format!("{name}{}", self.counts[kind])
    }
}

fn in_range(name: &str, value: u32, most: u32) -> Result<(), String> {
    if (1..=most).contains(&value) { Ok(()) } else { Err(format!("{name} must be 1 to {most}, not {value}")) }
}

/// Height and width of what comes out.
fn convolved(geometry: &Convolution, input: Shape) -> Result<Shape, String> {
    match geometry.output([input.height, input.width]) {
        Some([height, width]) => Ok(Shape { channels: 1, height, width }),
        None => Err("its window is larger than that".into()),
    }
}
