//! [`conv2d_forward`](mnist_gpu::program::Conv2dForward) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::conv2d_forward::{Pass, case};
use mnist_gpu::check::cases::convolution::{Layer, Numbers};
use mnist_gpu::program::Convolution;

/// The first two layers of `cnn` in a partial batch.
const CNN: [Layer; 2] = [
    Layer {
        rows: 24,
        live: 23,
        input: [1, 28, 28],
        outputs: 24,
        geometry: Convolution { kernel: [5, 5], stride: [1, 1], padding: [0, 0], pool: [2, 2], pool_stride: [2, 2] },
    },
    Layer {
        rows: 24,
        live: 23,
        input: [24, 12, 12],
        outputs: 32,
        geometry: Convolution { kernel: [3, 3], stride: [1, 1], padding: [0, 0], pool: [2, 2], pool_stride: [2, 2] },
    },
];

/// Sums so long that the loops over what is kept in registers must have been unrolled: llvmpipe ends loops.
const DEEP: Layer = Layer {
    rows: 2,
    live: 2,
    input: [400, 6, 6],
    outputs: 3,
    geometry: Convolution { kernel: [5, 5], stride: [1, 1], padding: [0, 0], pool: [2, 2], pool_stride: [2, 2] },
};
/// The same with weights so few that they fit a uniform.
const DEEP_UNIFORM: Layer = Layer { outputs: 1, ..DEEP };

pub(crate) const PARITY: Parity = Parity {
    op: "conv2d_forward",
    extra: |seed| {
        let [first, second] = CNN.map(|layer| Pass { layer, numbers: Numbers::Floats, relu: true, choice: true });
        let [deep, uniform] =
            [DEEP, DEEP_UNIFORM].map(|layer| Pass { layer, numbers: Numbers::Integers, relu: false, choice: true });
        // Neither a uniform nor a choice.
        let evaluated = Pass { choice: false, ..deep };
        [first, second, deep, uniform, evaluated].map(|pass| case(pass, seed)).into()
    },
};
