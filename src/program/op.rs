//! The vocabulary of programs. An op `name` is `shaders/name.wgsl`, `src/gpu/kernels/name.rs`, `src/cpu/name.rs` and
//! `tests/parity/name.rs`.
//!
//! Wherever an op takes a `state`, its batch is the first `live` rows of its activations.

use super::TensorId;
use serde::{Deserialize, Serialize};

/// One operation on tensors, with everything a device needs to know about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// See [`InitUniform`].
    InitUniform(InitUniform),
    /// See [`BeginStep`].
    BeginStep(BeginStep),
    /// See [`LoadBatch`].
    LoadBatch(LoadBatch),
    /// See [`Matmul`].
    Matmul(Matmul),
    /// See [`SoftmaxNll`].
    SoftmaxNll(SoftmaxNll),
    /// See [`Sgd`].
    Sgd(Sgd),
    /// See [`Adam`].
    Adam(Adam),
}

impl Op {
    /// The one name of the op, as in file names, reports and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InitUniform(_) => "init_uniform",
            Self::BeginStep(_) => "begin_step",
            Self::LoadBatch(_) => "load_batch",
            Self::Matmul(_) => "matmul",
            Self::SoftmaxNll(_) => "softmax_nll",
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
        }
    }

    /// The names of all ops, in the order of their first use in a run.
    pub const NAMES: [&'static str; 7] =
        ["init_uniform", "begin_step", "load_batch", "matmul", "softmax_nll", "sgd", "adam"];
}

/// Fills a tensor with uniform numbers: output\[i\] = bound · (2u − 1), u = [`uniform`](crate::random::uniform) of
/// key (seed, [`Purpose::Init`](crate::random::Purpose)) and counter (stream, i).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitUniform {
    /// The [`State`](super::State) that holds the seed.
    pub state: TensorId,
    /// f32, any shape.
    pub output: TensorId,
    /// Half the width of the interval around zero.
    pub bound: f32,
    /// Sets the numbers of one parameter apart from those of another.
    pub stream: u32,
}

/// In which order a step takes the images of its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As they lie.
    Sequential,
    /// By the epoch's [`Permutation`](crate::random::Permutation) of the seed, [`Purpose::Order`](crate::random::Purpose).
    Shuffled,
}

/// Begins a step: advances the counters of the state, looks up the step's row of the schedule, and lists the images of
/// the batch with their labels.
///
/// With s steps begun before, n images in the set and batch size B, an epoch has ⌈n / B⌉ steps, so that the step
/// is number s mod ⌈n / B⌉ of epoch ⌊s / ⌈n / B⌉⌋; the last one of an epoch may be smaller than B.
///
/// A batch that is too large for the activations is taken in micro-batches of as many rows as `samples` has; the first
/// advances the step, the others go on in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeginStep {
    /// Read and written.
    pub state: TensorId,
    /// f32 [steps of an epoch, 4], rows of [`ScheduleRow`](super::ScheduleRow); none for evaluation.
    pub schedule: Option<TensorId>,
    /// u8 [images].
    pub labels: TensorId,
    /// Written: u32 [rows, 2], for each live row the index of its image among all images, and its label.
    pub samples: TensorId,
    /// In which order images are taken.
    pub order: Order,
    /// B, images in a full step.
    pub batch: u32,
    /// Which micro-batch of the step this is, counted from 0.
    pub micro_batch: u32,
    /// Rows of the metrics tensor: step s writes row s mod slots.
    pub slots: u32,
}

/// Gathers and normalises the images of a batch: output\[row, p\] = fma(images\[samples\[row, 0\], p\], scale, shift).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadBatch {
    /// The number of live rows.
    pub state: TensorId,
    /// u8 [images, pixels].
    pub images: TensorId,
    /// u32 [rows, 2].
    pub samples: TensorId,
    /// Written: f32 [rows, pixels] (or [rows, 1, height, width]).
    pub output: TensorId,
    /// 1 / (255 · standard deviation).
    pub scale: f32,
    /// −mean / standard deviation.
    pub shift: f32,
}

/// Which of its operands a matrix product takes transposed, and which dimension is the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// output [m, n] = a [m, k] · b [n, k]ᵀ, m the batch: a linear layer, forwards.
    Nt,
    /// output [m, n] = a [m, k] · b [k, n], m the batch: the gradient of a linear layer's input.
    Nn,
    /// output [m, n] = a [k, m]ᵀ · b [k, n], k the batch: the gradient of a linear layer's weights.
    Tn,
}

