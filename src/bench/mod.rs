//! How fast the devices of a machine are: kernels by themselves, whole steps of the models, and fresh processes.

mod compare;
#[cfg(test)]
pub(crate) mod example;
mod figures;
mod kernels;
mod measure;
mod peak;
mod process;
mod steps;
mod target;
mod workload;

pub use compare::{Change, Comparison};
pub use figures::{Bench, DeviceBench, FORMAT, KernelRow, Peaks, ProcessRow, StepRow};
pub use kernels::tuning;
pub use measure::{Effort, Figure};
pub use process::{Milestone, Starter, first_steps};
pub use target::Target;
pub use workload::{WORKLOADS, Workload};

use crate::Result;
use crate::data::Dataset;
use crate::device::DeviceInfo;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The models.
    pub workloads: Vec<Workload>,
    /// Their ops one by one, in every variant.
    pub kernels: bool,
    /// Their steps.
    pub steps: bool,
    /// Processes that train them.
    pub processes: bool,
    /// How long it may take.
    pub effort: Effort,
}

/// What was just found.
pub enum Found<'a> {
    /// A device begins.
    Device(&'a DeviceInfo),
    /// Its peaks.
    Peaks(&'a Peaks),
    /// A kernel.
    Kernel(&'a KernelRow),
    /// A step.
    Step(&'a StepRow),
    /// A process.
    Process(&'a ProcessRow),
}

/// Measures a device, and tells of each figure as it comes. `starter` starts this program on the same device.
pub fn bench(
    target: &Target,
    starter: &Starter,
    data: &Dataset,
    settings: &Settings,
    tell: &mut dyn FnMut(Found) -> Result<()>,
) -> Result<DeviceBench> {
    let device = target.device().info().clone();
    tell(Found::Device(&device))?;
    let peaks = peak::peaks(target, settings.effort)?;
    tell(Found::Peaks(&peaks))?;
    let mut found = DeviceBench { device, peaks, kernels: Vec::new(), steps: Vec::new(), processes: Vec::new() };
    if settings.kernels {
        for workload in &settings.workloads {
            let mut told = |row: &KernelRow| tell(Found::Kernel(row));
            kernels::kernels(target, data, workload, settings.effort, &mut found.kernels, &mut told)?;
        }
    }
    if settings.steps {
        for workload in &settings.workloads {
            for row in steps::steps(target, data, workload, settings.effort)? {
                tell(Found::Step(&row))?;
                found.steps.push(row);
            }
        }
    }
    if settings.processes {
        for workload in &settings.workloads {
            for row in process::processes(starter, workload, settings.effort)? {
                tell(Found::Process(&row))?;
                found.processes.push(row);
            }
        }
    }
    Ok(found)
}
