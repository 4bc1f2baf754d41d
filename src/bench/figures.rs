//! What a benchmark finds: the one value that its reports are made from.

use super::measure::Figure;
use crate::device::DeviceInfo;
use crate::gpu::kernels::Class;
use crate::program::Work;
use serde::{Deserialize, Serialize};

/// The version of bench.json's form. A file of another version is not read.
pub const FORMAT: u32 = 2;

/// Everything that one benchmark found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bench {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the program.
    pub version: String,
    /// Whether it was made in a hurry.
    pub quick: bool,
    /// Each device.
    pub devices: Vec<DeviceBench>,
}

/// What was found of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceBench {
    /// The device.
    pub device: DeviceInfo,
    /// What it can do at best.
    pub peaks: Peaks,
    /// Kernels by themselves.
    pub kernels: Vec<KernelRow>,
    /// Whole steps.
    pub steps: Vec<StepRow>,
    /// Fresh processes.
    pub processes: Vec<ProcessRow>,
}

/// What a device can do at best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peaks {
    /// Floating-point operations in a second, in registers.
    pub flops: Figure,
    /// Bytes read and written in a second by a copy.
    pub bytes: Figure,
    /// Seconds of a dispatch that does nothing; none for a CPU.
    pub dispatch: Option<Figure>,
}

/// A kernel on one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelRow {
    /// The models whose training step has it.
    pub models: Vec<String>,
    /// Op and shape.
    pub op: String,
    /// The kernel; of a CPU, its instruction set.
    pub kernel: String,
    /// Whether the device would choose it.
    pub chosen: bool,
    /// Of a GPU: the class of adapters that usually gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Of one run.
    pub seconds: Figure,
    /// What one run does.
    pub work: Work,
}

/// A training step or an inference step of a model, or a prediction: one image to the device, its answer back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// Model, batch and optimizer.
    pub workload: String,
    /// `training`, `inference` or `prediction`.
    pub kind: String,
    /// Of one step, many in a row; of one prediction after another.
    pub seconds: Figure,
    /// Images of a step.
    pub batch: u32,
    /// Images in a second.
    pub images_per_second: Figure,
    /// Dispatches of a step; of a CPU, ops.
    pub dispatches: usize,
    /// The share of the step that its kernels timed alone do not account for; of training.
    pub idle: Option<f64>,
}

/// How long a fresh process takes, from its start, while drivers keep no compiled shaders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessRow {
    /// Model, batch and optimizer.
    pub workload: String,
    /// `ready`, `first step` or `100 steps`: until then; `one epoch`: to its end with evaluated weights on disk.
    pub kind: String,
    /// Of one process.
    pub seconds: Figure,
    /// Of an epoch, the mean over seeds.
    pub test_accuracy: Option<f64>,
}
