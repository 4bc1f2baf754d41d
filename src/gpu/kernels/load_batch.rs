//! Gathers and normalises images.

use super::{
    Binding::{Read, ReadWrite, State},
    Context, Kernel, STATE,
    Value::{F32, U32},
};
use crate::program::LoadBatch;

pub(super) static KERNEL: Kernel = Kernel {
    name: "load_batch",
    op: "load_batch",
    source: include_str!("../../../shaders/load_batch.wgsl"),
    shared: &[STATE],
    bindings: &[State, Read, Read, ReadWrite],
    params: &[("pixels", U32(1)), ("scale", F32(1.0)), ("shift", F32(0.0))],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &LoadBatch, context: &mut Context) {
    let pixels = context.row_len(op.output);
    let operands = [op.state, op.images, op.samples, op.output].map(|id| context.operand(id));
    let groups = [pixels.div_ceil(64), context.rows(op.output), 1];
    context.push(&KERNEL, [U32(pixels), F32(op.scale), F32(op.shift)], operands, groups);
}
