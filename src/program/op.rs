//! The vocabulary of programs. An op `name` is `shaders/name.wgsl`, `src/gpu/kernels/name.rs`, `src/cpu/name.rs` and
//! `tests/parity/name.rs`.
//!
//! A chain of multiply-adds is `fma` after `fma` in the order that is said; the order is the op's, whether the device
//! fuses is its own (llvmpipe and SwiftShader round the product first).
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
    /// See [`Conv2dForward`].
    Conv2dForward(Conv2dForward),
    /// See [`Conv2dBackwardInput`].
    Conv2dBackwardInput(Conv2dBackwardInput),
    /// See [`Conv2dBackwardWeights`].
    Conv2dBackwardWeights(Conv2dBackwardWeights),
    /// See [`Reduce`].
    Reduce(Reduce),
    /// See [`Dropout`].
    Dropout(Dropout),
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
            Self::Conv2dForward(_) => "conv2d_forward",
            Self::Conv2dBackwardInput(_) => "conv2d_backward_input",
            Self::Conv2dBackwardWeights(_) => "conv2d_backward_weights",
            Self::Reduce(_) => "reduce",
            Self::Dropout(_) => "dropout",
            Self::Matmul(_) => "matmul",
            Self::SoftmaxNll(_) => "softmax_nll",
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
        }
    }

    /// The names of all ops, in the order of their first use in a run.
    pub const NAMES: [&'static str; 12] = [
        "init_uniform",
        "begin_step",
        "load_batch",
        "conv2d_forward",
        "dropout",
        "matmul",
        "softmax_nll",
        "conv2d_backward_input",
        "conv2d_backward_weights",
        "reduce",
        "sgd",
        "adam",
    ];
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
    /// f32 `[steps of an epoch, 4]`, rows of [`ScheduleRow`](super::ScheduleRow); none for evaluation.
    pub schedule: Option<TensorId>,
    /// u8 `[images]`.
    pub labels: TensorId,
    /// Written: u32 `[rows, 2]`, for each live row the index of its image among all images, and its label.
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
    /// u8 `[images, pixels]`.
    pub images: TensorId,
    /// u32 `[rows, 2]`.
    pub samples: TensorId,
    /// Written: f32 `[rows, pixels]` (or [rows, 1, height, width]).
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
    /// output `[m, n]` = a `[m, k]` · b `[n, k]`ᵀ, m the batch: a linear layer, forwards.
    Nt,
    /// output `[m, n]` = a `[m, k]` · b `[k, n]`, m the batch: the gradient of a linear layer's input.
    Nn,
    /// output `[m, n]` = a `[k, m]`ᵀ · b `[k, n]`, k the batch: the gradient of a linear layer's weights.
    Tn,
}

/// A matrix product. Each element of the output is one chain of multiply-adds in ascending k, from zero (or from
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
    /// Written: f32 `[m, n]`.
    pub output: TensorId,
    /// Adds f32 `[n]` to each row.
    pub bias: Option<TensorId>,
    /// Replaces negative results by zero.
    pub relu: bool,
    /// Replaces results by zero where this f32 `[m, n]` is not positive: the derivative of a ReLU with that output.
    pub mask: Option<TensorId>,
    /// In [`Form::Tn`], also written: f32 `[m]`, the sums of a over the batch, which are the gradient of the layer's bias;
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
    /// f32 `[rows, classes]`.
    pub logits: TensorId,
    /// u32 `[rows, 2]`.
    pub samples: TensorId,
    /// Row `slot` is written: f32 `[slots, 2]`, the sum of the losses and the number of correct answers.
    pub metrics: TensorId,
    /// Written: f32 `[rows, classes]`, what `result` says.
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
    /// Read and written: f32 `[n]`.
    pub parameters: TensorId,
    /// f32 `[n]`.
    pub gradients: TensorId,
    /// v, read and written: f32 `[n]`; none without momentum.
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
    /// Read and written: f32 `[n]`.
    pub parameters: TensorId,
    /// f32 `[n]`.
    pub gradients: TensorId,
    /// m, read and written: f32 `[n]`.
    pub first_moment: TensorId,
    /// v, read and written: f32 `[n]`.
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

/// The geometry of a convolution and of the max-pool that may follow it: heights first, then widths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Convolution {
    /// Taps of the kernel.
    pub kernel: [u32; 2],
    /// Steps of the kernel over the input.
    pub stride: [u32; 2],
    /// Zeros around the input, on each side.
    pub padding: [u32; 2],
    /// Window of the max-pool; [1, 1] where there is none.
    pub pool: [u32; 2],
    /// Steps of that window.
    pub pool_stride: [u32; 2],
}

impl Convolution {
    /// Height and width after the convolution, before the pool; none where the kernel does not fit.
    pub fn convolved(&self, input: [u32; 2]) -> Option<[u32; 2]> {
        let [height, width] = [0, 1].map(|axis| {
            let padded = input[axis].checked_add(2 * self.padding[axis])?;
            Some(padded.checked_sub(self.kernel[axis])? / self.stride[axis] + 1)
        });
        Some([height?, width?])
    }

