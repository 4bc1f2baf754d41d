//! The one check of a program's form, so that devices may trust what they are given.
//!
//! A program is held to the limits that WebGPU guarantees everywhere, whatever the adapter at hand can do.

use super::{
    Access, BeginStep, Conv2dBackwardInput, Conv2dBackwardWeights, Conv2dForward, Convolution, Dropout, Element, Form,
    InitUniform, LoadBatch, Matmul, Op, Ports, Program, Reduce, SoftmaxNll, Tensor, TensorId, View,
};
use crate::{Error, Result};
use std::collections::HashSet;

/// Bytes of one storage binding that every WebGPU device takes.
pub const BINDING_BYTES: usize = 128 << 20;

impl Program {
    /// Checks that every tensor, shape, range and alias is in order.
    pub fn validate(&self) -> Result<()> {
        let mut names = HashSet::new();
        for tensor in &self.tensors {
            check_size(tensor)?;
            if !names.insert(&tensor.name) {
                return Err(fail(&tensor.name, "two tensors have this name"));
            }
        }
        for tensor in &self.tensors {
            self.check_view(tensor)?;
        }
        self.check_ports()?;
        for (list, ops) in [("init", &self.init), ("train_step", &self.train_step), ("eval_step", &self.eval_step)] {
            for (index, op) in ops.iter().enumerate() {
                self.check_op(op).map_err(|problem| fail(&format!("{list}[{index}] {}", op.name()), &problem))?;
            }
        }
        Ok(())
    }

    fn check_view(&self, tensor: &Tensor) -> Result<()> {
        let Some(View { of, offset }) = tensor.view else { return Ok(()) };
        let Some(owner) = self.tensors.get(of.index()) else {
            return Err(fail(&tensor.name, "is a view of a tensor that is not there"));
        };
        if owner.view.is_some() || owner.element != tensor.element {
            return Err(fail(&tensor.name, "is a view of a view, or of other elements"));
        }
        let ends_within = offset.checked_add(tensor.bytes()).is_some_and(|end| end <= owner.bytes());
        if !offset.is_multiple_of(Tensor::ALIGNMENT) || !ends_within {
            return Err(fail(&tensor.name, &format!("lies at offset {offset} of {} bytes", owner.bytes())));
        }
        Ok(())
    }

    fn check_ports(&self) -> Result<()> {
        let Ports { images, labels, schedule, parameters, gradients, moments, train, eval, log_probabilities } =
            &self.ports;
        let phases = [train, eval].into_iter().flat_map(|phase| [phase.state, phase.metrics]);
        let ports = [*images, *labels, *schedule, *parameters, *gradients, *log_probabilities];
        let mut all = ports.into_iter().chain(moments.iter().copied()).chain(phases);
        match all.find(|id| id.index() >= self.tensors.len()) {
            Some(id) => Err(fail("ports", &format!("one is tensor {}, of {}", id.0, self.tensors.len()))),
            None => Ok(()),
        }
    }

    fn check_op(&self, op: &Op) -> Result<(), String> {
        let operands = op.operands();
        for (name, id, _) in &operands {
            if id.index() >= self.tensors.len() {
                return Err(format!("{name} is tensor {}, of {}", id.0, self.tensors.len()));
            }
        }
        for (index, (name, id, access)) in operands.iter().enumerate() {
            for (other, other_id, other_access) in &operands[..index] {
                let (owner, start, bytes) = self.place(*id);
                let (other_owner, other_start, other_bytes) = self.place(*other_id);
                let reads_only = *access == Access::Read && *other_access == Access::Read;
                let writes_apart = *access != Access::Read
                    && *other_access != Access::Read
                    && (start + bytes <= other_start || other_start + other_bytes <= start);
                if owner == other_owner && !reads_only && !writes_apart {
                    return Err(format!("{name} and {other} share memory that the op writes"));
                }
            }
        }
        self.check_shapes(op)
    }

