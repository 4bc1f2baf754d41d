//! The training loop: chunks of steps on a device, an evaluation after each epoch.

mod restore;
mod row;

pub use row::{EpochRow, UNTRAINED};

use crate::checkpoint::{Checkpoint, Metadata, Parameters};
use crate::config::TrainConfig;
use crate::data::{Dataset, Selection, split};
use crate::device::{Device, Session};
use crate::gpu::kernels::Tuning;
use crate::model::Shape;
use crate::pace::Pace;
use crate::program::{BINDING_BYTES, Build, List, METRICS_SLOTS, Program, State, Tensor, build};
use crate::schedule::Course;
use crate::{Error, Result};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Images of an evaluation step.
pub const EVAL_BATCH: u32 = 250;

/// A training run on a device. The caller pulls events out of it: see [`Trainer::advance`].
pub struct Trainer {
    session: Box<dyn Session>,
    metadata: Metadata,
    course: Course,
    train: Range<u32>,
    validation: Range<u32>,
    test: Range<u32>,
    /// Steps done.
    step: u32,
    pace: Pace,
    /// The epoch whose row comes next.
    next_row: u32,
    /// A chunk ends at multiples of so many steps.
    pause_every: Option<u32>,
    target_reached: bool,
    epoch_loss: f64,
    epoch_correct: f64,
    epoch_time: Duration,
    step_losses: Vec<f32>,
}

/// What happened in the training.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Some steps were done.
    Chunk {
        /// The epoch, counted from 1.
        epoch: u32,
        /// Training images of the epoch seen so far.
        images: u32,
        /// Mean loss over the chunk's steps.
        loss: f64,
    },
    /// An epoch ended (or, as epoch 0, training is about to begin).
    Epoch(EpochRow),
    /// All epochs are done, or the target is reached.
    Done,
}

impl Trainer {
    /// Puts model and data on a device. Which training images are trained on and which are held out follows from the
    /// configuration: its `train_size`, `validation` and `seed`.
    ///
    /// # Errors
    /// When the configuration is out of range, or model, data and device do not fit each other.
    pub fn new(device: &dyn Device, data: &Dataset, config: &TrainConfig) -> Result<Self> {
        config.validate()?;
        let [held_out, kept] = [config.validation, config.train_size].map(|size| size.map(|size| size as usize));
        let selection = &split(&data.train.labels, data.classes.len(), held_out, kept, config.seed)?;
        let [trained, held_out] = [&selection.train, &selection.validation].map(|indices| indices.len() as u32);
        let all = trained + held_out + data.test.len() as u32;
        let pixels = (data.height * data.width) as usize;
        if all as usize * pixels > BINDING_BYTES {
            return Err(Error::Usage(format!(
                "{} training, held-out and test images of {}×{} are {} more than every device takes: train on fewer of them \
                 (--train-size)",
                all,
                data.height,
                data.width,
                all as usize - BINDING_BYTES / pixels
            )));
        }
        let program = build(&Build {
            model: &config.model,
            image: Shape::picture(data.height, data.width),
            classes: data.classes.len() as u32,
            images: all,
            batch: config.batch_size,
            train_images: trained,
            eval_batch: EVAL_BATCH,
            optimizer: config.optimizer,
            mean: data.mean,
            std: data.std,
        })?;
        let steps_per_epoch = trained.div_ceil(program.ports.train.batch);
        if u64::from(steps_per_epoch) * u64::from(config.epochs) > u64::from(u32::MAX) {
            return Err(Error::Usage(format!(
                "{} epochs of {steps_per_epoch} steps are more than a run can count (4,294,967,295)",
                config.epochs
            )));
        }
        let bytes: usize = program.tensors.iter().filter(|tensor| tensor.view.is_none()).map(Tensor::bytes).sum();
        log::debug!("{} tensors, {} MiB on the device", program.tensors.len(), bytes >> 20);
        let mut session = device.load(&Arc::new(program))?;
        let kernels: Vec<String> = session.kernels().into_iter().map(|(_, kernel)| kernel).collect();
        log::debug!("a training step: {}", kernels.join(", "));
        let (images, labels) = gather(data, selection);
        let ports = session.program().ports.clone();
        session.put(ports.images, &images)?;
        session.put(ports.labels, &labels)?;
        session.put(ports.train.state, &[State::at(config.seed, 0, 0, trained)])?;
        session.run(List::Init, 1)?;
        Ok(Self {
            course: config.course(steps_per_epoch),
            metadata: Metadata::new(config, data),
            train: 0..trained,
            validation: trained..trained + held_out,
            test: trained + held_out..all,
            step: 0,
            pace: Pace::up_to(METRICS_SLOTS),
            next_row: 0,
            pause_every: None,
            target_reached: false,
            epoch_loss: 0.0,
            epoch_correct: 0.0,
            epoch_time: Duration::ZERO,
            step_losses: Vec::new(),
            session,
        })
    }

    /// The program that is run.
    #[doc(hidden)]
    pub fn program(&self) -> &Program {
        self.session.program()
    }

    /// For each op of the training step, its name and the kernel that runs it.
    pub fn kernels(&self) -> Vec<(String, String)> {
        self.session.kernels()
    }

