//! [`softmax_nll`](mnist_gpu::program::SoftmaxNll) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::softmax_nll::{Batch, Logits, case};
use mnist_gpu::program::Rows;

/// The losses of a large batch: many rows for each invocation.
const LARGE: Batch =
    Batch { size: [10_000, 9_999, 10], logits: Logits::Within(8.0), result: Rows::Gradient, accumulate: true };

pub(crate) const PARITY: Parity = Parity { op: "softmax_nll", extra: |seed| vec![case(LARGE, seed)] };
