//! What a run counts, laid out as the shaders see it (`shaders/state.wgsl`).

use bytemuck::{Pod, Zeroable};

/// The counters of a run or of an evaluation. `begin_step` alone writes them on the device; every other op reads them.
///
/// Batch rows from `live` on are undefined in every activation, and every op leaves them alone.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct State {
    /// The seed of initial weights, orders and masks.
    pub seed: u32,
    /// Steps begun since the run began; within a step, its number counted from 1.
    pub step: u32,
    /// Index, among all images, of the set's first one.
    pub first: u32,
    /// Images in the set.
    pub count: u32,
    /// The step's epoch, counted from 0.
    pub epoch: u32,
    /// Position of the (micro-)batch's first image in the order of the epoch.
    pub offset: u32,
    /// Images in the (micro-)batch.
    pub live: u32,
    /// Images in the whole step: what the mean of the loss divides by.
    pub batch: u32,
    /// The row of the metrics tensor that the step writes.
    pub slot: u32,
    /// See [`ScheduleRow`].
    pub learning_rate: f32,
    /// See [`ScheduleRow`].
    pub first_correction: f32,
    /// See [`ScheduleRow`].
    pub second_correction: f32,
}

impl State {
    /// The state before `step` steps of a run over `count` images that begin at image `first`.
    pub fn at(seed: u32, step: u32, first: u32, count: u32) -> Self {
        Self { seed, step, first, count, ..Self::default() }
    }
}

/// What the host computes in f64 for each step of an epoch and a step looks up: shaders' `cos` and `pow` are not exact enough.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct ScheduleRow {
    /// The learning rate of the step.
    pub learning_rate: f32,
    /// Adam's 1 / (1 − β₁ᵗ), t counted from 1.
    pub first_correction: f32,
    /// Adam's 1 / √(1 − β₂ᵗ).
    pub second_correction: f32,
    /// Fills the row to 16 bytes.
    pub padding: f32,
}
