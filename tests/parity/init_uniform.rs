//! [`init_uniform`](mnist_gpu::program::InitUniform) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::init_uniform::case;

/// More workgroups than one dimension of a grid holds: the second row of the grid.
const BEYOND_ONE_ROW: usize = 65_535 * 64 + 1;

pub(crate) const PARITY: Parity =
    Parity { op: "init_uniform", extra: |seed| vec![case(BEYOND_ONE_ROW, 0.05, 2, seed)] };
