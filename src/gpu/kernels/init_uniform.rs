//! Uniform initial weights.

use super::{
    Binding::{ReadWrite, State},
    Context, Kernel, RANDOM, STATE,
    Value::{F32, U32},
};
use crate::program::InitUniform;

pub(super) static KERNEL: Kernel = Kernel {
    name: "init_uniform",
    op: "init_uniform",
    source: include_str!("../../../shaders/init_uniform.wgsl"),
    shared: &[STATE, RANDOM],
    bindings: &[State, ReadWrite],
    params: &[("count", U32(1)), ("stream", U32(1)), ("bound", F32(1.0)), ("row", U32(1))],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &InitUniform, context: &mut Context) {
    let count = context.len(op.output);
    let (groups, row) = Context::grid(count, 64);
    let operands = [op.state, op.output].map(|id| context.operand(id));
    context.push(&KERNEL, [U32(count), U32(op.stream), F32(op.bound), U32(row)], operands, groups);
}
