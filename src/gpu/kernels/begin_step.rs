//! The counters of a step and the images of its batch.

use super::{
    Binding::{Params, Read, ReadWrite},
    Context, Kernel, RANDOM, STATE,
};
use crate::program::{BeginStep, Order};

pub(super) static KERNEL: Kernel = Kernel {
    name: "begin_step",
    op: "begin_step",
    source: include_str!("../../../shaders/begin_step.wgsl"),
    shared: &[STATE, RANDOM],
    constants: &[],
    bindings: &[Params, ReadWrite, Read, Read, ReadWrite],
    params: &["batch", "rows", "micro_batch", "slots", "shuffled", "scheduled"],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &BeginStep, context: &mut Context) {
    let params = [
        op.batch,
        context.rows(op.samples),
        op.micro_batch,
        op.slots,
        u32::from(op.order == Order::Shuffled),
        u32::from(op.schedule.is_some()),
    ];
    let [state, labels, samples] = [op.state, op.labels, op.samples].map(|id| context.operand(id));
    let operands = [state, context.optional(op.schedule), labels, samples];
    context.push(&KERNEL, params, operands, [1, 1, 1]);
}
