//! Holds a device against the CPU, op by op: what `mnist-gpu check` and the parity tests do.
//!
//! Each op has fixed and random cases. A case runs on both devices from the same contents of every tensor. What the op
//! writes must agree within the op's tolerance; all else, the rows that are not live too, must keep its bits.

mod case;
#[doc(hidden)]
pub mod cases;
mod compare;

#[doc(hidden)]
pub use case::{Case, Draft, Tolerance, Written};
#[doc(hidden)]
pub use cases::cases;
pub use compare::Place;
#[doc(hidden)]
pub use compare::{Comparison, compare};

use crate::cpu::Cpu;
use crate::device::Device;
use crate::program::{List, Op, TensorId};
use crate::{Error, Result};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// What came of the cases of one op.
#[derive(Clone, Debug, Serialize)]
pub struct OpVerdict {
    /// The op.
    pub op: String,
    /// How many cases were run.
    pub cases: usize,
    /// How many numbers were held against those of the reference.
    pub compared: usize,
    /// How many of them lie beyond their bound.
    pub beyond: usize,
    /// Where error / bound is largest; none when nothing differs.
    pub worst: Option<Place>,
    /// Whether the device agrees with the reference.
    pub ok: bool,
}

impl fmt::Display for OpVerdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {} cases, {} numbers, ", self.op, self.cases, self.compared)?;
        match &self.worst {
            None => write!(f, "no difference"),
            Some(worst) if self.ok => write!(f, "worst: {worst}"),
            Some(worst) => write!(f, "{} beyond their bound; worst: {worst}", self.beyond),
        }
    }
}

/// Holds a device against the CPU: runs the cases of every op on both, in the order in which a run first uses the ops, and
/// tells `progress` of each verdict. The seed draws the random shapes and numbers.
///
/// # Errors
/// When a device fails; a disagreement is a verdict.
pub fn check(device: &dyn Device, seed: u32, progress: &mut dyn FnMut(&OpVerdict)) -> Result<Vec<OpVerdict>> {
    against(device, &Cpu::new(None)?, seed, progress)
}

/// The same against any reference.
fn against(
    device: &dyn Device,
    reference: &dyn Device,
    seed: u32,
    progress: &mut dyn FnMut(&OpVerdict),
) -> Result<Vec<OpVerdict>> {
    let verdicts = Op::NAMES.iter().map(|op| {
        let verdict = check_op(device, reference, op, &cases(op, seed))?;
        progress(&verdict);
        Ok(verdict)
    });
    verdicts.collect()
}

/// The first op whose verdict is that the device does not agree.
pub fn first_divergence(verdicts: &[OpVerdict]) -> Option<&OpVerdict> {
    verdicts.iter().find(|verdict| !verdict.ok)
}

/// Runs cases of one op on a device and on a reference.
#[doc(hidden)]
pub fn check_op(device: &dyn Device, reference: &dyn Device, op: &str, cases: &[Case]) -> Result<OpVerdict> {
    let mut all = Comparison::default();
    for case in cases {
        let within = |error| Error::Device(format!("{op}, case {}: {error}", case.name));
        let expected = contents_after(reference, case).map_err(within)?;
        let found = contents_after(device, case).map_err(within)?;
        let magnitudes = case.magnitudes.as_ref().map(|case| contents_after(reference, case)).transpose()?;
        all.add(compare(case, &expected, &found, magnitudes.as_deref()));
    }
    let Comparison { compared, beyond, worst } = all;
    Ok(OpVerdict { op: op.into(), cases: cases.len(), compared, beyond, worst, ok: beyond == 0 })
}

