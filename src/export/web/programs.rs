//! The programs of a model, lowered for every WebGPU device.

use super::{ModelEntry, Source};
use crate::Result;
use crate::gpu::kernels::{Class, Profile};
use crate::gpu::recording::Recording;
use crate::program::{self, Build, List, Ports};
use crate::trainer::EVAL_BATCH;
use serde::{Deserialize, Serialize};

/// What a page runs of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Programs {
    /// Recognises one image.
    pub recognise: Program,
    /// Holds all images of the site, the training images first; trains where these are there, and evaluates.
    pub learn: Program,
}

/// A lowered program, and which of its tensors the host reads and writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// What runs.
    #[serde(flatten)]
    pub recording: Recording,
    /// Tensors by what they are for.
    pub ports: Ports,
}

/// The programs of a model before they are lowered.
pub(super) struct Built {
    recognise: program::Program,
    learn: program::Program,
    training: bool,
}

/// Lays out a model's programs.
pub(super) fn build(entry: &ModelEntry, source: &Source) -> Result<Built> {
    let metadata = &entry.metadata;
    let config = &metadata.training;
    let test = source.data.test.len() as u32;
    let trained = if source.training { source.data.train.len() as u32 } else { 0 };
    let build = Build {
        model: &config.model,
        image: metadata.image(),
        classes: metadata.classes.len() as u32,
        images: 1,
        batch: 1,
        train_images: 1,
        eval_batch: 1,
        optimizer: config.optimizer,
        mean: metadata.mean,
        std: metadata.std,
    };
    let recognise = program::build(&build)?;
    let batch = if source.training { config.batch_size } else { 1 };
    let (images, train_images) = (trained + test, trained.max(1));
    let learn = program::build(&Build { images, batch, train_images, eval_batch: EVAL_BATCH, ..build })?;
    Ok(Built { recognise, learn, training: source.training })
}

impl Built {
    /// For a class of devices, within the guaranteed limits of WebGPU.
    pub fn lowered(&self, class: Class) -> Programs {
        let profile = Profile::of(class);
        let lower = |program: &program::Program, lists: &[List]| {
            let recording = Recording::new(program, &profile).only(lists);
            Program { recording, ports: program.ports.clone() }
        };
        let lists = if self.training { &List::ALL[..] } else { &[List::EvalStep] };
        Programs { recognise: lower(&self.recognise, &[List::EvalStep]), learn: lower(&self.learn, lists) }
    }
}
