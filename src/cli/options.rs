//! Options that several commands share.

use crate::checkpoint::{Checkpoint, Metadata};
use crate::data::{Dataset, Part};
use crate::device::Request;
use crate::model::{defaults, load};
use crate::run::Run;
use crate::{Error, Result};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Where a command computes.
#[derive(Debug, clap::Args)]
pub struct DeviceArgs {
    /// The device: auto (the best GPU, else the CPU), cpu, software, vulkan, metal, dx12, gl, a number from `mnist-gpu
    /// devices`, or part of a name [default: what `MNIST_GPU_DEVICE` says, or auto]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<Request>,
    /// Threads of the CPU device [default: as many as the process may use]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub threads: Option<NonZeroUsize>,
}

impl DeviceArgs {
    /// The device that is asked for, here or by the environment.
    pub fn request(&self) -> Request {
        let usual = || std::env::var("MNIST_GPU_DEVICE").ok()?.parse().ok();
        self.device.clone().or_else(usual).unwrap_or(Request::Auto)
    }
}

/// What a command computes on.
#[derive(Debug, clap::Args)]
pub struct DataArgs {
    /// A folder with IDX files under MNIST's names (train-images-idx3-ubyte and so on, plain or .gz) instead of MNIST;
    /// labels.txt in it names the classes
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

impl DataArgs {
    /// The whole path of the folder, as records of runs have it.
    pub fn folder(&self) -> Option<String> {
        let folder = self.data_dir.as_ref()?;
        let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        Some(whole.to_string_lossy().into_owned())
    }

    /// Loads the data set.
    pub fn load(&self, part: Part) -> Result<Dataset> {
        let clock = Instant::now();
        let data = Dataset::load(self.data_dir.as_deref(), part)?;
        let Dataset { name, height, width, classes, mean, std, train, test, .. } = &data;
        log::debug!(
            "{name}: {} and {} images of {height}×{width}, {} classes, mean {mean:.4}, standard deviation {std:.4}, read in {:.0?}",
            train.len(),
            test.len(),
            classes.len(),
            clock.elapsed()
        );
        Ok(data)
    }

    /// Loads the data set, or where none is named that of a run.
    pub fn load_or_of(&self, run: Option<&Run>, part: Part) -> Result<Dataset> {
        match run.and_then(|run| run.data_dir.as_ref()) {
            Some(folder) if self.data_dir.is_none() => {
                let elsewhere = |error| {
                    Error::Data(format!(
                        "{error}. These are the data that the run was trained on: if they are elsewhere now, name them by --data-dir"
                    ))
                };
                Self { data_dir: Some(folder.into()) }.load(part).map_err(elsewhere)
            }
            _ => self.load(part),
        }
    }

    /// Whether a model belongs to the data; to those that were not named, only if it was trained on them.
    pub fn fits(&self, metadata: &Metadata, data: &Dataset) -> Result<()> {
        let [trained, found] =
            [(metadata.height, metadata.width, metadata.classes.len()), (data.height, data.width, data.classes.len())];
        if trained != found {
            return Err(Error::Data(format!(
                "the model is for {}×{} images of {} classes, but {} has {}×{} images of {} classes: name its data by --data-dir",
                trained.0, trained.1, trained.2, data.name, found.0, found.1, found.2
            )));
        }
        if self.data_dir.is_none() && metadata.data != data.fingerprint {
            return Err(Error::Data(format!(
                "the model was trained on other data than {} as it is found here: name them by --data-dir",
                data.name
            )));
        }
        Ok(())
    }
}

/// The trained model in a file of weights; of weights that say no architecture, with the one that is named.
pub fn trained(path: &Path, architecture: Option<&str>, data: &Dataset) -> Result<Checkpoint> {
    match architecture {
        Some(name) => {
            let config = defaults(load(name, data.classes.len() as u32)?);
            Checkpoint::load_as(path, Metadata::new(&config, data))
        }
        None => Checkpoint::load(path),
    }
}
