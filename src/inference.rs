//! A trained model on a device, ready to be asked.

use crate::checkpoint::{Checkpoint, Metadata};
use crate::data::Split;
use crate::device::{Device, Session};
use crate::evaluate::{Answer, Evaluation, log_probabilities};
use crate::program::{Build, build};
use crate::trainer::EVAL_BATCH;
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

/// Images that are on the device at a time: whole batches, so that it is all one how many are asked about together.
const ROOM: u32 = 4 * EVAL_BATCH;

/// A trained model on a device.
///
/// Images are bytes, row after row and image after image, light ink on dark ground as in MNIST, of the height and width of the
/// model's [metadata](Self::metadata); any number of them.
pub struct Classifier {
    session: Box<dyn Session>,
    metadata: Metadata,
}

impl Classifier {
    /// Puts a model on a device.
    ///
    /// # Errors
    /// When its parameters are not those of its layers, or the device has no room for it.
    pub fn new(device: &dyn Device, checkpoint: &Checkpoint) -> Result<Self> {
        let metadata = checkpoint.metadata.clone();
        let program = build(&Build {
            model: &metadata.model,
            image: metadata.image(),
            classes: metadata.classes.len() as u32,
            images: ROOM,
            batch: 1,
            train_images: 1,
            eval_batch: EVAL_BATCH,
            optimizer: metadata.training.optimizer,
            mean: metadata.mean,
            std: metadata.std,
        })?;
        let mut session = device.load(&Arc::new(program))?;
        session.put_parameters(&checkpoint.parameters)?;
        Ok(Self { session, metadata })
    }

    /// Puts the model in a file of weights on a device: `model.safetensors` of a run, or what [`Checkpoint::save`] wrote.
    ///
    /// # Errors
    /// As [`Checkpoint::load`] and [`Self::new`].
    pub fn load(device: &dyn Device, path: &Path) -> Result<Self> {
        Self::new(device, &Checkpoint::load(path)?)
    }

    /// What the model is, and what images and classes it knows.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The natural logarithm of the probability of each class, image after image.
    ///
    /// # Errors
    /// When the bytes are not whole images; device errors.
    pub fn log_probabilities(&mut self, images: &[u8]) -> Result<Vec<Vec<f32>>> {
        let Metadata { height, width, ref classes, .. } = self.metadata;
        let image = (height * width) as usize;
        if !images.len().is_multiple_of(image) {
            let found = images.len();
            return Err(Error::Data(format!("expected whole images of {height}×{width} bytes, found {found} bytes")));
        }
        let ports = self.session.program().ports.clone();
        let mut rows = Vec::with_capacity(images.len() / image);
        for part in images.chunks(ROOM as usize * image) {
            self.session.put(ports.images, part)?;
            let found = log_probabilities(&mut *self.session, &(0..(part.len() / image) as u32))?;
            rows.extend(found.chunks_exact(classes.len()).map(<[f32]>::to_vec));
        }
        Ok(rows)
    }

    /// The probability of each class, image after image.
    ///
    /// # Errors
    /// As [`Self::log_probabilities`].
    pub fn probabilities(&mut self, images: &[u8]) -> Result<Vec<Vec<f32>>> {
        let mut rows = self.log_probabilities(images)?;
        rows.iter_mut().flatten().for_each(|value| *value = value.exp());
        Ok(rows)
    }

    /// What the model reads on each image.
    ///
    /// # Errors
    /// As [`Self::log_probabilities`].
    pub fn predict(&mut self, images: &[u8]) -> Result<Vec<Prediction>> {
        let rows = self.probabilities(images)?;
        let owned = |(class, probability): (&str, f32)| (class.to_owned(), probability);
        let prediction = |row: &Vec<f32>| ranking(row, &self.metadata.classes).into_iter().map(owned).collect();
        Ok(rows.iter().map(|row| Prediction { ranking: prediction(row) }).collect())
    }

    /// How good the model is on images whose classes are known.
    ///
    /// # Errors
    /// When there are no images, or not one label of the model's classes for each; device errors.
    pub fn evaluate(&mut self, split: &Split) -> Result<Evaluation> {
        let (classes, labels) = (self.metadata.classes.len(), &split.labels);
        if let Some(label) = labels.iter().find(|label| usize::from(**label) >= classes) {
            return Err(Error::Data(format!("expected labels below {classes}, found {label}")));
        }
        let rows = self.log_probabilities(&split.images)?;
        if rows.len() != labels.len() || rows.is_empty() {
            let (images, labels) = (rows.len(), labels.len());
            return Err(Error::Data(format!(
                "expected images and a label for each, found {images} and {labels} labels"
            )));
        }
        let answers: Vec<Answer> = rows.iter().zip(labels).map(|(row, &label)| Answer::new(row, label)).collect();
        Ok(Evaluation::new(&answers, &self.metadata.classes))
    }
}

/// What a model reads on an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    ranking: Vec<(String, f32)>,
}

impl Prediction {
    /// The most probable class.
    pub fn label(&self) -> &str {
        &self.ranking[0].0
    }

    /// The probability of the most probable class.
    pub fn probability(&self) -> f32 {
        self.ranking[0].1
    }

    /// Every class with its probability, the most probable first.
    pub fn ranking(&self) -> &[(String, f32)] {
        &self.ranking
    }
}

/// The classes with their probabilities, the most probable first.
pub fn ranking<'a>(probabilities: &[f32], classes: &'a [String]) -> Vec<(&'a str, f32)> {
    let mut ranking: Vec<(&str, f32)> = classes.iter().map(String::as_str).zip(probabilities.iter().copied()).collect();
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranking
}
