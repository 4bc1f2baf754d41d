//! Adam and AdamW.

use super::{
    Binding::{Read, ReadWrite, State},
    Context, Kernel, STATE,
    Value::{F32, U32},
};
use crate::program::Adam;

pub(super) static KERNEL: Kernel = Kernel {
    name: "adam",
    op: "adam",
    source: include_str!("../../../shaders/adam.wgsl"),
    shared: &[STATE],
    bindings: &[State, Read, ReadWrite, ReadWrite, ReadWrite],
    params: &[
        ("count", U32(1)),
        ("row", U32(1)),
        ("beta1", F32(0.9)),
        ("rest1", F32(0.1)),
        ("beta2", F32(0.999)),
        ("rest2", F32(0.001)),
        ("epsilon", F32(1e-8)),
        ("penalty", F32(0.0)),
        ("decay", F32(0.01)),
    ],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &Adam, context: &mut Context) {
    let count = context.len(op.parameters).div_ceil(4);
    let (groups, row) = Context::grid(count, 64);
    let (penalty, decay) = if op.decoupled { (0.0, op.weight_decay) } else { (op.weight_decay, 0.0) };
    let [beta1, rest1, beta2, rest2, epsilon, penalty, decay] =
        [op.beta1, 1.0 - op.beta1, op.beta2, 1.0 - op.beta2, op.epsilon, penalty, decay].map(|value| F32(value as f32));
    let params = [U32(count), U32(row), beta1, rest1, beta2, rest2, epsilon, penalty, decay];
    let operands = [op.state, op.gradients, op.parameters, op.first_moment, op.second_moment];
    let operands = operands.map(|id| context.operand(id));
    context.push(&KERNEL, params, operands, groups);
}
