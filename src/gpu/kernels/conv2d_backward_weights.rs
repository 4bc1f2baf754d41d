//! The gradients of a convolution's weights and bias.

use super::conv2d_forward::{Extra, FORM, SUBGROUP_CHANNELS as SUBGROUP_OUTPUTS, params};
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

pub(super) static SUBGROUP: Kernel = Kernel {
    name: "conv2d_backward_weights.subgroup",
    source: include_str!("../../../shaders/conv2d_backward_weights.subgroup.wgsl"),
    workgroup: [8, 1, 1],
    ..SIMPLE_FORM
};

/// Sums that an invocation keeps in registers, at most. For more, llvmpipe does not unroll the loops over the taps, and then
/// the whole loop becomes longer than it runs loops.
const MOST_TAPS: u32 = 25;

/// With subgroups, every place of a window takes as long as the chosen one: places, and inputs that they see, at most.
const MOST_PLACES: u32 = 4;
const MOST_SEEN: u32 = 64;

pub(super) fn lower(op: &Conv2dBackwardWeights, context: &mut Context) {
    let shape = |id| &context.program.tensor(id).shape;
    let (channels, outputs) = (shape(op.input)[1], shape(op.gradient)[1]);
    let Convolution { kernel, stride, pool, .. } = op.geometry;
    let in_registers = kernel[0] * kernel[1] <= MOST_TAPS;
    let [height, width] = [0, 1].map(|axis| (pool[axis] - 1).saturating_mul(stride[axis]).saturating_add(kernel[axis]));
    let few = pool[0] * pool[1] <= MOST_PLACES && height.saturating_mul(width) <= MOST_SEEN;
    let (kernel, count) = match context.class {
        Class::Subgroups if in_registers && few => (&SUBGROUP, channels * outputs.div_ceil(SUBGROUP_OUTPUTS) * 8),
        Class::Subgroups | Class::Software if in_registers => (&REGISTER, channels * outputs),
        _ => (&SIMPLE, context.row_len(op.output)),
    };
    // The third dimension is the block.
    let (groups, row) = Context::grid(count, kernel.workgroup[0]);
    let groups = [groups[0], groups[1], context.rows(op.output)];
    let params =
        params(context, &op.geometry, op.input, op.gradient, &Extra { block: op.block, row, ..Extra::default() });
    let operands = [op.state, op.input, op.gradient, op.choice, op.output].map(|id| context.operand(id));
    context.push(kernel, params, operands, groups);
}
