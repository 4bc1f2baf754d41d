//! Whole steps of the models: training, and inference.

use super::figures::{KernelRow, StepRow};
use super::kernels::sum;
use super::measure::Effort;
use super::target::Target;
use super::workload::{Workload, ready};
use crate::Result;
use crate::data::Dataset;
use crate::program::List;
use std::sync::Arc;

/// The effort of steps: a sample holds several, which share what submitting and waiting cost.
fn longer(effort: Effort) -> Effort {
    Effort { sample: effort.sample * 4, ..effort }
}

/// Times the training step and the inference step of a workload.
pub fn steps(
    target: &Target,
    data: &Dataset,
    workload: &Workload,
    effort: Effort,
    kernels: &[KernelRow],
) -> Result<Vec<StepRow>> {
    let effort = longer(effort);
    let program = Arc::new(workload.program(data, data.train.len() as u32)?);
    let mut session = ready(target.device(), &program, data)?;
    let alone = sum(data, workload, kernels)?;
    let dispatches = session.kernels().len();
    let mut row = |list: List, kind: &str, batch: u32, dispatches: usize| {
        let seconds = effort.seconds(|times| session.time(list, times))?;
        Ok(StepRow {
            workload: workload.name(),
            kind: kind.into(),
            images_per_second: seconds.rate(f64::from(batch)),
            idle: alone.filter(|_| list == List::TrainStep).map(|alone| 1.0 - alone / seconds.median),
            seconds,
            batch,
            dispatches,
        })
    };
    let ports = &program.ports;
    Ok(vec![
        row(List::TrainStep, "training", ports.train.batch, dispatches)?,
        row(List::EvalStep, "inference", ports.eval.batch, program.eval_step.len())?,
    ])
}
