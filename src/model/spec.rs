//! A model as its file and its weights' metadata state it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A named list of layers. The last one is linear, with one output per class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// The name of the preset, or of the file that the model came from.
    pub name: String,
    /// The layers, from the image to the logits.
    pub layers: Vec<Layer>,
}

impl fmt::Display for ModelSpec {
    /// The layers in a line.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let layers: Vec<String> = self.layers.iter().map(ToString::to_string).collect();
        f.write_str(&layers.join(", "))
    }
}

/// One layer of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// y = x Wᵀ + b over the flattened input.
    Linear {
        /// Numbers per image that come out.
        outputs: u32,
    },
    /// A convolution with bias (cross-correlation, as PyTorch defines it).
    Conv2d {
        /// Channels that come out.
        channels: u32,
        /// Height and width of the kernel.
        kernel: [u32; 2],
        /// Steps down and across.
        #[serde(default = "ones")]
        stride: [u32; 2],
        /// Zeros above and below, left and right.
        #[serde(default)]
        padding: [u32; 2],
    },
    /// max(x, 0); follows a linear layer or a convolution.
    Relu,
    /// The largest of each window; follows a convolution, or its ReLU. Windows do not reach beyond the edge.
    MaxPool {
        /// Height and width of the window.
        size: [u32; 2],
        /// Steps down and across; the window's size where it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<[u32; 2]>,
    },
    /// Zeroes a random share of the numbers in training, and scales the rest to keep their mean.
    Dropout {
        /// The share, from 0 up to but not including 1.
        rate: f32,
    },
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let by = |[height, width]: &[u32; 2]| format!("{height}×{width}");
        match self {
            Self::Linear { outputs } => write!(f, "fc {outputs}"),
            Self::Conv2d { channels, kernel, stride, padding } => {
                let stride = if *stride == [1, 1] { String::new() } else { format!(" stride {}", by(stride)) };
                let padding = if *padding == [0, 0] { String::new() } else { format!(" pad {}", by(padding)) };
                write!(f, "conv {}{stride}{padding} {channels}", by(kernel))
            }
            Self::Relu => f.write_str("ReLU"),
            Self::MaxPool { size, stride } => {
                let stride = stride.filter(|stride| stride != size);
                let stride = stride.map_or(String::new(), |stride| format!(" stride {}", by(&stride)));
                write!(f, "pool {}{stride}", by(size))
            }
            Self::Dropout { rate } => write!(f, "dropout {rate}"),
        }
    }
}

fn ones() -> [u32; 2] {
    [1, 1]
}

/// What one image is at some place of a network: channels, height and width; a vector is channels alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Channels of a picture, or numbers of a vector.
    pub channels: u32,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
}

impl Shape {
    /// A grey picture.
    pub fn picture(height: u32, width: u32) -> Self {
        Self { channels: 1, height, width }
    }

    /// A vector.
    pub fn vector(channels: u32) -> Self {
        Self { channels, height: 1, width: 1 }
    }

    /// Numbers per image.
    pub fn len(self) -> u32 {
        self.channels * self.height * self.width
    }

    /// Height times width.
    pub fn area(self) -> u64 {
        u64::from(self.height) * u64::from(self.width)
    }

    /// Whether nothing is left of the image.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.height == 1 && self.width == 1 {
            write!(f, "{}", self.channels)
        } else {
            write!(f, "{}×{}×{}", self.channels, self.height, self.width)
        }
    }
}
