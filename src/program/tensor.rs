//! Tensors: named, shaped memory.

use serde::{Deserialize, Serialize};

/// The index of a tensor in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TensorId(pub u32);

impl TensorId {
    /// The index as a `usize`.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What one element of a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    /// A 32-bit float.
    F32,
    /// A 32-bit unsigned integer.
    U32,
    /// A byte; four are packed into one word, the first in its lowest bits.
    U8,
}

impl Element {
    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 | Self::U32 => 4,
            Self::U8 => 1,
        }
    }
}

/// What a tensor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Learned: part of the model.
    Parameter,
    /// The loss's derivative by a parameter.
    Gradient,
    /// What the optimizer remembers from step to step.
    OptimizerState,
    /// Made from a batch and used within a step, forwards or backwards.
    Activation,
    /// Images, labels and schedules: written by the host, read by ops.
    Data,
    /// Counters of the run, advanced by `begin_step`.
    State,
    /// Results that the host reads.
    Metrics,
}

/// A tensor whose bytes lie inside another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The tensor that owns the bytes.
    pub of: TensorId,
    /// Offset there in bytes, a multiple of [`Tensor::ALIGNMENT`].
    pub offset: usize,
}

/// A named, shaped piece of memory, row-major.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tensor {
    /// A name unique in the program; parameters have PyTorch's (`fc1.weight`).
    pub name: String,
    /// Extent of each dimension, the slowest first.
    pub shape: Vec<u32>,
    /// What one element is.
    pub element: Element,
    /// What the tensor is for.
    pub role: Role,
    /// Where the bytes are, if not in memory of the tensor's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
}

impl Tensor {
    /// Views start at multiples of this many bytes: what WebGPU guarantees for the offset of a storage binding.
    pub const ALIGNMENT: usize = 256;

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().map(|&extent| extent as usize).product()
    }

    /// Whether there are no elements; never so in a valid program.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length in bytes, rounded up to whole words.
    pub fn bytes(&self) -> usize {
        (self.len() * self.element.bytes()).next_multiple_of(4)
    }

    /// Extent of the first dimension.
    pub fn rows(&self) -> usize {
        self.shape[0] as usize
    }

    /// Elements of one row: the product of all dimensions but the first.
    pub fn row_len(&self) -> usize {
        self.shape[1..].iter().map(|&extent| extent as usize).product()
    }
}
