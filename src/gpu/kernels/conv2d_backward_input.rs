//! The gradient of a convolution's input.

use super::conv2d_forward::{CHANNELS, Extra, FORM, MOST_COLUMNS, SUBGROUP_CHANNELS, params, planes};
use super::{
    Binding::{Read, ReadWrite, State, Uniform},
    CONVOLUTION, Class, Context, Kernel, OUTER_PRODUCT, STATE, WEIGHTS,
};
use crate::program::{Conv2dBackwardInput, Convolution};

const SIMPLE_FORM: Kernel = Kernel {
    name: "conv2d_backward_input",
    op: "conv2d_backward_input",
    source: include_str!("../../../shaders/conv2d_backward_input.wgsl"),
    bindings: &[State, Read, Read, Read, ReadWrite],
    ..FORM
};

pub(super) static SIMPLE: Kernel = SIMPLE_FORM;

pub(super) static REGISTER: Kernel = Kernel {
    name: "conv2d_backward_input.register",
    source: include_str!("../../../shaders/conv2d_backward_input.register.wgsl"),
    shared: &[OUTER_PRODUCT, CONVOLUTION, STATE],
    workgroup: [8, 1, 1],
    ..SIMPLE_FORM
};

pub(super) static SUBGROUP: Kernel = Kernel {
    name: "conv2d_backward_input.subgroup",
    source: include_str!("../../../shaders/conv2d_backward_input.subgroup.wgsl"),
    shared: &[WEIGHTS, CONVOLUTION, STATE],
    bindings: &[State, Read, Read, Read, ReadWrite, Uniform],
    workgroup: [8, 1, 1],
    ..SIMPLE_FORM
};

pub(super) fn lower(op: &Conv2dBackwardInput, context: &mut Context) {
    let operands = [op.state, op.gradient, op.choice, op.weights, op.output].map(|id| context.operand(id));
    let [state, gradient, choice, weights, output] = operands;
    let (few_weights, uniform_vectors) = Context::uniform(weights);
    let extra = Extra { uniform_vectors, ..Extra::default() };
    let params = params(context, &op.geometry, op.output, op.gradient, &extra);
    let Convolution { kernel, stride, pool, pool_stride, .. } = op.geometry;
    let rows = context.rows(op.output);
    let [_, channels, height, width] = planes(context, op.output);
    let patches = (stride == [1, 1] && pool == pool_stride).then(|| height.div_ceil(2) * width.div_ceil(2));
    match (context.class, patches) {
        // A patch begins where a window does.
        (Class::Subgroups, Some(patches)) if kernel[1] <= MOST_COLUMNS && pool.iter().all(|side| 2 % side == 0) => {
            let groups = patches.div_ceil(8) * channels.div_ceil(SUBGROUP_CHANNELS);
            let operands = [state, gradient, choice, weights, output, few_weights];
            context.push(&SUBGROUP, params, operands, [groups, rows, 1]);
        }
        (Class::Subgroups | Class::Software, Some(patches)) => {
            let invocations = patches * channels.div_ceil(CHANNELS);
            context.push(&REGISTER, params, operands, [invocations.div_ceil(8), rows, 1]);
        }
        _ => context.push(&SIMPLE, params, operands, [context.row_len(op.output).div_ceil(64), rows, 1]),
    }
}
