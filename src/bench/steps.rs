//! Whole steps of the models: training, inference, and one prediction.

use super::figures::StepRow;
use super::kernels::alone;
use super::measure::Effort;
use super::target::Target;
use super::workload::{Workload, ready};
use crate::Result;
use crate::data::Dataset;
use crate::device::Session;
use crate::program::{List, Program, State};
use std::sync::Arc;
use std::time::Instant;

/// The effort of steps: a sample holds several, which share what submitting and waiting cost.
fn longer(effort: Effort) -> Effort {
    Effort { sample: effort.sample * 4, ..effort }
}

/// Times the training step and the inference step of a workload, and a prediction by itself.
pub fn steps(target: &Target, data: &Dataset, workload: &Workload, effort: Effort) -> Result<Vec<StepRow>> {
    let effort = longer(effort);
    let program = Arc::new(workload.program(data, data.train.len() as u32)?);
    let mut session = ready(target.device(), &program, data)?;
    let idle = idle(target, data, &program, &mut *session, effort)?;
    let dispatches = session.kernels().len();
    let mut row = |list: List, kind: &str, batch: u32, dispatches: usize| {
        let seconds = effort.seconds(|times| session.time(list, times))?;
        Ok(StepRow {
            workload: workload.name(),
            kind: kind.into(),
            images_per_second: seconds.rate(f64::from(batch)),
            idle: (list == List::TrainStep).then_some(idle),
            seconds,
            batch,
            dispatches,
        })
    };
    let ports = &program.ports;
    let mut rows = vec![
        row(List::TrainStep, "training", ports.train.batch, dispatches)?,
        row(List::EvalStep, "inference", ports.eval.batch, program.eval_step.len())?,
    ];
    let image = &data.test.images[..data.image_len()];
    let seconds = effort.seconds(|times| {
        let began = Instant::now();
        for _ in 0..times {
            session.put(ports.images, image)?;
            session.put(ports.eval.state, &[State::at(0, 0, 0, 1)])?;
            session.run(List::EvalStep, 1)?;
            session.get::<f32>(ports.log_probabilities)?;
        }
        Ok(began.elapsed())
    })?;
    rows.push(StepRow {
        workload: workload.name(),
        kind: "prediction".into(),
        images_per_second: seconds.rate(1.0),
        seconds,
        batch: 1,
        dispatches: program.eval_step.len(),
        idle: None,
    });
    Ok(rows)
}

/// Samples of each op for the idle share.
const SAMPLES: u32 = 3;

/// The share of the training step in `session` that its ops do not account for, each timed alone and in turn with the step.
fn idle(target: &Target, data: &Dataset, program: &Program, session: &mut dyn Session, effort: Effort) -> Result<f64> {
    let effort = Effort { samples: effort.samples.min(SAMPLES), ..effort };
    let mut idle = 1.0;
    for op in &program.train_step {
        let mut alone = ready(target.device(), &Arc::new(alone(program, op)), data)?;
        let share =
            effort.ratio(|times| alone.time(List::TrainStep, times), |times| session.time(List::TrainStep, times))?;
        idle -= share.median;
    }
    // Below zero it is noise.
    Ok(idle.max(0.0))
}
