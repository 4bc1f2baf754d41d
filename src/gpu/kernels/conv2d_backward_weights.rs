//! The gradients of a convolution's weights and bias.

use super::conv2d_forward::{Extra, FORM, params};
use super::{
    Binding::{Params, Read, ReadWrite, State},
    Context, Kernel,
};
use crate::program::Conv2dBackwardWeights;

pub(super) static SIMPLE: Kernel = Kernel {
    name: "conv2d_backward_weights",
    op: "conv2d_backward_weights",
    source: include_str!("../../../shaders/conv2d_backward_weights.wgsl"),
    bindings: &[Params, State, Read, Read, Read, ReadWrite],
    ..FORM
};

pub(super) fn lower(op: &Conv2dBackwardWeights, context: &mut Context) {
    let extra = Extra { block: op.block, ..Extra::default() };
    let params = params(context, &op.geometry, op.input, op.gradient, &extra);
    let operands = [op.state, op.input, op.gradient, op.choice, op.output].map(|id| context.operand(id));
    let groups = [context.row_len(op.output).div_ceil(64), context.rows(op.output), 1];
    context.push(&SIMPLE, params, operands, groups);
}
