//! Weights as safetensors, with all that is needed to use them again in the metadata.

use crate::config::TrainConfig;
use crate::data::dataset::{CLASSES, Dataset};
use crate::data::idx::SIDES;
use crate::file::write_whole;
use crate::model::{ModelSpec, Shape};
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The metadata's one key: a single key, since several would be written in random order.
const KEY: &str = "mnist-gpu";
/// The version of [`Metadata`].
const FORMAT: u32 = 1;

/// What the weights belong to. Neither time nor device: equal training gives equal bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// The version of this structure.
    pub format: u32,
    /// The network.
    pub model: ModelSpec,
    /// Rows of an image.
    pub height: u32,
    /// Columns of an image.
    pub width: u32,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// What is subtracted from the pixels, as a share of the full scale.
    pub mean: f64,
    /// What they are divided by then.
    pub std: f64,
    /// How the weights were trained.
    pub training: TrainConfig,
    /// The fingerprint of the data that they were trained on.
    pub data: String,
}

/// The part of [`Metadata`] that every format has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Metadata {
    /// For a model that is trained on this data.
    pub fn new(config: &TrainConfig, data: &Dataset) -> Self {
        Self {
            format: FORMAT,
            model: config.model.clone(),
            height: data.height,
            width: data.width,
            classes: data.classes.clone(),
            mean: data.mean,
            std: data.std,
            training: config.clone(),
            data: data.fingerprint.clone(),
        }
    }

    /// The shape of one image.
    pub fn image(&self) -> Shape {
        Shape::picture(self.height, self.width)
    }
}

/// Named parameters, row-major.
pub type Parameters = BTreeMap<String, Vec<f32>>;

/// A trained model.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What the parameters belong to.
    pub metadata: Metadata,
    /// The parameters by name.
    pub parameters: Parameters,
}

impl Checkpoint {
    /// Writes the file whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_whole(path, &self.to_bytes()?)
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// When the parameters are not those of the model.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let shapes = shapes(&self.metadata)?;
        let view = |(name, shape): (&'_ String, &Vec<usize>)| {
            let values = self.parameters.get(name).map_or(&[][..], Vec::as_slice);
            TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values))
                .map_err(|_| Error::Data(format!("the weights have no {name} of shape {shape:?}")))
        };
        let views = shapes.iter().map(|entry| Ok((entry.0, view(entry)?))).collect::<Result<Vec<_>>>()?;
        // By way of a `Value`, whose keys are sorted.
        let metadata = serde_json::to_value(&self.metadata).expect("metadata is plain data").to_string();
        safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), metadata)])))
            .map_err(|error| Error::Data(format!("the weights cannot be serialised: {error}")))
    }

    /// Reads a file that [`Self::save`] wrote.
    ///
    /// # Errors
    /// When the file is damaged, or its tensors are not those of the model it names.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::parse(&bytes, path)
    }

    /// The same from bytes; the path is for messages.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        let fail = |problem: String| Error::format(path, problem);
        let broken = |error| fail(format!("is not a whole safetensors file: {error}"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let json = header.metadata().as_ref().and_then(|map| map.get(KEY)).ok_or_else(|| {
            fail(format!("has no {KEY:?} in its metadata, so its architecture is unknown; expected weights written by mnist-gpu train, or --model to say the architecture of others"))
        })?;
        let unreadable = |error| fail(format!("its metadata cannot be read: {error}"));
        // Before the rest, which may be another structure in another format.
        let Version { format } = serde_json::from_str(json).map_err(unreadable)?;
        if format != FORMAT {
            return Err(fail(format!("its metadata has format {format}, this version reads {FORMAT}")));
        }
        let metadata: Metadata = serde_json::from_str(json).map_err(unreadable)?;
        let (height, width, classes) = (metadata.height, metadata.width, metadata.classes.len());
        if !SIDES.contains(&height) || !SIDES.contains(&width) {
            let (least, most) = (SIDES.start(), SIDES.end());
            return Err(fail(format!("expected image sides of {least} to {most} pixels, found {height}×{width}")));
        }
        if !CLASSES.contains(&classes) {
            let (least, most) = (CLASSES.start(), CLASSES.end());
            return Err(fail(format!("expected {least} to {most} classes, found {classes}")));
        }
        let usable = |value: f64| value.is_finite() && value.abs() < 1e6;
        if !usable(metadata.mean) || !usable(metadata.std) || metadata.std <= 0.0 {
            return Err(fail(format!("its normalisation is unusable: mean {}, std {}", metadata.mean, metadata.std)));
        }
        Self::with_metadata(bytes, metadata, path)
    }

    /// Reads the tensors of a model that is known by other means, such as a state dict that PyTorch's safetensors wrote; the
    /// file's own metadata are not looked at.
    ///
    /// # Errors
    /// When the file is damaged, or its tensors are not those of the model.
    pub fn load_as(path: &Path, metadata: Metadata) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::with_metadata(&bytes, metadata, path)
    }

    /// The tensors of a file, as the metadata ask for.
    fn with_metadata(bytes: &[u8], metadata: Metadata, path: &Path) -> Result<Self> {
        let fail = |problem: String| Error::format(path, problem);
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| fail(format!("is not a whole safetensors file: {error}")))?;
        let shapes = shapes(&metadata).map_err(|error| fail(error.to_string()))?;
        if let Some(extra) = tensors.names().into_iter().find(|name| !shapes.contains_key(*name)) {
            return Err(fail(format!("has a tensor {extra:?} that the model {} lacks", metadata.model.name)));
        }
        let mut parameters = Parameters::new();
        for (name, shape) in shapes {
            let tensor = tensors
                .tensor(&name)
                .map_err(|_| fail(format!("lacks the tensor {name:?} of the model {}", metadata.model.name)))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
                let (dtype, found) = (tensor.dtype(), tensor.shape());
                return Err(fail(format!("{name:?} must be F32 {shape:?}, but is {dtype:?} {found:?}")));
            }
            let values: Vec<f32> = bytemuck::pod_collect_to_vec(tensor.data());
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Err(fail(format!("{name:?} has {} at element {index}", values[index])));
            }
            parameters.insert(name, values);
        }
        Ok(Self { metadata, parameters })
    }
}

/// The shape of each parameter that the metadata asks for.
fn shapes(metadata: &Metadata) -> Result<BTreeMap<String, Vec<usize>>> {
    let stages = metadata.model.stages(metadata.image(), metadata.classes.len() as u32)?;
    let shapes = stages.iter().flat_map(crate::model::Stage::parameters);
    Ok(shapes.map(|(name, shape, _)| (name, shape.iter().map(|&extent| extent as usize).collect())).collect())
}
