//! What there is on a site: `site.json`.

use super::{Source, data::DataFiles};
use crate::Result;
use crate::checkpoint::Metadata;
use crate::config::TrainConfig;
use crate::gpu::kernels::Class;
use crate::model::{ModelSpec, PRESETS, Stage, defaults, preset};
use crate::run::Status;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The site's table of contents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the program that made the site.
    pub version: String,
    /// The data.
    pub data: DataFiles,
    /// The file of the exported model's weights.
    pub weights: String,
    /// The models that the page can train; the exported one first.
    pub models: Vec<ModelEntry>,
    /// How the exported model was trained, where the page can repeat it.
    pub native: Option<NativeRun>,
}

/// The course of a training run on all training images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NativeRun {
    /// What it ran on.
    pub device: String,
    /// The mean loss of each step.
    pub step_losses: Vec<f32>,
}

impl NativeRun {
    /// Of the exported model's run; none if it saw other images than the page has.
    pub(super) fn of(source: &Source) -> Option<Self> {
        let run = source.run.filter(|_| source.training)?;
        // What the page does from the same seed: not what went on from other weights, or never came to its end.
        let whole = run.status == Status::Complete && run.init.is_none();
        let same = run.config == source.checkpoint.metadata.training && run.data.fingerprint == source.data.fingerprint;
        let all = run.data.train_images as usize == source.data.train.len();
        (whole && same && all).then(|| Self { device: run.device.to_string(), step_losses: run.step_losses.clone() })
    }
}

/// A model of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// Its name, which no other model of the site has.
    pub name: String,
    /// Number of parameters.
    pub parameters: u64,
    /// Floating-point operations per image, forwards.
    pub flops: u64,
    /// What its weights carry as metadata; the page puts its own seed, epochs and learning rate in.
    pub metadata: Metadata,
    /// The file of its lowered programs for each class of devices.
    pub programs: BTreeMap<Class, String>,
}

/// The exported model, and the presets that fit the data.
pub(super) fn entries(source: &Source) -> Result<Vec<ModelEntry>> {
    let exported = &source.checkpoint.metadata;
    let classes = source.data.classes.len() as u32;
    let mut entries = vec![entry(exported, source)?];
    for name in PRESETS.into_iter().filter(|&name| name != exported.training.model.name) {
        let config = defaults(preset(name, classes).expect("a preset's name"));
        // Images may be too small for the convolutions of a preset.
        let metadata = Metadata { classes: exported.classes.clone(), ..Metadata::new(&config, source.data) };
        entries.extend(entry(&metadata, source));
    }
    Ok(entries)
}

fn entry(metadata: &Metadata, source: &Source) -> Result<ModelEntry> {
    // The page trains on all training images that it has.
    let all = TrainConfig { train_size: None, validation: None, target_accuracy: None, ..metadata.training.clone() };
    let metadata = Metadata { training: all, data: source.data.fingerprint.clone(), ..metadata.clone() };
    let config = &metadata.training;
    let stages = config.model.stages(metadata.image(), metadata.classes.len() as u32)?;
    let count = |shape: Vec<u32>| shape.into_iter().map(u64::from).product::<u64>();
    let parameters = stages.iter().flat_map(Stage::parameters).map(|(_, shape, _)| count(shape)).sum();
    let file = |class: Class| (class, format!("programs/{}.{}.json", file_name(&config.model), class.name()));
    Ok(ModelEntry {
        name: config.model.name.clone(),
        parameters,
        flops: stages.iter().map(Stage::flops).sum(),
        programs: [Class::Hardware, Class::Software].map(file).into(),
        metadata,
    })
}

/// A model's name as part of a file's: presets as they are, since anything may stand in the name of another model.
fn file_name(model: &ModelSpec) -> &str {
    if PRESETS.contains(&model.name.as_str()) { &model.name } else { "model" }
}
