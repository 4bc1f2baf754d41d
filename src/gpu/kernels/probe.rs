//! What a device can do at best: arithmetic in registers, and copying. No op; `bench` holds ops against it.

use super::{
    Binding::{Params, Read, ReadWrite},
    Context, Dispatch, Kernel, Operand,
};

const FORM: Kernel = Kernel {
    name: "probe.fma",
    op: "probe",
    source: include_str!("../../../shaders/probe.fma.wgsl"),
    shared: &[],
    constants: &[("CHAINS", 8)],
    bindings: &[Params, Read, ReadWrite],
    params: &["rounds"],
    workgroup: [64, 1, 1],
};

pub(super) static FMA: Kernel = FORM;

pub(super) static COPY: Kernel = Kernel {
    name: "probe.copy",
    source: include_str!("../../../shaders/probe.copy.wgsl"),
    constants: &[],
    params: &["row"],
    ..FORM
};

/// How many chains of an invocation are tried: more hide more latency, but registers are few.
pub const CHAINS: [u32; 3] = [2, 4, 8];
/// Vectors that one invocation multiplies and adds in a round for each chain, times two operations.
const FLOPS: f64 = 8.0;

/// So many workgroups that each go through so many rounds; and the floating-point operations of that.
pub fn fma(chains: u32, groups: u32, rounds: u32, input: Operand, output: Operand) -> (Dispatch, f64) {
    let flops = FLOPS * f64::from(chains) * f64::from(rounds) * f64::from(groups * FMA.workgroup[0]);
    (dispatch(&FMA, vec![chains], rounds, input, output, [groups, 1, 1]), flops)
}

/// Copies one operand to another of the same length.
pub fn copy(input: Operand, output: Operand) -> Dispatch {
    let (groups, row) = Context::grid((output.bytes / 16) as u32, COPY.workgroup[0]);
    dispatch(&COPY, Vec::new(), row, input, output, groups)
}

fn dispatch(
    kernel: &'static Kernel,
    constants: Vec<u32>,
    param: u32,
    input: Operand,
    output: Operand,
    groups: [u32; 3],
) -> Dispatch {
    Dispatch { kernel, constants, op: 0, params: vec![param], operands: vec![input, output], groups }
}
