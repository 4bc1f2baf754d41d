//! `mnist-gpu report`: what runs look like.

use super::options::{DataArgs, DeviceArgs};
use super::output::line;
use super::runs::{newest, runs_folder, without_comparisons};
use super::{Ending, Talk};
use crate::checkpoint::{Checkpoint, Metadata};
use crate::data::Part;
use crate::device::open;
use crate::report::{compare, write};
use crate::run::{Run, WEIGHTS_FILE};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Write the report of a run, or compare several
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu report                               the newest complete run
  mnist-gpu report runs/0003-mlp --out paper     another, to a folder of its own
  mnist-gpu report runs/0001-cnn runs/0003-mlp   both, compared: runs/comparison
  mnist-gpu report runs/*                        all of them

The report of one run is report.md with the plots training, confusion, reliability and mistakes, each as \
PNG and SVG; train writes it at its end, too. The weights are evaluated on the training and the test images for \
it. A comparison is comparison.md with one plot; it needs the runs' records only, and is itself left out of runs/*.")]
pub struct Args {
    /// Folders of runs [default: the newest complete run]
    runs: Vec<PathBuf>,
    /// Where to write [default: the run's folder; of several runs, comparison in the folder of runs]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let folders: Vec<PathBuf> = without_comparisons(&args.runs).into_iter().map(|run| folder(run)).collect();
    let path = match &folders[..] {
        [] => one(&newest()?, args, talk)?,
        [folder] => one(folder, args, talk)?,
        _ => {
            let runs =
                folders.iter().map(|folder| Ok((folder.as_path(), Run::load(folder)?))).collect::<Result<Vec<_>>>()?;
            let out = args.out.clone().unwrap_or_else(|| runs_folder().join("comparison"));
            compare::write(&runs, &out)?
        }
    };
    if !talk.quiet {
        line(&format!("Wrote {}", path.display()))?;
    }
    Ok(Ending::Success)
}

/// The folder of a run that is named by it or by a file in it.
fn folder(run: &Path) -> PathBuf {
    match run.parent().filter(|_| run.is_file()) {
        Some(folder) if folder.as_os_str().is_empty() => ".".into(),
        Some(folder) => folder.into(),
        None => run.into(),
    }
}

fn one(folder: &Path, args: &Args, talk: Talk) -> Result<PathBuf> {
    let record = Run::load(folder)?;
    let weights = folder.join(WEIGHTS_FILE);
    if !weights.exists() {
        return Err(Error::Data(format!(
            "{} has no {WEIGHTS_FILE} yet: train --resume {} goes on with the run",
            folder.display(),
            folder.display()
        )));
    }
    let data = args.data.load_or_of(Some(&record), Part::All)?;
    if data.fingerprint != record.data.fingerprint {
        return Err(Error::Data(format!(
            "{} was not trained on these data: the fingerprint of {} was {}, that of {} is {}. Name its data by --data-dir",
            folder.display(),
            record.data.name,
            record.data.fingerprint,
            data.name,
            data.fingerprint
        )));
    }
    let checkpoint = Checkpoint::load_as(&weights, Metadata::new(&record.config, &data))?;
    let out = args.out.as_deref().unwrap_or(folder);
    std::fs::create_dir_all(out).map_err(Error::io("create the folder", out))?;
    let (device, choice) = open(&args.device.request(), args.device.threads)?;
    if !talk.quiet {
        line(&format!("Evaluating {} on {}: {}", folder.display(), device.info(), choice.why))?;
    }
    let (mut trainer, _) = Run::begin(&*device, choice.why, &data, record.config.clone())?;
    trainer.initialise(&checkpoint.parameters)?;
    write(folder, out, &record, &data, &mut trainer, device.info())
}
