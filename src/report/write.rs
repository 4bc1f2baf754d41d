//! A run's report in its folder.

use super::command::{MODEL_FILE, is_preset};
use super::results::{Results, Subject};
use super::{confusion, markdown, mistakes, reliability, training};
use crate::data::Dataset;
use crate::device::DeviceInfo;
use crate::file::write_whole;
use crate::run::{Run, WEIGHTS_FILE};
use crate::trainer::Trainer;
use crate::{Error, Result};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The report's file.
pub const REPORT_FILE: &str = "report.md";
/// The plots.
pub const TRAINING: &str = "training";
pub const CONFUSION: &str = "confusion";
pub const RELIABILITY: &str = "reliability";
pub const MISTAKES: &str = "mistakes";

/// Every file of a report but [`MODEL_FILE`], which may be the user's own.
pub fn files() -> impl Iterator<Item = String> {
    let plots = [TRAINING, CONFUSION, RELIABILITY, MISTAKES];
    let pictures = plots.into_iter().flat_map(|plot| ["png", "svg"].map(|form| format!("{plot}.{form}")));
    std::iter::once(REPORT_FILE.to_owned()).chain(pictures)
}

/// Evaluates the weights that a trainer has, and writes the report of the run that they belong to: the plots first, then
/// the text that shows them. Returns the text's path.
///
/// # Errors
/// When the device fails, or a file cannot be written.
pub fn write(
    folder: &Path,
    out: &Path,
    run: &Run,
    data: &Dataset,
    trainer: &mut Trainer,
    device: &DeviceInfo,
) -> Result<PathBuf> {
    let path = folder.join(WEIGHTS_FILE);
    let weights = std::fs::read(&path).map_err(Error::io("read", &path))?;
    let weights = Sha256::digest(weights).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.into());
    let name = whole.file_name().map_or_else(|| run.config.model.name.clone().into(), |name| name.to_string_lossy());
    let results = &Results::new(trainer, &data.test.labels, &data.classes)?;
    let subject = Subject { name: &name, run, data, results, evaluated_on: device, weights: &weights };
    std::fs::create_dir_all(out).map_err(Error::io("create the folder", out))?;
    let wrong = results.mistakes();
    let mut plots = vec![
        (TRAINING, training::figure(run)?),
        (CONFUSION, confusion::figure(&results.test, &data.classes)?),
        (RELIABILITY, reliability::figure(&results.answers)?),
    ];
    if !wrong.is_empty() {
        plots.push((MISTAKES, mistakes::figure(&wrong, data)?));
    }
    plots.par_iter().try_for_each(|(name, figure)| figure.save(out, name))?;
    if !is_preset(&run.config.model) {
        let mut model = serde_json::to_vec_pretty(&run.config.model).expect("a model is plain data");
        model.push(b'\n');
        write_whole(&out.join(MODEL_FILE), &model)?;
    }
    let names: Vec<&str> = plots.iter().map(|(name, _)| *name).collect();
    let path = out.join(REPORT_FILE);
    write_whole(&path, markdown::report(&subject, &names)?.as_bytes())?;
    Ok(path)
}
