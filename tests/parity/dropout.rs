//! [`dropout`](mnist_gpu::program::Dropout) on every adapter.

use crate::Parity;
use mnist_gpu::check::cases::dropout::{Mask, case};

/// The features of `convnet` in a partial batch.
const CONVNET: Mask = Mask { size: [64, 50, 9_216], rate: 0.25, layer: 0, step: 77, offset: 640, batch: 64 };

pub(crate) const PARITY: Parity = Parity { op: "dropout", extra: |seed| vec![case(CONVNET, seed)] };
