//! Stochastic gradient descent.

use super::{
    Binding::{Params, Read, ReadWrite, State},
    Context, Kernel, STATE,
};
use crate::program::Sgd;

const FORM: Kernel = Kernel {
    name: "sgd",
    op: "sgd",
    source: include_str!("../../../shaders/sgd.wgsl"),
    shared: &[STATE],
    constants: &[],
    bindings: &[Params, State, Read, ReadWrite],
    params: &["count", "row", "weight_decay"],
    workgroup: [64, 1, 1],
};

pub(super) static PLAIN: Kernel = FORM;

pub(super) static MOMENTUM: Kernel = Kernel {
    name: "sgd.momentum",
    source: include_str!("../../../shaders/sgd.momentum.wgsl"),
    bindings: &[Params, State, Read, ReadWrite, ReadWrite],
    params: &["count", "row", "momentum", "weight_decay", "nesterov"],
    ..FORM
};

pub(super) fn lower(op: &Sgd, context: &mut Context) {
    let count = context.len(op.parameters).div_ceil(4);
    let (groups, row) = Context::grid(count, 64);
    let [momentum, decay] = [op.momentum, op.weight_decay].map(|value| (value as f32).to_bits());
    let [state, gradients, parameters] = [op.state, op.gradients, op.parameters].map(|id| context.operand(id));
    match op.velocity {
        None => context.push(&PLAIN, [count, row, decay], [state, gradients, parameters], groups),
        Some(velocity) => {
            let params = [count, row, momentum, decay, u32::from(op.nesterov)];
            let operands = [state, gradients, parameters, context.operand(velocity)];
            context.push(&MOMENTUM, params, operands, groups);
        }
    }
}
