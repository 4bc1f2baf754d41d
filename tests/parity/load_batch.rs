//! [`load_batch`](mnist_gpu::program::LoadBatch) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::load_batch::case;

pub(crate) const PARITY: Parity = Parity {
    op: "load_batch",
    // A full batch of MNIST from more images than it takes, and rows up to the limit of a grid.
    extra: |seed| vec![case([256, 256, 784, 10_000], seed), case([32_768, 32_001, 4, 300], seed)],
};
