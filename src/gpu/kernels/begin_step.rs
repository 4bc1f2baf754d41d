//! The counters of a step and the images of its batch.

use super::{
    Binding::{Read, ReadWrite},
    Context, Kernel, RANDOM, STATE,
    Value::{Bool, U32},
};
use crate::program::{BeginStep, Order};

pub(super) static KERNEL: Kernel = Kernel {
    name: "begin_step",
    op: "begin_step",
    source: include_str!("../../../shaders/begin_step.wgsl"),
    shared: &[STATE, RANDOM],
    bindings: &[ReadWrite, Read, Read, ReadWrite],
    params: &[
        ("batch", U32(1)),
        ("rows", U32(1)),
        ("micro_batch", U32(1)),
        ("slots", U32(1)),
        ("shuffled", Bool(true)),
        ("scheduled", Bool(true)),
    ],
    workgroup: [64, 1, 1],
};

pub(super) fn lower(op: &BeginStep, context: &mut Context) {
    let params = [
        U32(op.batch),
        U32(context.rows(op.samples)),
        U32(op.micro_batch),
        U32(op.slots),
        Bool(op.order == Order::Shuffled),
        Bool(op.schedule.is_some()),
    ];
    let [state, labels, samples] = [op.state, op.labels, op.samples].map(|id| context.operand(id));
    let operands = [state, context.optional(op.schedule), labels, samples];
    context.push(&KERNEL, params, operands, [1, 1, 1]);
}
