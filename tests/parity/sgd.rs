//! [`sgd`](mnist_gpu::program::Sgd) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::sgd::case;

pub(crate) const PARITY: Parity = Parity {
    op: "sgd",
    // Half a million parameters: what a small network has.
    extra: |seed| vec![case(500_032, 0.0, false, 1e-4, seed), case(500_032, 0.9, true, 1e-4, seed)],
};