    /// Height and width after the pool; none where kernel or window do not fit.
    pub fn output(&self, input: [u32; 2]) -> Option<[u32; 2]> {
        let convolved = self.convolved(input)?;
        let [height, width] =
            [0, 1].map(|axis| Some(convolved[axis].checked_sub(self.pool[axis])? / self.pool_stride[axis] + 1));
        Some([height?, width?])
    }
}

/// What a [`Conv2dForward`] writes to its choice where the output is a ReLU's zero: no gradient passes.
pub const NO_CHOICE: u32 = u32::MAX;

/// A convolution (cross-correlation, as PyTorch defines it) with bias, ReLU and max-pool:
/// z\[o, y, x\] = bias\[o\] + Σ input\[c, y·stride + ky − padding, x·stride + kx − padding\] · weights\[o, c, ky, kx\],
/// one chain of multiply-adds in ascending (c, ky, kx) from zero, then the bias; the largest z of each pool window,
/// the first in row order among equals; then the ReLU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv2dForward {
    /// The number of live rows of the batch.
    pub state: TensorId,
    /// f32 `[rows, c, h, w]`.
    pub input: TensorId,
    /// f32 `[o, c, kh, kw]`.
    pub weights: TensorId,
    /// f32 `[o]`; lies behind the weights in the same flat tensor.
    pub bias: TensorId,
    /// Written: f32 `[rows, o, ph, pw]`.
    pub output: TensorId,
    /// Written, in training: u32 `[rows, o, ph, pw]`, the place in its window (row · width + column) of the largest z, or
    /// [`NO_CHOICE`] where a ReLU made it zero: the one place to which the gradient passes.
    pub choice: Option<TensorId>,
    /// Kernel, strides, padding, pool.
    pub geometry: Convolution,
    /// Replaces negative results by zero.
    pub relu: bool,
}

/// The gradient of a convolution's input: every gradient of the output goes, by way of the chosen place z of its window, to
/// the inputs that z saw: output\[c, y, x\] = Σ gradient\[o, z\] · weights\[o, c, ky, kx\], one chain of fused
/// multiply-adds in ascending order of o and place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv2dBackwardInput {
    /// The number of live rows of the batch.
    pub state: TensorId,
    /// f32 `[rows, o, ph, pw]`.
    pub gradient: TensorId,
    /// u32 `[rows, o, ph, pw]`, see [`Conv2dForward::choice`].
    pub choice: TensorId,
    /// f32 `[o, c, kh, kw]`.
    pub weights: TensorId,
    /// Written: f32 `[rows, c, h, w]`.
    pub output: TensorId,
    /// Kernel, strides, padding, pool.
    pub geometry: Convolution,
}

/// The gradients of a convolution's weights and bias, as partial sums over blocks of images that a [`Reduce`] adds up:
/// weights: Σ gradient\[o, z\] · input\[c, y, x\]; bias: Σ gradient\[o, z\]; in ascending order of image and window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv2dBackwardWeights {
    /// The number of live rows of the batch.
    pub state: TensorId,
    /// f32 `[rows, c, h, w]`.
    pub input: TensorId,
    /// f32 `[rows, o, ph, pw]`.
    pub gradient: TensorId,
    /// u32 `[rows, o, ph, pw]`, see [`Conv2dForward::choice`].
    pub choice: TensorId,
    /// Written: f32 `[⌈rows / block⌉, o · c · kh · kw + o]`, weights first, then bias; a block without live rows is zero.
    pub output: TensorId,
    /// Kernel, strides, padding, pool.
    pub geometry: Convolution,
    /// Images of a partial sum: part of what is computed, whatever the device.
    pub block: u32,
}

/// Adds up the rows of partial sums, in ascending order, into the gradients of weights and bias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reduce {
    /// f32 `[blocks, weights + bias]`.
    pub input: TensorId,
    /// Written: f32, any shape, as many elements as the weights.
    pub output: TensorId,
    /// Written: f32, the rest; lies behind the output in the same flat tensor.
    pub bias_gradient: TensorId,
    /// Adds to what is there: micro-batches after the first.
    pub accumulate: bool,
}

/// Zeroes a random share of a tensor and scales the rest by 1 / (1 − rate): forwards on activations, backwards on their
/// gradients, with the same mask. An element is kept where [`uniform`](crate::random::uniform) of key
/// (seed, [`Purpose::Dropout`](crate::random::Purpose) + 256 · layer) and counter (step, row in the whole batch · row
/// length + column) is at least the rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    /// Seed, step, and the number of live rows.
    pub state: TensorId,
    /// f32 `[rows, …]`.
    pub input: TensorId,
    /// Written: f32 `[rows, …]`.
    pub output: TensorId,
    /// The share that is zeroed.
    pub rate: f32,
    /// Which dropout layer of the model, counted from 0.
    pub layer: u32,
    /// Images of a full step.
    pub batch: u32,
}
