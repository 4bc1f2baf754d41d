//! [`begin_step`](mnist_gpu::program::BeginStep) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::begin_step::{Step, case};
use mnist_gpu::program::Order;

/// The whole training set of MNIST in one batch: each image once, in the order of a late epoch.
const WHOLE_SET: Step = Step {
    count: 60_000,
    first: 10_000,
    batch: 60_000,
    rows: 32_768,
    micro_batch: 1,
    step: 1_000_003,
    order: Order::Shuffled,
    scheduled: true,
};

pub(crate) const PARITY: Parity = Parity {
    op: "begin_step",
    extra: |seed| vec![case(WHOLE_SET, seed), case(WHOLE_SET, u32::MAX), case(WHOLE_SET, 0)],
};
