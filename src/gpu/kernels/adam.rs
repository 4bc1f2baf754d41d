//! Adam and AdamW.

use super::{
    Binding::{Params, Read, ReadWrite, State},
    Context, Kernel, STATE,
};
use crate::program::Adam;

pub(super) static KERNEL: Kernel = Kernel {
    name: "adam",
    op: "adam",
    source: include_str!("../../../shaders/adam.wgsl"),
    shared: &[STATE],
    constants: &[],
    bindings: &[Params, State, Read, ReadWrite, ReadWrite, ReadWrite],
    params: &["count", "row", "beta1", "rest1", "beta2", "rest2", "epsilon", "penalty", "decay"],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &Adam, context: &mut Context) {
    let count = context.len(op.parameters).div_ceil(4);
    let (groups, row) = Context::grid(count, 64);
    let (penalty, decay) = if op.decoupled { (0.0, op.weight_decay) } else { (op.weight_decay, 0.0) };
    let [beta1, rest1, beta2, rest2, epsilon, penalty, decay] =
        [op.beta1, 1.0 - op.beta1, op.beta2, 1.0 - op.beta2, op.epsilon, penalty, decay]
            .map(|value| (value as f32).to_bits());
    let params = [count, row, beta1, rest1, beta2, rest2, epsilon, penalty, decay];
    let operands = [op.state, op.gradients, op.parameters, op.first_moment, op.second_moment];
    let operands = operands.map(|id| context.operand(id));
    context.push(&KERNEL, params, operands, groups);
}
