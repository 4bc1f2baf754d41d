//! Uniform initial weights.

use super::{
    Binding::{Params, ReadWrite, State},
    Context, Kernel, RANDOM, STATE,
};
use crate::program::InitUniform;

pub(super) static KERNEL: Kernel = Kernel {
    name: "init_uniform",
    op: "init_uniform",
    source: include_str!("../../../shaders/init_uniform.wgsl"),
    shared: &[STATE, RANDOM],
    constants: &[],
    bindings: &[Params, State, ReadWrite],
    params: &["count", "stream", "bound", "row"],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &InitUniform, context: &mut Context) {
    let count = context.len(op.output);
    let (groups, row) = Context::grid(count, 64);
    let operands = [op.state, op.output].map(|id| context.operand(id));
    context.push(&KERNEL, [count, op.stream, op.bound.to_bits(), row], operands, groups);
}
