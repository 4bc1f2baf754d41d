//! How much an op does at the least: what time is held against.

use super::{Access, Conv2dForward, Convolution, Form, Matmul, Op, Program, Role, TensorId};
use serde::{Deserialize, Serialize};

/// Arithmetic and traffic of one run of an op.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Floating-point operations, a multiply-add as two. Of a convolution's backward pass only those that follow the
    /// places which the pool chose; none are counted for what is not a product.
    pub flops: f64,
    /// Bytes that must be read and written at least, each once.
    pub bytes: f64,
}

impl Work {
    /// Of one op of a program, with a full batch.
    pub fn of(program: &Program, op: &Op) -> Self {
        let len = |id: TensorId| program.tensor(id).len() as f64;
        let taps = |id: TensorId, geometry: &Convolution| {
            f64::from(program.tensor(id).shape[1]) * f64::from(geometry.kernel[0]) * f64::from(geometry.kernel[1])
        };
        let flops = match op {
            Op::Matmul(Matmul { form, a, output, .. }) => {
                let a = program.tensor(*a);
                let k = if *form == Form::Tn { a.rows() } else { a.row_len() };
                2.0 * len(*output) * k as f64
            }
            Op::Conv2dForward(Conv2dForward { input, output, geometry, .. }) => {
                let input_shape = &program.tensor(*input).shape;
                let convolved = geometry.convolved([input_shape[2], input_shape[3]]).unwrap_or_default();
                let planes = program.tensor(*output).shape[..2].iter().copied().map(f64::from).product::<f64>();
                2.0 * planes * f64::from(convolved[0]) * f64::from(convolved[1]) * taps(*input, geometry)
            }
            Op::Conv2dBackwardInput(op) => 2.0 * len(op.gradient) * taps(op.output, &op.geometry),
            Op::Conv2dBackwardWeights(op) => 2.0 * len(op.gradient) * taps(op.input, &op.geometry),
            _ => 0.0,
        };
        let bytes = op.operands().into_iter().map(|(_, id, access)| {
            let tensor = program.tensor(id);
            let bytes = match (op, tensor.role) {
                // Of all images, a batch; of labels, schedule and metrics a few numbers.
                (Op::LoadBatch(op), Role::Data) => len(op.output),
                (_, Role::Data | Role::State | Role::Metrics) => 0.0,
                _ => tensor.bytes() as f64,
            };
            if access == Access::Update { 2.0 * bytes } else { bytes }
        });
        Self { flops, bytes: bytes.sum() }
    }
}