/// A matrix product. Each element of the output is one chain of fused multiply-adds in ascending k, from zero (or from
/// what the output holds, with `accumulate`); then come bias, ReLU and mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matmul {
    /// The number of live rows of the batch.
    pub state: TensorId,
    /// Which operands are transposed.
    pub form: Form,
    /// f32, [m, k], or [k, m] in [`Form::Tn`]; dimensions after the first are taken as one.
    pub a: TensorId,
    /// f32, [k, n], or [n, k] in [`Form::Nt`].
    pub b: TensorId,
    /// Written: f32 [m, n].
    pub output: TensorId,
    /// Adds f32 [n] to each row.
    pub bias: Option<TensorId>,
    /// Replaces negative results by zero.
    pub relu: bool,
    /// Replaces results by zero where this f32 [m, n] is not positive: the derivative of a ReLU with that output.
    pub mask: Option<TensorId>,
    /// In [`Form::Tn`], also written: f32 [m], the sums of a over the batch, which are the gradient of the layer's bias;
    /// lies behind the output in the same flat tensor.
    pub bias_gradient: Option<TensorId>,
    /// Adds to the output and the bias gradient instead of replacing them: micro-batches after the first.
    pub accumulate: bool,
}

/// Softmax, negative log-likelihood, its gradient and the number of correct answers, in one.
///
/// For a row z of the logits with label y: log p = z − max z − ln Σ exp(z − max z); the loss is −log p\[y\]; the gradient
/// of the mean loss by z is (p − one-hot(y)) / batch; the answer is the first largest logit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SoftmaxNll {
    /// The number of live rows, the batch, and the slot.
    pub state: TensorId,
    /// f32 [rows, classes].
    pub logits: TensorId,
    /// u32 [rows, 2].
    pub samples: TensorId,
    /// Row `slot` is written: f32 [slots, 2], the sum of the losses and the number of correct answers.
    pub metrics: TensorId,
    /// Written: f32 [rows, classes], what `result` says.
    pub output: TensorId,
    /// What goes to the output.
    pub result: Rows,
    /// Adds to the metrics instead of replacing them: micro-batches after the first.
    pub accumulate: bool,
}

/// What [`SoftmaxNll`] leaves for each row of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// The gradient of the mean loss by the logits: training.
    Gradient,
    /// The log-probabilities: evaluation.
    LogProbabilities,
}

/// Stochastic gradient descent as PyTorch defines it: g ← g + λ p with weight decay λ; with momentum µ, v ← µ v + g and
/// g ← g + µ v (Nesterov) or g ← v; p ← p − learning rate · g.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sgd {
    /// Holds the learning rate.
    pub state: TensorId,
    /// Read and written: f32 [n].
    pub parameters: TensorId,
    /// f32 [n].
    pub gradients: TensorId,
    /// v, read and written: f32 [n]; none without momentum.
    pub velocity: Option<TensorId>,
    /// µ.
    pub momentum: f64,
    /// Looks ahead by one step of momentum.
    pub nesterov: bool,
    /// The coefficient of the L2 penalty's gradient.
    pub weight_decay: f64,
}

/// Adam (Kingma and Ba, 2015), or AdamW (Loshchilov and Hutter, 2019) where decay is decoupled, as PyTorch defines them:
/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², p ← p − learning rate · c₁ m / (√v · c₂ + ε) with the corrections
/// c₁ = 1 / (1 − β₁ᵗ) and c₂ = 1 / √(1 − β₂ᵗ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// Holds the learning rate and the corrections.
    pub state: TensorId,
    /// Read and written: f32 [n].
    pub parameters: TensorId,
    /// f32 [n].
    pub gradients: TensorId,
    /// m, read and written: f32 [n].
    pub first_moment: TensorId,
    /// v, read and written: f32 [n].
    pub second_moment: TensorId,
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε, which keeps the divisor from zero.
    pub epsilon: f64,
    /// λ. AdamW: p ← p · (1 − learning rate · λ) first. Adam: g ← g + λ p first.
    pub weight_decay: f64,
    /// Whether it is AdamW.
    pub decoupled: bool,
}
