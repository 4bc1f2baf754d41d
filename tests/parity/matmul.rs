//! [`matmul`](mnist_gpu::program::Matmul) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::matmul::{Finish, Product, case};
use mnist_gpu::program::Form;

/// The layers of a perceptron on MNIST, forwards and backwards, with a partial batch.
const LAYERS: [Product; 4] = [
    Product { form: Form::Nt, size: [256, 128, 784], live: 250, finish: Finish::BiasRelu, accumulate: false },
    Product { form: Form::Nn, size: [256, 128, 10], live: 250, finish: Finish::Mask, accumulate: false },
    Product { form: Form::Tn, size: [128, 784, 256], live: 250, finish: Finish::BiasGradient, accumulate: false },
    Product { form: Form::Tn, size: [10, 128, 256], live: 256, finish: Finish::BiasGradient, accumulate: true },
];

pub(crate) const PARITY: Parity =
    Parity { op: "matmul", extra: |seed| LAYERS.map(|product| case(product, seed)).into() };
