//! The gradients of a convolution's weights and bias.

use super::conv2d_forward::{Extra, FORM, params};
use super::{
    Binding::{Read, ReadWrite, State},
    Class, Context, Kernel,
};
use crate::program::{Conv2dBackwardWeights, Convolution};

const SIMPLE_FORM: Kernel = Kernel {
    name: "conv2d_backward_weights",
    op: "conv2d_backward_weights",
    source: include_str!("../../../shaders/conv2d_backward_weights.wgsl"),
    bindings: &[State, Read, Read, Read, ReadWrite],
    ..FORM
};

pub(super) static SIMPLE: Kernel = SIMPLE_FORM;

pub(super) static REGISTER: Kernel = Kernel {
    name: "conv2d_backward_weights.register",
    source: include_str!("../../../shaders/conv2d_backward_weights.register.wgsl"),
    workgroup: [8, 1, 1],
    ..SIMPLE_FORM
};

/// Sums that an invocation keeps in registers, at most. For more, llvmpipe does not unroll the loops over the taps, and then
/// the whole loop becomes longer than it runs loops.
const MOST_TAPS: u32 = 25;

pub(super) fn lower(op: &Conv2dBackwardWeights, context: &mut Context) {
    let shape = |id| &context.program.tensor(id).shape;
    let (channels, outputs) = (shape(op.input)[1], shape(op.gradient)[1]);
    let Convolution { kernel: [height, width], .. } = op.geometry;
    let in_registers = context.class != Class::Hardware && height * width <= MOST_TAPS;
    let (kernel, count) =
        if in_registers { (&REGISTER, channels * outputs) } else { (&SIMPLE, context.row_len(op.output)) };
    // The third dimension is the block.
    let (groups, row) = Context::grid(count, kernel.workgroup[0]);
    let groups = [groups[0], groups[1], context.rows(op.output)];
    let params =
        params(context, &op.geometry, op.input, op.gradient, &Extra { block: op.block, row, ..Extra::default() });
    let operands = [op.state, op.input, op.gradient, op.choice, op.output].map(|id| context.operand(id));
    context.push(kernel, params, operands, groups);
}
