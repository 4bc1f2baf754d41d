//! Test loss against the number of training images: a study is a folder of cells, one training run for each size and seed.
//!
//! A cell is a file, written whole or not at all, that holds the [`Run`]: so cells may be made by any number of processes
//! on any number of machines that share the folder, and a study is put together by copying cells into one folder.

mod cell;

pub use cell::{Cell, Share, cells, default_sizes};

use crate::config::TrainConfig;
use crate::data::Dataset;
use crate::device::Device;
use crate::file::write_whole;
use crate::run::{Run, Status};
use crate::trainer::Event;
use crate::{Error, Result};
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The folder of the cells in that of a study.
const CELLS: &str = "cells";

/// A study's folder, and what all of its cells have in common.
#[derive(Debug)]
pub struct Study {
    folder: PathBuf,
    config: TrainConfig,
    fingerprint: String,
}

impl Study {
    /// The study in a folder, which need not exist yet, of cells with this configuration (but for size and seed) and data.
    pub fn new(folder: &Path, config: TrainConfig, data: &Dataset) -> Self {
        Self { folder: folder.into(), config, fingerprint: data.fingerprint.clone() }
    }

    /// The study's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a cell is kept.
    fn path(&self, cell: Cell) -> PathBuf {
        self.folder.join(CELLS).join(cell.file_name())
    }

    /// Makes the folder, and makes sure that cells can be written into it before hours are spent on them.
    pub fn prepare(&self) -> Result<()> {
        let cells = self.folder.join(CELLS);
        std::fs::create_dir_all(&cells).map_err(Error::io("create the folder", &cells))?;
        tempfile::tempfile_in(&cells).map_err(Error::io("write into the folder", &cells))?;
        Ok(())
    }

    /// Removes the folder again if there is nothing in it; else it does nothing.
    pub fn remove_if_empty(&self) {
        let _ = std::fs::remove_dir(self.folder.join(CELLS)).and_then(|()| std::fs::remove_dir(&self.folder));
    }

    /// How a cell is trained.
    pub fn config(&self, cell: Cell) -> TrainConfig {
        TrainConfig { seed: cell.seed, train_size: Some(cell.train_size), ..self.config.clone() }
    }

    /// Whether a cell is there.
    pub fn has(&self, cell: Cell) -> bool {
        self.path(cell).exists()
    }

    /// The names of the cells' files that are there, in order.
    pub fn names(&self) -> Result<Vec<OsString>> {
        let folder = self.folder.join(CELLS);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read the folder", &folder)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(Error::io("read the folder", &folder))?.file_name();
            // What another process is writing has neither a cell's name nor its ending yet.
            if Path::new(&name).extension().is_some_and(|extension| extension == "json") {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The cells that are there, by size and seed.
    ///
    /// # Errors
    /// When a file is no cell, or one of another study.
    pub fn load(&self) -> Result<Vec<Run>> {
        let paths = self.names()?.into_iter().map(|name| self.folder.join(CELLS).join(name));
        let mut runs: Vec<Run> = paths.map(|path| self.load_cell(&path)).collect::<Result<_>>()?;
        runs.sort_by_key(|run| cell_of(run).ok());
        Ok(runs)
    }

    fn load_cell(&self, path: &Path) -> Result<Run> {
        let fail = |problem: String| {
            Error::format(path, format!("{problem}. Remove the file, and the same command runs its cell again"))
        };
        let run = Run::read(path).map_err(|error| match error {
            Error::Format { problem, .. } => fail(problem),
            other => other,
        })?;
        let cell = cell_of(&run).map_err(fail)?;
        if path.file_name().is_none_or(|name| *name != *cell.file_name()) {
            return Err(fail(format!("holds the cell {}", cell.file_name())));
        }
        if let Some(differences) = self.differences(&run) {
            return Err(Error::Usage(format!(
                "{}: is a study of other settings: {differences}. Name another folder by --out, or give that study's options",
                self.folder.display()
            )));
        }
        Ok(run)
    }

    /// How a cell was trained otherwise than this study's are, if it was.
    fn differences(&self, run: &Run) -> Option<String> {
        let asked = TrainConfig { seed: run.config.seed, train_size: run.config.train_size, ..self.config.clone() };
        if run.config.model.name != asked.model.name {
            return Some(format!("its model is {}, not {}", run.config.model.name, asked.model.name));
        }
        if run.config.model != asked.model {
            return Some(format!("its model {} has other layers", asked.model.name));
        }
        if run.data.fingerprint != self.fingerprint {
            return Some(format!("its data ({}) are others", run.data.name));
        }
        let [found, wanted] = [&run.config, &asked].map(|config| serde_json::to_value(config).expect("plain data"));
        let fields = found.as_object().into_iter().flatten().filter(|(name, value)| **value != wanted[name.as_str()]);
        let texts: Vec<String> = fields
            .map(|(name, value)| format!("its {} is {value}, not {}", name.replace('_', " "), wanted[name.as_str()]))
            .collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    }

    /// Keeps a cell that was run to its end.
    pub fn save(&self, run: &Run) -> Result<()> {
        let cell = cell_of(run).map_err(|problem| Error::format(&self.folder, problem))?;
        let mut json = serde_json::to_vec_pretty(run).expect("a run is plain data");
        json.push(b'\n');
        write_whole(&self.path(cell), &json)
    }
}

/// Which cell a run is.
///
/// # Errors
/// When it is none: not at its end, or with figures that no run has.
fn cell_of(run: &Run) -> Result<Cell, String> {
    let train_size = run.config.train_size.filter(|size| *size > 0 && *size == run.data.train_images);
    let train_size = train_size.ok_or("is not a cell of a study: it has no size of its own")?;
    match run.status {
        Status::Complete => {}
        Status::Diverged => return Ok(Cell { train_size, seed: run.config.seed }),
        Status::Running | Status::Interrupted => return Err("is a run that has not come to its end".into()),
    }
    let last = run.epochs.last().filter(|row| row.epoch == run.config.epochs);
    let last = last.ok_or_else(|| format!("has no row of epoch {}", run.config.epochs))?;
    let (losses, accuracies) = ([last.train_loss, last.test_loss], [last.train_accuracy, last.test_accuracy]);
    if losses.iter().any(|loss| !(0.0..f64::INFINITY).contains(loss))
        || accuracies.iter().any(|share| !(0.0..=1.0).contains(share))
    {
        return Err(format!("has figures that no run has: losses {losses:?}, accuracies {accuracies:?}"));
    }
    Ok(Cell { train_size, seed: run.config.seed })
}

/// Trains a cell to its end; none where the caller breaks off. A loss that is no number any more is an end, too.
pub fn train(
    device: &dyn Device,
    why: &str,
    data: &Dataset,
    config: TrainConfig,
    tell: &mut dyn FnMut(&Event) -> ControlFlow<()>,
) -> Result<Option<Run>> {
    let (mut trainer, mut run) = Run::begin(device, why.into(), data, config)?;
    loop {
        let event = match trainer.advance() {
            Err(Error::Diverged { .. }) => {
                run.status = Status::Diverged;
                return Ok(Some(run));
            }
            event => event?,
        };
        match &event {
            Event::Epoch(row) => run.epochs.push(row.clone()),
            Event::Done => {
                run.status = Status::Complete;
                return Ok(Some(run));
            }
            Event::Chunk { .. } => {}
        }
        if tell(&event).is_break() {
            return Ok(None);
        }
    }
}