/// The bytes of every tensor after the case's op; views are left empty, since their owners hold them.
fn contents_after(device: &dyn Device, case: &Case) -> Result<Vec<Vec<u8>>> {
    let mut session = device.load(&Arc::new(case.program.clone()))?;
    let owners = || (0..).map(TensorId).zip(&case.program.tensors);
    for ((id, tensor), bytes) in owners().zip(&case.contents) {
        if tensor.view.is_none() {
            session.write(id, 0, bytes)?;
        }
    }
    session.run(List::TrainStep, 1)?;
    owners().map(|(id, tensor)| if tensor.view.is_none() { session.read(id) } else { Ok(Vec::new()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{DeviceInfo, Session};
    use crate::program::Program;
    use std::num::NonZeroUsize;

    #[test]
    fn every_op_has_cases_with_names_of_their_own_and_valid_programs() {
        for op in Op::NAMES {
            let cases = cases(op, 1);
            assert!(cases.len() > 5, "{op} has {} cases", cases.len());
            for (index, case) in cases.iter().enumerate() {
                case.program.validate().unwrap_or_else(|error| panic!("{op}, {}: {error}", case.name));
                assert_eq!(case.program.train_step[0].name(), op);
                assert!(cases[..index].iter().all(|other| other.name != case.name), "{op}: two cases {}", case.name);
            }
        }
    }

    #[test]
    fn the_cpu_agrees_with_itself_whatever_the_number_of_threads() {
        let one = Cpu::new(NonZeroUsize::new(1)).expect("a thread");
        for threads in [2, 3] {
            let more = Cpu::new(NonZeroUsize::new(threads)).expect("threads");
            for verdict in against(&more, &one, 2, &mut |_| ()).expect("the CPU runs every case") {
                assert!(verdict.ok && verdict.worst.is_none() && verdict.compared > 0, "{threads} threads: {verdict}");
            }
        }
    }

    /// A CPU that gets one op wrong: it adds 1 to the first word of the last tensor with memory of its own.
    struct Wrong(Cpu, &'static str);

    struct WrongSession(Box<dyn Session>, &'static str);

    impl Device for Wrong {
        fn info(&self) -> &DeviceInfo {
            self.0.info()
        }

        fn load(&self, program: &Arc<Program>) -> Result<Box<dyn Session>> {
            Ok(Box::new(WrongSession(self.0.load(program)?, self.1)))
        }
    }

    impl Session for WrongSession {
        fn program(&self) -> &Arc<Program> {
            self.0.program()
        }

        fn write(&mut self, tensor: TensorId, offset: usize, bytes: &[u8]) -> Result<()> {
            self.0.write(tensor, offset, bytes)
        }

        fn read(&mut self, tensor: TensorId) -> Result<Vec<u8>> {
            let mut bytes = self.0.read(tensor)?;
            let program = self.program();
            let last = program.tensors.iter().rposition(|tensor| tensor.view.is_none());
            if program.train_step[0].name() == self.1 && Some(tensor.index()) == last {
                let mut word: [u8; 4] = bytes[..4].try_into().expect("four bytes");
                word = (f32::from_le_bytes(word) + 1.0).to_le_bytes();
                bytes[..4].copy_from_slice(&word);
            }
            Ok(bytes)
        }

        fn run(&mut self, list: List, times: u32) -> Result<()> {
            self.0.run(list, times)
        }

        fn kernels(&self) -> Vec<(String, String)> {
            self.0.kernels()
        }
    }

    #[test]
    fn a_device_that_gets_an_op_wrong_is_found_out_and_the_op_is_named() {
        let cpu = || Cpu::new(None).expect("threads");
        for wrong in Op::NAMES {
            let mut told = 0;
            let verdicts = against(&Wrong(cpu(), wrong), &cpu(), 1, &mut |_| told += 1).expect("both run");
            let first = first_divergence(&verdicts).unwrap_or_else(|| panic!("{wrong} passed"));
            assert_eq!((first.op.as_str(), told), (wrong, Op::NAMES.len()));
            assert!(verdicts.iter().filter(|verdict| !verdict.ok).count() == 1);
            let text = first.to_string();
            assert!(text.contains("beyond") && text.contains("case"), "{text}");
        }
    }
}
