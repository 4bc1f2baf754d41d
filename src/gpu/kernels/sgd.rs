//! Stochastic gradient descent.

use super::{
    Binding::{Read, ReadWrite, State},
    Context, Kernel, STATE,
    Value::{Bool, F32, U32},
};
use crate::program::Sgd;

const FORM: Kernel = Kernel {
    name: "sgd",
    op: "sgd",
    source: include_str!("../../../shaders/sgd.wgsl"),
    shared: &[STATE],
    bindings: &[State, Read, ReadWrite],
    params: &[("count", U32(1)), ("row", U32(1)), ("weight_decay", F32(0.01))],
    workgroup: [64, 1, 1],
};

pub(super) static PLAIN: Kernel = FORM;

pub(super) static MOMENTUM: Kernel = Kernel {
    name: "sgd.momentum",
    source: include_str!("../../../shaders/sgd.momentum.wgsl"),
    bindings: &[State, Read, ReadWrite, ReadWrite],
    params: &[
        ("count", U32(1)),
        ("row", U32(1)),
        ("momentum", F32(0.9)),
        ("weight_decay", F32(0.01)),
        ("nesterov", Bool(true)),
    ],
    ..FORM
};

pub(super) fn lower(op: &Sgd, context: &mut Context) {
    let count = context.len(op.parameters).div_ceil(4);
    let (groups, row) = Context::grid(count, 64);
    let [momentum, decay] = [op.momentum, op.weight_decay].map(|value| F32(value as f32));
    let [state, gradients, parameters] = [op.state, op.gradients, op.parameters].map(|id| context.operand(id));
    match op.velocity {
        None => context.push(&PLAIN, [U32(count), U32(row), decay], [state, gradients, parameters], groups),
        Some(velocity) => {
            let params = [U32(count), U32(row), momentum, decay, Bool(op.nesterov)];
            let operands = [state, gradients, parameters, context.operand(velocity)];
            context.push(&MOMENTUM, params, operands, groups);
        }
    }
}
