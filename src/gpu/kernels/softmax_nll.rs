//! Softmax, negative log-likelihood and its gradient.

use super::{
    Binding::{Read, ReadWrite, State},
    Context, EXPONENTIAL, Kernel, STATE,
    Value::{Bool, U32},
};
use crate::program::{Rows, SoftmaxNll};

pub(super) static KERNEL: Kernel = Kernel {
    name: "softmax_nll",
    op: "softmax_nll",
    source: include_str!("../../../shaders/softmax_nll.wgsl"),
    shared: &[STATE, EXPONENTIAL],
    bindings: &[State, Read, Read, ReadWrite, ReadWrite],
    params: &[("classes", U32(1)), ("gradient", Bool(true)), ("accumulate", Bool(false))],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &SoftmaxNll, context: &mut Context) {
    let params = [U32(context.row_len(op.logits)), Bool(op.result == Rows::Gradient), Bool(op.accumulate)];
    let operands = [op.state, op.logits, op.samples, op.metrics, op.output].map(|id| context.operand(id));
    context.push(&KERNEL, params, operands, [1, 1, 1]);
}
