//! The CPU as a device: each op is a file of Rust beside the shader of the same name.
//!
//! Work is divided so that each number is computed by one thread in one order: the bytes do not depend on how many
//! threads there are.

mod adam;
mod begin_step;
mod conv2d_backward_input;
mod conv2d_backward_weights;
mod conv2d_forward;
mod dropout;
mod exponential;
mod gemm;
mod gemv;
mod init_uniform;
mod load_batch;
mod matmul;
mod memory;
mod planes;
mod reduce;
mod sgd;
mod softmax_nll;
mod threads;

use crate::device::{Device, DeviceInfo, Session};
use crate::program::{List, Op, Program, TensorId, Work};
use crate::{Error, Result};
use memory::Memory;
use std::num::NonZeroUsize;
use std::sync::Arc;
use threads::Threads;

/// Elements that one thread takes at a time in element-wise ops.
const BLOCK: usize = 16 * 1024;
/// Floating-point operations that a thread does while another is woken, some 20 µs: between predictions they sleep.
const HANDOVER: f64 = 3e6;
/// The most threads that may be asked for.
const MAX_THREADS: usize = 1024;

/// The CPU, with a number of threads of its own.
pub struct Cpu {
    info: DeviceInfo,
    threads: Arc<Threads>,
}

impl Cpu {
    /// The CPU with so many threads, or as many as it was given (the affinity and the quota of the control group count).
    pub fn new(threads: Option<NonZeroUsize>) -> Result<Self> {
        let given = || std::thread::available_parallelism().map_or(1, |given| given.get().min(MAX_THREADS));
        let count = threads.map_or_else(given, NonZeroUsize::get);
        if count > MAX_THREADS {
            return Err(Error::Usage(format!("--threads must be 1 to {MAX_THREADS}, not {count}")));
        }
        let info = DeviceInfo {
            name: "CPU".into(),
            backend: "cpu".into(),
            kind: "cpu".into(),
            driver: format!("{}, {count} thread{}", instruction_set(), if count == 1 { "" } else { "s" }),
        };
        Ok(Self { info, threads: Arc::new(Threads::new(count)?) })
    }
}

fn instruction_set() -> &'static str {
    match pulp::Arch::new() {
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V4(_) => "AVX-512",
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V3(_) => "AVX2",
        #[cfg(target_arch = "aarch64")]
        pulp::Arch::Neon(_) => "NEON",
        _ => "portable",
    }
}

impl Device for Cpu {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn load(&self, program: &Arc<Program>) -> Result<Box<dyn Session>> {
        program.validate()?;
        let work: f64 = program.eval_step.iter().map(|op| Work::of(program, op).flops).sum();
        Ok(Box::new(CpuSession {
            memory: Memory::new(program)?,
            threads: Arc::clone(&self.threads),
            alone: Threads::alone(),
            work: work / f64::from(program.ports.eval.batch),
        }))
    }
}

struct CpuSession {
    memory: Memory,
    threads: Arc<Threads>,
    /// For small steps.
    alone: Threads,
    /// Floating-point operations to evaluate an image.
    work: f64,
}

impl CpuSession {
    /// Whether a step is done sooner by the calling thread alone: by the others' parts of it they would save less than
    /// they cost.
    fn small(&self, list: List) -> bool {
        if list != List::EvalStep {
            return false;
        }
        let images = self.memory.state(self.memory.program().ports.eval.state).count;
        let others = 1.0 - 1.0 / self.threads.count() as f64;
        f64::from(images) * self.work * others < HANDOVER
    }
}

impl Session for CpuSession {
    fn program(&self) -> &Arc<Program> {
        self.memory.program()
    }

    fn write(&mut self, tensor: TensorId, offset: usize, bytes: &[u8]) -> Result<()> {
        self.memory.bytes_mut(tensor)[offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read(&mut self, tensor: TensorId) -> Result<Vec<u8>> {
        Ok(self.memory.bytes(tensor).to_vec())
    }

    fn run(&mut self, list: List, times: u32) -> Result<()> {
        let program = Arc::clone(self.memory.program());
        let threads = if self.small(list) { &self.alone } else { &*self.threads };
        for _ in 0..times {
            program.list(list).iter().for_each(|op| run(op, &mut self.memory, threads));
        }
        Ok(())
    }

    fn kernels(&self) -> Vec<(String, String)> {
        let step = &self.memory.program().train_step;
        step.iter().map(|op| (op.name().into(), instruction_set().into())).collect()
    }
}

fn run(op: &Op, memory: &mut Memory, threads: &Threads) {
    match op {
        Op::InitUniform(op) => init_uniform::run(op, memory, threads),
        Op::BeginStep(op) => begin_step::run(op, memory),
        Op::LoadBatch(op) => load_batch::run(op, memory, threads),
        Op::Conv2dForward(op) => conv2d_forward::run(op, memory, threads),
        Op::Conv2dBackwardInput(op) => conv2d_backward_input::run(op, memory, threads),
        Op::Conv2dBackwardWeights(op) => conv2d_backward_weights::run(op, memory, threads),
        Op::Reduce(op) => reduce::run(op, memory),
        Op::Dropout(op) => dropout::run(op, memory, threads),
        Op::Matmul(op) => matmul::run(op, memory, threads),
        Op::SoftmaxNll(op) => softmax_nll::run(op, memory),
        Op::Sgd(op) => sgd::run(op, memory, threads),
        Op::Adam(op) => adam::run(op, memory, threads),
    }
}
