//! Zeroes a random share of a tensor.

use super::{
    Binding::{Params, Read, ReadWrite, State},
    Context, Kernel, RANDOM, STATE,
};
use crate::program::Dropout;

pub(super) static KERNEL: Kernel = Kernel {
    name: "dropout",
    op: "dropout",
    source: include_str!("../../../shaders/dropout.wgsl"),
    shared: &[STATE, RANDOM],
    constants: &[],
    bindings: &[Params, State, Read, ReadWrite],
    params: &["width", "batch", "layer", "rate", "scale"],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &Dropout, context: &mut Context) {
    let width = context.row_len(op.output);
    let scale = 1.0 / (1.0 - op.rate);
    let params = [width, op.batch, op.layer, op.rate.to_bits(), scale.to_bits()];
    let operands = [op.state, op.input, op.output].map(|id| context.operand(id));
    context.push(&KERNEL, params, operands, [width.div_ceil(64), context.rows(op.output), 1]);
}
