//! Adds up partial sums.

use super::{
    Binding::{Params, Read, ReadWrite},
    Context, Kernel,
};
use crate::program::Reduce;

pub(super) static KERNEL: Kernel = Kernel {
    name: "reduce",
    op: "reduce",
    source: include_str!("../../../shaders/reduce.wgsl"),
    shared: &[],
    constants: &[],
    bindings: &[Params, Read, ReadWrite],
    params: &["blocks", "weights", "count", "bias", "accumulate", "row"],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &Reduce, context: &mut Context) {
    let count = context.row_len(op.input);
    let (groups, row) = Context::grid(count, 64);
    let bias = (context.operand(op.bias_gradient).offset - context.operand(op.output).offset) / 4;
    let (blocks, weights) = (context.rows(op.input), context.len(op.output));
    let params = [blocks, weights, count, bias as u32, u32::from(op.accumulate), row];
    let operands = [context.operand(op.input), context.span(op.output, op.bias_gradient)];
    context.push(&KERNEL, params, operands, groups);
}
