//! [`adam`](mnist_gpu::program::Adam) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::adam::case;

pub(crate) const PARITY: Parity = Parity {
    op: "adam",
    // Half a million parameters: what a small network has.
    extra: |seed| vec![case(500_032, 1, 1e-4, false, seed), case(500_032, 10_000, 1e-2, true, seed)],
};