    /// Of a tuning, what has to do with the model and the batch.
    pub fn tuning(&self, mut tuning: Tuning) -> Tuning {
        let program = self.session.program();
        let ops = List::ALL.into_iter().flat_map(|list| program.list(list));
        let signatures: HashSet<String> = ops.map(|op| program.signature(op)).collect();
        tuning.retain(|signature, _| signatures.contains(signature));
        tuning
    }

    /// Steps done so far.
    pub fn steps_done(&self) -> u32 {
        self.step
    }

    /// Lets no chunk go beyond a multiple of so many steps, so that the caller can save there.
    pub fn pause_every(&mut self, steps: u32) {
        self.pause_every = Some(steps);
    }

    /// The mean loss of each step so far.
    pub fn step_losses(&self) -> &[f32] {
        &self.step_losses
    }

    /// The parameters as they are now.
    pub fn parameters(&mut self) -> Result<Parameters> {
        self.session.parameters()
    }

    /// The model as it is now, with all that is needed to use it.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        Ok(Checkpoint { metadata: self.metadata.clone(), parameters: self.parameters()? })
    }

    /// The session, and which of its images are trained on, held out, and tested on.
    #[doc(hidden)]
    pub fn parts(&mut self) -> (&mut dyn Session, [Range<u32>; 3]) {
        (&mut *self.session, [self.train.clone(), self.validation.clone(), self.test.clone()])
    }

    /// Begins with other parameters than the seed's.
    ///
    /// # Errors
    /// When they are not those of the model.
    pub fn initialise(&mut self, parameters: &Parameters) -> Result<()> {
        self.session.put_parameters(parameters)
    }

    /// Does the next piece of work.
    ///
    /// # Errors
    /// [`Error::Diverged`] when a loss is no number any more; device errors.
    pub fn advance(&mut self) -> Result<Event> {
        let steps_per_epoch = self.course.steps_per_epoch;
        if self.step == self.next_row * steps_per_epoch {
            let row = self.row()?;
            let accuracy = row.validation_accuracy.unwrap_or(0.0);
            self.target_reached =
                row.epoch > 0 && self.metadata.training.target_accuracy.is_some_and(|target| accuracy >= target);
            self.next_row += 1;
            return Ok(Event::Epoch(row));
        }
        if self.target_reached || self.next_row > self.metadata.training.epochs {
            return Ok(Event::Done);
        }
        self.steps()
    }

    /// Trains to the end; the rows of the epochs from here on.
    ///
    /// # Errors
    /// As [`Self::advance`].
    pub fn finish(&mut self) -> Result<Vec<EpochRow>> {
        let mut rows = Vec::new();
        loop {
            match self.advance()? {
                Event::Epoch(row) => rows.push(row),
                Event::Chunk { .. } => {}
                Event::Done => return Ok(rows),
            }
        }
    }

    /// One chunk of steps within an epoch.
    fn steps(&mut self) -> Result<Event> {
        let steps_per_epoch = self.course.steps_per_epoch;
        let (epoch, position) = (self.step / steps_per_epoch, self.step % steps_per_epoch);
        let ports = self.session.program().ports.clone();
        let clock = Instant::now();
        if position == 0 {
            self.session.put(ports.schedule, &self.course.rows(epoch))?;
        }
        let to_pause = self.pause_every.map_or(u32::MAX, |every| every - self.step % every);
        let steps = self.pace.steps().min(steps_per_epoch - position).min(to_pause);
        self.session.run(List::TrainStep, steps)?;
        let metrics: Vec<[f32; 2]> = self.session.get(ports.train.metrics)?;
        let time = clock.elapsed();
        self.epoch_time += time;

        let batch = ports.train.batch;
        let mut chunk_loss = 0.0;
        for step in self.step..self.step + steps {
            let [loss, correct] = metrics[(step % METRICS_SLOTS) as usize].map(f64::from);
            let images = batch.min(self.train.end - (step % steps_per_epoch) * batch);
            if !loss.is_finite() {
                let (step, learning_rate) = (u64::from(step), self.course.learning_rate(step));
                return Err(Error::Diverged { loss, step, epoch: epoch + 1, learning_rate });
            }
            self.epoch_loss += loss;
            self.epoch_correct += correct;
            self.step_losses.push((loss / f64::from(images)) as f32);
            chunk_loss += loss / f64::from(images);
        }
        self.step += steps;
        self.pace.took(time);
        let images = ((position + steps) * batch).min(self.train.end);
        Ok(Event::Chunk { epoch: epoch + 1, images, loss: chunk_loss / f64::from(steps) })
    }
}

/// Images and labels in the order of the program: trained on, held out, tested on.
fn gather(data: &Dataset, selection: &Selection) -> (Vec<u8>, Vec<u8>) {
    let pixels = (data.height * data.width) as usize;
    let chosen = || selection.train.iter().chain(&selection.validation).map(|&index| index as usize);
    let mut images = Vec::with_capacity((chosen().count() + data.test.len()) * pixels);
    for index in chosen() {
        images.extend_from_slice(&data.train.images[index * pixels..][..pixels]);
    }
    images.extend_from_slice(&data.test.images);
    let labels = chosen().map(|index| data.train.labels[index]).chain(data.test.labels.iter().copied());
    (images, labels.collect())
}
