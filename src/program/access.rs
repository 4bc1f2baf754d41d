//! Which tensors an op reads and writes: what validation, parity checks and devices need to know of every op alike.

use super::{
    Adam, BeginStep, Conv2dBackwardInput, Conv2dBackwardWeights, Conv2dForward, Dropout, InitUniform, LoadBatch,
    Matmul, Op, Reduce, Sgd, SoftmaxNll, TensorId,
};

/// What an op does with a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads it.
    Read,
    /// Overwrites its live part, whatever it held.
    Write,
    /// Reads and writes it in place.
    Update,
}

impl Op {
    /// The name of each operand that is there, its tensor, and what the op does with it.
    pub fn operands(&self) -> Vec<(&'static str, TensorId, Access)> {
        use Access::{Read, Update, Write};
        let replaced = |accumulate: bool| if accumulate { Update } else { Write };
        let all = match self {
            Self::InitUniform(InitUniform { state, output, .. }) => {
                vec![("state", Some(*state), Read), ("output", Some(*output), Write)]
            }
            Self::BeginStep(BeginStep { state, schedule, labels, samples, .. }) => {
                vec![
                    ("state", Some(*state), Update),
                    ("schedule", *schedule, Read),
                    ("labels", Some(*labels), Read),
                    ("samples", Some(*samples), Write),
                ]
            }
            Self::LoadBatch(LoadBatch { state, images, samples, output, .. }) => vec![
                ("state", Some(*state), Read),
                ("images", Some(*images), Read),
                ("samples", Some(*samples), Read),
                ("output", Some(*output), Write),
            ],
            Self::Conv2dForward(Conv2dForward { state, input, weights, bias, output, choice, .. }) => vec![
                ("state", Some(*state), Read),
                ("input", Some(*input), Read),
                ("weights", Some(*weights), Read),
                ("bias", Some(*bias), Read),
                ("output", Some(*output), Write),
                ("choice", *choice, Write),
            ],
            Self::Conv2dBackwardInput(Conv2dBackwardInput { state, gradient, choice, weights, output, .. }) => vec![
                ("state", Some(*state), Read),
                ("gradient", Some(*gradient), Read),
                ("choice", Some(*choice), Read),
                ("weights", Some(*weights), Read),
                ("output", Some(*output), Write),
            ],
            Self::Conv2dBackwardWeights(Conv2dBackwardWeights { state, input, gradient, choice, output, .. }) => vec![
                ("state", Some(*state), Read),
                ("input", Some(*input), Read),
                ("gradient", Some(*gradient), Read),
                ("choice", Some(*choice), Read),
                ("output", Some(*output), Write),
            ],
            Self::Reduce(Reduce { input, output, bias_gradient, accumulate }) => vec![
                ("input", Some(*input), Read),
                ("output", Some(*output), replaced(*accumulate)),
                ("bias_gradient", Some(*bias_gradient), replaced(*accumulate)),
            ],
            Self::Dropout(Dropout { state, input, output, .. }) => {
                vec![("state", Some(*state), Read), ("input", Some(*input), Read), ("output", Some(*output), Write)]
            }
            Self::Matmul(Matmul { state, a, b, output, bias, mask, bias_gradient, accumulate, .. }) => vec![
                ("state", Some(*state), Read),
                ("a", Some(*a), Read),
                ("b", Some(*b), Read),
                ("output", Some(*output), replaced(*accumulate)),
                ("bias", *bias, Read),
                ("mask", *mask, Read),
                ("bias_gradient", *bias_gradient, replaced(*accumulate)),
            ],
            Self::SoftmaxNll(SoftmaxNll { state, logits, samples, metrics, output, accumulate, .. }) => vec![
                ("state", Some(*state), Read),
                ("logits", Some(*logits), Read),
                ("samples", Some(*samples), Read),
                ("metrics", Some(*metrics), replaced(*accumulate)),
                ("output", Some(*output), Write),
            ],
            Self::Sgd(Sgd { state, parameters, gradients, velocity, .. }) => vec![
                ("state", Some(*state), Read),
                ("parameters", Some(*parameters), Update),
                ("gradients", Some(*gradients), Read),
                ("velocity", *velocity, Update),
            ],
            Self::Adam(Adam { state, parameters, gradients, first_moment, second_moment, .. }) => vec![
                ("state", Some(*state), Read),
                ("parameters", Some(*parameters), Update),
                ("gradients", Some(*gradients), Read),
                ("first_moment", Some(*first_moment), Update),
                ("second_moment", Some(*second_moment), Update),
            ],
        };
        all.into_iter().filter_map(|(name, id, access)| Some((name, id?, access))).collect()
    }
}
