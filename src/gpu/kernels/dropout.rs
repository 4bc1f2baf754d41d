//! Zeroes a random share of a tensor.

use super::{
    Binding::{Read, ReadWrite, State},
    Context, Kernel, RANDOM, STATE,
    Value::{F32, U32},
};
use crate::program::Dropout;

pub(super) static KERNEL: Kernel = Kernel {
    name: "dropout",
    op: "dropout",
    source: include_str!("../../../shaders/dropout.wgsl"),
    shared: &[STATE, RANDOM],
    bindings: &[State, Read, ReadWrite],
    params: &[("width", U32(1)), ("batch", U32(1)), ("layer", U32(1)), ("rate", F32(0.5)), ("scale", F32(2.0))],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &Dropout, context: &mut Context) {
    let width = context.row_len(op.output);
    let scale = 1.0 / (1.0 - op.rate);
    let params = [U32(width), U32(op.batch), U32(op.layer), F32(op.rate), F32(scale)];
    let operands = [op.state, op.input, op.output].map(|id| context.operand(id));
    context.push(&KERNEL, params, operands, [width.div_ceil(64), context.rows(op.output), 1]);
}
