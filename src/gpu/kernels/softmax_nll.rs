//! Softmax, negative log-likelihood and its gradient.

use super::{
    Binding::{Params, Read, ReadWrite, State},
    Context, EXPONENTIAL, Kernel, STATE,
};
use crate::program::{Rows, SoftmaxNll};

pub(super) static KERNEL: Kernel = Kernel {
    name: "softmax_nll",
    op: "softmax_nll",
    source: include_str!("../../../shaders/softmax_nll.wgsl"),
    shared: &[STATE, EXPONENTIAL],
    constants: &[],
    bindings: &[Params, State, Read, Read, ReadWrite, ReadWrite],
    params: &["classes", "gradient", "accumulate"],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &SoftmaxNll, context: &mut Context) {
    let params = [context.row_len(op.logits), u32::from(op.result == Rows::Gradient), u32::from(op.accumulate)];
    let operands = [op.state, op.logits, op.samples, op.metrics, op.output].map(|id| context.operand(id));
    context.push(&KERNEL, params, operands, [1, 1, 1]);
}
