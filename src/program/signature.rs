//! What decides how fast an op is, as a short text: its name and its shapes.

use super::{Convolution, Form, Matmul, Op, Program, TensorId};

impl Program {
    /// An op's name and shapes: `matmul nt 64×128×784`. Ops of one signature take the same time and the same kernels.
    pub fn signature(&self, op: &Op) -> String {
        let name = op.name();
        let shape = |id: TensorId| times(&self.tensor(id).shape);
        let convolution = |input: TensorId, output: TensorId, geometry: &Convolution| {
            let outputs = self.tensor(output).shape[1];
            let Convolution { kernel, stride, padding, pool, pool_stride } = geometry;
            let mut text = format!("{name} {} · {outputs}×{}", shape(input), times(kernel));
            for (word, extents, usual) in
                [("stride", stride, &[1; 2]), ("padding", padding, &[0; 2]), ("pool", pool, &[1; 2])]
            {
                if extents != usual {
                    text += &format!(" {word} {}", times(extents));
                }
            }
            if pool_stride != pool {
                text += &format!(" every {}", times(pool_stride));
            }
            text
        };
        match op {
            Op::Matmul(Matmul { form, a, output, .. }) => {
                let [rows, width] = [self.tensor(*a).rows(), self.tensor(*a).row_len()];
                let (form, k) = match form {
                    Form::Nt => ("nt", width),
                    Form::Nn => ("nn", width),
                    Form::Tn => ("tn", rows),
                };
                let output = self.tensor(*output);
                format!("{name} {form} {}×{}×{k}", output.rows(), output.row_len())
            }
            Op::Conv2dForward(op) => convolution(op.input, op.output, &op.geometry),
            Op::Conv2dBackwardInput(op) => convolution(op.output, op.gradient, &op.geometry),
            Op::Conv2dBackwardWeights(op) => convolution(op.input, op.gradient, &op.geometry),
            Op::InitUniform(op) => format!("{name} {}", shape(op.output)),
            Op::BeginStep(op) => format!("{name} {}", self.tensor(op.samples).rows()),
            Op::LoadBatch(op) => format!("{name} {}", shape(op.output)),
            Op::Dropout(op) => format!("{name} {}", shape(op.output)),
            Op::Reduce(op) => format!("{name} {}", shape(op.input)),
            Op::SoftmaxNll(op) => format!("{name} {}", shape(op.logits)),
            Op::Sgd(op) => format!("{name} {}", shape(op.parameters)),
            Op::Adam(op) => format!("{name} {}", shape(op.parameters)),
        }
    }
}

fn times(extents: &[u32]) -> String {
    extents.iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}
