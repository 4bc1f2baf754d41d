//! The peaks of an adapter: what `bench` holds kernels against.

use super::Gpu;
use super::kernels::probe::{CHAINS, copy, fma};
use super::kernels::{Dispatch, Operand, text};
use super::recording::Recording;
use crate::Result;
use crate::device::{DeviceInfo, Session};
use crate::program::{Element, Program, Role, Tensor, TensorId};
use std::sync::Arc;

/// Bytes that the copy reads, and writes: more than caches hold.
const COPY_BYTES: usize = 64 << 20;
/// Workgroups of the arithmetic, by kind of adapter, and their rounds: some milliseconds each.
const SOFTWARE: [u32; 2] = [64, 4_000];
const HARDWARE: [u32; 2] = [8_192, 4_000];

/// Something of known size that a device can do, ready to be timed as the training step of the session.
pub struct Probe {
    /// Runs it.
    pub session: Box<dyn Session>,
    /// Floating-point operations, or bytes read and written.
    pub amount: f64,
}

impl Gpu {
    /// The arithmetic of a device at its best, in several forms of which the fastest counts.
    pub fn fma_probes(&self, info: &DeviceInfo) -> Result<Vec<Probe>> {
        let [groups, rounds] = if info.is_software() { SOFTWARE } else { HARDWARE };
        let probe = |&chains: &u32| {
            self.probe(groups as usize * 64, |input, output| fma(chains, groups, rounds, input, output))
        };
        CHAINS.iter().map(probe).collect()
    }

    /// A copy of a large buffer.
    pub fn copy_probe(&self) -> Result<Probe> {
        self.probe(COPY_BYTES / 4, |input, output| (copy(input, output), 2.0 * COPY_BYTES as f64))
    }

    /// A dispatch that does next to nothing: what each costs at least.
    pub fn empty_probe(&self) -> Result<Probe> {
        self.probe(64, |input, output| fma(CHAINS[0], 1, 0, input, output))
    }

    fn probe(&self, len: usize, dispatch: impl FnOnce(Operand, Operand) -> (Dispatch, f64)) -> Result<Probe> {
        let tensor = |name: &str| Tensor {
            name: name.into(),
            shape: vec![len as u32],
            element: Element::F32,
            role: Role::Data,
            view: None,
        };
        let [input, output] = [TensorId(0), TensorId(1)];
        let program = Program::of(vec![tensor("input"), tensor("output")], Vec::new());
        let operand = |tensor| Operand { tensor: Some(tensor), offset: 0, bytes: len * 4 };
        let (dispatch, amount) = dispatch(operand(input), operand(output));
        let recording = Recording::of(&program, [Vec::new(), vec![dispatch], Vec::new()], self.profile().class);
        let mut session = self.replay(&Arc::new(program), recording, &text)?;
        session.put(input, &vec![0.999_f32; len])?;
        Ok(Probe { session, amount })
    }
}
