//! The devices that are benchmarked.

use crate::cpu::Cpu;
use crate::device::Device;
use crate::gpu::Gpu;
use crate::gpu::kernels::{Class, Profile, lower};
use crate::program::{List, Program};

/// A device, and what is known of it beyond.
pub enum Target {
    /// The CPU.
    Cpu {
        /// The device.
        cpu: Cpu,
        /// Its threads.
        threads: usize,
    },
    /// A GPU.
    Gpu(Gpu),
}

/// A way to run the training step of a program.
pub struct Variant {
    /// The names of the kernels.
    pub kernels: Vec<String>,
    /// The class of adapters that usually gets them.
    pub class: Class,
    /// The device, made to choose them.
    pub device: Gpu,
}

impl Target {
    /// As a device.
    pub fn device(&self) -> &dyn Device {
        match self {
            Self::Cpu { cpu, .. } => cpu,
            Self::Gpu(gpu) => gpu,
        }
    }

    /// The adapter, where it is one.
    pub fn gpu(&self) -> Option<&Gpu> {
        match self {
            Self::Cpu { .. } => None,
            Self::Gpu(gpu) => Some(gpu),
        }
    }

    /// Every way that the device has to run a program whose training step is one op; that which it would choose comes first.
    pub fn variants(&self, program: &Program) -> Vec<Variant> {
        let Some(gpu) = self.gpu() else { return Vec::new() };
        let op = &program.train_step[0];
        let chosen = gpu.profile().class_for(program, op);
        let mut variants: Vec<Variant> = Vec::new();
        for class in std::iter::once(chosen).chain(gpu.classes()) {
            let tuning = [(program.signature(op), class)].into();
            let profile = Profile { tuning, ..gpu.profile().clone() };
            let step = &lower(program, &profile)[List::TrainStep as usize];
            let kernels: Vec<&str> = step.iter().map(|dispatch| dispatch.kernel.name).collect();
            if variants.iter().all(|variant| variant.kernels != kernels) {
                let kernels = kernels.into_iter().map(str::to_owned).collect();
                variants.push(Variant { kernels, class, device: gpu.with_profile(profile) });
            }
        }
        variants
    }
}
