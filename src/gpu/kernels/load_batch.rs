//! Gathers and normalises images.

use super::{
    Binding::{Params, Read, ReadWrite, State},
    Context, Kernel, STATE,
};
use crate::program::LoadBatch;

pub(super) static KERNEL: Kernel = Kernel {
    name: "load_batch",
    op: "load_batch",
    source: include_str!("../../../shaders/load_batch.wgsl"),
    shared: &[STATE],
    constants: &[],
    bindings: &[Params, State, Read, Read, ReadWrite],
    params: &["pixels", "scale", "shift"],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &LoadBatch, context: &mut Context) {
    let pixels = context.row_len(op.output);
    let operands = [op.state, op.images, op.samples, op.output].map(|id| context.operand(id));
    let groups = [pixels.div_ceil(64), context.rows(op.output), 1];
    context.push(&KERNEL, [pixels, op.scale.to_bits(), op.shift.to_bits()], operands, groups);
}
