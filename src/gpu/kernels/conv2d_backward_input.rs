//! The gradient of a convolution's input.

use super::conv2d_forward::{Extra, FORM, params};
use super::{
    Binding::{Params, Read, ReadWrite, State},
    Context, Kernel,
};
use crate::program::Conv2dBackwardInput;

pub(super) static SIMPLE: Kernel = Kernel {
    name: "conv2d_backward_input",
    op: "conv2d_backward_input",
    source: include_str!("../../../shaders/conv2d_backward_input.wgsl"),
    bindings: &[Params, State, Read, Read, Read, ReadWrite],
    ..FORM
};

pub(super) fn lower(op: &Conv2dBackwardInput, context: &mut Context) {
    let params = params(context, &op.geometry, op.output, op.gradient, &Extra::default());
    let operands = [op.state, op.gradient, op.choice, op.weights, op.output].map(|id| context.operand(id));
    let groups = [context.row_len(op.output).div_ceil(64), context.rows(op.output), 1];
    context.push(&SIMPLE, params, operands, groups);
}
