//! The whole state of a training run in one file, to go on from exactly where it stood.

use crate::file::write_whole;
use crate::run::Run;
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The metadata's one key.
const KEY: &str = "mnist-gpu-snapshot";
/// The name under which the losses of the steps are kept beside the device's tensors.
const STEP_LOSSES: &str = "step_losses";

/// Where a run stands, apart from its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Steps done.
    pub step: u32,
    /// The epoch whose row comes next.
    pub next_row: u32,
    /// Whether the target accuracy has been reached.
    pub target_reached: bool,
    /// Sum of the losses of the current epoch so far.
    pub epoch_loss: f64,
    /// Correct answers of the current epoch so far.
    pub epoch_correct: f64,
    /// Seconds of training of the current epoch so far.
    pub epoch_seconds: f64,
}

/// A training run between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Where the run stands.
    pub position: Position,
    /// The mean loss of each step so far.
    pub step_losses: Vec<f32>,
    /// The flat tensors that training changes, by name: the parameters and the optimizer's moments.
    pub tensors: BTreeMap<String, Vec<f32>>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    position: Position,
    run: Run,
}

impl Snapshot {
    /// Writes the file whole or not at all; the record of the run goes with it, without its step losses.
    pub fn save(&self, run: &Run, path: &Path) -> Result<()> {
        let run = Run { step_losses: Vec::new(), ..run.clone() };
        let header = serde_json::to_value(Header { position: self.position.clone(), run }).expect("plain data");
        let losses = (!self.step_losses.is_empty()).then_some((STEP_LOSSES, &self.step_losses));
        let tensors = self.tensors.iter().map(|(name, values)| (name.as_str(), values)).chain(losses);
        let views = tensors.map(|(name, values)| {
            let view = TensorView::new(Dtype::F32, vec![values.len()], bytemuck::cast_slice(values));
            (name, view.expect("the shape is the length"))
        });
        let metadata = Some(HashMap::from([(KEY.to_owned(), header.to_string())]));
        let bytes = safetensors::serialize(views, metadata)
            .map_err(|error| Error::format(path, format!("cannot be serialised: {error}")))?;
        write_whole(path, &bytes)
    }

    /// Reads a file that [`Self::save`] wrote.
    pub fn load(path: &Path) -> Result<(Self, Run)> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let broken = |problem: String| Error::format(path, format!("is not a whole checkpoint: {problem}"));
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| broken(error.to_string()))?;
        let text = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
        let text = text.ok_or_else(|| broken(format!("it has no {KEY:?} in its metadata")))?;
        let Header { position, run } = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| broken(error.to_string()))?;
        let mut values = BTreeMap::new();
        for (name, tensor) in tensors.iter() {
            if tensor.dtype() != Dtype::F32 {
                return Err(broken(format!("{name:?} is {:?}, not F32", tensor.dtype())));
            }
            values.insert(name.to_owned(), bytemuck::pod_collect_to_vec(tensor.data()));
        }
        let step_losses = values.remove(STEP_LOSSES).unwrap_or_default();
        if step_losses.len() != position.step as usize {
            return Err(broken(format!("it has {} losses of {} steps", step_losses.len(), position.step)));
        }
        Ok((Self { position, step_losses, tensors: values }, run))
    }
}
