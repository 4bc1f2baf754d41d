//! A trained model on a device, ready to be asked.

use crate::Result;
use crate::checkpoint::Checkpoint;
use crate::device::{Device, Session};
use crate::program::{Build, List, State, build};
use crate::trainer::EVAL_BATCH;
use std::sync::Arc;

/// A model with room for a number of images.
pub struct Classifier {
    session: Box<dyn Session>,
}

impl Classifier {
    /// Puts a model on a device, with room for so many images.
    pub fn new(device: &dyn Device, checkpoint: &Checkpoint, images: u32) -> Result<Self> {
        let metadata = &checkpoint.metadata;
        let program = build(&Build {
            model: &metadata.model,
            image: metadata.image(),
            classes: metadata.classes.len() as u32,
            images,
            batch: 1,
            train_images: 1,
            eval_batch: EVAL_BATCH,
            optimizer: metadata.training.optimizer,
            mean: metadata.mean,
            std: metadata.std,
        })?;
        let program = Arc::new(program);
        let mut session = device.load(&program)?;
        for (id, tensor, _) in program.views_of(program.ports.parameters) {
            session.put(id, &checkpoint.parameters[&tensor.name])?;
        }
        Ok(Self { session })
    }

    /// Gives the model images (u8, row-major) with labels, and the session to whoever evaluates them.
    pub fn with<R>(
        &mut self,
        images: &[u8],
        labels: &[u8],
        evaluate: impl FnOnce(&mut dyn Session) -> Result<R>,
    ) -> Result<R> {
        let ports = self.session.program().ports.clone();
        self.session.put(ports.images, images)?;
        self.session.put(ports.labels, labels)?;
        evaluate(&mut *self.session)
    }

    /// The probability of each class for images (u8, row-major), image after image; as many images as there is room for.
    pub fn probabilities(&mut self, images: &[u8]) -> Result<Vec<Vec<f32>>> {
        let program = Arc::clone(self.session.program());
        let ports = &program.ports;
        let count = images.len() / program.tensor(ports.images).row_len();
        if count == 0 {
            return Ok(Vec::new());
        }
        self.session.put(ports.images, images)?;
        self.session.put(ports.eval.state, &[State::at(0, 0, 0, count as u32)])?;
        let classes = program.tensor(ports.log_probabilities).row_len();
        let mut probabilities = Vec::with_capacity(count);
        while probabilities.len() < count {
            self.session.run(List::EvalStep, 1)?;
            let rows: Vec<f32> = self.session.get(ports.log_probabilities)?;
            let live = (count - probabilities.len()).min(ports.eval.batch as usize);
            let exp = |row: &[f32]| row.iter().map(|value| value.exp()).collect();
            probabilities.extend(rows.chunks_exact(classes).take(live).map(exp));
        }
        Ok(probabilities)
    }
}

/// The classes with their probabilities, the most probable first.
pub fn ranking<'a>(probabilities: &[f32], classes: &'a [String]) -> Vec<(&'a str, f32)> {
    let mut ranking: Vec<(&str, f32)> = classes.iter().map(String::as_str).zip(probabilities.iter().copied()).collect();
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranking
}
