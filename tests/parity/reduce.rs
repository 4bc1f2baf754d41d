//! [`reduce`](mnist_gpu::program::Reduce) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::convolution::Numbers;
use mnist_gpu::check::cases::reduce::case;

/// More workgroups than one dimension of a grid holds: the second row of the grid.
const BEYOND_ONE_ROW: usize = 65_535 * 64 + 1;

pub(crate) const PARITY: Parity =
    Parity { op: "reduce", extra: |seed| vec![case([2, BEYOND_ONE_ROW, 100], true, Numbers::Integers, seed)] };
