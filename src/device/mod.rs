//! Where a model is trained and asked: a GPU, or the CPU. [`open`] gives what a [`Request`] leads to on this machine.
//!
//! A device holds a program's tensors and runs its lists of ops; `Session` says how, to the rest of the crate.

mod request;

pub use request::{Choice, Request, open};
#[doc(hidden)]
pub use request::{choose, reopen};

use crate::checkpoint::Parameters;
use crate::gpu::kernels::Tuning;
use crate::program::{List, Program, TensorId};
use crate::{Error, Result};
use bytemuck::Pod;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A GPU or the CPU: something that runs programs.
pub trait Device {
    /// What the device is.
    fn info(&self) -> &DeviceInfo;

    /// Which ops get other kernels than usual because these were measured to be faster.
    #[doc(hidden)]
    fn tuning(&self) -> Tuning {
        Tuning::new()
    }

    /// Makes a program's tensors, zeroed, and readies its ops.
    #[doc(hidden)]
    fn load(&self, program: &Arc<Program>) -> Result<Box<dyn Session>>;
}

/// A program on a device.
#[doc(hidden)]
pub trait Session {
    /// The program.
    fn program(&self) -> &Arc<Program>;

    /// Writes bytes into a tensor, from a byte offset that is a multiple of 4.
    fn write(&mut self, tensor: TensorId, offset: usize, bytes: &[u8]) -> Result<()>;

    /// Waits for what was run and reads a whole tensor, padded to whole words.
    fn read(&mut self, tensor: TensorId) -> Result<Vec<u8>>;

    /// Runs a list so many times in a row. May return before it is done.
    fn run(&mut self, list: List, times: u32) -> Result<()>;

    /// Waits for what was run.
    fn wait(&mut self) -> Result<()> {
        self.read(self.program().ports.train.state).map(drop)
    }

    /// Runs a list so many times in a row and waits: how long that took, by the device's own clock where it has one.
    fn time(&mut self, list: List, times: u32) -> Result<Duration> {
        self.wait()?;
        let clock = Instant::now();
        self.run(list, times)?;
        self.wait()?;
        Ok(clock.elapsed())
    }

    /// For each op of the training step, its name and the kernel that runs it.
    fn kernels(&self) -> Vec<(String, String)>;
}

impl dyn Session + '_ {
    /// Writes a tensor from its start.
    pub fn put<T: Pod>(&mut self, tensor: TensorId, values: &[T]) -> Result<()> {
        self.write(tensor, 0, bytemuck::cast_slice(values))
    }

    /// Reads a whole tensor.
    pub fn get<T: Pod>(&mut self, tensor: TensorId) -> Result<Vec<T>> {
        Ok(bytemuck::pod_collect_to_vec(&self.read(tensor)?))
    }

    /// Reads the model's parameters.
    pub fn parameters(&mut self) -> Result<Parameters> {
        let program = Arc::clone(self.program());
        let parameters = program.views_of(program.ports.parameters);
        parameters.map(|(id, tensor, _)| Ok((tensor.name.clone(), self.get(id)?))).collect()
    }

    /// Writes the model's parameters.
    ///
    /// # Errors
    /// When these are not they.
    pub fn put_parameters(&mut self, parameters: &Parameters) -> Result<()> {
        let program = Arc::clone(self.program());
        for (id, tensor, _) in program.views_of(program.ports.parameters) {
            let values = parameters.get(&tensor.name).filter(|values| values.len() == tensor.len());
            let values = values.ok_or_else(|| {
                Error::Data(format!("the weights have no {} of shape {:?}", tensor.name, tensor.shape))
            })?;
            self.put(id, values)?;
        }
        Ok(())
    }
}

/// What a device is, as `devices` lists it and a run records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// The name that its driver gives it.
    pub name: String,
    /// The interface it is used through: vulkan, metal, dx12, gl or cpu.
    pub backend: String,
    /// What kind of device it is: discrete, integrated, virtual, software, cpu.
    pub kind: String,
    /// The driver and its version; for a CPU, the instruction set and the number of threads.
    pub driver: String,
}

impl std::fmt::Display for DeviceInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { name, backend, kind, driver } = self;
        // The CPU's backend and kind are its name over again.
        if backend == kind { write!(f, "{name} ({driver})") } else { write!(f, "{name} ({backend}, {kind}, {driver})") }
    }
}

impl DeviceInfo {
    /// Whether it executes shaders on a CPU.
    pub fn is_software(&self) -> bool {
        self.kind == "software"
    }

    /// Whether both compute the same bits: the CPU does so with any number of threads.
    pub fn computes_as(&self, other: &Self) -> bool {
        let instructions = |info: &Self| info.driver.split(',').next().map(str::to_owned);
        let both_cpu = [self, other].iter().all(|info| info.backend == "cpu");
        self == other || both_cpu && instructions(self) == instructions(other)
    }
}
