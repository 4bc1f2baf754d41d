//! A convolution with bias, ReLU and max-pool.

use super::{
    Binding::{Read, ReadWrite, State, Uniform},
    CONVOLUTION, Class, Context, Kernel, OUTER_PRODUCT, STATE, Value,
    Value::{Bool, U32},
    WEIGHTS,
};
use crate::program::{Conv2dForward, Convolution, TensorId};

/// What the kernels of convolutions have in common.
pub(super) const FORM: Kernel = Kernel {
    name: "",
    op: "",
    source: "",
    shared: &[CONVOLUTION, STATE],
    bindings: &[],
    params: &[
        ("channels", U32(8)),
        ("height", U32(8)),
        ("width", U32(8)),
        ("outputs", U32(8)),
        ("kernel_height", U32(3)),
        ("kernel_width", U32(3)),
        ("stride_y", U32(1)),
        ("stride_x", U32(1)),
        ("padding_y", U32(0)),
        ("padding_x", U32(0)),
        ("pool_height", U32(2)),
        ("pool_width", U32(2)),
        ("pool_stride_y", U32(2)),
        ("pool_stride_x", U32(2)),
        ("pooled_height", U32(3)),
        ("pooled_width", U32(3)),
        ("bias", U32(576)),
        ("relu", Bool(true)),
        ("keep", Bool(true)),
        ("block", U32(1)),
        ("row", U32(1)),
        ("uniform_vectors", U32(146)),
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
    pub uniform_vectors: u32,
}

/// The shape of planes: rows, channels, height, width.
pub(super) fn planes(context: &Context, id: TensorId) -> [u32; 4] {
    context.program.tensor(id).shape[..].try_into().expect("valid programs have four dimensions here")
}

/// The parameters of a kernel, from the geometry and the shapes of its planes.
pub(super) fn params(
    context: &Context,
    geometry: &Convolution,
    input: TensorId,
    output: TensorId,
    extra: &Extra,
) -> [Value; 22] {
    let [_, channels, height, width] = planes(context, input);
    let [_, outputs, pooled_height, pooled_width] = planes(context, output);
    let Convolution { kernel, stride, padding, pool, pool_stride } = geometry;
    [
        U32(channels),
        U32(height),
        U32(width),
        U32(outputs),
        U32(kernel[0]),
        U32(kernel[1]),
        U32(stride[0]),
        U32(stride[1]),
        U32(padding[0]),
        U32(padding[1]),
        U32(pool[0]),
        U32(pool[1]),
        U32(pool_stride[0]),
        U32(pool_stride[1]),
        U32(pooled_height),
        U32(pooled_width),
        U32(extra.bias),
        Bool(extra.relu),
        Bool(extra.keep),
        U32(extra.block),
        U32(extra.row),
        U32(extra.uniform_vectors),
    ]
}

const SIMPLE_FORM: Kernel = Kernel {
    name: "conv2d_forward",
    op: "conv2d_forward",
    source: include_str!("../../../shaders/conv2d_forward.wgsl"),
    bindings: &[State, Read, Read, ReadWrite, ReadWrite],
    ..FORM
};

pub(super) static SIMPLE: Kernel = SIMPLE_FORM;

/// Channels whose sums an invocation keeps in registers, without and with subgroups.
pub(super) const CHANNELS: u32 = 8;
pub(super) const SUBGROUP_CHANNELS: u32 = 16;

/// Columns of a kernel, at most, for the forms with subgroups: llvmpipe unrolls loops over no more, and what an index of a
/// loop reaches it keeps in memory.
pub(super) const MOST_COLUMNS: u32 = 5;

pub(super) static REGISTER: Kernel = Kernel {
    name: "conv2d_forward.register",
    source: include_str!("../../../shaders/conv2d_forward.register.wgsl"),
    shared: &[OUTER_PRODUCT, CONVOLUTION, STATE],
    workgroup: [8, 1, 1],
    ..SIMPLE_FORM
};

pub(super) static SUBGROUP: Kernel = Kernel {
    name: "conv2d_forward.subgroup",
    source: include_str!("../../../shaders/conv2d_forward.subgroup.wgsl"),
    shared: &[WEIGHTS, CONVOLUTION, STATE],
    bindings: &[State, Read, Read, ReadWrite, ReadWrite, Uniform],
    workgroup: [8, 1, 1],
    ..SIMPLE_FORM
};

pub(super) fn lower(op: &Conv2dForward, context: &mut Context) {
    let bias = (context.operand(op.bias).offset - context.operand(op.weights).offset) / 4;
    let [state, input, output] = [op.state, op.input, op.output].map(|id| context.operand(id));
    let weights = context.span(op.weights, op.bias);
    let (few_weights, uniform_vectors) = Context::uniform(weights);
    let keep = op.choice.is_some();
    let extra = Extra { bias: bias as u32, relu: op.relu, keep, uniform_vectors, ..Extra::default() };
    let params = params(context, &op.geometry, op.input, op.output, &extra);
    let choice = context.optional(op.choice);
    let operands = [state, input, weights, output, choice];
    let Convolution { kernel, stride, pool, pool_stride, .. } = op.geometry;
    let rows = context.rows(op.output);
    let [_, outputs, height, width] = planes(context, op.output);
    let patches = match (pool, pool_stride) {
        ([2, 2], [2, 2]) => Some(height * width),
        ([1, 1], [1, 1]) => Some(height.div_ceil(2) * width.div_ceil(2)),
        _ => None,
    };
    match (context.class, patches) {
        (Class::Subgroups, Some(patches)) if stride[1] <= kernel[1] && kernel[1] <= MOST_COLUMNS => {
            let groups = patches.div_ceil(8) * outputs.div_ceil(SUBGROUP_CHANNELS);
            let operands = [state, input, weights, output, choice, few_weights];
            context.push(&SUBGROUP, params, operands, [groups, rows, 1]);
        }
        (Class::Subgroups | Class::Software, Some(patches)) => {
            let invocations = patches * outputs.div_ceil(CHANNELS);
            context.push(&REGISTER, params, operands, [invocations.div_ceil(8), rows, 1]);
        }
        _ => context.push(&SIMPLE, params, operands, [context.row_len(op.output).div_ceil(64), rows, 1]),
    }
}
