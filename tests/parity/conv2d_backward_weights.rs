//! [`conv2d_backward_weights`](mnist_gpu::program::Conv2dBackwardWeights) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::conv2d_backward_weights::case;
use mnist_gpu::check::cases::convolution::{Layer, Numbers};
use mnist_gpu::program::Convolution;

/// The second layer of `cnn` in a partial batch.
const CNN: Layer = Layer {
    rows: 40,
    live: 37,
    input: [24, 12, 12],
    outputs: 32,
    geometry: Convolution { kernel: [3, 3], stride: [1, 1], padding: [0, 0], pool: [2, 2], pool_stride: [2, 2] },
};

/// More workgroups than one dimension of a grid holds, in every variant.
const WIDE: Layer = Layer {
    rows: 2,
    live: 2,
    input: [32_769, 3, 3],
    outputs: 17,
    geometry: Convolution { kernel: [3, 3], stride: [1, 1], padding: [0, 0], pool: [1, 1], pool_stride: [1, 1] },
};

pub(crate) const PARITY: Parity = Parity {
    op: "conv2d_backward_weights",
    extra: |seed| vec![case(CNN, 16, Numbers::Floats, seed), case(WIDE, 16, Numbers::Integers, seed)],
};
