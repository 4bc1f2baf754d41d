//! What is trained in a benchmark: the presets, at the settings that other programs are measured with.

use crate::Result;
use crate::data::Dataset;
use crate::device::{Device, Session};
use crate::model::{Shape, defaults, preset};
use crate::optimizer::Optimizer;
use crate::program::{Build, List, Program, ScheduleRow, State, build};
use crate::trainer::EVAL_BATCH;
use std::sync::Arc;

/// A model with the batch and the optimizer that it is trained with.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The preset.
    pub model: &'static str,
    /// Images of a training step.
    pub batch: u32,
    /// Plain SGD instead of the preset's optimizer.
    pub sgd: bool,
}

/// What is measured where nothing else is asked for.
pub const WORKLOADS: [Workload; 6] = [
    Workload { model: "linear", batch: 128, sgd: false },
    Workload { model: "mlp", batch: 64, sgd: true },
    Workload { model: "mlp", batch: 128, sgd: false },
    Workload { model: "cnn", batch: 256, sgd: false },
    Workload { model: "lenet", batch: 64, sgd: false },
    Workload { model: "convnet", batch: 64, sgd: false },
];

impl Workload {
    /// Model, batch and optimizer: `mlp 64 SGD`.
    pub fn name(&self) -> String {
        format!("{} {} {}", self.model, self.batch, if self.sgd { "SGD" } else { "AdamW" })
    }

    /// The program over so many images, all of them trained on.
    pub fn program(&self, data: &Dataset, images: u32) -> Result<Program> {
        let config = defaults(preset(self.model, data.classes.len() as u32).expect("workloads are presets"));
        let sgd = Optimizer::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
        build(&Build {
            model: &config.model,
            image: Shape::picture(data.height, data.width),
            classes: data.classes.len() as u32,
            images,
            batch: self.batch,
            train_images: images,
            eval_batch: EVAL_BATCH,
            optimizer: if self.sgd { sgd } else { config.optimizer },
            mean: data.mean,
            std: data.std,
        })
    }
}

/// A rate that is small enough for any number of steps.
const LEARNING_RATE: f32 = 1e-4;

/// A program on a device with images, weights as at the beginning of a run, and a schedule.
///
/// The program's `init` is run, whatever it is.
pub fn ready(device: &dyn Device, program: &Arc<Program>, data: &Dataset) -> Result<Box<dyn Session>> {
    let mut session = device.load(program)?;
    let ports = &program.ports;
    let images = program.tensor(ports.images);
    session.put(ports.images, &data.train.images[..images.len()])?;
    session.put(ports.labels, &data.train.labels[..images.rows()])?;
    let row = ScheduleRow { learning_rate: LEARNING_RATE, first_correction: 1.0, second_correction: 1.0, padding: 0.0 };
    session.put(ports.schedule, &vec![row; program.tensor(ports.schedule).rows()])?;
    for phase in [ports.train, ports.eval] {
        session.put(phase.state, &[State::at(1, 0, 0, images.rows() as u32)])?;
    }
    session.run(List::Init, 1)?;
    Ok(session)
}
