//! The gradients of a convolution's weights and bias.

use super::conv2d_forward::{Extra, FORM, params};
use super::{
    Binding::{Params, Read, ReadWrite, State},
    Class, Context, Kernel,
};
use crate::program::{Conv2dBackwardWeights, Convolution};

const SIMPLE_FORM: Kernel = Kernel {
    name: "conv2d_backward_weights",
    op: "conv2d_backward_weights",
    source: include_str!("../../../shaders/conv2d_backward_weights.wgsl"),
    bindings: &[Params, State, Read, Read, Read, ReadWrite],
    ..FORM
};

pub(super) static SIMPLE: Kernel = SIMPLE_FORM;

pub(super) static REGISTER: Kernel = Kernel {
    name: "conv2d_backward_weights.register",
    source: include_str!("../../../shaders/conv2d_backward_weights.register.wgsl"),
    constants: &[("KERNEL_HEIGHT", 3), ("KERNEL_WIDTH", 3), ("POOL_WIDTH", 2)],
    workgroup: [8, 1, 1],
    ..SIMPLE_FORM
};

/// Sums that an invocation keeps in registers, at most.
const MOST_TAPS: u32 = 64;

pub(super) fn lower(op: &Conv2dBackwardWeights, context: &mut Context) {
    let extra = Extra { block: op.block, ..Extra::default() };
    let params = params(context, &op.geometry, op.input, op.gradient, &extra);
    let operands = [op.state, op.input, op.gradient, op.choice, op.output].map(|id| context.operand(id));
    let blocks = context.rows(op.output);
    let Convolution { kernel: [height, width], pool, .. } = op.geometry;
    if context.profile.class == Class::Software && height * width <= MOST_TAPS {
        let [channels, _, _, outputs, ..] = params;
        let groups = [(channels * outputs).div_ceil(8), blocks, 1];
        context.push_with(&REGISTER, vec![height, width, pool[1]], params, operands, groups);
    } else {
        context.push(&SIMPLE, params, operands, [context.row_len(op.output).div_ceil(64), blocks, 1]);
    }
}
