//! What a device can do at best: arithmetic in registers, and copying. No op; `bench` holds ops against it.

use super::{
    Binding::{Read, ReadWrite},
    Context, Dispatch, Kernel, Operand,
    Value::{self, U32},
};

const FORM: Kernel = Kernel {
    name: "probe.fma",
    op: "probe",
    source: include_str!("../../../shaders/probe.fma.wgsl"),
    shared: &[],
    bindings: &[Read, ReadWrite],
    params: &[("chains", U32(8)), ("rounds", U32(1))],
    workgroup: [64, 1, 1],
};

pub(super) static FMA: Kernel = FORM;

pub(super) static COPY: Kernel = Kernel {
    name: "probe.copy",
    source: include_str!("../../../shaders/probe.copy.wgsl"),
    params: &[("row", U32(1))],
    ..FORM
};

/// How many chains of an invocation are tried: more hide more latency, but registers are few.
pub const CHAINS: [u32; 3] = [2, 4, 8];
/// Vectors that one invocation multiplies and adds in a round for each chain, times two operations.
const FLOPS: f64 = 8.0;

/// So many workgroups that each go through so many rounds; and the floating-point operations of that.
pub fn fma(chains: u32, groups: u32, rounds: u32, input: Operand, output: Operand) -> (Dispatch, f64) {
    let flops = FLOPS * f64::from(chains) * f64::from(rounds) * f64::from(groups * FMA.workgroup[0]);
    (dispatch(&FMA, vec![U32(chains), U32(rounds)], input, output, [groups, 1, 1]), flops)
}

/// Copies one operand to another of the same length.
pub fn copy(input: Operand, output: Operand) -> Dispatch {
    let (groups, row) = Context::grid((output.bytes / 16) as u32, COPY.workgroup[0]);
    dispatch(&COPY, vec![U32(row)], input, output, groups)
}

fn dispatch(
    kernel: &'static Kernel,
    params: Vec<Value>,
    input: Operand,
    output: Operand,
    groups: [u32; 3],
) -> Dispatch {
    Dispatch { kernel, op: 0, params, operands: vec![input, output], groups }
}