    fn check_shapes(&self, op: &Op) -> Result<(), String> {
        let want = |name: &str, id: TensorId, shape: &[usize], element: Element| {
            let tensor = self.tensor(id);
            let found: Vec<usize> = if shape.len() == 2 {
                vec![tensor.rows(), tensor.row_len()]
            } else {
                vec![tensor.shape.iter().map(|&extent| extent as usize).product()]
            };
            if found == shape && tensor.element == element {
                Ok(())
            } else {
                Err(format!(
                    "{name} must be {element:?} {shape:?}, but {} is {:?} {:?}",
                    tensor.name, tensor.element, tensor.shape
                ))
            }
        };
        let state_words = size_of::<super::State>() / 4;
        for (name, id, _) in op.operands().iter().filter(|(name, ..)| *name == "state") {
            want(name, *id, &[state_words], Element::U32)?;
        }
        let rows = |id: TensorId| self.tensor(id).rows();
        let row_len = |id: TensorId| self.tensor(id).row_len();
        match op {
            Op::InitUniform(InitUniform { output, .. }) => {
                want("output", *output, &[self.tensor(*output).len()], Element::F32)
            }
            Op::BeginStep(BeginStep { schedule, batch, micro_batch, slots, labels, samples, .. }) => {
                if *batch == 0 || *slots == 0 {
                    return Err("batch and slots must be at least 1".into());
                }
                if u64::from(*micro_batch) * rows(*samples) as u64 >= u64::from(*batch) {
                    return Err(format!("micro-batch {micro_batch} begins beyond the batch of {batch}"));
                }
                want("labels", *labels, &[rows(*labels)], Element::U8)?;
                want("samples", *samples, &[rows(*samples), 2], Element::U32)?;
                schedule.map_or(Ok(()), |id| want("schedule", id, &[rows(id), 4], Element::F32))
            }
            Op::LoadBatch(LoadBatch { images, samples, output, .. }) => {
                want("images", *images, &[rows(*images), row_len(*output)], Element::U8)?;
                want("samples", *samples, &[rows(*output), 2], Element::U32)?;
                want("output", *output, &[rows(*output), row_len(*output)], Element::F32)
            }
            Op::Conv2dForward(Conv2dForward { input, weights, bias, output, choice, geometry, .. }) => {
                let shapes = self.check_convolution(geometry, *input, *weights, *output)?;
                want("bias", *bias, &[shapes.outputs], Element::F32)?;
                if !self.lies_behind(*bias, *weights) {
                    return Err("bias must lie behind the weights in the same tensor".into());
                }
                choice.map_or(Ok(()), |id| want("choice", id, &shapes.output, Element::U32))
            }
            Op::Conv2dBackwardInput(Conv2dBackwardInput { gradient, choice, weights, output, geometry, .. }) => {
                let shapes = self.check_convolution(geometry, *output, *weights, *gradient)?;
                want("choice", *choice, &shapes.output, Element::U32)
            }
            Op::Conv2dBackwardWeights(op) => {
                let Conv2dBackwardWeights { input, gradient, choice, output, geometry, block, .. } = op;
                self.check_planes(geometry, *input, *gradient)?;
                let [outputs, channels] = [*gradient, *input].map(|id| self.tensor(id).shape[1] as usize);
                // A product that is no number is no tensor's either.
                let taps = geometry.kernel.iter().fold(channels, |taps, &extent| taps.saturating_mul(extent as usize));
                if *block == 0 {
                    return Err("a block has at least one image".into());
                }
                let blocks = rows(*input).div_ceil(*block as usize);
                want("output", *output, &[blocks, outputs.saturating_mul(taps.saturating_add(1))], Element::F32)?;
                want("choice", *choice, &[rows(*gradient), row_len(*gradient)], Element::U32)
            }
            Op::Reduce(Reduce { input, output, bias_gradient, .. }) => {
                let (weights, bias) = (self.tensor(*output).len(), self.tensor(*bias_gradient).len());
                want("input", *input, &[rows(*input), weights + bias], Element::F32)?;
                want("output", *output, &[weights], Element::F32)?;
                want("bias_gradient", *bias_gradient, &[bias], Element::F32)?;
                if self.lies_behind(*bias_gradient, *output) {
                    Ok(())
                } else {
                    Err("bias_gradient must lie behind the output in the same tensor".into())
                }
            }
            Op::Dropout(Dropout { input, output, rate, batch, .. }) => {
                if !(0.0..1.0).contains(rate) || *batch == 0 {
                    return Err(format!("rate {rate} or batch {batch} is out of range"));
                }
                want("input", *input, &[rows(*output), row_len(*output)], Element::F32)?;
                want("output", *output, &[rows(*output), row_len(*output)], Element::F32)
            }
            Op::Matmul(op) => self.check_matmul(op, want),
            Op::SoftmaxNll(SoftmaxNll { logits, samples, metrics, output, .. }) => {
                let shape = [rows(*logits), row_len(*logits)];
                want("logits", *logits, &shape, Element::F32)?;
                want("samples", *samples, &[shape[0], 2], Element::U32)?;
                want("metrics", *metrics, &[rows(*metrics), 2], Element::F32)?;
                want("output", *output, &shape, Element::F32)
            }
            Op::Sgd(_) | Op::Adam(_) => {
                let operands = op.operands();
                let n = self.tensor(operands[1].1).len();
                operands[1..].iter().try_for_each(|(name, id, _)| want(name, *id, &[n], Element::F32))
            }
        }
    }

    fn lies_behind(&self, last: TensorId, first: TensorId) -> bool {
        let ((owner, start, bytes), (last_owner, last_start, _)) = (self.place(first), self.place(last));
        owner == last_owner && last_start >= start + bytes
    }

