//! Adds up partial sums.

use super::{
    Binding::{Read, ReadWrite},
    Context, Kernel,
    Value::{Bool, U32},
};
use crate::program::Reduce;

pub(super) static KERNEL: Kernel = Kernel {
    name: "reduce",
    op: "reduce",
    source: include_str!("../../../shaders/reduce.wgsl"),
    shared: &[],
    bindings: &[Read, ReadWrite],
    params: &[
        ("blocks", U32(1)),
        ("weights", U32(1)),
        ("count", U32(1)),
        ("bias", U32(1)),
        ("accumulate", Bool(false)),
        ("row", U32(1)),
    ],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &Reduce, context: &mut Context) {
    let count = context.row_len(op.input);
    let (groups, row) = Context::grid(count, 64);
    let bias = (context.operand(op.bias_gradient).offset - context.operand(op.output).offset) / 4;
    let (blocks, weights) = (context.rows(op.input), context.len(op.output));
    let params = [U32(blocks), U32(weights), U32(count), U32(bias as u32), Bool(op.accumulate), U32(row)];
    let operands = [context.operand(op.input), context.span(op.output, op.bias_gradient)];
    context.push(&KERNEL, params, operands, groups);
}
