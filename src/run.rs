//! What a training run leaves behind: the one value that every report is made from.

use crate::config::TrainConfig;
use crate::data::Dataset;
use crate::device::{Device, DeviceInfo};
use crate::file::write_whole;
use crate::gpu::kernels::Tuning;
use crate::trainer::{EpochRow, Trainer};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version of the program, which a resumed run must share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Going on, or killed without a chance to say so.
    Running,
    /// Stopped by the user before its end.
    Interrupted,
    /// Stopped by a loss that was no number any more.
    Diverged,
    /// At its end.
    Complete,
}

/// What a run was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataInfo {
    /// The name of the data set.
    pub name: String,
    /// SHA-256 over all of it.
    pub fingerprint: String,
    /// Rows of an image.
    pub height: u32,
    /// Columns of an image.
    pub width: u32,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// Images trained on.
    pub train_images: u32,
    /// Images held out.
    pub validation_images: u32,
    /// Images tested on.
    pub test_images: u32,
}

/// Which kernel ran an op of the training step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelChoice {
    /// The op.
    pub op: String,
    /// The kernel; of the CPU, its instruction set.
    pub kernel: String,
}

/// A training run, as run.json has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of the program.
    pub version: String,
    /// Where the run stands.
    pub status: Status,
    /// How it is trained.
    pub config: TrainConfig,
    /// What it is trained on.
    pub data: DataInfo,
    /// The folder of its data, where they are not embedded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
    /// The run or the file whose weights it began with, where those were not the seed's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// What it runs on.
    pub device: DeviceInfo,
    /// Why on that.
    pub device_reason: String,
    /// Whether it was resumed on another device, or with other kernels, than it had before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moved: bool,
    /// The kernels of the training step, in its order.
    pub kernels: Vec<KernelChoice>,
    /// Of its ops, those that get other kernels than usual because `bench --save-tuning` found these faster: by the op and
    /// its shapes, the class of adapters whose kernel it is.
    #[serde(default, skip_serializing_if = "Tuning::is_empty")]
    pub tuning: Tuning,
    /// Number of parameters of the model.
    pub parameters: u64,
    /// A row for each epoch, the untrained network first.
    pub epochs: Vec<EpochRow>,
    /// The mean loss of each step.
    pub step_losses: Vec<f32>,
}

impl DataInfo {
    /// Of a data set, with so many images trained on and held out.
    pub fn new(data: &Dataset, train_images: usize, validation_images: usize) -> Self {
        Self {
            name: data.name.clone(),
            fingerprint: data.fingerprint.clone(),
            height: data.height,
            width: data.width,
            classes: data.classes.clone(),
            train_images: train_images as u32,
            validation_images: validation_images as u32,
            test_images: data.test.len() as u32,
        }
    }
}

/// The record's file in a run's folder.
pub const RUN_FILE: &str = "run.json";
/// The weights' file in a run's folder.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// The checkpoint's file in the folder of a run that is not complete.
pub const SNAPSHOT_FILE: &str = "checkpoint.safetensors";
/// The table of epochs in a run's folder.
pub const METRICS_FILE: &str = "metrics.csv";

impl Run {
    /// Puts data and model on a device, and begins the record of the run; `why` says why on that device.
    pub fn begin(device: &dyn Device, why: String, data: &Dataset, config: TrainConfig) -> Result<(Trainer, Self)> {
        let mut trainer = Trainer::new(device, data, &config)?;
        let (_, [trained, held_out, _]) = trainer.parts();
        let run = Self {
            version: VERSION.into(),
            status: Status::Running,
            data: DataInfo::new(data, trained.len(), held_out.len()),
            data_dir: None,
            init: None,
            device: device.info().clone(),
            device_reason: why,
            moved: false,
            kernels: trainer.kernels().into_iter().map(|(op, kernel)| KernelChoice { op, kernel }).collect(),
            tuning: trainer.tuning(device.tuning()),
            parameters: trainer.parameters()?.values().map(|values| values.len() as u64).sum(),
            epochs: Vec::new(),
            step_losses: Vec::new(),
            config,
        };
        Ok((trainer, run))
    }

    /// Steps of an epoch; 1 at least, whatever a file says.
    pub fn steps_per_epoch(&self) -> u32 {
        self.data.train_images.div_ceil(self.config.batch_size.max(1)).max(1)
    }

    /// Writes run.json and metrics.csv.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let mut json = serde_json::to_vec_pretty(self).expect("a run is plain data");
        json.push(b'\n');
        write_whole(&folder.join(RUN_FILE), &json)?;
        write_whole(&folder.join(METRICS_FILE), self.metrics_csv().as_bytes())
    }

    /// Reads run.json.
    pub fn load(folder: &Path) -> Result<Self> {
        Self::read(&folder.join(RUN_FILE))
    }

    /// Reads a record from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let unfit = |problem: String| Error::format(path, format!("is not the record of a run: {problem}"));
        let run: Self = serde_json::from_slice(&bytes).map_err(|error| unfit(error.to_string()))?;
        run.config.validate().map_err(|error| unfit(error.to_string()))?;
        Ok(run)
    }

    /// The rows of the epochs; what is not there is an empty cell.
    fn metrics_csv(&self) -> String {
        let mut text = String::from(
            "epoch,train_loss,train_accuracy,test_loss,test_accuracy,validation_loss,validation_accuracy,\
             learning_rate,images_per_second,seconds\n",
        );
        for row in &self.epochs {
            let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            let cells = [
                row.epoch.to_string(),
                row.train_loss.to_string(),
                row.train_accuracy.to_string(),
                row.test_loss.to_string(),
                row.test_accuracy.to_string(),
                optional(row.validation_loss),
                optional(row.validation_accuracy),
                optional(row.learning_rate),
                optional(row.images_per_second),
                optional(row.seconds),
            ];
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{defaults, preset};

    /// A complete run of a preset with so many epochs, each with a test loss and accuracy, for the tests of reports.
    pub fn run(model: &str, rows: &[[f64; 2]]) -> Run {
        let row = |(epoch, &[test_loss, test_accuracy]): (u32, &[f64; 2])| EpochRow {
            epoch,
            train_loss: test_loss,
            train_accuracy: test_accuracy,
            test_loss,
            test_accuracy,
            validation_loss: None,
            validation_accuracy: None,
            learning_rate: (epoch > 0).then_some(0.01),
            images_per_second: (epoch > 0).then_some(1_000.0),
            seconds: (epoch > 0).then_some(2.0),
        };
        let named = |text: &str| text.to_owned();
        let mut config = defaults(preset(model, 10).expect("a preset"));
        config.epochs = (rows.len() as u32).saturating_sub(1).max(1);
        Run {
            version: VERSION.into(),
            status: Status::Complete,
            config,
            data: DataInfo {
                name: "mnist".into(),
                fingerprint: "0123456789abcdef".into(),
                height: 28,
                width: 28,
                classes: (0..10).map(|class| class.to_string()).collect(),
                train_images: 1_000,
                validation_images: 0,
                test_images: 1_000,
            },
            data_dir: None,
            init: None,
            device: DeviceInfo {
                name: named("CPU"),
                backend: named("cpu"),
                kind: named("cpu"),
                driver: named("AVX2, 2 threads"),
            },
            device_reason: "asked for by --device cpu".into(),
            moved: false,
            kernels: Vec::new(),
            tuning: Tuning::new(),
            parameters: 101_770,
            epochs: (0..).zip(rows).map(row).collect(),
            step_losses: vec![2.0, 1.0, 0.5],
        }
    }
}