    /// The planes of a convolution: its input and what it puts out.
    fn check_planes(&self, geometry: &Convolution, input: TensorId, output: TensorId) -> Result<(), String> {
        let [input, output] = [self.tensor(input), self.tensor(output)];
        let [rows, _, height, width] = input.shape[..] else {
            return Err(format!("{} must have four dimensions, but has {:?}", input.name, input.shape));
        };
        if input.element != Element::F32 {
            return Err(format!("{} must be F32, but is {:?}", input.name, input.element));
        }
        let Convolution { kernel, stride, padding, pool, pool_stride } = geometry;
        if [kernel, stride, pool, pool_stride].into_iter().flatten().any(|&extent| extent == 0)
            || (0..2).any(|axis| padding[axis] >= kernel[axis])
        {
            return Err(format!("no usable geometry: {geometry:?}"));
        }
        let expected = geometry.output([height, width]);
        let found = match output.shape[..] {
            [_, _, height, width] => Some([height, width]),
            _ => None,
        };
        if found.is_none() || found != expected || output.shape[0] != rows || output.element != Element::F32 {
            let (name, shape) = (&output.name, &output.shape);
            return Err(format!("{name} must be {rows} rows of planes of {expected:?}, but is {shape:?}"));
        }
        Ok(())
    }

    fn check_convolution(
        &self,
        geometry: &Convolution,
        input: TensorId,
        weights: TensorId,
        output: TensorId,
    ) -> Result<Convolved, String> {
        self.check_planes(geometry, input, output)?;
        let [input, weights, output] = [input, weights, output].map(|id| self.tensor(id));
        let expected = [output.shape[1], input.shape[1], geometry.kernel[0], geometry.kernel[1]];
        if weights.shape != expected || weights.element != Element::F32 {
            return Err(format!("{} must be f32 {expected:?}, but is {:?}", weights.name, weights.shape));
        }
        Ok(Convolved { outputs: output.shape[1] as usize, output: [output.rows(), output.row_len()] })
    }

    fn check_matmul(
        &self,
        op: &Matmul,
        want: impl Fn(&str, TensorId, &[usize], Element) -> Result<(), String>,
    ) -> Result<(), String> {
        let Matmul { form, a, b, output, bias, relu, mask, bias_gradient, accumulate, .. } = op;
        let [m, n] = [self.tensor(*output).rows(), self.tensor(*output).row_len()];
        let k = match form {
            Form::Nt | Form::Nn => self.tensor(*a).row_len(),
            Form::Tn => self.tensor(*a).rows(),
        };
        let (a_shape, b_shape) = match form {
            Form::Nt => ([m, k], [n, k]),
            Form::Nn => ([m, k], [k, n]),
            Form::Tn => ([k, m], [k, n]),
        };
        want("a", *a, &a_shape, Element::F32)?;
        want("b", *b, &b_shape, Element::F32)?;
        want("output", *output, &[m, n], Element::F32)?;
        bias.map_or(Ok(()), |id| want("bias", id, &[n], Element::F32))?;
        mask.map_or(Ok(()), |id| want("mask", id, &[m, n], Element::F32))?;
        bias_gradient.map_or(Ok(()), |id| want("bias_gradient", id, &[m], Element::F32))?;
        match form {
            _ if !bias_gradient.is_none_or(|id| self.lies_behind(id, *output)) => {
                Err("bias_gradient must lie behind the output in the same tensor".into())
            }
            _ if bias.is_some() && mask.is_some() => Err("bias and mask exclude each other".into()),
            Form::Tn if bias.is_some() || *relu || mask.is_some() => {
                Err("bias, ReLU and mask belong to rows of the batch".into())
            }
            Form::Nt | Form::Nn if bias_gradient.is_some() || *accumulate => {
                Err("bias_gradient and accumulate belong to sums over the batch".into())
            }
            _ => Ok(()),
        }
    }
}

fn check_size(tensor: &Tensor) -> Result<()> {
    let Tensor { name, shape, element, .. } = tensor;
    let bytes = shape.iter().try_fold(element.bytes(), |all, &extent| all.checked_mul(extent as usize));
    match bytes {
        None | Some(0) => Err(fail(name, &format!("no usable shape: {shape:?}"))),
        Some(_) if shape.is_empty() => Err(fail(name, "no shape")),
        Some(bytes) if bytes > BINDING_BYTES => Err(fail(
            name,
            &format!("{bytes} bytes, but a tensor has at most {BINDING_BYTES} (what every GPU can bind)"),
        )),
        Some(_) => Ok(()),
    }
}

/// What a convolution puts out.
struct Convolved {
    outputs: usize,
    output: [usize; 2],
}

fn fail(what: &str, problem: &str) -> Error {
    Error::Program(format!("{what}: {problem}"))
}
