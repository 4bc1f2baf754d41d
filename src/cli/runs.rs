//! The folder of runs: where new ones are made, and the newest is found.

use crate::report::compare::COMPARISON_FILE;
use crate::run::{RUN_FILE, Run, Status, WEIGHTS_FILE};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The folder of runs.
pub fn runs_folder() -> PathBuf {
    std::env::var_os("MNIST_GPU_RUNS").map_or_else(|| "runs".into(), Into::into)
}

/// The newest complete run.
pub fn newest() -> Result<PathBuf> {
    let runs = runs_folder();
    newest_complete(&runs)?.ok_or_else(|| {
        let runs = runs.display();
        Error::Data(format!(
            "there is no complete run in {runs}: make one with `mnist-gpu train`, or name a run's folder"
        ))
    })
}

/// The weights' file of a run that is named by its folder or by the file itself, or else of the newest complete run.
pub fn weights_path(run: Option<&Path>) -> Result<PathBuf> {
    match run {
        Some(path) if path.is_dir() => Ok(path.join(WEIGHTS_FILE)),
        Some(path) => Ok(path.into()),
        None => Ok(newest()?.join(WEIGHTS_FILE)),
    }
}

/// The run that a file of weights lies with.
pub fn run_of(weights: &Path) -> Option<Run> {
    weights.parent().and_then(|folder| Run::load(folder).ok())
}

/// Those of several folders that are no comparison of runs, which `runs/*` names, too.
pub fn without_comparisons(folders: &[PathBuf]) -> Vec<&PathBuf> {
    let is_comparison = |folder: &PathBuf| folder.join(COMPARISON_FILE).exists() && !folder.join(RUN_FILE).exists();
    let runs: Vec<&PathBuf> = folders.iter().filter(|folder| !is_comparison(folder)).collect();
    // Nothing but comparisons was not meant to be left out.
    if runs.is_empty() { folders.iter().collect() } else { runs }
}

/// A model's name as part of a folder's.
pub fn plain(name: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "-_".contains(letter) { letter } else { '-' };
    name.chars().map(plain).collect()
}

/// Makes the folder of a new run of a model: `runs/0007-name`, one more than the highest number there.
pub fn new_folder(runs: &Path, model: &str) -> Result<PathBuf> {
    std::fs::create_dir_all(runs).map_err(Error::io("create the folder", runs))?;
    let mut number = numbered(runs)?.last().map_or(1, |(number, _)| number + 1);
    loop {
        let folder = runs.join(format!("{number:04}-{}", plain(model)));
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            result => return result.map_err(Error::io("create the folder", &folder)).map(|()| folder),
        }
    }
}

/// The newest complete run among the numbered ones.
fn newest_complete(runs: &Path) -> Result<Option<PathBuf>> {
    let complete = |folder: &PathBuf| matches!(Run::load(folder), Ok(Run { status: Status::Complete, .. }));
    Ok(numbered(runs)?.into_iter().rev().map(|(_, folder)| folder).find(complete))
}

/// The numbered folders, in the order of their numbers.
fn numbered(runs: &Path) -> Result<Vec<(u32, PathBuf)>> {
    let entries = match std::fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read the folder", runs)(error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("read the folder", runs))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(number) = name.split_once('-').and_then(|(number, _)| number.parse().ok()) {
            folders.push((number, path));
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_numbered_onwards() {
        let runs = tempfile::tempdir().expect("a folder");
        assert_eq!(newest_complete(runs.path()).expect("readable"), None);
        let first = new_folder(runs.path(), "mlp").expect("made");
        assert!(first.ends_with("0001-mlp"));
        std::fs::create_dir(runs.path().join("0041-cnn")).expect("made");
        std::fs::create_dir(runs.path().join("notes")).expect("made");
        assert!(new_folder(runs.path(), "mlp").expect("made").ends_with("0042-mlp"));
        assert_eq!(newest_complete(runs.path()).expect("readable"), None);
        assert!(new_folder(runs.path(), "../a/b: c").expect("made").ends_with("0043----a-b--c"));
    }
}
