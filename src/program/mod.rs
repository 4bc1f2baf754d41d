//! The computation as plain data: what a device has to do, and nothing about how.

mod access;
mod builder;
mod loops;
mod op;
mod signature;
mod state;
mod tensor;
mod validate;
mod work;

pub use access::Access;
pub use builder::{Build, METRICS_SLOTS, build};
pub use loops::{BLOCK, LOOP_ITERATIONS};
pub use op::{
    Adam, BeginStep, Conv2dBackwardInput, Conv2dBackwardWeights, Conv2dForward, Convolution, Dropout, Form,
    InitUniform, LoadBatch, Matmul, NO_CHOICE, Op, Order, Reduce, Rows, Sgd, SoftmaxNll,
};
pub use state::{ScheduleRow, State};
pub use tensor::{Element, Role, Tensor, TensorId, View};
pub use validate::BINDING_BYTES;
pub use work::Work;

use serde::{Deserialize, Serialize};

/// A whole computation: its tensors, and the lists of ops that a host runs on them.
///
/// A program is the same for every device. It can be printed, compared, and sent to a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Every tensor; a [`TensorId`] is an index into this list.
    pub tensors: Vec<Tensor>,
    /// Draws the initial weights from the seed in the training state.
    pub init: Vec<Op>,
    /// One optimizer step over one batch.
    pub train_step: Vec<Op>,
    /// Evaluates one batch: losses, correct count and log-probabilities.
    pub eval_step: Vec<Op>,
    /// The tensors that the host reads and writes.
    pub ports: Ports,
}

/// The tensors through which the host feeds a program and reads its results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ports {
    /// All images, u8 `[images, height × width]`.
    pub images: TensorId,
    /// The label of each image, u8 `[images]`.
    pub labels: TensorId,
    /// One [`ScheduleRow`] per step of an epoch, f32 `[steps, 4]`.
    pub schedule: TensorId,
    /// All parameters, flat.
    pub parameters: TensorId,
    /// All gradients, flat, laid out as the parameters.
    pub gradients: TensorId,
    /// The optimizer's moments, each laid out as the parameters.
    pub moments: Vec<TensorId>,
    /// State and results of training steps.
    pub train: Phase,
    /// State and results of evaluation steps.
    pub eval: Phase,
    /// What the network says of the last evaluated batch, f32 `[batch, classes]`.
    pub log_probabilities: TensorId,
}

/// What one kind of step keeps between its runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// The [`State`] that `begin_step` advances.
    pub state: TensorId,
    /// Sum of losses and number of correct answers of each step, f32 `[slots, 2]`.
    pub metrics: TensorId,
    /// Images in a full batch.
    pub batch: u32,
}

/// Which list of a [`Program`] to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// [`Program::init`].
    Init,
    /// [`Program::train_step`].
    TrainStep,
    /// [`Program::eval_step`].
    EvalStep,
}

impl List {
    /// Every list, in the order in which a run meets them.
    pub const ALL: [Self; 3] = [Self::Init, Self::TrainStep, Self::EvalStep];
}

impl Program {
    /// A training step and nothing else, with the first tensor for every port.
    pub fn of(tensors: Vec<Tensor>, train_step: Vec<Op>) -> Self {
        let first = TensorId(0);
        let phase = Phase { state: first, metrics: first, batch: 1 };
        let ports = Ports {
            images: first,
            labels: first,
            schedule: first,
            parameters: first,
            gradients: first,
            moments: Vec::new(),
            train: phase,
            eval: phase,
            log_probabilities: first,
        };
        Self { tensors, init: Vec::new(), train_step, eval_step: Vec::new(), ports }
    }

    /// The tensor behind an id.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.index()]
    }

    /// The tensor's bytes in memory: the tensor that owns them, the offset there, and the length.
    pub fn place(&self, id: TensorId) -> (TensorId, usize, usize) {
        let tensor = self.tensor(id);
        match tensor.view {
            None => (id, 0, tensor.bytes()),
            Some(View { of, offset }) => (of, offset, tensor.bytes()),
        }
    }

    /// The ops of a list.
    pub fn list(&self, list: List) -> &[Op] {
        match list {
            List::Init => &self.init,
            List::TrainStep => &self.train_step,
            List::EvalStep => &self.eval_step,
        }
    }

    /// The tensors that are views of `flat`, in the order of their offsets: the named parameters, for the flat buffer of parameters.
    pub fn views_of(&self, flat: TensorId) -> impl Iterator<Item = (TensorId, &Tensor, usize)> {
        self.tensors.iter().enumerate().filter_map(move |(index, tensor)| match tensor.view {
            Some(View { of, offset }) if of == flat => Some((TensorId(index as u32), tensor, offset)),
            _ => None,
        })
    }
}
