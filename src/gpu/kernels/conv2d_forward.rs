//! A convolution with bias, ReLU and max-pool.

use super::{
    Binding::{Params, Read, ReadWrite, State},
    CONVOLUTION, Class, Context, Kernel, OUTER_PRODUCT, STATE,
};
use crate::program::{Conv2dForward, Convolution, TensorId};

/// What the kernels of convolutions have in common.
pub(super) const FORM: Kernel = Kernel {
    name: "",
    op: "",
    source: "",
    shared: &[CONVOLUTION, STATE],
    constants: &[],
    bindings: &[],
    params: &[
        "channels",
        "height",
        "width",
        "outputs",
        "kernel_height",
        "kernel_width",
        "stride_y",
        "stride_x",
        "padding_y",
        "padding_x",
        "pool_height",
        "pool_width",
        "pool_stride_y",
        "pool_stride_x",
        "pooled_height",
        "pooled_width",
        "bias",
        "relu",
        "keep",
        "block",
        "row",
    ],
    workgroup: [64, 1, 1],
};

/// What one kernel needs beyond the geometry.
#[derive(Default)]
pub(super) struct Extra {
    pub bias: u32,
    pub relu: bool,
    pub keep: bool,
    pub block: u32,
    pub row: u32,
}

/// The parameters of a kernel, from the geometry and the shapes of its planes.
pub(super) fn params(
    context: &Context,
    geometry: &Convolution,
    input: TensorId,
    output: TensorId,
    extra: &Extra,
) -> [u32; 21] {
    let shape = |id: TensorId| -> [u32; 4] {
        context.program.tensor(id).shape[..].try_into().expect("valid programs have four dimensions here")
    };
    let [_, channels, height, width] = shape(input);
    let [_, outputs, pooled_height, pooled_width] = shape(output);
    let Convolution { kernel, stride, padding, pool, pool_stride } = geometry;
    [
        channels,
        height,
        width,
        outputs,
        kernel[0],
        kernel[1],
        stride[0],
        stride[1],
        padding[0],
        padding[1],
        pool[0],
        pool[1],
        pool_stride[0],
        pool_stride[1],
        pooled_height,
        pooled_width,
        extra.bias,
        u32::from(extra.relu),
        u32::from(extra.keep),
        extra.block,
        extra.row,
    ]
}

const SIMPLE_FORM: Kernel = Kernel {
    name: "conv2d_forward",
    op: "conv2d_forward",
    source: include_str!("../../../shaders/conv2d_forward.wgsl"),
    bindings: &[Params, State, Read, Read, ReadWrite, ReadWrite],
    ..FORM
};

pub(super) static SIMPLE: Kernel = SIMPLE_FORM;

/// Channels whose sums an invocation keeps in registers.
const CHANNELS: u32 = 8;

pub(super) static REGISTER: Kernel = Kernel {
    name: "conv2d_forward.register",
    source: include_str!("../../../shaders/conv2d_forward.register.wgsl"),
    shared: &[OUTER_PRODUCT, CONVOLUTION, STATE],
    workgroup: [8, 1, 1],
    ..SIMPLE_FORM
};

pub(super) fn lower(op: &Conv2dForward, context: &mut Context) {
    let bias = (context.operand(op.bias).offset - context.operand(op.weights).offset) / 4;
    let extra = Extra { bias: bias as u32, relu: op.relu, keep: op.choice.is_some(), ..Extra::default() };
    let params = params(context, &op.geometry, op.input, op.output, &extra);
    let [state, input, output] = [op.state, op.input, op.output].map(|id| context.operand(id));
    let weights = context.span(op.weights, op.bias);
    let choice = context.optional(op.choice);
    let operands = [state, input, weights, output, choice];
    let Convolution { pool, pool_stride, .. } = op.geometry;
    let rows = context.rows(op.output);
    let patches = match (pool, pool_stride) {
        ([2, 2], [2, 2]) => Some(params[14] * params[15]),
        ([1, 1], [1, 1]) => Some(params[14].div_ceil(2) * params[15].div_ceil(2)),
        _ => None,
    };
    match (context.profile.class, patches) {
        (Class::Software, Some(patches)) => {
            let invocations = patches * params[3].div_ceil(CHANNELS);
            context.push(&REGISTER, params, operands, [invocations.div_ceil(8), rows, 1]);
        }
        _ => context.push(&SIMPLE, params, operands, [context.row_len(op.output).div_ceil(64), rows, 1]),
    }
}
