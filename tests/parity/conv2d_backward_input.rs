//! [`conv2d_backward_input`](mnist_gpu::program::Conv2dBackwardInput) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::conv2d_backward_input::case;
use mnist_gpu::check::cases::convolution::{Layer, Numbers};
use mnist_gpu::program::Convolution;

/// The second layer of `cnn` in a partial batch.
const CNN: Layer = Layer {
    rows: 24,
    live: 23,
    input: [24, 12, 12],
    outputs: 32,
    geometry: Convolution { kernel: [3, 3], stride: [1, 1], padding: [0, 0], pool: [2, 2], pool_stride: [2, 2] },
};

/// Sums so long that the loops over what is kept in registers must have been unrolled: llvmpipe ends loops.
const DEEP: Layer = Layer {
    rows: 2,
    live: 2,
    input: [3, 6, 6],
    outputs: 400,
    geometry: Convolution { kernel: [5, 5], stride: [1, 1], padding: [0, 0], pool: [2, 2], pool_stride: [2, 2] },
};
/// The same with weights so few that they fit a uniform.
const DEEP_UNIFORM: Layer = Layer { input: [1, 6, 6], ..DEEP };

pub(crate) const PARITY: Parity = Parity {
    op: "conv2d_backward_input",
    extra: |seed| {
        let deep = [DEEP, DEEP_UNIFORM].map(|layer| case(layer, Numbers::Integers, seed));
        [vec![case(CNN, Numbers::Floats, seed)], deep.into()].concat()
    },
};
